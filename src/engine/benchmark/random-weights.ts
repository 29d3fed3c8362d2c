/**
 * Models with random weights, made as fast as they are copied and the same everywhere. A pool of about a megabyte is drawn for each way
 * of storing and repeated, so the values say nothing; their sizes are those of trained weights.
 */
import { checkpointTensors, readFamilyConfig } from '../../families';
import { f32ToBf16, f32ToF16 } from '../../formats/half';
import { ggufBlock, weightWords } from '../kernels/products/weight-formats';
import type { StoredType, WeightSource } from '../models/model';
import { formatOf } from '../models/upload';

const POOL_BYTES = 1 << 20;
/** Where the scale of a K-quant's block stands, and whether a minimum follows it (ggml-common.h). */
const SCALES: Partial<Record<StoredType, { at: number; per: number; minimum?: true }>> = {
  Q8_0: { at: 0, per: 128 },
  Q4_K: { at: 0, per: 512, minimum: true },
  Q6_K: { at: 208, per: 4096 },
};

/** Values in [-0.04, 0.04); for quantised types random codes with scales to match. */
function makePool(dtype: StoredType): Uint8Array {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const block = ggufBlock(formatOf(dtype));
  if (!block) {
    const values = Float32Array.from({ length: POOL_BYTES / 4 }, () => 0.08 * (random() - 0.5));
    if (dtype === 'F32') return new Uint8Array(values.buffer);
    return new Uint8Array((dtype === 'F16' ? f32ToF16 : f32ToBf16)(values).buffer);
  }
  const count = Math.floor(POOL_BYTES / block.bytes);
  const bytes = Uint8Array.from({ length: count * block.bytes }, () => random() * 256);
  const view = new DataView(bytes.buffer);
  const { at, per, minimum } = SCALES[dtype] ?? { at: 0, per: 16 };
  const [scale] = f32ToF16(Float32Array.of(0.04 / per));
  for (let b = 0; b < count; b++) {
    view.setUint16(b * block.bytes + at, scale!, true);
    if (minimum) view.setUint16(b * block.bytes + at + 2, scale!, true);
  }
  return bytes;
}

const pools = new Map<StoredType, Uint8Array>();

/** Bytes of `rows` rows of `columns` values, from the start of the pool. */
export function randomRows(dtype: StoredType, rows: number, columns: number): Uint8Array<ArrayBuffer> {
  const pool = pools.get(dtype) ?? makePool(dtype);
  pools.set(dtype, pool);
  const bytes = new Uint8Array(weightWords(formatOf(dtype), rows, columns) * 4);
  for (let at = 0; at < bytes.length; at += pool.length) bytes.set(pool.subarray(0, bytes.length - at), at);
  return bytes;
}

/** Norms are one. Every piece begins at the pool's start. */
export function randomSource(
  shapeOf: (name: string) => number[] | undefined,
  typeOf: (name: string) => StoredType,
): WeightSource {
  return {
    info: (name) => {
      const shape = shapeOf(name);
      return shape && { dtype: typeOf(name), shape };
    },
    read: async (name, from = 0, to) => {
      const [rows, columns = 1] = shapeOf(name)! as [number, number?];
      const count = (to ?? rows) - from;
      if (name.includes('norm')) return new Float32Array(count).fill(1).buffer;
      return randomRows(typeOf(name), count, columns).buffer;
    },
  };
}

/** A whole model of this config.json: norms in F32, the embedding in BF16, linears in `dtype`. */
export function randomModel(json: Record<string, unknown>, dtype: StoredType): WeightSource {
  const { family, config } = readFamilyConfig(json);
  const shapes = new Map(checkpointTensors(family, config, null).map(({ name, shape }) => [name, shape]));
  return randomSource(
    (name) => shapes.get(name),
    (name) => (name.includes('norm') ? 'F32' : name.includes('embed') ? 'BF16' : dtype),
  );
}
