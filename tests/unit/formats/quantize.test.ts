import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blockValues, dequantize, type GgmlType, ggmlBytes } from '../../../src/formats/ggml';
import { f16ToF32 } from '../../../src/formats/half';
import { quantize } from '../../../src/formats/quantize';
import { openSafetensors } from '../../../src/formats/safetensors';

/** Rows of numbers, and the bytes that ggml itself makes of them (tests/oracle/make_quantize_fixtures.py). */
const fixture = new Uint8Array(readFileSync('tests/fixtures/quantize/blocks.safetensors'));
const { tensors } = await openSafetensors(
  async (start, end) => fixture.slice(start, end).buffer as ArrayBuffer,
  fixture.length,
  { where: 'blocks.safetensors' },
);
const part = (name: string): Uint8Array<ArrayBuffer> => {
  const { start, end } = tensors.get(name)!;
  return fixture.slice(start, end);
};
const valuesOf = (name: string) => new Float32Array(part(`${name}.values`).buffer);
const cases = [...tensors.keys()].filter((name) => name.endsWith('.values')).map((name) => name.slice(0, -7));
const types: GgmlType[] = ['Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q4_K', 'Q5_K', 'Q6_K'];

/** Blocks whose bytes differ. */
function wrongBlocks(type: GgmlType, ours: Uint8Array, theirs: Uint8Array): number[] {
  const size = ggmlBytes(type, blockValues(type));
  const wrong = new Set<number>();
  for (let i = 0; i < theirs.length; i++) if (ours[i] !== theirs[i]) wrong.add(Math.floor(i / size));
  return [...wrong];
}

describe.each(types)('%s', (type) => {
  it.each(cases)('is ggml’s, byte for byte: %s', (name) => {
    const theirs = part(`${name}.${type}`);
    const ours = quantize(type, valuesOf(name), 't');
    expect(ours.length).toBe(theirs.length);
    expect(wrongBlocks(type, ours, theirs)).toEqual([]);
  });

  it('is read back within the format’s step', () => {
    const values = valuesOf('normal');
    const back = dequantize(type, quantize(type, values, 't'));
    let [squares, size] = [0, 0];
    for (const [i, value] of values.entries()) {
      squares += (value - back[i]!) ** 2;
      size += value ** 2;
    }
    // Measured on ggml's own bytes of such numbers.
    const expected = {
      Q8_0: 0.0054,
      Q4_0: 0.087,
      Q4_1: 0.075,
      Q5_0: 0.044,
      Q5_1: 0.037,
      Q4_K: 0.072,
      Q5_K: 0.037,
      Q6_K: 0.0181,
    };
    expect(Math.sqrt(squares / size)).toBeLessThan(expected[type as keyof typeof expected] * 1.05);
  });

  it('refuses what its scales cannot hold, by the tensor’s name', () => {
    const values = new Float32Array(256).fill(1);
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      values[100] = wrong;
      expect(() => quantize(type, values, 'blk.0.ffn_up.weight')).toThrow(
        expect.objectContaining({
          code: 'bad_model',
          where: 'blk.0.ffn_up.weight',
          message: expect.stringContaining(`${wrong}`),
        }),
      );
    }
    for (const large of [3e8, 1e20, -3.4e38]) {
      values[100] = large;
      expect(() => quantize(type, values, 'blk.0.ffn_up.weight'), `${large}`).toThrow(
        expect.objectContaining({
          code: 'bad_model',
          where: 'blk.0.ffn_up.weight',
          message: expect.stringContaining('float16'),
        }),
      );
    }
  });
});

describe('formats without blocks', () => {
  it('rounds to halves, and refuses what would become infinite', () => {
    expect([...quantize('F16', Float32Array.of(1, -0.1, 65_504), 't')]).toEqual([0x00, 0x3c, 0x66, 0xae, 0xff, 0x7b]);
    expect([...quantize('BF16', Float32Array.of(1, -0.1), 't')]).toEqual([0x80, 0x3f, 0xcd, 0xbd]);
    expect(() => quantize('F16', Float32Array.of(65_520), 'output.weight')).toThrow(
      /output\.weight holds 6\.55e\+4, beyond float16/,
    );
    expect(() => quantize('BF16', Float32Array.of(3.4e38), 'output.weight')).toThrow(/beyond bfloat16/);
    expect(() => quantize('F32', Float32Array.of(Number.NaN), 'output.weight')).toThrow(/output\.weight hold NaN/);
  });

  it('copies float32, of a part of a buffer too', () => {
    const whole = Float32Array.of(1, 2, 3, 4);
    const bytes = quantize('F32', whole.subarray(1, 3), 't');
    expect([...new Float32Array(bytes.buffer)]).toEqual([2, 3]);
    expect([...f16ToF32(new Uint16Array(quantize('F16', whole.subarray(1, 3), 't').buffer))]).toEqual([2, 3]);
  });
});
