/**
 * Draws tokens from logits on the device, so that two numbers a token are read back and not a vocabulary.
 *
 *   logits [R, V]   draws int32 [N, 2]: a row of logits, and a number in [0, 2^24)   ->   [N, 2]: token, log-probability
 *
 * p = softmax(logits / temperature). Top-k keeps the k most likely tokens, then top-p the fewest of these that reach its share of
 * their mass; a token that is as likely as the last one kept is kept too. The token is the first, in the order of the vocabulary,
 * at which the sum of what was kept exceeds number / 2^24 of it. Temperature 0 takes the most likely token, the first among equals.
 * The log-probability is that of the whole softmax, before top-k and top-p; at temperature 0 it is that of temperature 1.
 *
 * select-wgsl.ts has how thresholds and the token are found. Sums do not depend on how lanes share the work.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { adapterTraits } from '../../webgpu/adapter';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';
import {
  ADDS,
  bindingsOf,
  boundAs,
  eachValue,
  lanesOf,
  NO_SOFTMAX,
  openRow,
  readsOf,
  type SelectKind,
  search,
  selectSource,
  WEIGHED_RANGE,
  wholePass,
} from './select-wgsl';

export interface SampleAttrs {
  /** 0 is greedy. */
  temperature: number;
  /** 0 keeps all. */
  topK: number;
  /** 1 keeps all. */
  topP: number;
}

/** Random numbers are this fine. */
export const STEPS = 2 ** 24;

const kernel = defineKernel<SampleAttrs>({
  name: 'SampleTokens',
  outputs({ logits, draws }, { temperature, topK, topP }) {
    if (logits?.shape.length !== 2 || draws?.shape.length !== 2 || draws.shape[1] !== 2) {
      throw shapeError('SampleTokens', 'logits [R, V], draws [N, 2]', { logits: logits?.shape, draws: draws?.shape });
    }
    if (!(temperature >= 0) || !(topP > 0 && topP <= 1) || !(Number.isInteger(topK) && topK >= 0)) {
      throw new Error(`SampleTokens: temperature ${temperature}, top-k ${topK} or top-p ${topP} is out of range.`);
    }
    return [{ shape: [draws.shape[0]!, 2] }];
  },
  cpu({ logits, draws }, attrs, [drawn]) {
    const vocab = logits!.shape[1]!;
    for (let i = 0; i < draws!.shape[0]!; i++) {
      const at = draws!.data[2 * i]! * vocab;
      const row = logits!.data.subarray(at, at + vocab) as Float32Array;
      drawn!.set(drawToken(row, draws!.data[2 * i + 1]! / STEPS, attrs), 2 * i);
    }
  },
  gpu({ backend, inputs: { logits, draws }, outputs, attrs }) {
    const [rows, vocab] = logits!.shape as [number, number];
    const n = draws!.shape[0]!;
    const { temperature, topK, topP } = attrs;
    const { device } = backend;
    const kind: ShaderKind = {
      lanes: lanesOf(device.limits, adapterTraits(device).software),
      reads: readsOf([rows, vocab]),
      greedy: temperature === 0,
      topK: temperature > 0 && topK > 0 && topK < vocab,
      topP: temperature > 0 && topP < 1,
    };
    dispatch(backend, {
      program: { key: `sample_tokens ${JSON.stringify(kind)}`, wgsl: () => sampleTokensShader(kind) },
      tensors: [...boundAs(kind.reads, logits!), draws!, outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(n), u(vocab), u(topK), f(topP), f(temperature || 1)),
      workgroups: groupsFor(n * 64),
    });
  },
});

/** The token that `number` in [0, 1) draws, and its log-probability. */
export function drawToken(
  logits: Float32Array,
  number: number,
  { temperature, topK, topP }: SampleAttrs,
): [token: number, logProb: number] {
  const vocab = logits.length;
  let best = 0;
  for (let v = 1; v < vocab; v++) if (logits[v]! > logits[best]!) best = v;
  const top = logits[best]!;
  const weights = Float64Array.from(logits, (z) => Math.exp((z - top) / (temperature || 1)));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const result = (v: number): [number, number] => [v, (logits[v]! - top) / (temperature || 1) - Math.log(total)];
  if (temperature === 0) return result(best);

  let lowest = -Infinity;
  if ((topK > 0 && topK < vocab) || topP < 1) {
    const order = Array.from(logits, (_, v) => v).sort((a, b) => logits[b]! - logits[a]!);
    if (topK > 0 && topK < vocab) lowest = logits[order[topK - 1]!]!;
    const candidates = order.filter((v) => logits[v]! >= lowest);
    const wanted = topP * candidates.reduce((sum, v) => sum + weights[v]!, 0);
    let mass = 0;
    for (const v of candidates) {
      if (mass >= wanted) break;
      mass += weights[v]!;
      lowest = logits[v]!;
    }
  }
  const kept = weights.map((w, v) => (logits[v]! >= lowest ? w : 0));
  const target = number * kept.reduce((sum, w) => sum + w, 0);
  let reached = 0;
  let last = best;
  for (let v = 0; v < vocab; v++) {
    if (kept[v]! === 0) continue;
    reached += kept[v]!;
    last = v;
    if (reached > target) break;
  }
  return result(last);
}

interface ShaderKind extends SelectKind {
  greedy: boolean;
  topK: boolean;
  topP: boolean;
}

export function sampleTokensShader(kind: ShaderKind): string {
  const { greedy, topK, topP, lanes, reads } = kind;
  const bindings = bindingsOf(reads);
  const addWhole = 'row = plusWhere(row, fixed(w), inside);';
  const finish = `var logProb = (bitcast<f32>(bitsAt((base + chosen) / 4u)[(base + chosen) % 4u]) - top) / u.temperature;
    logProb -= log(float(vec2u(atomicLoad(&whole[0]), atomicLoad(&whole[1]))) * UNIT);
    drawn[index] = vec2f(f32(chosen), select(logProb, bitcast<f32>(0x7fc00000u | chosen), ${NO_SOFTMAX}));`;
  const byMass = `s = byValue(s, MASS, ${ADDS.weight}u, 0u, ${WEIGHED_RANGE});`;
  const byPlace = `s = byPlace(s, ${ADDS.weight}u);`;
  return `struct Uniforms { draws: u32, vocab: u32, topK: u32, topP: f32, temperature: f32 }
${selectSource(kind, 0)}
@group(0) @binding(${bindings}) var<storage, read> draws: array<vec2i>;
@group(0) @binding(${bindings + 1}) var<storage, read_write> drawn: array<vec2f>;
@group(0) @binding(${bindings + 2}) var<uniform> u: Uniforms;
const COUNT = 0u;
const MASS = 1u;
const PLACE = 2u;
var<workgroup> first: atomic<u32>;
var<workgroup> whole: array<atomic<u32>, 2>;
fn putWhole(sum: vec2u) {
  let was = atomicAdd(&whole[0], sum.x);
  atomicAdd(&whole[1], sum.y + select(0u, 1u, was + sum.x < was));
}
// Whatever is likelier than what was found is kept, and it itself.
fn found(done: State) -> State {
  var s = done;
  s.limit = min(s.limit, s.low + s.span);
  ${topP ? `if (s.phase == COUNT) { ${byMass} return s; }` : ''}
  s.low = 0u;
  s.span = 0xffffffffu;
  ${byPlace}
  return s;
}
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(num_workgroups) groups: vec3u) {
  let index = wg.y * groups.x + wg.x;
  if (index >= u.draws) { return; }
  let draw = draws[index];
  ${openRow(kind, 'u32(draw.x) * u.vocab')}
  var row = Sums();
  ${
    greedy
      ? `var best = 0u;
  ${wholePass(kind, `let w = weightsOf(bits); ${addWhole} ${eachValue('if (inside[i] && far[i] == 0u) { best = max(best, ~(4u * q + i - base)); }')}`)}
  putWhole(together(row));
  atomicMax(&first, best);
  workgroupBarrier();
  if (lane == 0u) {
    let chosen = ~atomicLoad(&first);
    ${finish}
  }`
      : search(kind, {
          begin: topK ? `s = byValue(s, COUNT, ${ADDS.one}u, 0u, topKey - lowKey);` : topP ? byMass : byPlace,
          quad: addWhole,
          row: 'putWhole(together(row));',
          goal: `if (s.phase == COUNT) { s.goal = f32(u.topK); }
      if (s.phase == MASS) { s.goal = u.topP * total(); }
      // Below the sum, to which it may be rounded.
      if (s.phase == PLACE) { s.goal = min(f32(draw.y) / ${STEPS}.0, ${1 - 2 ** -23}) * total(); }`,
          write: finish,
        })
  }
}`;
}

/** logits [R, V], draws int32 [N, 2] (row, number below 2^24) -> [N, 2]: token and log-probability. */
export const sampleTokens = (logits: tf.Tensor, draws: tf.Tensor, attrs: SampleAttrs): tf.Tensor =>
  kernel({ logits, draws }, attrs)[0]!;
