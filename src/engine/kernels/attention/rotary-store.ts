/**
 * Rotary positions of new tokens whose keys and values go straight into a cache, in one dispatch, in place and without a tape.
 *
 *   q [B·T, Hq·D]   k, v [B·T, Hk·D]   cos, sin [P, R/2]   positions int32 [B·T]   visible int32 [B·T, 2] (visible.ts)
 *   keys, values [B·capacity, Hk·D]
 *
 * q is rotated where it is (rotary.ts); k is rotated, and both k and v go to the place of their text's row that the token's position
 * names. A token that sees nothing is padding, and is stored nowhere.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { type GpuBackend, isGpu } from '../../webgpu/backend';
import { dispatch, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

export interface NewTokens {
  q: tf.Tensor;
  k: tf.Tensor;
  v: tf.Tensor;
  positions: tf.Tensor;
  visible: tf.Tensor;
}

export interface RotaryStore {
  cos: tf.Tensor;
  sin: tf.Tensor;
  headDim: number;
  /** Tokens of a text. */
  length: number;
  capacity: number;
}

const BUFFERS = 9;

/** Whether the device binds as many buffers as this takes. */
export const storesRotated = (backend: tf.KernelBackend): boolean =>
  !isGpu(backend) || backend.device.limits.maxStorageBuffersPerShaderStage >= BUFFERS;

export function storeRotated(
  { q, k, v, positions, visible }: NewTokens,
  { keys, values }: { keys: tf.Tensor; values: tf.Tensor },
  { cos, sin, headDim, length, capacity }: RotaryStore,
): void {
  const [tokens, width] = k.shape as [number, number];
  const pairs = cos.shape[1]!;
  if (
    headDim % 2 !== 0 ||
    q.shape[0] !== tokens ||
    q.shape[1]! % headDim !== 0 ||
    width % headDim !== 0 ||
    v.shape.join() !== k.shape.join() ||
    pairs > headDim / 2 ||
    sin.shape.join() !== cos.shape.join() ||
    positions.size !== tokens ||
    visible.size !== 2 * tokens ||
    keys.shape.join() !== `${(tokens / length) * capacity},${width}` ||
    values.shape.join() !== keys.shape.join()
  ) {
    throw new Error(
      `StoreRotated: expected q [B·${length}, Hq·${headDim}], k and v [B·${length}, Hk·${headDim}], positions [B·${length}], visible [B·${length}, 2], keys and values [B·${capacity}, Hk·${headDim}]; got q [${q.shape}], k [${k.shape}], v [${v.shape}], positions [${positions.shape}], visible [${visible.shape}], keys [${keys.shape}], values [${values.shape}].`,
    );
  }
  const heads = q.shape[1]! / headDim;
  const kvHeads = width / headDim;
  runInPlace(
    (backend) =>
      record(backend, [q, k, v, cos, sin, positions, visible, keys, values], {
        ...{ tokens, heads, kvHeads, half: headDim / 2, pairs, rows: cos.shape[0]!, length, capacity },
      }),
    () => {
      const [places, seen, cosines, sines] = [positions, visible, cos, sin].map(cpuArray) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const [from, queries] = [cpuArray(k), cpuArray(q)];
      /** A head's values, rotated. */
      const turned = (head: Float32Array, place: number) => {
        const table = Math.min(Math.max(place, 0), cos.shape[0]! - 1) * pairs;
        const out = head.slice();
        for (let i = 0; i < pairs; i++) {
          const [a, b] = [head[i]!, head[i + pairs]!];
          const [c, s] = [cosines[table + i]!, sines[table + i]!];
          out[i] = a * c - b * s;
          out[i + pairs] = b * c + a * s;
        }
        return out;
      };
      for (let t = 0; t < tokens; t++) {
        const place = places[t]!;
        for (let h = 0; h < heads; h++) {
          const at = (t * heads + h) * headDim;
          queries.set(turned(queries.subarray(at, at + headDim), place), at);
        }
        if (seen[2 * t]! >= seen[2 * t + 1]! || place >= capacity) continue;
        const to = (Math.floor(t / length) * capacity + place) * width;
        for (let at = 0; at < width; at += headDim) {
          const start = t * width + at;
          cpuArray(keys).set(turned(from.subarray(start, start + headDim), place), to + at);
        }
        cpuArray(values).set(cpuArray(v).subarray(t * width, (t + 1) * width), to);
      }
    },
  );
}

interface Sizes {
  tokens: number;
  heads: number;
  kvHeads: number;
  /** Of a head's width, in values. */
  half: number;
  /** Rotated pairs of a head. */
  pairs: number;
  /** Positions in the tables. */
  rows: number;
  length: number;
  capacity: number;
}

function record(backend: GpuBackend, tensors: tf.Tensor[], s: Sizes): void {
  const quads = s.half % 4 === 0 && s.pairs % 4 === 0;
  const step = quads ? 4 : 1;
  const part = s.pairs < s.half;
  const count = (s.tokens * (s.heads + 2 * s.kvHeads) * s.half) / step;
  const [q, , , , , , , keys, values] = tensors;
  dispatch(backend, {
    program: { key: `rotary_store quads=${quads} part=${part}`, wgsl: () => shader(quads ? 'vec4f' : 'f32', part) },
    tensors,
    writes: [q!, keys!, values!],
    uniforms: uniformBlock(
      ...[count, s.half / step, s.pairs / step, s.heads, s.kvHeads, s.rows, s.length, s.capacity].map(u),
    ),
    workgroups: groupsFor(count),
  });
}

const shader = (type: string, part: boolean) => `struct Uniforms {
  count: u32, half: u32, pairs: u32, heads: u32, kvHeads: u32, rows: u32, length: u32, capacity: u32,
}
@group(0) @binding(0) var<storage, read_write> q: array<${type}>;
@group(0) @binding(1) var<storage, read> k: array<${type}>;
@group(0) @binding(2) var<storage, read> v: array<${type}>;
@group(0) @binding(3) var<storage, read> cosines: array<${type}>;
@group(0) @binding(4) var<storage, read> sines: array<${type}>;
@group(0) @binding(5) var<storage, read> positions: array<i32>;
@group(0) @binding(6) var<storage, read> visible: array<vec2i>;
@group(0) @binding(7) var<storage, read_write> keys: array<${type}>;
@group(0) @binding(8) var<storage, read_write> values: array<${type}>;
@group(0) @binding(9) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.count) { return; }
  let i = id % u.half;
  let all = u.heads + 2u * u.kvHeads;
  let head = id / u.half % all;
  let token = id / u.half / all;
  let place = positions[token];
  // A thread has two values of a head: a pair that is rotated, or two neighbours that stay as they are.
  var first = i;
  var second = i + u.pairs;
  var c = ${type}(1.0);
  var s = ${type}(0.0);
  let turns = head < u.heads + u.kvHeads${part ? ' && i < u.pairs' : ''};
  ${part ? 'if (i >= u.pairs) { first = 2u * i; second = first + 1u; }' : ''}
  if (turns) {
    let at = min(u32(max(place, 0)), u.rows - 1u) * u.pairs + i;
    c = cosines[at];
    s = sines[at];
  }
  if (head < u.heads) {
    let base = (token * u.heads + head) * 2u * u.half;
    let a = q[base + first];
    let b = q[base + second];
    q[base + first] = a * c - b * s;
    q[base + second] = b * c + a * s;
    return;
  }
  let seen = visible[token];
  if (seen.x >= seen.y || place < 0 || u32(place) >= u.capacity) { return; }
  let column = (head - u.heads) % u.kvHeads * 2u * u.half;
  let width = u.kvHeads * 2u * u.half;
  let base = token * width + column;
  let to = (token / u.length * u.capacity + u32(place)) * width + column;
  if (head < u.heads + u.kvHeads) {
    let a = k[base + first];
    let b = k[base + second];
    keys[to + first] = a * c - b * s;
    keys[to + second] = b * c + a * s;
  } else {
    values[to + first] = v[base + first];
    values[to + second] = v[base + second];
  }
}`;
