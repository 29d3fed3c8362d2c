/** Values as the bytes of a checkpoint, and matrices of them as they are quantised at load. */
import { expect } from 'vitest';
import type { Quantization } from '../../src/engine/models/upload';
import { createLoader } from '../../src/engine/models/weights';
import type { PlainType } from '../../src/engine/quantization/blocks-device';
import type { WeightFormat } from '../../src/engine/types';
import { f32ToBf16, f32ToF16 } from '../../src/formats/half';
import { withBackend } from '../kernel-helpers';
import { randomTensor, sourceOf } from '../parity/weights';

export function stored(dtype: PlainType, values: Float32Array): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.slice().buffer);
  return new Uint8Array((dtype === 'F16' ? f32ToF16 : f32ToBf16)(values).buffer as ArrayBuffer);
}

/** Expects that loading makes the same words on both backends: of a matrix in parts and pieces, and of one with this shape besides. */
export async function expectLoadedAlike(quantization: Quantization, format: WeightFormat, odd: [number, number]) {
  for (const [shape, limit] of [
    [[300, 64], 10_000],
    [odd, Infinity],
    [[256, 96], Infinity],
  ] as [[number, number], number][]) {
    const tensor = randomTensor('BF16', shape, 6);
    const words = (backend: 'cpu' | 'webgpu') =>
      withBackend(backend, async () => {
        const source = sourceOf({ 'a.weight': tensor });
        const load = createLoader(source, { quantization, limit, pieceBytes: 64 * 2 * 40 });
        const { weight } = await load.linear('a', ...shape);
        expect(weight.format).toBe(format);
        const parts = await Promise.all(weight.parts.map(async ({ tensor: part }) => [...(await part.data())]));
        load.dispose();
        return parts;
      });
    expect(await words('webgpu')).toEqual(await words('cpu'));
  }
}
