/**
 * Inverted dropout: each element is zero with probability p, else divided by 1 − p. The mask is a function of
 * (seed, step, tag, element) by Philox4x32-10, the same on GPU and CPU (base/random.ts), so nothing is stored for the
 * gradient and a resumed run drops the same elements.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { philox4x32, Stream } from '../../base/random';
import { dispatch, f, u, uniformBlock } from '../webgpu/dispatch';
import { defineKernel } from './kernel';
import { groupsFor } from './matmul';
import { ENTRY, GLOBAL_INDEX } from './matmul-wgsl';

export interface DropoutAttrs {
  /** 0 ≤ p < 1 */
  p: number;
  seed: number;
  /** Forward passes so far in the run. */
  step: number;
  /** Tells apart the places of a model that drop. */
  tag: number;
}

/** Elements are dropped where a 32-bit word is below this. */
const threshold = (p: number) => Math.floor(p * 2 ** 32) >>> 0;

const WGSL = `struct Uniforms { n: u32, step: u32, tag: u32, stream: u32, seed: u32, threshold: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
// WGSL has no 32×32→64 product: by halves.
fn mulhi(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu; let a1 = a >> 16u; let b0 = b & 0xffffu; let b1 = b >> 16u;
  let mid = a1 * b0 + ((a0 * b0) >> 16u);
  let mid2 = a0 * b1 + (mid & 0xffffu);
  return a1 * b1 + (mid >> 16u) + (mid2 >> 16u);
}
fn philox(counter: vec4u, key: vec2u) -> vec4u {
  var c = counter;
  var k = key;
  for (var round = 0; round < 10; round++) {
    c = vec4u(mulhi(0xcd9e8d57u, c.z) ^ c.y ^ k.x, 0xcd9e8d57u * c.z, mulhi(0xd2511f53u, c.x) ^ c.w ^ k.y, 0xd2511f53u * c.x);
    k += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
${ENTRY} {
  let quad = globalIndex(wg, local, groups);
  if (quad * 4u >= u.n) { return; }
  let words = philox(vec4u(quad, u.step, u.tag, u.stream), vec2u(u.seed, 0u));
  for (var i = 0u; i < 4u; i++) {
    let at = quad * 4u + i;
    if (at < u.n) { y[at] = select(x[at] * u.scale, 0.0, words[i] < u.threshold); }
  }
}`;

const kernel = defineKernel<DropoutAttrs>({
  name: 'CounterDropout',
  outputs: ({ x }) => [{ shape: x!.shape }],
  cpu({ x }, { p, seed, step, tag }, [y]) {
    const limit = threshold(p);
    for (let i = 0; i < y!.length; i++) {
      const words = philox4x32([i >> 2, step, tag, Stream.dropout], [seed, 0]);
      y![i] = words[i & 3]! < limit ? 0 : x!.data[i]! / (1 - p);
    }
  },
  gpu({ backend, inputs, outputs, attrs: { p, seed, step, tag } }) {
    const n = inputs.x!.shape.reduce((a, b) => a * b, 1);
    dispatch(backend, {
      program: { key: 'dropout', wgsl: WGSL },
      tensors: [inputs.x!, outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(n), u(step), u(tag), u(Stream.dropout), u(seed), u(threshold(p)), f(1 / (1 - p))),
      volatile: true, // the step changes every time
      workgroups: groupsFor(Math.ceil(n / 4)),
    });
  },
  savesOutputs: [false],
  gradient: ([dy], _saved, attrs) => ({ x: () => dropout(dy!, attrs) }),
});

/** Drops elements of x with probability p; p = 0 gives x itself. */
export function dropout(x: tf.Tensor, { p, seed, step, tag }: DropoutAttrs): tf.Tensor {
  return p === 0 ? x : kernel({ x }, { p, seed, step, tag })[0]!;
}
