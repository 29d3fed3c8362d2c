import { expect, test } from 'vitest';
import { NF4_CODES, nf4Layout } from '../../../src/engine/kernels/products/weight-formats';
import { widen } from '../../../src/engine/kernels/products/weight-reference';
import {
  DYNAMIC,
  LEVELS,
  nf4Head,
  nf4Tail,
  quantizeBlocks,
  quantizeScales,
} from '../../../src/engine/quantization/nf4';
import { quantizeQ8 } from '../../../src/engine/quantization/q8';
import { f16ToF32, f32ToF16 } from '../../../src/formats/half';
import { ggufFixture, NF4_CASES, nf4Fixture } from '../../parity/blocks';

test('NF4: the tables match bitsandbytes bit for bit', async () => {
  const file = await nf4Fixture();
  expect(LEVELS).toEqual(file.floats('levels'));
  expect(DYNAMIC).toEqual(file.floats('dynamic'));
});

test.each(NF4_CASES)('NF4: codes and scales match bitsandbytes: %s', async (name) => {
  const file = await nf4Fixture();
  const values = file.floats(`${name}.input`);
  const { blocks } = nf4Layout(values.length);
  const codes = new Uint8Array(Math.ceil(values.length / 2));
  const absmax = new Float32Array(blocks);
  quantizeBlocks(values, codes, absmax);
  expect(codes).toEqual(file.raw(`${name}.codes`));
  expect(absmax).toEqual(file.floats(`${name}.absmax`));

  // With torch's mean, a float32 sum in its own order, everything is equal.
  const [offset] = file.floats(`${name}.offset`);
  const same = quantizeScales(absmax, offset);
  expect(same.codes).toEqual(file.raw(`${name}.scales`));
  expect(same.outer).toEqual(file.floats(`${name}.outer`));
  // With ours, every code is equal, and the mean is within two units in the last place.
  const own = quantizeScales(absmax);
  expect(own.codes).toEqual(same.codes);
  expect(Math.abs(own.offset - offset!)).toBeLessThanOrEqual(2 ** -22 * offset!);

  // As stored on the GPU, it decodes to the values that bitsandbytes gives.
  const words = new Int32Array(nf4Layout(values.length).words);
  new Float32Array(words.buffer).set(nf4Head(same.offset));
  new Uint8Array(words.buffer).set(codes, 4 * NF4_CODES);
  words.set(nf4Tail(values.length, same), nf4Layout(values.length).scales);
  expect(widen(words, 'nf4', values.length)).toEqual(file.floats(`${name}.values`));
});

test('NF4: tensors of zeros, and of a single value, have scales without a division by zero', () => {
  for (const value of [0, 0.5]) {
    const codes = new Uint8Array(96);
    const absmax = new Float32Array(3);
    quantizeBlocks(new Float32Array(192).fill(value), codes, absmax);
    const { codes: scales, outer, offset } = quantizeScales(absmax);
    // What bitsandbytes gives for torch.zeros(3, 64) and torch.full((3, 64), 0.5).
    expect([[...scales], [...outer], offset]).toEqual([[0, 0, 0], [0], value]);
    expect(codes.every((c) => c === (value ? 0xff : 0x77))).toBe(true);
  }
});

test('Q8_0 blocks match the gguf package', async () => {
  const file = await ggufFixture();
  expect(quantizeQ8(file.floats('quantise.input'))).toEqual(file.raw('quantise.q8_0'));
});

test('the scale of a Q8_0 block is rounded like any float16', () => {
  const scale = (max: number) => {
    const values = new Float32Array(32);
    values[0] = max;
    const [low, high] = quantizeQ8(values);
    return low! | (high! << 8);
  };
  for (let e = -40; e < 20; e++) {
    for (const f of [1, 1.00048828125, 1.000732421875, 1.0009765625, 1.5, 1.9999]) {
      const max = Math.fround(127 * f * 2 ** e);
      expect(scale(max), `${f}·2^${e}`).toBe(f32ToF16(Float32Array.of(max / 127))[0]);
    }
  }
  expect(f16ToF32(Uint16Array.of(scale(127)))[0]).toBe(1);
});
