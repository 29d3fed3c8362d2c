import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type GgufStrings, listStrings, openGguf } from '../../../src/formats/gguf';
import { type GgufEntry, type GgufTensorHead, layoutGguf } from '../../../src/formats/gguf-write';
import { f32ToBf16, f32ToF16 } from '../../../src/formats/half';
import { quantize } from '../../../src/formats/quantize';
import { GgufBytes, GgufType } from './gguf-bytes';

/** Written by the gguf package (tests/oracle/make_gguf_fixtures.py). */
const written = new Uint8Array(readFileSync('tests/fixtures/gguf/written.gguf'));

const metadata = new Map<string, GgufEntry>([
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['a.uint32', { type: 'uint32', value: 2 ** 32 - 1 }],
  ['a.int32', { type: 'int32', value: -(2 ** 31) }],
  ['a.float32', { type: 'float32', value: 1e-6 }],
  ['a.bool', { type: 'bool', value: true }],
  ['a.string', { type: 'string', value: 'naïve \ufeff🦙' }],
  ['a.strings', { type: 'strings', value: ['', '▁a', '\ufeff', 'b'.repeat(9000)] }],
  ['a.int32s', { type: 'int32s', value: Int32Array.of(1, -2, 3) }],
  ['a.uint32s', { type: 'uint32s', value: Uint32Array.of(1, 2 ** 32 - 1) }],
  ['a.float32s', { type: 'float32s', value: Float32Array.of(0.5, -1.5) }],
  ['a.bools', { type: 'bools', value: [true, false, true] }],
  ['a.copied', { type: 'raw', bytes: Uint8Array.of(10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0) }],
]);
const values = Float32Array.from({ length: 192 }, (_, i) => (i - 90) / 8);
const tensors: [GgufTensorHead, Uint8Array][] = [
  [{ name: 'bias', type: 'F32', shape: [5] }, quantize('F32', values.subarray(0, 5), 'bias')],
  [{ name: 'half.weight', type: 'F16', shape: [3, 2] }, new Uint8Array(f32ToF16(values.slice(0, 6)).buffer)],
  [{ name: 'cube', type: 'F32', shape: [2, 3, 2] }, quantize('F32', values.subarray(0, 12), 'cube')],
  [{ name: 'Q8_0.weight', type: 'Q8_0', shape: [3, 64] }, quantize('Q8_0', values, 'Q8_0')],
  [{ name: 'Q4_0.weight', type: 'Q4_0', shape: [3, 64] }, quantize('Q4_0', values, 'Q4_0')],
  [{ name: 'BF16.weight', type: 'BF16', shape: [3, 64] }, new Uint8Array(f32ToBf16(values).buffer)],
];

function file(pairs: ReadonlyMap<string, GgufEntry>, of: readonly [GgufTensorHead, Uint8Array][]): Uint8Array {
  const layout = layoutGguf(
    pairs,
    of.map(([head]) => head),
  );
  const bytes = new Uint8Array(layout.bytes);
  bytes.set(layout.header);
  for (const [i, place] of layout.tensors.entries()) {
    expect(place.end - place.start).toBe(of[i]![1].length);
    bytes.set(of[i]![1], place.start);
  }
  expect(layout.tensors.at(-1)!.end + layout.tensors.at(-1)!.padding).toBe(layout.bytes);
  return bytes;
}

const read = (bytes: Uint8Array) =>
  openGguf(async (start, end) => bytes.slice(start, end).buffer as ArrayBuffer, bytes.length, 'model.gguf');

describe('writing', () => {
  it('gives the bytes that the gguf package gives', () => {
    expect(Buffer.compare(file(metadata, tensors), written)).toBe(0);
  });

  it('aligns tensors as general.alignment says, copied or not', async () => {
    const copied = new GgufBytes().u32(GgufType.u32).u32(128).done(0, 1);
    for (const entry of [{ type: 'uint32', value: 128 } as const, { type: 'raw', bytes: copied } as const]) {
      const bytes = file(new Map<string, GgufEntry>([['general.alignment', entry]]), tensors);
      const { metadata: back, tensors: places } = await read(bytes);
      expect(back.get('general.alignment')).toBe(128);
      for (const [{ name }, data] of tensors) {
        const { start, end } = places.get(name)!;
        expect(start % 128, name).toBe(0);
        expect(bytes.slice(start, end), name).toEqual(new Uint8Array(data));
      }
    }
  });

  it('writes a vocabulary of 262,144 tokens', async () => {
    const tokens = Array.from({ length: 262_144 }, (_, i) => `▁töken${i}`);
    const bytes = file(
      new Map<string, GgufEntry>([['tokenizer.ggml.tokens', { type: 'strings', value: tokens }]]),
      tensors,
    );
    const back = (await read(bytes)).metadata.get('tokenizer.ggml.tokens') as GgufStrings;
    expect(listStrings(back)).toEqual(tokens);
  });
});

describe('refusing what ggml would not read', () => {
  const layout = (head: Partial<GgufTensorHead>) => () =>
    layoutGguf(new Map(), [{ name: 'output.weight', type: 'F32', shape: [2, 32], ...head }]);

  it.each([
    ['a name of 64 bytes', { name: 'x'.repeat(64) }],
    ['a name of 64 bytes', { name: `${'é'.repeat(31)}xx` }],
    ['a name of 0 bytes', { name: '' }],
    ['1 to 4 dimensions', { shape: [1, 1, 1, 1, 32] }],
    ['1 to 4 dimensions', { shape: [] }],
    ['shape [0,32]', { shape: [0, 32] }],
    ['shape [1.5,32]', { shape: [1.5, 32] }],
    ['shape [9007199254740991,32]', { shape: [Number.MAX_SAFE_INTEGER, 32] }],
    ['rows of 48 values as Q8_0', { type: 'Q8_0' as const, shape: [2, 48] }],
    ['rows of 32 values as Q4_K', { type: 'Q4_K' as const }],
  ])('%s', (details, head) => {
    expect(layout(head)).toThrow(
      expect.objectContaining({ code: 'internal', details: expect.stringContaining(details) }),
    );
  });

  it('accepts names up to 63 bytes and blocks that fit', () => {
    expect(layout({ name: 'x'.repeat(63) })).not.toThrow();
    expect(layout({ type: 'Q8_0' })).not.toThrow();
  });

  it('two tensors of one name', () => {
    const head = { name: 'a', type: 'F32', shape: [1] } as const;
    expect(() => layoutGguf(new Map(), [head, head])).toThrow(expect.objectContaining({ where: 'a' }));
  });

  it.each<[string, GgufEntry]>([
    ['a negative uint32', { type: 'uint32', value: -1 }],
    ['a uint32 beyond its range', { type: 'uint32', value: 2 ** 32 }],
    ['a broken int32', { type: 'int32', value: 0.5 }],
    ['an infinite float32', { type: 'float32', value: 1e39 }],
    ['a NaN among float32s', { type: 'float32s', value: Float32Array.of(1, Number.NaN) }],
    ['half a surrogate pair', { type: 'string', value: 'a\ud83d' }],
    ['half a surrogate pair in a list', { type: 'strings', value: ['a', '\udc00b'] }],
    ['a copy without a value', { type: 'raw', bytes: Uint8Array.of(4, 0, 0, 0) }],
  ])('%s', (_, entry) => {
    expect(() => layoutGguf(new Map([['some.key', entry]]), [])).toThrow(
      expect.objectContaining({ code: 'internal', where: 'some.key' }),
    );
  });

  it('an alignment that no file has, and a key without a name', () => {
    const pair = (key: string, value: number) => () =>
      layoutGguf(new Map<string, GgufEntry>([[key, { type: 'uint32', value }]]), []);
    for (const value of [0, 1, 24, 2 ** 17]) expect(pair('general.alignment', value)).toThrow(/general.alignment/);
    expect(pair('', 1)).toThrow();
  });
});
