/**
 * Inverted dropout (Srivastava et al., 2014): an element is kept and divided by 1 − p, or becomes 0.
 *
 *   x (any shape)   ->   the same shape
 *
 * Whether it is kept is a pure function of (seed, step, tag, element), from the generator of base/random.ts: Philox with the
 * counter (element / 4, step, tag, dropout stream), one call per four elements. Nothing is saved for the gradient, which
 * draws the same mask again, and a resumed run drops the same elements. `tag` tells the tensors of one step apart.
 */
import * as tf from '@tensorflow/tfjs-core';
import { philox4x32, Stream } from '../../../base/random';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, type Inputs } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';
import { PHILOX } from './philox-wgsl';

export interface DropoutAttrs {
  /** Fraction of the elements that become 0, in [0, 1). */
  p: number;
  seed: number;
  step: number;
  tag: number;
}

/** An element is kept if the upper 24 bits of its random word reach this. */
export const threshold = (p: number) => Math.round(p * 2 ** 24);

const dropoutKernel: (inputs: Partial<Inputs>, attrs: DropoutAttrs) => tf.Tensor[] = defineKernel<DropoutAttrs>({
  name: 'Dropout',
  outputs: ({ x }) => [{ shape: x!.shape }],
  cpu({ x }, { p, seed, step, tag }, [y]) {
    const limit = threshold(p);
    const scale = Math.fround(1 / (1 - p));
    for (let i = 0; i < y!.length; i += 4) {
      const words = philox4x32([i / 4, step, tag, Stream.dropout], [seed >>> 0, 0]);
      for (let c = 0; c < 4 && i + c < y!.length; c++) {
        y![i + c] = words[c]! >>> 8 >= limit ? x!.data[i + c]! * scale : 0;
      }
    }
  },
  gpu({ backend, inputs: { x }, outputs, attrs: { p, seed, step, tag } }) {
    const size = tf.util.sizeFromShape(x!.shape);
    const quads = size % 4 === 0;
    dispatch(backend, {
      program: { key: `dropout quads=${quads}`, wgsl: shader(quads) },
      tensors: [x!, outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(size), u(seed), u(step), u(tag), u(threshold(p)), f(1 / (1 - p))),
      // The step differs in every call, so a cached uniform block would never be used again.
      volatile: true,
      workgroups: groupsFor(Math.ceil(size / 4)),
    });
  },
  savesOutputs: [false],
  gradient: ([dy], _saved, { p, seed, step, tag }) => ({
    x: () => dropoutKernel({ x: dy! }, { p, seed, step, tag })[0]!,
  }),
});

function shader(quads: boolean): string {
  const type = quads ? 'vec4f' : 'f32';
  return `struct Uniforms { size: u32, seed: u32, step: u32, tag: u32, limit: u32, scale: f32 }
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read_write> y: array<${type}>;
@group(0) @binding(2) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${PHILOX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  let at = id * 4u;
  if (at >= u.size) { return; }
  let words = philox(vec4u(id, u.step, u.tag, ${Stream.dropout}u), u.seed) >> vec4u(8u);
  let kept = select(vec4f(0.0), vec4f(u.scale), words >= vec4u(u.limit));
${
  quads
    ? '  y[id] = select(vec4f(0.0), x[id] * kept, kept > vec4f(0.0));'
    : `  for (var c = 0u; c < min(4u, u.size - at); c++) {
    y[at + c] = select(0.0, x[at + c] * kept[c], kept[c] > 0.0);
  }`
}
}`;
}

/** Applies dropout to x. Throws unless 0 ≤ p < 1. */
export function dropout(x: tf.Tensor, attrs: DropoutAttrs): tf.Tensor {
  if (!(attrs.p >= 0 && attrs.p < 1)) throw new Error(`Dropout: p must be at least 0 and below 1, not ${attrs.p}.`);
  return dropoutKernel({ x }, attrs)[0]!;
}
