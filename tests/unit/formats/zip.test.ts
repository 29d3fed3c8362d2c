import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { createZip, readZip, zipStream } from '../../../src/formats/zip';
import { cpuSeconds } from '../../support/time';

const text = (value: string) => new TextEncoder().encode(value);
const context = { where: 'adapter.zip', code: 'bad_adapter' as const };
const random = Uint8Array.from({ length: 5000 }, (_, i) => (i * i * 31 + i) & 0xff);

describe('createZip', () => {
  const files = [
    { path: 'run/adapter_config.json', bytes: text('{"é":1}') },
    { path: 'run/adapter_model.safetensors', bytes: random },
    { path: 'run/empty', bytes: new Uint8Array() },
    { path: 'ünïcode 日本.txt', bytes: text('x') },
  ];

  it('writes an archive that reads back the same', async () => {
    expect(readZip(await createZip(files), context)).toEqual(files);
  });

  it('always gives the same bytes', async () => {
    const zip = await createZip(files);
    expect(await createZip(files)).toEqual(zip);
    // DOS date and time of the first entry: 1980-01-01 00:00.
    expect([...zip.subarray(10, 14)]).toEqual([0, 0, 0x21, 0]);
  });

  it('gives the same bytes as a stream from blobs', async () => {
    const blobs = files.map(({ path, bytes }) => ({ path, blob: new Blob([bytes]) }));
    const streamed = await new Response(zipStream(blobs)).arrayBuffer();
    expect(new Uint8Array(streamed)).toEqual(await createZip(files));
  });

  it.each(['../x', '/x', 'C:/x', 'a\\b', 'a/../../x', 'a\0b', ''])('refuses the name %j', async (path) => {
    await expect(createZip([{ path, bytes: text('x') }])).rejects.toThrow(TabtuneError);
  });

  it('refuses a duplicate name', async () => {
    const file = { path: 'a', bytes: text('x') };
    await expect(createZip([file, file])).rejects.toThrow(TabtuneError);
  });
});

/** Replaces every occurrence of a name in the archive's headers with another of the same length. */
function rename(zip: Uint8Array, from: string, to: string): Uint8Array {
  const result = zip.slice();
  const [a, b] = [text(from), text(to)];
  for (let i = 0; i + a.length <= result.length; i++) {
    if (a.every((byte, j) => result[i + j] === byte)) result.set(b, i);
  }
  return result;
}

function patch(zip: Uint8Array, signature: number, offset: number, value: number, bytes: 2 | 4): Uint8Array {
  const result = zip.slice();
  const view = new DataView(result.buffer);
  for (let i = 0; i + 4 <= result.length; i++) {
    if (view.getUint32(i, true) !== signature) continue;
    if (bytes === 2) view.setUint16(i + offset, value, true);
    else view.setUint32(i + offset, value, true);
  }
  return result;
}
const DIRECTORY = 0x02014b50;
const END = 0x06054b50;

describe('readZip', () => {
  it('inflates files and skips directories', () => {
    const json = text(JSON.stringify(Array.from({ length: 500 }, (_, i) => i)));
    const zip = zipSync({ dir: { 'a.json': json, sub: {} }, 'b.bin': [random, { level: 0 }] });
    expect(readZip(zip, context)).toEqual([
      { path: 'dir/a.json', bytes: json },
      { path: 'b.bin', bytes: random },
    ]);
  });

  it('reads an archive that starts inside a buffer', () => {
    const zip = zipSync({ a: text('hello') });
    const padded = new Uint8Array(zip.length + 7);
    padded.set(zip, 7);
    expect(readZip(padded.subarray(7), context)).toEqual([{ path: 'a', bytes: text('hello') }]);
  });

  const small = zipSync({ 'aa.txt': text('hello hello hello hello'), 'bb.txt': text('x') });
  const stored = zipSync({ 'aa.txt': text('hello') }, { level: 0 });
  const many = zipSync(Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`f${i}`, new Uint8Array()])));
  const bad: [name: string, zip: Uint8Array, says: RegExp][] = [
    ['an empty file', new Uint8Array(), /not a zip/],
    ['a file that is not a zip', text('this is no archive at all, only a sentence'), /not a zip/],
    ['a truncated zip', small.slice(0, -30), /not a zip/],
    ['a zip without its beginning', small.slice(40), /damaged/],
    ['1001 entries', many, /1001 entries/],
    ['a zip bomb', zipSync({ 'zeros.bin': new Uint8Array(4_000_000) }), /more than 200 times/],
    ['a path with ..', rename(small, 'aa.txt', '../a.t'), /leaves its folder/],
    ['a path with .. in the middle', rename(small, 'aa.txt', 'a/../b'), /leaves its folder/],
    ['an absolute path', rename(small, 'aa.txt', '/a.txt'), /absolute/],
    ['a drive letter', rename(small, 'aa.txt', 'C:a.tx'), /drive/],
    ['a backslash', rename(small, 'aa.txt', 'a\\.txt'), /backslash/],
    ['a NUL character', rename(small, 'aa.txt', 'aa\0txt'), /NUL/],
    ['a duplicate name', rename(small, 'bb.txt', 'aa.txt'), /twice/],
    ['a flipped byte', rename(stored, 'hello', 'hellO'), /damaged/],
    ['a size that is too small', patch(small, DIRECTORY, 24, 3, 4), /damaged/],
    ['a size that is too large', patch(small, DIRECTORY, 24, 30, 4), /damaged/],
    ['a size of 4 GB', patch(small, DIRECTORY, 24, 0xfffffffe, 4), /more than 2 GB/],
    ['sizes beyond the file', patch(stored, DIRECTORY, 20, 0xfffffff0, 4), /overlap|damaged/],
    ['a header offset beyond the file', patch(small, DIRECTORY, 42, 0xfffffff0, 4), /damaged/],
    ['an unknown compression method', patch(small, DIRECTORY, 10, 93, 2), /method 93/],
    ['encryption', patch(small, DIRECTORY, 8, 1, 2), /encrypted/],
    ['zip64', patch(small, END, 16, 0xffffffff, 4), /zip64/],
    ['a count beyond the directory', patch(small, END, 10, 3, 2), /damaged/],
  ];
  it.each(bad)('refuses %s', (_name, zip, says) => {
    const before = cpuSeconds();
    let error: unknown;
    try {
      readZip(zip, context);
    } catch (cause) {
      error = cause;
    }
    expect(cpuSeconds() - before).toBeLessThan(10);
    expect(error).toBeInstanceOf(TabtuneError);
    expect((error as TabtuneError).code).toBe('bad_adapter');
    expect((error as TabtuneError).message).toMatch(says);
    expect((error as TabtuneError).where).toMatch(/^adapter\.zip/);
  });
});
