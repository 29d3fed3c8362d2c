/**
 * Attention of one to four queries a row, as decoding has them, in one dispatch: a workgroup takes a query and a head, and its keys
 * in blocks of 256 with a running softmax, whose sums are in a fixed order. Up to rounding the same result as attention.ts's other paths.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { adapterTraits } from '../../webgpu/adapter';
import type { GpuBackend } from '../../webgpu/backend';
import { dispatch } from '../../webgpu/dispatch';
import { groupsFor } from '../products/matmul';
import { type AttentionAttrs, attentionUniforms, hasDropout } from './attention-tiles';
import { FORWARD, type HeadWidth, head, LOWEST, MASKED, score, unitsOf, zero } from './attention-wgsl';

const LANES = 256;
const FEW = 4;

/** On a GPU alone: a CPU has a lane for each head, which is too few, and barriers are slow there. */
export const takesFewQueries = (backend: GpuBackend, a: AttentionAttrs): boolean =>
  !adapterTraits(backend.device).software && a.queryLength <= FEW && !hasDropout(a) && unitsOf(a.headDim) <= LANES;

export function recordFewQueries(
  backend: GpuBackend,
  { q, k, v, visible }: Record<string, tf.TensorInfo>,
  [o, lse]: [tf.TensorInfo, tf.TensorInfo],
  a: AttentionAttrs,
): void {
  const width: HeadWidth = {
    ...{ quads: a.headDim % 4 === 0, units: unitsOf(a.headDim) },
    ...{ softcap: Boolean(a.softcap), dropout: false },
  };
  dispatch(backend, {
    program: { key: `attention_few ${JSON.stringify(width)}`, wgsl: () => shader(width) },
    tensors: [q!, k!, v!, visible!, o, lse],
    writes: [o, lse],
    uniforms: attentionUniforms(a),
    workgroups: groupsFor(64 * a.batch * a.queryLength * a.heads),
  });
}

function shader(width: HeadWidth): string {
  const { units, quads } = width;
  const type = quads ? 'vec4f' : 'f32';
  // Threads beyond whole slices of the head's width rest while values are mixed.
  const slices = Math.floor(LANES / units);
  return `${head(width, FORWARD)}
${score(width)}
var<workgroup> query: array<${type}, N>;
var<workgroup> weights: array<f32, ${LANES}>;
var<workgroup> folded: array<f32, 16>;
var<workgroup> mixed: array<${type}, ${LANES}>;
var<workgroup> seen: vec2u;

fn highest(lane: u32) -> f32 {
  workgroupBarrier();
  if (lane < 16u) {
    var top = weights[lane * 16u];
    for (var i = 1u; i < 16u; i++) { top = max(top, weights[lane * 16u + i]); }
    folded[lane] = top;
  }
  workgroupBarrier();
  var top = folded[0];
  for (var i = 1u; i < 16u; i++) { top = max(top, folded[i]); }
  return top;
}
fn total(lane: u32) -> f32 {
  workgroupBarrier();
  if (lane < 16u) {
    var sum = weights[lane * 16u];
    for (var i = 1u; i < 16u; i++) { sum += weights[lane * 16u + i]; }
    folded[lane] = sum;
  }
  workgroupBarrier();
  var sum = folded[0];
  for (var i = 1u; i < 16u; i++) { sum += folded[i]; }
  return sum;
}

@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(num_workgroups) groups: vec3u) {
  let id = wg.y * groups.x + wg.x;
  let row = id / u.heads;
  if (row >= u.batch * u.queries) { return; }
  let own = id % u.heads;
  let at = id * N;
  if (lane == 0u) {
    let given = visible[row];
    let end = min(given.y, i32(u.keys));
    var first = max(given.x, 0);
    if (u.window > 0u) { first = max(first, end - i32(u.window)); }
    seen = vec2u(u32(min(first, max(end, 0))), u32(max(end, 0)));
  }
  if (lane < N) { query[lane] = q[at + lane]; }
  let range = workgroupUniformLoad(&seen);
  let base = row / u.queries * u.keys;
  let width = u.kvHeads * N;
  let column = own / u.group * N;
  let unit = lane % N;
  let slice = lane / N;
  // Less than every score: nothing overflows on the way.
  var top = ${LOWEST};
  var sum = 0.0;
  var mix = ${zero(width)};
  for (var start = range.x; start < range.y; start += ${LANES}u) {
    let key = start + lane;
    var value = ${MASKED};
    if (key < range.y) {
      let place = (base + key) * width + column;
      var dots = 0.0;
      for (var i = 0u; i < N; i++) { dots += product(query[i], k[place + i]); }
      value = score(dots);
    }
    weights[lane] = value;
    let next = max(top, highest(lane));
    let kept = exp(top - next);
    top = next;
    weights[lane] = select(0.0, exp(value - top), key < range.y);
    sum = sum * kept + total(lane);
    let count = min(${LANES}u, range.y - start);
    mix *= kept;
    if (slice < ${slices}u) {
      for (var j = slice; j < count; j += ${slices}u) {
        mix += weights[j] * v[(base + start + j) * width + column + unit];
      }
    }
    workgroupBarrier();
  }
  mixed[lane] = mix;
  workgroupBarrier();
  if (lane < N) {
    var all = mixed[lane];
    for (var s = 1u; s < ${slices}u; s++) { all += mixed[s * N + lane]; }
    let empty = range.x >= range.y;
    o[at + lane] = select(all / sum, ${zero(width)}, empty);
    if (lane == 0u) { lse[id] = select(top + log(sum), 0.0, empty); }
  }
}`;
}
