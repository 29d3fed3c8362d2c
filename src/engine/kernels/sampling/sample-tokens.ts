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
 * Sums are over slabs of the vocabulary, then over slabs, in this order everywhere. The threshold is found bit by bit: nothing is
 * sorted.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { adapterTraits } from '../../webgpu/adapter';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { defineKernel, shapeError } from '../kernel';
import { groupsFor } from '../products/matmul';

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

const SLABS = 256;

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
    const shared = !adapterTraits(backend.device).software;
    const vocab = logits!.shape[1]!;
    const n = draws!.shape[0]!;
    const { temperature, topK, topP } = attrs;
    const kind: ShaderKind = {
      shared,
      greedy: temperature === 0,
      topK: temperature > 0 && topK > 0 && topK < vocab,
      topP: temperature > 0 && topP < 1,
    };
    dispatch(backend, {
      program: { key: `sample_tokens ${JSON.stringify(kind)}`, wgsl: () => shader(kind) },
      tensors: [logits!, draws!, outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(n), u(vocab), u(Math.ceil(vocab / SLABS)), u(topK), f(topP), f(temperature || 1)),
      workgroups: shared ? groupsFor(n * 64) : groupsFor(n),
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

interface ShaderKind {
  /** A workgroup a draw, a thread a slab; otherwise, on a CPU, a thread a draw. */
  shared: boolean;
  greedy: boolean;
  topK: boolean;
  topP: boolean;
}

function shader({ shared, greedy, topK, topP }: ShaderKind): string {
  const barrier = shared ? 'workgroupBarrier();' : '';
  const slab = (s: string, start: string, body: string) => `var part = ${start};
    let end = min(u.vocab, (${s} + 1u) * u.slab);
    for (var v = ${s} * u.slab; v < end; v++) { let z = logits[base + v]; ${body} }
    partial[${s}] = part;`;
  // Leaves each slab's part in `partial`, and in `total` what they come to.
  const over = (start: string, body: string, fold = 'all + partial[s]') => `
  ${shared ? `{ ${slab('lane', start, body)} }` : `for (var s = 0u; s < ${SLABS}u; s++) { ${slab('s', start, body)} }`}
  ${barrier}
  ${shared ? 'if (lane == 0u)' : ''} {
    var all = partial[0];
    for (var s = 1u; s < ${SLABS}u; s++) { all = ${fold}; }
    total = all;
  }
  ${barrier}`;
  const weight = 'exp((z - top) / u.temperature)';
  // The largest threshold that still keeps enough.
  const bisect = (name: string, body: string, wanted: string) => `
  var ${name} = 0u;
  for (var bit = 0x80000000u; bit > 0u; bit = bit >> 1u) {
    let candidate = ${name} | bit;
    ${over('0.0', body)}
    if (total >= ${wanted}) { ${name} = candidate; }
    ${barrier}
  }`;
  const isKept = [...(topK ? ['keyOf(z) >= byCount'] : []), ...(topP ? ['keyOf(z) >= byMass'] : [])].join(' && ');
  const kept = isKept ? `if (${isKept}) { part += ${weight}; }` : `part += ${weight};`;
  const space = shared ? 'workgroup' : 'private';
  return `struct Uniforms { draws: u32, vocab: u32, slab: u32, topK: u32, topP: f32, temperature: f32 }
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> draws: array<vec2i>;
@group(0) @binding(2) var<storage, read_write> drawn: array<vec2f>;
@group(0) @binding(3) var<uniform> u: Uniforms;
var<${space}> partial: array<f32, ${SLABS}>;
var<${space}> total: f32;
// In the order of the numbers.
fn keyOf(z: f32) -> u32 { let bits = bitcast<u32>(z); return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u); }
@compute @workgroup_size(${shared ? SLABS : 64})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(num_workgroups) groups: vec3u) {
  let index = ${shared ? 'wg.y * groups.x + wg.x' : '(wg.y * groups.x + wg.x) * 64u + lane'};
  ${shared ? '' : 'if (index >= u.draws) { return; }'}
  let draw = draws[min(index, u.draws - 1u)];
  let base = u32(draw.x) * u.vocab;
  ${over('-3.4e38', 'part = max(part, z);', 'max(all, partial[s])')}
  let top = total;
  ${barrier}
  ${over('0.0', `part += ${weight};`)}
  let whole = total;
  ${barrier}
  ${
    greedy
      ? `${over('3.4e38', 'if (z == top) { part = min(part, f32(v)); }', 'min(all, partial[s])')}
  let chosen = u32(min(total, f32(u.vocab - 1u)));`
      : `${topK ? bisect('byCount', 'if (keyOf(z) >= candidate) { part += 1.0; }', 'f32(u.topK)') : ''}
  ${
    topP
      ? `${topK ? over('0.0', `if (keyOf(z) >= byCount) { part += ${weight}; }`) : ''}
  let wanted = u.topP * total;
  ${barrier}
  ${bisect('byMass', `if (keyOf(z) >= candidate${topK ? ' && keyOf(z) >= byCount' : ''}) { part += ${weight}; }`, 'wanted')}`
      : ''
  }
  ${isKept ? over('0.0', kept) : ''}
  ${shared ? 'if (lane > 0u) { return; }' : ''}
  let goal = f32(draw.y) / ${STEPS}.0 * total;
  var before = 0.0;
  var slabOf = 0u;
  var reached = 0.0;
  for (var s = 0u; s < ${SLABS}u; s++) {
    if (partial[s] > 0.0) { before = reached; slabOf = s; }
    reached += partial[s];
    if (reached > goal) { break; }
  }
  var chosen = 0u;
  var part = before;
  let end = min(u.vocab, (slabOf + 1u) * u.slab);
  for (var v = slabOf * u.slab; v < end; v++) {
    let z = logits[base + v];
    let was = part;
    ${kept}
    if (part > was) { chosen = v; }
    if (part > goal) { break; }
  }`
  }
  if (${shared ? 'lane == 0u && index < u.draws' : 'true'}) {
    drawn[index] = vec2f(f32(chosen), (logits[base + chosen] - top) / u.temperature - log(whole));
  }
}`;
}

/** logits [R, V], draws int32 [N, 2] (row, number below 2^24) -> [N, 2]: token and log-probability. */
export const sampleTokens = (logits: tf.Tensor, draws: tf.Tensor, attrs: SampleAttrs): tf.Tensor =>
  kernel({ logits, draws }, attrs)[0]!;
