import { describe, expect, it, vi } from 'vitest';
import { findCached, listManifests, openCachedModel } from '../../../src/hub/cache';
import { checkModelFolder } from '../../../src/hub/check';
import { withGguf } from '../../../src/hub/gguf/with-gguf';
import { fixtureBytes } from '../../fixture-files';
import type { Fault } from '../../support/hub-server';
import { until } from '../../support/time';
import {
  expectWhole,
  files,
  freshHubs,
  id,
  reopenStore,
  server,
  source,
  store,
  strike,
  tab,
  third,
  WEIGHTS,
  workers,
} from './download-stage';
import { config } from './helpers';

freshHubs();

describe('a failing download', () => {
  const paused: [string, Fault, Parameters<typeof strike>[1], object][] = [
    [
      'an HTML page instead of weights',
      { contentType: 'text/html', replace: () => new TextEncoder().encode('<html>') },
      { times: 99 },
      {
        code: 'network',
        message: `The server sent a web page instead of ${WEIGHTS}.`,
        action: expect.stringContaining('log in'),
      },
    ],
    [
      'an HTML page served as data',
      { replace: (bytes) => Buffer.concat([Buffer.from('\n<!DOCTYPE html>'), bytes.subarray(16)]) },
      { times: 99 },
      { code: 'network', message: `The server sent a web page instead of ${WEIGHTS}.` },
    ],
    [
      'a 429 with a long wait',
      { status: 429, headers: { 'Retry-After': '3600' } },
      { times: 99 },
      {
        code: 'network',
        message: expect.stringContaining('too many requests'),
        action: expect.stringMatching(/60 min/),
      },
    ],
    ['a 502', { status: 502 }, { times: 99 }, { message: expect.stringContaining('is having problems') }],
    [
      'bytes that are wrong every time',
      { replace: (bytes) => bytes.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)) },
      { times: 99 },
      { code: 'network', message: expect.stringContaining('checksum is wrong') },
    ],
    [
      'a size that differs from the Hub’s listing',
      { replace: (bytes) => bytes.subarray(0, 900_000) },
      { times: 99 },
      { code: 'network', message: expect.stringContaining('differs from the Hub’s listing') },
    ],
  ];
  const failed: typeof paused = [
    [
      'a 401 for a model that has become gated',
      { status: 401, headers: { 'X-Error-Code': 'GatedRepo' } },
      { times: 99, host: 'hub' },
      { code: 'access', action: expect.stringContaining('enter it here') },
    ],
    [
      'a 403',
      { status: 403 },
      { times: 99, host: 'hub' },
      { code: 'access', action: expect.stringContaining('token') },
    ],
    [
      'a 404 for a file that was deleted',
      { status: 404, headers: { 'X-Error-Code': 'EntryNotFound' } },
      { times: 99, host: 'hub' },
      { code: 'bad_model', message: `${WEIGHTS} no longer exists on the Hub.` },
    ],
  ];
  it.each([...paused.map((row) => ['paused', ...row] as const), ...failed.map((row) => ['failed', ...row] as const)])(
    'is %s by %s, and resumes afterwards',
    async (state, _, fault, when, error) => {
      const { session, last } = tab();
      await session.describeModel(id);
      strike(fault, when);
      await expect(session.download(source)).rejects.toMatchObject(error);
      expect(last()).toMatchObject({ state, error });
      expect(await findCached(source, store)).toBeNull();
      await expect(openCachedModel(source, store)).rejects.toMatchObject({ code: 'bad_model' });
      server.fault = () => null;
      await session.download(source);
      expect(last()).toMatchObject({ state: 'done', error: null });
      await expectWhole();
    },
  );

  it('waits out a short 429', async () => {
    strike({ status: 429, headers: { 'Retry-After': '1' } });
    const { session, last } = tab();
    await session.describeModel(id);
    const asked = () => server.ranges(WEIGHTS).length;
    const described = asked();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const running = session.download(source);
    // The clock stands until the refusal is here and its second has begun.
    await until(() => timers.mock.calls.some(([, milliseconds]) => milliseconds === 1000));
    await vi.advanceTimersByTimeAsync(999);
    expect(asked()).toBe(described + 1);
    await vi.advanceTimersByTimeAsync(1);
    await until(() => asked() === described + 2);
    timers.mockRestore();
    vi.useRealTimers();
    await running;
    expect(asked()).toBe(described + 2);
    expect(last().state).toBe('done');
  });

  /** The connection breaks after the first half, and `fault` hits the next response. */
  function halfThen(fault: Fault): void {
    const half = Math.floor(files[WEIGHTS]!.length / 2);
    let asked = 0;
    server.fault = ({ host, file, range }) => {
      if (host !== 'cdn' || file !== WEIGHTS || (range && range[1] < 10_000)) return null;
      asked++;
      return asked === 1 ? { cutAfter: half } : asked === 2 ? fault : null;
    };
  }

  it('starts a file again, with a note, if its ETag changes between chunks', async () => {
    halfThen({ etag: 'another' });
    const { session, seen } = tab();
    await session.download(source);
    expect(
      server
        .ranges(WEIGHTS)
        .slice(-2)
        .map(([first]) => first),
    ).toEqual([Math.floor(files[WEIGHTS]!.length / 2), 0]);
    expect(seen.some(({ note }) => note?.includes('changed on the server'))).toBe(true);
    await expectWhole();
  });

  it('relies on the hash if a server sends a new ETag with every response', async () => {
    let count = 0;
    server.fault = ({ host, file, range }) => {
      if (host !== 'cdn' || file !== WEIGHTS || (range && range[1] < 10_000)) return null;
      return { etag: `etag-${count++}`, cutAfter: 200_000 };
    };
    const { session, last } = tab();
    await session.download(source);
    expect(last().state).toBe('done');
    await expectWhole();
  });

  it('starts a file again after a 416: there are more bytes here than on the server', async () => {
    halfThen({ status: 416, headers: { 'Content-Range': 'bytes */17' } });
    const { session, seen } = tab();
    await session.download(source);
    expect(seen.some(({ note }) => note?.includes('changed on the server'))).toBe(true);
    await expectWhole();
  });

  it('skips the start of a 200 sent instead of a 206', async () => {
    halfThen({ whole: true });
    const { session, seen } = tab();
    await session.download(source);
    expect(seen.filter(({ note }) => note !== null)).toEqual([]);
    await expectWhole();
  });

  it('detects a flipped bit by the hash and fetches the file again', async () => {
    strike({ replace: (bytes) => bytes.map((byte, i) => (i === 300_000 ? byte ^ 64 : byte)) });
    const { session, seen } = tab();
    await session.download(source);
    expect(seen.some(({ note }) => note?.includes('checksum'))).toBe(true);
    await expectWhole();
  });

  it('does the same for a small file, which has a git hash', async () => {
    let struck = false;
    server.fault = ({ file, range }) => {
      if (file !== 'tokenizer.json' || !range || struck) return null;
      struck = true;
      return { replace: (bytes) => bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) };
    };
    const { session, seen } = tab();
    await session.download(source);
    expect(struck).toBe(true);
    expect(seen.some(({ note }) => note?.includes('checksum of tokenizer.json is wrong'))).toBe(true);
    await expectWhole();
  });

  it('reports a full disk, and resumes once there is space', async () => {
    const { session, last } = tab();
    await session.describeModel(id);
    store.capacity = third();
    await expect(session.download(source)).rejects.toMatchObject({
      code: 'storage_full',
      action: expect.stringContaining('Delete'),
    });
    expect(last()).toMatchObject({ state: 'failed', error: { code: 'storage_full' } });
    store.capacity = Infinity;
    await session.download(source);
    await expectWhole();
  });

  it('resumes with a new worker after the first one dies', async () => {
    strike({ stallAfter: third() });
    const { session, last } = tab();
    const running = session.download(source);
    const died = expect(running).rejects.toMatchObject({ code: 'worker_died' });
    await expect.poll(() => last()?.loaded ?? 0).toBeGreaterThanOrEqual(third());
    workers.at(-1)!.crash();
    await died;
    expect(last()).toMatchObject({ state: 'paused', error: { code: 'worker_died' } });
    // The browser closes the files that the crashed worker had open.
    reopenStore();
    await tab().session.download(source);
    await expectWhole();
  });

  it('refuses an unsupported model before fetching its weights', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...config, model_type: 'mamba' }));
    const odd = server.add({ id: 'org/odd', files: { ...files, 'config.json': bytes } });
    const { session } = tab();
    await expect(session.download(odd.source)).rejects.toMatchObject({
      code: 'bad_model',
      message: expect.stringContaining('mamba'),
    });
    expect(server.ranges(WEIGHTS)).toEqual([]);
    expect(await listManifests(store)).toEqual([]);
  });

  it('refuses a gated model with instructions, and accepts a token', async () => {
    const gated = server.add({ id: 'org/gated', files: { ...files, 'README.md': new Uint8Array(3) }, access: 'gated' });
    const { session, last } = tab();
    await expect(session.download('hf:org/gated')).rejects.toMatchObject({
      code: 'access',
      action: expect.stringContaining('access token'),
    });
    await session.setHubSettings({ endpoint: server.endpoint, token: 'hf_accepted' });
    await session.download('hf:org/gated');
    expect(last()).toMatchObject({ source: gated.source, state: 'done' });
  });

  it('fetches one GGUF file of a repository, which then opens', async () => {
    const gguf = await fixtureBytes('gguf/gqa-tied.gguf');
    const { commit } = server.add({ id: 'org/gguf', files: { 'a.Q8_0.gguf': gguf, 'b.Q4_0.gguf': gguf } });
    const { session } = tab();
    await expect(session.download('hf:org/gguf')).rejects.toMatchObject({
      code: 'bad_model',
      action: 'Add the file name, e.g. hf:org/gguf/a.Q8_0.gguf.',
    });
    await session.download('hf:org/gguf/b.Q4_0.gguf');
    const folder = await withGguf(await openCachedModel(`hf:org/gguf@${commit}/b.Q4_0.gguf`, store));
    expect((await checkModelFolder(folder)).family.modelType).toBe('llama');
    expect(await session.locate('hf:org/gguf/b.Q4_0.gguf')).toBe(folder.source);
    await expect(session.locate('hf:org/gguf/a.Q8_0.gguf')).rejects.toMatchObject({ code: 'bad_model' });
  });

  it('reports a file that has disappeared from the disk', async () => {
    const { session } = tab();
    await session.download(source);
    store.files.get(source)!.delete(`files/${WEIGHTS}`);
    const folder = await openCachedModel(source, store);
    await expect(folder.bytes(WEIGHTS)).rejects.toMatchObject({
      code: 'storage',
      action: expect.stringContaining('download it again'),
    });
  });
});
