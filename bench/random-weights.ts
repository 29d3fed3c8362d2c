/** Random weights of any size in any stored type, made as fast as they are copied; their values do not matter here. */

import { ggufBlock, weightWords } from '../src/engine/kernels/products/weight-formats';
import type { StoredType, WeightSource } from '../src/engine/models/model';
import { formatOf } from '../src/engine/models/upload';
import { f32ToBf16, f32ToF16 } from '../src/formats/half';
import { type Shape, tensorShape } from './random-llama';

/** About this many bytes are made per type, and repeated. */
const POOL_BYTES = 1 << 20;

let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

/** Values about as large as weights usually are; for quantised types, random codes with scales to match. */
function makePool(dtype: StoredType): Uint8Array {
  const block = ggufBlock(formatOf(dtype));
  if (!block) {
    const values = Float32Array.from({ length: POOL_BYTES / 4 }, () => 0.08 * (random() - 0.5));
    if (dtype === 'F32') return new Uint8Array(values.buffer);
    return new Uint8Array((dtype === 'F16' ? f32ToF16 : f32ToBf16)(values).buffer);
  }
  const count = Math.floor(POOL_BYTES / block.bytes);
  const bytes = Uint8Array.from({ length: count * block.bytes }, () => random() * 256);
  const view = new DataView(bytes.buffer);
  const [scale] = f32ToF16(
    Float32Array.of({ Q8_0: 0.04 / 128, Q4_K: 0.04 / 512, Q6_K: 0.04 / 4096 }[dtype as string] ?? 0.04 / 16),
  );
  const minimum = dtype === 'Q4_K';
  for (let b = 0; b < count; b++) {
    const at = b * block.bytes + (dtype === 'Q6_K' ? 208 : 0);
    view.setUint16(at, scale!, true);
    if (minimum) view.setUint16(at + 2, scale!, true);
  }
  return bytes;
}

export function randomWeights(shape: Shape, typeOf: (name: string) => StoredType): WeightSource {
  const pools = new Map<StoredType, Uint8Array>();
  return {
    info: (name) => ({ dtype: typeOf(name), shape: tensorShape(name, shape) }),
    read: async (name, from = 0, to) => {
      const [rows, columns = 1] = tensorShape(name, shape) as [number, number?];
      const count = (to ?? rows) - from;
      if (name.includes('norm')) return new Float32Array(count).fill(1).buffer;
      const dtype = typeOf(name);
      const pool = pools.get(dtype) ?? makePool(dtype);
      pools.set(dtype, pool);
      const bytes = new Uint8Array(weightWords(formatOf(dtype), count, columns) * 4);
      for (let at = 0; at < bytes.length; at += pool.length) bytes.set(pool.subarray(0, bytes.length - at), at);
      return bytes.buffer;
    },
  };
}
