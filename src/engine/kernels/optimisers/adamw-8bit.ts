/**
 * AdamW with moments of one byte per value (Dettmers et al., 2022), in place over a flat range, as in bitsandbytes'
 * AdamW8bit. 256 values form a block: each moment is divided by the block's largest magnitude and rounded to the nearest
 * code of a table, ties to the lower code. A step decodes a block, updates it in float32 as adamw.ts does, moves the
 * parameters by the unrounded moments, and rounds the moments again.
 *
 * Each workgroup takes one block, and each thread four values, which is one word of codes. `m` and `v` are int32 [N/4];
 * `absmax` is [2·N/256], with a block's two values (m's and v's) adjacent; `codes` [512] holds the tables of m (signed) and
 * v, ascending.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY } from '../products/matmul-wgsl';
import type { AdamWHyper } from './adamw';

export const BLOCK = 256;

export interface Adam8State {
  params: tf.Tensor;
  grads: tf.Tensor;
  stats: tf.Tensor;
  m: tf.Tensor;
  v: tf.Tensor;
  absmax: tf.Tensor;
  codes: tf.Tensor;
}

const WGSL = `struct Uniforms {
  block: u32, blocks: u32, decay: f32, epsilon: f32, stepSize: f32, rootCorrection: f32,
  beta1: f32, rest1: f32, beta2: f32, rest2: f32,
}
@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(1) var<storage, read> grads: array<f32>;
@group(0) @binding(2) var<storage, read_write> m: array<u32>;
@group(0) @binding(3) var<storage, read_write> v: array<u32>;
@group(0) @binding(4) var<storage, read_write> absmax: array<f32>;
@group(0) @binding(5) var<storage, read> codes: array<f32>;
@group(0) @binding(6) var<storage, read> stats: array<f32>;
@group(0) @binding(7) var<uniform> u: Uniforms;
var<workgroup> largest: array<vec2f, 64>;
fn nearest(x: f32, table: u32) -> u32 {
  var low = 0u;
  var high = 255u;
  while (low < high) {
    let middle = (low + high) / 2u;
    let bound = 0.5 * (codes[table + middle] + codes[table + middle + 1u]);
    if (bound < x) { low = middle + 1u; } else { high = middle; }
  }
  return low;
}
${ENTRY} {
  let index = wg.y * groups.x + wg.x;
  if (index >= u.blocks || stats[2] == 0.0) { return; }
  let block = u.block + index;
  let word = block * 64u + local;
  let codesM = m[word];
  let codesV = v[word];
  let old = vec2f(absmax[2u * block], absmax[2u * block + 1u]);
  var first: array<f32, 4>;
  var second: array<f32, 4>;
  var most = vec2f(0.0);
  for (var k = 0u; k < 4u; k++) {
    let i = word * 4u + k;
    let g = grads[i] * stats[1];
    let code = vec2u((codesM >> (8u * k)) & 255u, (codesV >> (8u * k)) & 255u);
    first[k] = u.beta1 * (codes[code.x] * old.x) + u.rest1 * g;
    second[k] = u.beta2 * (codes[256u + code.y] * old.y) + u.rest2 * g * g;
    most = max(most, vec2f(abs(first[k]), second[k]));
    p[i] = p[i] * u.decay - u.stepSize * first[k] / (sqrt(second[k]) / u.rootCorrection + u.epsilon);
  }
  largest[local] = most;
  workgroupBarrier();
  for (var width = 32u; width > 0u; width /= 2u) {
    if (local < width) { largest[local] = max(largest[local], largest[local + width]); }
    workgroupBarrier();
  }
  most = largest[0];
  // Avoid dividing a block of zeros by zero.
  let divisor = select(most, vec2f(1.0), most == vec2f(0.0));
  var packed = vec2u(0u);
  for (var k = 0u; k < 4u; k++) {
    packed |= vec2u(nearest(first[k] / divisor.x, 0u), nearest(second[k] / divisor.y, 256u)) << vec2u(8u * k);
  }
  m[word] = packed.x;
  v[word] = packed.y;
  if (local == 0u) {
    absmax[2u * block] = most.x;
    absmax[2u * block + 1u] = most.y;
  }
}`;

function nearest(x: number, table: Float32Array): number {
  let low = 0;
  let high = 255;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Math.fround(0.5 * Math.fround(table[middle]! + table[middle + 1]!)) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Updates [offset, offset + length) of the flat tensors; offset is a multiple of 256, and the last block may be partial. */
export function adamW8(t: Adam8State, range: { offset: number; length: number }, h: AdamWHyper): void {
  const decay = 1 - h.learningRate * h.weightDecay;
  const stepSize = h.learningRate / (1 - h.beta1 ** h.step);
  const rootCorrection = Math.sqrt(1 - h.beta2 ** h.step);
  const from = range.offset / BLOCK;
  const blocks = Math.ceil(range.length / BLOCK);
  runInPlace(
    (backend) =>
      dispatch(backend, {
        program: { key: 'adamw 8 bit', wgsl: WGSL },
        tensors: [t.params, t.grads, t.m, t.v, t.absmax, t.codes, t.stats],
        writes: [t.params, t.m, t.v, t.absmax],
        uniforms: uniformBlock(
          u(from),
          u(blocks),
          f(decay),
          f(h.epsilon),
          f(stepSize),
          f(rootCorrection),
          f(h.beta1),
          f(1 - h.beta1),
          f(h.beta2),
          f(1 - h.beta2),
        ),
        volatile: true,
        workgroups: groupsFor(blocks * 64),
      }),
    () => {
      const [p, grads, absmax, codes] = [t.params, t.grads, t.absmax, t.codes].map(cpuArray) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const [m, v] = [t.m, t.v].map((words) => new Uint8Array(cpuArray(words).buffer, cpuArray(words).byteOffset)) as [
        Uint8Array,
        Uint8Array,
      ];
      const tables = [codes.subarray(0, 256), codes.subarray(256)] as const;
      const [, factor, finite] = cpuArray(t.stats) as unknown as [number, number, number];
      if (finite === 0) return;
      const first = new Float32Array(BLOCK);
      const second = new Float32Array(BLOCK);
      for (let block = from; block < from + blocks; block++) {
        const most = [0, 0];
        for (let k = 0; k < BLOCK; k++) {
          const i = block * BLOCK + k;
          const g = grads[i]! * factor;
          first[k] = h.beta1 * tables[0][m[i]!]! * absmax[2 * block]! + (1 - h.beta1) * g;
          second[k] = h.beta2 * tables[1][v[i]!]! * absmax[2 * block + 1]! + (1 - h.beta2) * g * g;
          most[0] = Math.max(most[0]!, Math.abs(first[k]!));
          most[1] = Math.max(most[1]!, second[k]!);
          p[i] = p[i]! * decay - (stepSize * first[k]!) / (Math.sqrt(second[k]!) / rootCorrection + h.epsilon);
        }
        for (let k = 0; k < BLOCK; k++) {
          m[block * BLOCK + k] = nearest(Math.fround(first[k]! / (most[0] || 1)), tables[0]);
          v[block * BLOCK + k] = nearest(Math.fround(second[k]! / (most[1] || 1)), tables[1]);
        }
        absmax.set(most, 2 * block);
      }
    },
  );
}
