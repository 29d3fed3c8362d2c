/** Stored tensors, whole and by rows, for tests of the loader and of products with what it loads. */
import type { StoredType, WeightSource } from '../../src/engine/models/model';
import { f32ToBf16, f32ToF16 } from '../../src/formats/half';
import { randomValues } from '../kernel-helpers';
import { GGUF_FORMATS, ggufFixture } from './blocks';

export interface StoredTensor {
  dtype: StoredType;
  shape: number[];
  bytes: Uint8Array;
  transposed?: boolean;
}

/** A source that hands out rows and records the most bytes requested at a time. */
export function sourceOf(tensors: Record<string, StoredTensor>): WeightSource & { most: number } {
  const source = {
    most: 0,
    info: (name: string) => tensors[name],
    read: async (name: string, from = 0, to?: number) => {
      const { bytes, shape } = tensors[name]!;
      const row = bytes.length / shape[0]!;
      const piece = bytes.slice(from * row, (to ?? shape[0]!) * row);
      source.most = Math.max(source.most, piece.length);
      return piece.buffer as ArrayBuffer;
    },
  };
  return source;
}

const raw = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

/** Random values in one of the unquantised formats. */
export function randomTensor(dtype: 'F32' | 'F16' | 'BF16', shape: [number, number], seed: number): StoredTensor {
  const values = randomValues(shape, seed).data as Float32Array;
  if (dtype === 'F32') return { dtype, shape, bytes: raw(values) };
  return { dtype, shape, bytes: raw((dtype === 'F16' ? f32ToF16 : f32ToBf16)(values)) };
}

/** A tensor in each format that a file may have, with an odd number of rows. */
export async function tensorsOfEveryType(): Promise<Record<string, StoredTensor>> {
  const gguf = await ggufFixture();
  const blocks = GGUF_FORMATS.map((format) => {
    const dtype = format.toUpperCase() as StoredType;
    return [dtype, { dtype, shape: gguf.shape(`${format}.values`), bytes: gguf.raw(`${format}.blocks`) }];
  });
  return {
    F32: randomTensor('F32', [21, 13], 1),
    F16: randomTensor('F16', [21, 13], 2),
    BF16: randomTensor('BF16', [21, 12], 3),
    ...Object.fromEntries(blocks),
  };
}
