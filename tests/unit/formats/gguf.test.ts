import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { dequantize } from '../../../src/formats/ggml';
import { type GgufStrings, listStrings, MAX_HEADER_BYTES, openGguf, stringAt } from '../../../src/formats/gguf';
import { cpuSeconds } from '../../support/time';
import { GgufType, gguf } from './gguf-bytes';

/** Written by the gguf package (tests/oracle/make_gguf_fixtures.py). */
const sample = new Uint8Array(readFileSync('tests/fixtures/gguf/sample.gguf'));

/** Bytes past the end of `bytes` read as zeros, so that a small array can stand in for a large file. */
function open(bytes: Uint8Array, size = bytes.length, asked: [number, number][] = []) {
  const read = async (start: number, end: number) => {
    asked.push([start, end]);
    const piece = new Uint8Array(end - start);
    piece.set(bytes.subarray(start, end));
    return piece.buffer;
  };
  return openGguf(read, size, 'model.gguf');
}

describe('reading', () => {
  it('reads every kind of metadata that the gguf package writes', async () => {
    const { metadata } = await open(sample);
    const plain = [...metadata].filter(([, value]) => typeof value !== 'object');
    expect(Object.fromEntries(plain)).toEqual({
      'general.architecture': 'llama',
      'general.alignment': 64,
      'test.u8': 255,
      'test.i8': -128,
      'test.u16': 65_535,
      'test.i16': -32_768,
      'test.u32': 2 ** 32 - 1,
      'test.i32': -(2 ** 31),
      'test.u64': 2n ** 64n - 1n,
      'test.i64': -(2 ** 40),
      'test.f32': Math.fround(0.1),
      'test.f64': 0.1,
      'test.bool': true,
      'test.string': 'naïve \ufeff🦙',
    });
    const strings = metadata.get('test.strings') as GgufStrings;
    expect(listStrings(strings)).toEqual(['', '▁a', '\ufeff', 'b']);
    expect([0, 1, 2, 3, 4, -1].map((i) => stringAt(strings, i))).toEqual([
      '',
      '▁a',
      '\ufeff',
      'b',
      undefined,
      undefined,
    ]);
    expect(metadata.get('test.ints')).toEqual(Int32Array.of(1, -2, 3));
    expect(metadata.get('test.floats')).toEqual(Float32Array.of(0.5, -1.5));
    expect(metadata.get('test.bools')).toEqual(Uint8Array.of(1, 0));
  });

  it('finds tensors, outermost dimension first', async () => {
    const { tensors } = await open(sample);
    const values = (name: string) => {
      const { type, start, end } = tensors.get(name)!;
      return [...dequantize(type, sample.subarray(start, end))];
    };
    const expected = Array.from({ length: 192 }, (_, i) => (i - 90) / 8);
    expect([...tensors].map(([name, { type, shape }]) => [name, type, shape])).toEqual([
      ['plain', 'F32', [2, 3]],
      ['half', 'F16', [3, 2]],
      ['Q8_0', 'Q8_0', [3, 64]],
      ['BF16', 'BF16', [3, 64]],
    ]);
    expect(values('plain')).toEqual(expected.slice(0, 6));
    expect(values('half')).toEqual(expected.slice(0, 6));
    expect(values('BF16')).toEqual(expected);
    for (const [i, value] of values('Q8_0').entries()) expect(value).toBeCloseTo(expected[i]!, 1);
  });

  it('reads a large header in growing pieces, and little beyond it', async () => {
    const count = 200_000;
    const builder = gguf(0, 1).string('tokens').u32(GgufType.array).u32(GgufType.string).u64(count);
    for (let i = 0; i < count; i++) builder.string(`token ${i}`);
    const asked: [number, number][] = [];
    const bytes = builder.done();
    const { metadata } = await open(bytes, bytes.length + 2 ** 32, asked);
    expect(stringAt(metadata.get('tokens') as GgufStrings, count - 1)).toBe(`token ${count - 1}`);
    expect(asked.length).toBeLessThan(5);
    expect(asked.at(-1)![1]).toBeLessThan(bytes.length * 4);
    for (let i = 1; i < asked.length; i++) expect(asked[i]![0]).toBe(asked[i - 1]![1]);
  });

  it('reads version 2, and treats names from Object.prototype as ordinary keys', async () => {
    const file = gguf(1, 3, 2).text('__proto__', 'x').text('constructor', 'y').text('general.name', 'z');
    const { metadata, tensors } = await open(file.tensor('__proto__', [2]).done(8));
    expect([...metadata.keys()]).toEqual(['__proto__', 'constructor', 'general.name']);
    expect(metadata.get('toString')).toBeUndefined();
    expect(({} as { x?: unknown }).x).toBeUndefined();
    expect(tensors.get('__proto__')?.shape).toEqual([2]);
  });
});

describe('refusing', () => {
  const big = 2n ** 63n;
  const aligned = (write: (file: ReturnType<typeof gguf>) => unknown) => {
    const file = gguf(0, 1).string('general.alignment');
    write(file);
    return file.done();
  };
  const nested = () => {
    const file = gguf(0, 1).string('deep').u32(GgufType.array);
    for (let i = 0; i < 5; i++) file.u32(GgufType.array).u64(1);
    return file.u32(GgufType.u8).u64(1).bytes(1).done();
  };
  const one = (dims: (number | bigint)[], type = 0, offset: number | bigint = 0) =>
    gguf(1, 0).tensor('blk.0.attn_q.weight', dims, type, offset).done(4096);
  const tensor = /model\.gguf, tensor blk\.0\.attn_q\.weight/;
  const works = /Q4_K_M, Q5_K_M, Q6_K, Q8_0, F16/;

  const bad: [name: string, bytes: Uint8Array, says: RegExp, where?: RegExp, action?: RegExp][] = [
    ['0 bytes', new Uint8Array(0), /empty/],
    ['7 bytes', new Uint8Array(7), /7 bytes/],
    ['bad magic', new TextEncoder().encode('<!doctype html><html>not a model'), /not a GGUF file/],
    ['version 1', gguf(0, 0, 1).done(), /version 1/, undefined, /Convert/],
    ['version 4', gguf(0, 0, 4).done(), /version 4/],
    ['version 0', gguf(0, 0, 0).done(), /version 0/],
    ['big-endian', gguf(0, 0, 0x03000000).done(), /big-endian/],
    ['tensor count 2^63', gguf(big, 0).done(), /tensor count of 9223372036854775808/],
    ['pair count 2^63', gguf(0, big).done(), /metadata count of 9223372036854775808/],
    ['70,000 tensors', gguf(70_000, 0).done(2_000_000), /limit is 65536/],
    ['key length 2^63', gguf(0, 1).u64(big).done(64), /key length of 9223372036854775808/],
    ['a key of 2000 bytes', gguf(0, 1).text('k'.repeat(2000), '').done(), /limit is 1024/],
    ['string 2^63', gguf(0, 1).string('k').u32(GgufType.string).u64(big).done(), /text length of 9223372036854775808/],
    ['string past the end', gguf(0, 1).string('k').u32(GgufType.string).u64(1000).done(), /text length of 1000/],
    [
      'array 2^63',
      gguf(0, 1).string('k').u32(GgufType.array).u32(GgufType.u32).u64(big).done(),
      /list length of 9223372036854775808/,
    ],
    [
      'array of 2^63 strings',
      gguf(0, 1).string('k').u32(GgufType.array).u32(GgufType.string).u64(big).done(),
      /list length of 9223372036854775808/,
    ],
    ['array past the end', gguf(0, 1).string('k').u32(GgufType.array).u32(GgufType.u64).u64(99).done(), /length of 99/],
    ['arrays nested 5 deep', nested(), /lists inside lists/, /model\.gguf, deep/],
    ['unknown value type', gguf(0, 1).string('k').u32(13).done(), /unknown type 13/, /model\.gguf, k/],
    ['unknown item type', gguf(0, 1).string('k').u32(GgufType.array).u32(77).u64(0).done(), /unknown type 77/],
    ['a duplicate key', gguf(0, 2).text('same', 'a').text('same', 'b').done(), /"same" twice/],
    ['9 dimensions', one([1, 1, 1, 1, 1, 1, 1, 1, 1]), /9 dimensions/, tensor],
    [
      '2^32-1 dimensions',
      gguf(1, 0)
        .string('t')
        .u32(2 ** 32 - 1)
        .done(64),
      /4294967295 dimensions/,
    ],
    ['a dimension of 2^64-1', one([2n ** 64n - 1n]), /dimension of 18446744073709551615/, tensor],
    ['a product beyond 2^53', one([2 ** 30, 2 ** 30]), /dimension of 1073741824/, tensor],
    ['a dimension of 0', one([4, 0]), /dimension of 0/, tensor],
    ['alignment 0', aligned((f) => f.u32(GgufType.u32).u32(0)), /to 0 bytes/, /general\.alignment/],
    ['alignment 3', aligned((f) => f.u32(GgufType.u32).u32(3)), /to 3 bytes/],
    ['alignment 2^30', aligned((f) => f.u32(GgufType.u32).u32(2 ** 30)), /to 1073741824 bytes/],
    ['alignment 2^63', aligned((f) => f.u32(GgufType.u64).u64(big)), /to 9223372036854775808 bytes/],
    ['alignment as a string', aligned((f) => f.u32(GgufType.string).string('32')), /to 32 bytes/],
    ['offset 2^40', one([4], 0, 2n ** 40n), /cut off before the end of this tensor/, tensor],
    ['offset 2^63', one([4], 0, big), /cut off before the end of this tensor/, tensor],
    ['a misaligned offset', one([4], 0, 8), /starts at byte 8/, tensor],
    ['truncated data', one([4096]), /cut off before the end of this tensor/, tensor],
    ['a duplicate tensor', gguf(2, 0).tensor('t', [4]).tensor('t', [4], 0, 32).done(64), /"t" is listed twice/],
    ['overlapping tensors', gguf(2, 0).tensor('a', [16]).tensor('b', [4], 0, 32).done(128), /a and b overlap/],
    ['two tensors at the same offset', gguf(2, 0).tensor('a', [4]).tensor('b', [4]).done(128), /overlap/],
    ['IQ2_XXS', one([256], 16), /stored as IQ2_XXS/, tensor, works],
    ['Q2_K', one([256], 10), /stored as Q2_K/, tensor, works],
    ['Q3_K', one([256], 11), /stored as Q3_K/, tensor, works],
    ['TQ1_0', one([256], 34), /stored as TQ1_0/, tensor, works],
    ['integers', one([256], 26), /stored as I32/, tensor],
    ['an unknown type', one([256], 99), /type 99/, tensor, works],
    ['a removed type', one([256], 31), /type 31/, tensor, works],
    ['rows that do not fill whole blocks', one([48], 8), /Rows of 48 values cannot be stored as Q8_0/, tensor],
    ['an incomplete tensor table', gguf(2, 0).tensor('t', [4]).done(), /more than it can hold|cut off/],
  ];

  it.each(bad)('%s', async (_name, bytes, says, where = /model\.gguf/, action = /./) => {
    const before = cpuSeconds();
    const error = await open(bytes).catch((cause: unknown) => cause);
    expect(cpuSeconds() - before).toBeLessThan(10);
    if (!(error instanceof TabtuneError)) throw error;
    expect(error.code).toBe('bad_model');
    expect(error.message).toMatch(says);
    expect(error.where).toMatch(where);
    expect(error.action).toMatch(action);
  });

  const huge: [name: string, bytes: Uint8Array, says: RegExp][] = [
    [
      'a string of 4 GB',
      gguf(0, 1)
        .string('k')
        .u32(GgufType.string)
        .u64(2 ** 32)
        .done(),
      /longer than 67108864/,
    ],
    [
      '2^32 strings',
      gguf(0, 1)
        .string('k')
        .u32(GgufType.array)
        .u32(GgufType.string)
        .u64(2 ** 32)
        .done(),
      /longer than 67108864/,
    ],
    [
      '2^32 numbers',
      gguf(0, 1)
        .string('k')
        .u32(GgufType.array)
        .u32(GgufType.u64)
        .u64(2 ** 32)
        .done(),
      /longer than 67108864/,
    ],
  ];
  it.each(huge)('%s in a 1 TB file', async (_name, bytes, says) => {
    const asked: [number, number][] = [];
    const error = await open(bytes, 2 ** 40, asked).catch((cause: unknown) => cause);
    expect((error as TabtuneError).message).toMatch(says);
    expect(Math.max(...asked.map(([, end]) => end))).toBeLessThanOrEqual(MAX_HEADER_BYTES);
  });

  it('a list of over a million empty strings; a shorter one is read in bounded time', async () => {
    const list = (count: number) => gguf(0, 1).string('k').u32(GgufType.array).u32(GgufType.string).u64(count).done();
    const before = cpuSeconds();
    const { metadata } = await open(list(2 ** 20), 2 ** 40);
    expect((metadata.get('k') as GgufStrings).ends.length).toBe(2 ** 20);
    await expect(open(list(2 ** 20 + 1), 2 ** 40)).rejects.toThrow(/limit is 1048576/);
    expect(cpuSeconds() - before).toBeLessThan(10);
  });

  it('a file truncated at any byte', async () => {
    for (let size = 0; size < sample.length; size++) {
      const error = await open(sample.subarray(0, size)).catch((cause: unknown) => cause);
      if (!(error instanceof TabtuneError)) throw new Error(`cut at ${size}: ${error}`);
    }
  });

  it('a file with any header byte flipped, unless it is still valid, and quickly', async () => {
    // The header ends where the first tensor starts. Later flips only change values.
    const { tensors } = await open(sample);
    const header = Math.min(...[...tensors.values()].map(({ start }) => start));
    const before = cpuSeconds();
    let refused = 0;
    for (let at = 0; at < header; at++) {
      for (const flip of [0xff, 0x01, 0x80]) {
        const bytes = sample.slice();
        bytes[at]! ^= flip;
        const outcome = await open(bytes).catch((cause: unknown) => cause);
        if (outcome instanceof TabtuneError) refused++;
        else if (outcome instanceof Error) throw new Error(`byte ${at} ^ ${flip}: ${outcome}`);
      }
    }
    expect(refused).toBeGreaterThan(header / 2);
    expect(cpuSeconds() - before).toBeLessThan(60);
  });
});
