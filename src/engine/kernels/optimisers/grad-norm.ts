/**
 * Global gradient norm, clipping factor and finite check, without leaving the GPU.
 *
 *   grads [N], loss [] -> stats [4] = norm, factor, finite (1 or 0), loss
 *
 * factor = min(1, max_norm / (norm + 1e-6)) as in torch.nn.utils.clip_grad_norm_; 1 when max_norm is 0. AdamW reads factor
 * and finite from `stats`, so a step with a NaN or infinite gradient changes nothing. `penalty` [P], if given, holds
 * partial sums of a penalty to add to the loss (weight-penalty.ts).
 */
import type * as tf from '@tensorflow/tfjs-core';
import { adapterTraits } from '../../webgpu/adapter';
import type { GpuBackend } from '../../webgpu/backend';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { cpuArray, runInPlace } from '../in-place';
import { groupsFor } from '../products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../products/matmul-wgsl';

export const STATS = { norm: 0, factor: 1, finite: 2, loss: 3 } as const;

const clipFactor = (norm: number, maxNorm: number) => (maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1);

/** Partial sums, added up afterwards by a workgroup, or on a CPU by one thread: enough threads to fill a GPU. */
export function partialCount(n: number): number {
  return Math.min(4096, Math.max(64, Math.ceil(n / 256 / 64) * 64));
}

function record(
  backend: GpuBackend,
  c: {
    grads: tf.TensorInfo;
    loss: tf.TensorInfo;
    partials: tf.TensorInfo;
    stats: tf.TensorInfo;
    penalty?: tf.TensorInfo;
    n: number;
    maxNorm: number;
  },
): void {
  const partials = c.partials.shape[0]!;
  const lanes = adapterTraits(backend.device).software ? 1 : 256;
  dispatch(backend, {
    program: {
      key: 'sum_of_squares',
      wgsl: `struct Uniforms { n: u32, threads: u32 }
@group(0) @binding(0) var<storage, read> grads: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(2) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.threads) { return; }
  var sum = 0.0;
  for (var i = id; i < u.n; i += u.threads) { sum += grads[i] * grads[i]; }
  partials[id] = sum;
}`,
    },
    tensors: [c.grads, c.partials],
    writes: [c.partials],
    uniforms: uniformBlock(u(c.n), u(partials)),
    workgroups: groupsFor(partials),
  });
  dispatch(backend, {
    program: {
      key: `grad_norm lanes=${lanes}${c.penalty ? ' penalty' : ''}`,
      wgsl: `struct Uniforms { partials: u32, maxNorm: f32, penalties: u32 }
@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read> loss: array<f32>;
@group(0) @binding(2) var<storage, read_write> stats: array<f32>;
${c.penalty ? '@group(0) @binding(3) var<storage, read> penalty: array<f32>;' : ''}
@group(0) @binding(${c.penalty ? 4 : 3}) var<uniform> u: Uniforms;
// Tests the bits, because a shader compiler may assume that NaN and infinity do not occur.
fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }
${lanes > 1 ? `var<workgroup> sums: array<vec2f, ${lanes}>;` : ''}
@compute @workgroup_size(${lanes}) fn main(@builtin(local_invocation_index) lane: u32) {
  // Of squares, and of the penalty: in a fixed order.
  var part = vec2f(0.0);
  for (var i = lane; i < u.partials; i += ${lanes}u) { part.x += partials[i]; }
${c.penalty ? `  for (var i = lane; i < u.penalties; i += ${lanes}u) { part.y += penalty[i]; }` : ''}
${
  lanes > 1
    ? `  sums[lane] = part;
  workgroupBarrier();
  for (var s = ${lanes / 2}u; s > 0u; s = s >> 1u) {
    if (lane < s) { sums[lane] += sums[lane + s]; }
    workgroupBarrier();
  }
  part = sums[0];
  if (lane > 0u) { return; }`
    : ''
}
  let sum = part.x;
  let norm = sqrt(sum);
  let total = loss[0] + part.y;
  stats[0] = norm;
  stats[1] = select(1.0, min(1.0, u.maxNorm / (norm + 1e-6)), u.maxNorm > 0.0);
  stats[2] = select(0.0, 1.0, isFinite(sum) && isFinite(total));
  stats[3] = total;
}`,
    },
    tensors: [c.partials, c.loss, c.stats, ...(c.penalty ? [c.penalty] : [])],
    writes: [c.stats],
    uniforms: uniformBlock(u(partials), f(c.maxNorm), u(c.penalty?.shape[0] ?? 0)),
    workgroups: [1],
  });
}

/** Fills `stats` [4] from the flat gradients [N] and the scalar loss; `partials` is scratch of `partialCount(N)`. */
export function gradientStats(
  t: { grads: tf.Tensor; loss: tf.Tensor; partials: tf.Tensor; stats: tf.Tensor; penalty?: tf.Tensor },
  maxNorm: number,
): void {
  runInPlace(
    (backend) => record(backend, { ...t, n: t.grads.size, maxNorm }),
    () => {
      let sum = 0;
      for (const g of cpuArray(t.grads)) sum += g * g;
      const norm = Math.sqrt(sum);
      let loss = cpuArray(t.loss)[0]!;
      if (t.penalty) for (const share of cpuArray(t.penalty)) loss += share;
      cpuArray(t.stats).set([
        norm,
        clipFactor(norm, maxNorm),
        Number.isFinite(norm) && Number.isFinite(loss) ? 1 : 0,
        loss,
      ]);
    },
  );
}
