/** What strangers' files cost is paid away from the page, and has an end. */
import { zipSync } from 'fflate';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LARGE_HEADER_BYTES, parseLargeHeaders } from '../../../src/formats/large-headers';
import { openSafetensors, writeSafetensors } from '../../../src/formats/safetensors';
import { connect, serve } from '../../../src/rpc/rpc';
import { Reader } from '../../../src/session/reader';
import type { DataWorkerApi } from '../../../src/workers/data/edit-dataset';
import { readFiles } from '../../../src/workers/data/read-files';
import { fixtureBytes } from '../../fixture-files';
import { FakeLocks, FakeWorker } from './fake-worker';

const open: Reader[] = [];
afterEach(() => {
  parseLargeHeaders(null);
  for (const reader of open.splice(0)) reader.close();
  vi.useRealTimers();
});

function reader(api: Partial<DataWorkerApi> = readFiles) {
  const workers: FakeWorker[] = [];
  const made = new Reader(() => {
    const locks = new FakeLocks();
    const worker = new FakeWorker(locks);
    workers.push(worker);
    serve(api, { port: worker.port, locks: worker.locks });
    return connect<DataWorkerApi>(worker, { name: 'data worker', locks: locks.for({}) });
  });
  open.push(made);
  return { reader: made, workers };
}

const text = (value: string) => new TextEncoder().encode(value);
const context = { where: 'voice.zip', code: 'bad_adapter' as const };
const wanted = /(^|\/)(adapter_config\.json|adapter_model\.safetensors)$/;
const zipped = (files: Record<string, Uint8Array>) => new Blob([zipSync(files) as Uint8Array<ArrayBuffer>]);

describe('archives', () => {
  it('give the wanted files alone; what is not wanted may expand to anything', async () => {
    const bomb = new Uint8Array(30_000_000);
    const archive = zipped({
      'a/adapter_config.json': text('{}'),
      'a/pytorch_model.bin': bomb,
      'a/notes.txt': text('x'),
    });
    expect(archive.size).toBeLessThan(100_000);
    const files = await reader().reader.unzip(archive, wanted, context);
    expect(files).toEqual([{ path: 'a/adapter_config.json', bytes: text('{}') }]);
  });

  it.each([
    ['a wanted file that expands a thousand times', { 'adapter_config.json': new Uint8Array(3_000_000) }],
    [
      'two wanted files of which one does',
      { 'adapter_config.json': text('{}'), 'adapter_model.safetensors': new Uint8Array(9_000_000) },
    ],
  ])('%s is refused', async (_name, files) => {
    await expect(reader().reader.unzip(zipped(files), wanted, context)).rejects.toMatchObject({
      code: 'bad_adapter',
      message: expect.stringContaining('more than 200 times'),
    });
  });

  it('that lie about their sizes are refused while they inflate', async () => {
    const bytes = zipSync({ 'adapter_config.json': text(JSON.stringify(Array.from({ length: 4000 }, (_, i) => i))) });
    // The sizes in the local header and in the directory: ten letters.
    const view = new DataView(bytes.buffer);
    for (let i = 0; i + 30 < bytes.length; i++) {
      if (view.getUint32(i, true) === 0x04034b50) view.setUint32(i + 22, 10, true);
      if (view.getUint32(i, true) === 0x02014b50) view.setUint32(i + 24, 10, true);
    }
    const lying = new Blob([bytes as Uint8Array<ArrayBuffer>]);
    await expect(reader().reader.unzip(lying, wanted, context)).rejects.toMatchObject({
      message: 'This file is damaged in the archive.',
    });
  });

  it('of which the worker never gets done are given up', async () => {
    const { reader: hanging, workers } = reader({ unzip: () => new Promise<never>(() => {}) });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const waiting = expect(hanging.unzip(zipped({}), wanted, context)).rejects.toMatchObject({ code: 'timeout' });
    for (let n = 0; n < 20 && !workers[0]?.terminated; n++) {
      await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(60_000);
    }
    await waiting;
    expect(workers[0]!.terminated).toBe(true);
  });
});

describe('large headers', () => {
  const tensors = (count: number) =>
    writeSafetensors(
      Array.from({ length: count }, (_, i) => ({
        ...{ name: `model.layers.${i}.self_attn.q_proj.lora_A.weight`, dtype: 'F16' as const },
        ...{ shape: [1], data: Uint16Array.of(i) },
      })),
    );
  const openBytes = (bytes: Uint8Array) =>
    openSafetensors(async (start, end) => bytes.slice(start, end).buffer as ArrayBuffer, bytes.length, { where: 'x' });

  it('are parsed by the worker, small ones where they are, with the same result', async () => {
    const large = tensors(4000);
    const here = await openBytes(large);
    expect(large.length).toBeGreaterThan(LARGE_HEADER_BYTES);
    const { reader: made, workers } = reader();
    parseLargeHeaders(made.parseHeader);
    await openBytes(await fixtureBytes('formats/reference.safetensors'));
    expect(workers).toHaveLength(0);
    const there = await openBytes(large);
    expect(workers).toHaveLength(1);
    expect(there.tensors).toEqual(here.tensors);
    expect({ ...there.metadata }).toEqual({ ...here.metadata });
  });

  it('that are damaged are refused with the same words', async () => {
    const bytes = tensors(4000).slice(0, -1);
    const words = await openBytes(bytes).catch((cause) => cause.toData());
    expect(words.message).toContain('cut off');
    parseLargeHeaders(reader().reader.parseHeader);
    await expect(openBytes(bytes)).rejects.toMatchObject(words);
  });
});
