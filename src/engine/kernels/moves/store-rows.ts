/**
 * Stores keys and values of new tokens in a cache, in place, without a tape.
 *
 *   k, v [B·T, w]   positions int32 [B·T]   visible int32 [B·T, 2] (visible.ts)   into int32 [R, 2]
 *   keys, values [rows·capacity, w]
 *
 * For every pair (text, row) of `into`, each token of the text goes to the place of that row that its position names. A token that
 * sees nothing is padding, and is stored nowhere. One text may go to several rows; no row may come twice.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

export interface StoredRows {
  k: tf.Tensor;
  v: tf.Tensor;
  positions: tf.Tensor;
  visible: tf.Tensor;
  into: tf.Tensor;
}

export function storeRows(
  { k, v, positions, visible, into }: StoredRows,
  { keys, values }: { keys: tf.Tensor; values: tf.Tensor },
  { length, capacity }: { length: number; capacity: number },
): void {
  const [tokens, width] = k.shape as [number, number];
  const [pairs] = into.shape as [number];
  if (
    v.shape.join() !== `${tokens},${width}` ||
    positions.size !== tokens ||
    visible.size !== 2 * tokens ||
    tokens % length !== 0 ||
    keys.shape[1] !== width ||
    keys.shape[0]! % capacity !== 0 ||
    values.shape.join() !== keys.shape.join()
  ) {
    throw new Error(
      `StoreRows: expected k and v [B·${length}, w], positions [B·${length}], visible [B·${length}, 2], keys and values [rows·${capacity}, w]; got k [${k.shape}], v [${v.shape}], positions [${positions.shape}], visible [${visible.shape}], keys [${keys.shape}], values [${values.shape}].`,
    );
  }
  runInPlace(
    (backend) => {
      const quads = width % 4 === 0;
      const type = quads ? 'vec4f' : 'f32';
      const columns = quads ? width / 4 : width;
      dispatch(backend, {
        program: {
          key: `store_rows quads=${quads}`,
          wgsl: `struct Uniforms { count: u32, columns: u32, length: u32, capacity: u32 }
@group(0) @binding(0) var<storage, read> k: array<${type}>;
@group(0) @binding(1) var<storage, read> v: array<${type}>;
@group(0) @binding(2) var<storage, read> positions: array<i32>;
@group(0) @binding(3) var<storage, read> visible: array<vec2i>;
@group(0) @binding(4) var<storage, read> into: array<vec2i>;
@group(0) @binding(5) var<storage, read_write> keys: array<${type}>;
@group(0) @binding(6) var<storage, read_write> values: array<${type}>;
@group(0) @binding(7) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let at = globalIndex(wg, local, groups);
  if (at >= u.count) { return; }
  let column = at % u.columns;
  let pair = into[at / u.columns / u.length];
  let token = u32(pair.x) * u.length + at / u.columns % u.length;
  let seen = visible[token];
  let place = u32(positions[token]);
  if (seen.x >= seen.y || place >= u.capacity) { return; }
  let to = (u32(pair.y) * u.capacity + place) * u.columns + column;
  keys[to] = k[token * u.columns + column];
  values[to] = v[token * u.columns + column];
}`,
        },
        tensors: [k, v, positions, visible, into, keys, values],
        writes: [keys, values],
        uniforms: uniformBlock(...[pairs * length * columns, columns, length, capacity].map(u)),
        workgroups: groupsFor(pairs * length * columns),
      });
    },
    () => {
      const [places, seen, pairsOf] = [positions, visible, into].map(cpuArray) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      for (const [from, to] of [[k, keys] as const, [v, values] as const]) {
        const source = cpuArray(from);
        const target = cpuArray(to);
        for (let i = 0; i < pairs; i++) {
          for (let t = 0; t < length; t++) {
            const token = pairsOf[2 * i]! * length + t;
            const place = places[token]!;
            if (seen[2 * token]! >= seen[2 * token + 1]! || place >= capacity) continue;
            const row = source.subarray(token * width, (token + 1) * width);
            target.set(row, (pairsOf[2 * i + 1]! * capacity + place) * width);
          }
        }
      }
    },
  );
}
