/** Q8_0 blocks by the GPU are those of q8.ts, byte for byte; that one agrees with ggml (tests/unit/kernels/quantization.test.ts). */
import { expect, test } from 'vitest';
import { emptyTensor } from '../../src/engine/kernels/in-place';
import { widenBytes } from '../../src/engine/models/upload';
import { type PlainType, quantizeBlocksOnDevice } from '../../src/engine/quantization/blocks-device';
import { quantizeQ8 } from '../../src/engine/quantization/q8';
import { q8Blocks } from '../../src/engine/quantization/q8-device';
import { randomValues, withBackend } from '../kernel-helpers';
import { expectLoadedAlike, stored } from './stored-values';

const AT = 5;

/** Both ways; null where the GPU leaves it to q8.ts. */
async function both(dtype: PlainType, values: Float32Array) {
  const bytes = stored(dtype, values);
  const expected = quantizeQ8(widenBytes(dtype, bytes, values.length));
  const target = emptyTensor([AT + Math.ceil(expected.length / 4)], 'int32');
  const done = await quantizeBlocksOnDevice(q8Blocks, dtype, bytes, values.length, target, AT);
  const words = (await target.data()) as Int32Array;
  target.dispose();
  return { expected, own: done ? new Uint8Array(words.buffer, 4 * AT, expected.length) : null };
}

/** Blocks in which rounding decides: values near halves of a scale, for many magnitudes; scales that are subnormal or too large as halves. */
function hardBlocks(): Float32Array {
  const magnitudes = [127, 1, 0.1, 1 / 3, 126.99999, 3.0517578125e-5, 7.7e-6, 1e-4, 1e-9, 1e-25, 1e25, 8.4e6, 0.999999];
  const blocks = magnitudes.flatMap((most) =>
    [0, 1, 2, 3].flatMap((turn) => [
      turn % 2 === 0 ? most : -most,
      ...Array.from({ length: 31 }, (_, i) => {
        const half = ((4 * i + turn - 62.5) * most) / 127;
        return Math.fround(half * (1 + (((i + turn) % 3) - 1) * 2 ** -23));
      }),
    ]),
  );
  return Float32Array.from([...blocks, ...new Array(32).fill(0), ...new Array(32).fill(-0)]);
}

test.each(['F32', 'F16', 'BF16'] as const)('%s: the same blocks', (dtype) =>
  withBackend('webgpu', async () => {
    const random = randomValues([64 * 2051], 7).data as Float32Array;
    // F16 holds no more than 65504, and what it cannot hold is zero.
    const hard = dtype === 'F16' ? hardBlocks().map((v) => (Math.abs(v) > 6e4 ? 6e4 * Math.sign(v) : v)) : hardBlocks();
    // As halves these are subnormal.
    const small = random.subarray(0, 640).map((value, i) => value * (i < 64 ? 1e-3 : 5e-5));
    for (const values of [random, hard, small, random.subarray(0, 64)]) {
      const { own, expected } = await both(dtype, values);
      expect(own).toEqual(expected);
    }
  }),
);

test.each([
  ['values that are not finite', () => Float32Array.from({ length: 128 }, (_, i) => (i === 70 ? NaN : i))],
  ['infinite values', () => Float32Array.from({ length: 64 }, (_, i) => (i === 3 ? -Infinity : i))],
  ['blocks of tiny values', () => Float32Array.from({ length: 64 }, (_, i) => i * 1e-33)],
  ['blocks of huge values', () => Float32Array.from({ length: 64 }, (_, i) => i * 1e36)],
  ['an odd number of blocks', () => Float32Array.from({ length: 96 }, (_, i) => i)],
])('%s are left to q8.ts', (_, values) =>
  withBackend('webgpu', async () => {
    expect((await both('F32', values())).own).toBeNull();
  }),
);

test('a matrix in parts and pieces, with an odd block at its end, is the same as without the GPU', () =>
  expectLoadedAlike('q8', 'q8_0', [37, 32]));
