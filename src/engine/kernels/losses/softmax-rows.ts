/**
 * Softmax over the rows of a chunk of logits (logit-chunks.ts): their maximum and sum of exponentials in one reading, which
 * rescales the sum whenever the maximum rises, then what a pass does with them, then the gradient in the logits' place.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { adapterTraits } from '../../webgpu/adapter';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import type { Live } from '../../webgpu/live';
import type { GpuCall } from '../kernel';
import { groupsFor } from '../products/matmul';
import { GLOBAL_INDEX } from '../products/matmul-wgsl';
import type { Chunk, LogitAttrs } from './logit-chunks';

export interface SoftmaxPass {
  /** Names the pass, with everything that its WGSL depends on. */
  key: string;
  bindings: { name: string; tensor: tf.TensorInfo; writes?: boolean }[];
  uniforms?: Record<string, { u: Live } | { f: Live }>;
  /** Whether the uniforms change from batch to batch. */
  volatile?: boolean;
  /**
   * WGSL after the two sums. In scope: `at` (the row's number among all), `valid` (it has a target), `chosen` (the target's
   * z), `top` = max z, `sum` = Σ exp(z − top), `first` (this thread writes the row's results), and `part`. `over(term)` gives
   * statements that leave Σ_v of `term`, an expression of `z`, in `part`; `z` may be four of them.
   */
  body(over: (term: string) => string): string;
  /**
   * Leaves slope · factor · (softmax(z)[v] − wanted) in the logits' place, both WGSL. In `wanted`, `hit` is 1 at the target
   * and 0 elsewhere.
   */
  gradient?: { factor: string; wanted: string };
}

/** Rows of so many values are shared by 256 threads, shorter ones by 64. */
const LONG_ROW = 2048;

/**
 * A thread adds up so many values before it adds them to its sum. Where one token has nearly all of the probability, each of the many others
 * is less than a float32 sum near 1 can take, and one after the other they would all be lost: 0.25 % of a loss of 0.04 was.
 */
const RUN = 64;

/** Softmax over the rows of a chunk: their maximum and sum, then what `pass` does with them. */
export function softmaxRows(
  { backend, inputs: { rows, targets }, attrs }: Pick<GpuCall<LogitAttrs>, 'backend' | 'inputs' | 'attrs'>,
  { logits, start, n }: Chunk,
  pass: SoftmaxPass,
): void {
  const { out: vocab, softcap, temperature = 1 } = attrs;
  const { uniforms = {} } = pass;
  // One thread a row on a CPU; on a GPU a workgroup shares a row and folds its partial results in a fixed tree.
  const threads = adapterTraits(backend.device).software ? 1 : vocab < LONG_ROW ? 64 : 256;
  const shape: RowShape = { threads, quads: vocab % 4 === 0, capped: softcap > 0, tempered: temperature !== 1 };
  const bindings = [
    { name: 'logits', tensor: logits, writes: true },
    { name: 'rows', tensor: rows! },
    { name: 'targets', tensor: targets! },
    ...pass.bindings,
  ];
  dispatch(backend, {
    program: { key: `softmax_rows ${pass.key} ${JSON.stringify(shape)}`, wgsl: () => shader(shape, bindings, pass) },
    tensors: bindings.map((b) => b.tensor),
    writes: bindings.filter((b) => b.writes).map((b) => b.tensor),
    uniforms: uniformBlock(u(start), u(n), u(vocab), f(softcap), f(temperature), ...Object.values(uniforms)),
    volatile: pass.volatile,
    workgroups: threads > 1 ? groupsFor(n * 64) : groupsFor(n),
  });
}

interface RowShape {
  /** That share a row. */
  threads: number;
  /** The vocabulary is a multiple of 4: logits are read and written in quads. */
  quads: boolean;
  capped: boolean;
  tempered: boolean;
}

function shader(shape: RowShape, bindings: SoftmaxPass['bindings'], pass: SoftmaxPass): string {
  const { threads, quads } = shape;
  const { gradient, uniforms = {} } = pass;
  const shared = threads > 1;
  const element = quads ? 'vec4f' : 'f32';
  const total = (sum: string) => (quads ? `dot(${sum}, vec4f(1.0))` : sum);
  const each = `for (var v = lane; v < length; v += ${threads}u)`;
  const tree = (body: string) => `workgroupBarrier();
  for (var s = ${threads / 2}u; s > 0u; s = s >> 1u) {
    if (lane < s) { ${body} }
    workgroupBarrier();
  }`;
  const inRuns = (body: string) => `for (var begin = lane; begin < length; begin += ${threads * RUN}u) {
    let end = min(begin + ${threads * RUN}u, length);
    var some = ${element}(0.0);
    for (var v = begin; v < end; v += ${threads}u) {
      let z = logit(base + v);
      ${body}
    }
    parts += some;
  }`;
  const over = (term: string) => `parts = ${element}(0.0);
  ${inRuns(`some += ${term};`)}
  part = ${total('parts')};
  ${shared ? `sums[lane] = part; ${tree('sums[lane] += sums[lane + s];')} part = sums[0]; workgroupBarrier();` : ''}`;
  const type = (name: string) => (name === 'logits' ? element : name === 'rows' || name === 'targets' ? 'i32' : 'f32');
  const access = (writes?: boolean) => (writes ? 'read_write' : 'read');
  const fields = Object.entries(uniforms).map(([name, value]) => `${name}: ${'u' in value ? 'u32' : 'f32'}`);
  return `struct Uniforms { ${['start: u32, n: u32, vocab: u32, softcap: f32, temperature: f32', ...fields].join(', ')} }
${bindings.map((b, i) => `@group(0) @binding(${i}) var<storage, ${access(b.writes)}> ${b.name}: array<${type(b.name)}>;`).join('\n')}
@group(0) @binding(${bindings.length}) var<uniform> u: Uniforms;
${shared ? `var<workgroup> sums: array<f32, ${threads}>;\nvar<workgroup> tops: array<f32, ${threads}>;` : ''}
${logitFunctions(shape)}
${GLOBAL_INDEX}
@compute @workgroup_size(${shared ? threads : 64})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u) {
  let row = ${shared ? 'wg.y * groups.x + wg.x' : 'globalIndex(wg, local, groups)'};
  let lane = ${shared ? 'local' : '0u'};
  ${shared ? '' : 'if (row >= u.n) { return; }'}
  let inside = row < u.n;
  let first = inside && lane == 0u;
  let length = u.vocab${quads ? ' / 4u' : ''};
  let base = min(row, u.n - 1u) * length;
  let at = u.start + min(row, u.n - 1u);
  let valid = rows[at] >= 0 && targets[at] >= 0;
  let wanted = u32(max(targets[at], 0));
  let chosen = ${quads ? 'logit(base + wanted / 4u)[wanted % 4u]' : 'logit(base + wanted)'};
  var top = -3.4e38;
  var parts = ${element}(0.0);
  ${inRuns(`let highest = ${quads ? 'max(max(z.x, z.y), max(z.z, z.w))' : 'z'};
      if (highest > top) { let less = exp(top - highest); parts *= less; some *= less; top = highest; }
      some += exp(z - top);`)}
  var sum = ${total('parts')};
  var part = 0.0;
  ${
    shared
      ? `sums[lane] = sum; tops[lane] = top;
  ${tree(`let a = tops[lane]; let b = tops[lane + s]; let higher = max(a, b);
      sums[lane] = sums[lane] * exp(a - higher) + sums[lane + s] * exp(b - higher); tops[lane] = higher;`)}
  sum = sums[0]; top = tops[0]; workgroupBarrier();`
      : ''
  }
  ${pass.body(over)}
  ${
    gradient
      ? `${shared ? 'workgroupBarrier(); storageBarrier();' : ''}
  if (!inside) { return; }
  ${each} {
    let z = logit(base + v);
    let p = exp(z - top) / sum;
    let hit = ${quads ? 'select(vec4f(0.0), vec4f(1.0), vec4u(v * 4u) + vec4u(0u, 1u, 2u, 3u) == vec4u(wanted))' : 'select(0.0, 1.0, v == wanted)'};
    logits[base + v] = select(${element}(0.0), slope(z) * ${gradient.factor} * (p - ${gradient.wanted}), valid);
  }`
      : ''
  }
}`;
}

/** z from what the product left, and the slope of z to that: of one value or four. */
function logitFunctions({ quads, capped, tempered }: RowShape): string {
  const type = quads ? 'vec4f' : 'f32';
  const over = tempered ? ' / u.temperature' : '';
  if (!capped) {
    return `fn logit(at: u32) -> ${type} { return logits[at]${over}; }
fn slope(z: ${type}) -> ${type} { return ${type}(1.0)${over}; }`;
  }
  // tanh from exp(−2|x|): WGSL's own may overflow.
  return `fn logit(at: u32) -> ${type} {
  let x = logits[at] / u.softcap;
  let e = exp(-2.0 * abs(x));
  return u.softcap * sign(x) * (1.0 - e) / (1.0 + e)${over};
}
fn slope(z: ${type}) -> ${type} { let t = z${tempered ? ' * u.temperature' : ''} / u.softcap; return ${tempered ? '(1.0 - t * t) / u.temperature' : '1.0 - t * t'}; }`;
}
