/** Codes by the GPU are those of nf4.ts, bit for bit; that one agrees with bitsandbytes (tests/unit/kernels/quantization.test.ts). */
import { expect, test } from 'vitest';
import { emptyTensor } from '../../src/engine/kernels/in-place';
import { widenBytes } from '../../src/engine/models/upload';
import { type PlainType, quantizeBlocksOnDevice } from '../../src/engine/quantization/blocks-device';
import { LEVEL_BOUNDS, LEVELS, quantizeBlocks } from '../../src/engine/quantization/nf4';
import { nf4Blocks } from '../../src/engine/quantization/nf4-device';
import { randomValues, withBackend } from '../kernel-helpers';
import { expectLoadedAlike, stored } from './stored-values';

const AT = 3;

/** Both ways; null where the GPU leaves it to nf4.ts. */
async function both(dtype: PlainType, values: Float32Array) {
  const bytes = stored(dtype, values);
  const target = emptyTensor([AT + Math.ceil(values.length / 8)], 'int32');
  const magnitudes = await quantizeBlocksOnDevice(nf4Blocks, dtype, bytes, values.length, target, AT);
  const words = (await target.data()) as Int32Array;
  target.dispose();
  const codes = new Uint8Array(values.length / 2);
  const expected = new Float32Array(Math.ceil(values.length / 64));
  quantizeBlocks(widenBytes(dtype, bytes, values.length), codes, expected);
  return {
    magnitudes,
    codes: new Uint8Array(words.buffer, 4 * AT, codes.length),
    expected: { codes, magnitudes: expected },
  };
}

/** Blocks in which rounding decides: each bound times a magnitude, and its neighbours; levels; zeros; large and small ones. */
function hardBlocks(): Float32Array {
  const blocks = [0.1, 1, 1 / 3, 1e29, 1e-29, 0.0478515625].flatMap((most) => {
    const near = [...LEVEL_BOUNDS].flatMap((bound) => [
      bound * most,
      bound * most * (1 + 2 ** -23),
      bound * most * (1 - 2 ** -24),
    ]);
    return [most, ...near, ...LEVELS.map((level) => level * most)].slice(0, 64);
  });
  return Float32Array.from(
    [...blocks, ...new Array(64).fill(0), ...new Array(64).fill(-0)].concat(new Array(64).fill(0)),
  );
}

test.each(['F32', 'F16', 'BF16'] as const)('%s: the same codes and magnitudes', (dtype) =>
  withBackend('webgpu', async () => {
    const random = randomValues([64 * 4099], 5).data as Float32Array;
    // F16 holds no more than 65504.
    const hard = dtype === 'F16' ? hardBlocks().map((v) => (Math.abs(v) > 6e4 ? 6e4 * Math.sign(v) : v)) : hardBlocks();
    // As halves these are subnormal.
    const small = random.subarray(0, 640).map((value, i) => value * (i < 64 ? 1e-3 : 5e-5));
    for (const values of [random, small, hard.subarray(0, 64 * Math.floor(hard.length / 64)), random.subarray(0, 64)]) {
      const { magnitudes, codes, expected } = await both(dtype, values);
      expect(magnitudes).toEqual(expected.magnitudes);
      expect(codes).toEqual(expected.codes);
    }
  }),
);

test.each([
  ['values that are not finite', () => Float32Array.from({ length: 128 }, (_, i) => (i === 70 ? NaN : i))],
  ['infinite values', () => Float32Array.from({ length: 64 }, (_, i) => (i === 3 ? -Infinity : i))],
  ['blocks of tiny values', () => Float32Array.from({ length: 64 }, (_, i) => i * 1e-33)],
  ['blocks of huge values', () => Float32Array.from({ length: 64 }, (_, i) => i * 1e36)],
])('%s are left to nf4.ts', (_, values) =>
  withBackend('webgpu', async () => {
    expect((await both('F32', values())).magnitudes).toBeNull();
  }),
);

test('a matrix in parts and pieces, with an end that is no whole block, is the same as without the GPU', () =>
  expectLoadedAlike('nf4', 'nf4', [37, 50]));
