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
import type { GpuBackend } from '../../webgpu/backend';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { current, type Live } from '../../webgpu/live';
import { defineKernel, type Inputs } from '../kernel';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX, lines, range } from '../products/matmul-wgsl';
import { PHILOX } from './philox-wgsl';

export interface DropoutAttrs {
  /** Fraction of the elements that become 0, in [0, 1). */
  p: number;
  seed: number;
  step: Live;
  tag: number;
}

/** An element is kept if the upper 24 bits of its random word reach this. */
export const threshold = (p: number) => Math.round(p * 2 ** 24);

/** The reference of one mask. */
export function dropValues(x: ArrayLike<number>, { p, seed, step, tag }: DropoutAttrs, y: Float32Array): void {
  const limit = threshold(p);
  const scale = Math.fround(1 / (1 - p));
  const now = current(step);
  for (let i = 0; i < y.length; i += 4) {
    const words = philox4x32([i / 4, now, tag, Stream.dropout], [seed >>> 0, 0]);
    for (let c = 0; c < 4 && i + c < y.length; c++) {
      y[i + c] = words[c]! >>> 8 >= limit ? x[i + c]! * scale : 0;
    }
  }
}

/** Records dropout of x with a mask for each of the outputs, whose tags are given. */
export function recordDropout(
  backend: GpuBackend,
  x: tf.TensorInfo,
  outputs: tf.TensorInfo[],
  { p, seed, step, tags }: Omit<DropoutAttrs, 'tag'> & { tags: number[] },
): void {
  const size = tf.util.sizeFromShape(x.shape);
  const quads = size % 4 === 0;
  dispatch(backend, {
    program: { key: `dropout quads=${quads} masks=${tags.length}`, wgsl: shader(quads, tags.length) },
    tensors: [x, ...outputs],
    writes: outputs,
    uniforms: uniformBlock(u(size), u(seed), u(step), u(threshold(p)), f(1 / (1 - p)), ...tags.map(u)),
    // The step differs in every call, so a cached uniform block would never be used again.
    volatile: true,
    workgroups: groupsFor(Math.ceil(size / 4)),
  });
}

const dropoutKernel: (inputs: Partial<Inputs>, attrs: DropoutAttrs) => tf.Tensor[] = defineKernel<DropoutAttrs>({
  name: 'Dropout',
  outputs: ({ x }) => [{ shape: x!.shape }],
  cpu: ({ x }, attrs, [y]) => dropValues(x!.data, attrs, y as Float32Array),
  gpu: ({ backend, inputs: { x }, outputs, attrs: { tag, ...rest } }) =>
    recordDropout(backend, x!, outputs, { ...rest, tags: [tag] }),
  savesOutputs: [false],
  gradient: ([dy], _saved, { p, seed, step, tag }) => ({
    x: () => dropoutKernel({ x: dy! }, { p, seed, step, tag })[0]!,
  }),
});

/** The factors of four elements; its uniforms are `seed`, `step`, `limit` and `scale`. */
export const KEPT = `${PHILOX}
fn kept(quad: u32, tag: u32) -> vec4f {
  let words = philox(vec4u(quad, u.step, tag, ${Stream.dropout}u), u.seed) >> vec4u(8u);
  return select(vec4f(0.0), vec4f(u.scale), words >= vec4u(u.limit));
}`;

function shader(quads: boolean, masks: number): string {
  const type = quads ? 'vec4f' : 'f32';
  const tags = range(masks).map((i) => `, tag${i}: u32`);
  return `struct Uniforms { size: u32, seed: u32, step: u32, limit: u32, scale: f32${tags.join('')} }
@group(0) @binding(0) var<storage, read> x: array<${type}>;
${lines(masks, (i) => `@group(0) @binding(${i + 1}) var<storage, read_write> y${i}: array<${type}>;`)}
@group(0) @binding(${masks + 1}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${KEPT}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  let at = id * 4u;
  if (at >= u.size) { return; }
${lines(
  masks,
  (i) => `  let kept${i} = kept(id, u.tag${i});
${
  quads
    ? `  y${i}[id] = select(vec4f(0.0), x[id] * kept${i}, kept${i} > vec4f(0.0));`
    : `  for (var c = 0u; c < min(4u, u.size - at); c++) {
    y${i}[at + c] = select(0.0, x[at + c] * kept${i}[c], kept${i}[c] > 0.0);
  }`
}`,
)}
}`;
}

/** Applies dropout to x. Throws unless 0 ≤ p < 1. */
export function dropout(x: tf.Tensor, attrs: DropoutAttrs): tf.Tensor {
  if (!(attrs.p >= 0 && attrs.p < 1)) throw new Error(`Dropout: p must be at least 0 and below 1, not ${attrs.p}.`);
  return dropoutKernel({ x }, attrs)[0]!;
}
