import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blockValues, dequantize, type GgmlType, ggmlBytes, ggmlTypeName } from '../../../src/formats/ggml';
import { openSafetensors } from '../../../src/formats/safetensors';

/** Quantised blocks and their values according to the gguf package (tests/oracle/make_gguf_fixtures.py). */
const fixture = new Uint8Array(readFileSync('tests/fixtures/gguf/blocks.safetensors'));
const { tensors } = await openSafetensors(
  async (start, end) => fixture.slice(start, end).buffer as ArrayBuffer,
  fixture.length,
  { where: 'blocks.safetensors' },
);
const part = (name: string): Uint8Array => {
  const { start, end } = tensors.get(name)!;
  return fixture.subarray(start, end);
};

const quantised: GgmlType[] = ['Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q4_K', 'Q5_K', 'Q6_K'];

describe('dequantising', () => {
  it.each(quantised)('%s equals the gguf package bit for bit', (type) => {
    const bytes = part(`${type}.bytes`);
    expect(bytes.length).toBe(ggmlBytes(type, 3 * blockValues(type)));
    const values = dequantize(type, bytes);
    expect(values.length).toBe(3 * blockValues(type));
    expect(new Uint8Array(values.buffer)).toEqual(part(`${type}.values`).slice());
  });

  it('widens unquantised formats, even from unaligned bytes', () => {
    const shifted = (bytes: Uint8Array) => {
      const larger = new Uint8Array(bytes.length + 1);
      larger.set(bytes, 1);
      return larger.subarray(1);
    };
    const of = (array: ArrayLike<number> & { buffer: ArrayBufferLike }) => shifted(new Uint8Array(array.buffer));
    expect([...dequantize('F32', of(Float32Array.of(1.5, -0.1)))]).toEqual([1.5, Math.fround(-0.1)]);
    expect([...dequantize('F16', of(Uint16Array.of(0x3e00, 0xc000)))]).toEqual([1.5, -2]);
    expect([...dequantize('BF16', of(Uint16Array.of(0x3fc0, 0xc000)))]).toEqual([1.5, -2]);
  });
});

it('knows types by number', () => {
  expect([0, 1, 2, 8, 12, 14, 16, 29, 30, 34, 39, 41].map(ggmlTypeName)).toEqual([
    ...['F32', 'F16', 'Q4_0', 'Q8_0', 'Q4_K', 'Q6_K', 'IQ2_XXS', 'IQ1_M', 'BF16', 'TQ1_0', 'MXFP4', 'Q1_0'],
  ]);
  expect(ggmlTypeName(31)).toBeUndefined();
  expect(ggmlBytes('Q6_K', 512)).toBe(420);
});
