/**
 * Draws one token from logits on the device, as generation/sampler.ts does in double precision: likelier tokens first, equal ones
 * in the order of the vocabulary, cut by top-p.
 *
 *   logits [1, V]   ->   [8]: token, Σ w, Σ w·|x|, and of the cut and of the token: Σ w of likelier ones, w; and which of the
 *                        equally likely ones the token is
 *
 * x = (z − top) / temperature, w = exp(x). All but the token are there so that whoever reads them can tell whether single
 * precision could have chosen another (`settledToken`). Σ w is −1 where there is no softmax: NaN, or an infinite top.
 * Temperature 0 takes the most likely token.
 *
 * select-wgsl.ts has how the logit is found at which a sum passes what is wanted.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { adapterTraits } from '../../webgpu/adapter';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { current, type Live } from '../../webgpu/live';
import { defineKernel, shapeError } from '../kernel';
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

export interface DrawAttrs {
  /** 0 is greedy. */
  temperature: number;
  /** 1 or more keeps all. */
  topP: number;
  /** In [0, 1), with 24 bits. */
  number: Live;
}

/** How many values are drawn. */
export const DRAWN = 8;

const kernel = defineKernel<DrawAttrs>({
  name: 'DrawRanked',
  outputs({ logits }, { temperature, topP, number: live }) {
    const number = current(live);
    if (logits?.shape.length !== 2 || logits.shape[0] !== 1) {
      throw shapeError('DrawRanked', 'logits [1, V]', { logits: logits?.shape });
    }
    if (!(temperature >= 0) || !(topP >= 0) || !(number >= 0 && number < 1)) {
      throw new Error(`DrawRanked: temperature ${temperature}, top-p ${topP} or number ${number} is out of range.`);
    }
    return [{ shape: [DRAWN] }];
  },
  cpu({ logits }, { temperature, topP, number: live }, [drawn]) {
    const number = current(live);
    const values = logits!.data as Float32Array;
    const top = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    if (values.some(Number.isNaN) || (temperature > 0 && !Number.isFinite(top))) {
      drawn![1] = -1;
      return;
    }
    if (temperature === 0) {
      drawn!.set([values.indexOf(top), 1]);
      return;
    }
    const order = Array.from(values, (_, v) => v).sort((a, b) => values[b]! - values[a]! || a - b);
    const x = (v: number) => (values[v]! - top) / temperature;
    const weights = order.map((v) => Math.exp(x(v)));
    const total = weights.reduce((sum, w) => sum + w, 0);
    const spread = order.reduce((sum, v, i) => sum + (weights[i]! > 0 ? weights[i]! * -x(v) : 0), 0);
    /** Likelier than what is at a place of the order, that one's weight, and its place among equals. */
    const about = (place: number) => {
      const first = order.findIndex((v) => values[v] === values[order[place]!]);
      const above = weights.slice(0, first).reduce((sum, w) => sum + w, 0);
      return [above, weights[place]!, place - first] as const;
    };
    const passes = (wanted: (sum: number) => boolean) => {
      let sum = 0;
      const place = weights.findIndex((w) => {
        sum += w;
        return wanted(sum);
      });
      return place < 0 ? order.length - 1 : place;
    };
    const cut = topP < 1 ? about(passes((sum) => sum >= topP * total)) : ([0, 0, 0] as const);
    const mass = topP < 1 ? cut[0] + (cut[2] + 1) * cut[1] : total;
    const place = passes((sum) => sum > number * mass);
    const [above, weight, among] = about(place);
    drawn!.set([order[place]!, total, spread, cut[0], cut[1], above, weight, among]);
  },
  gpu({ backend, inputs: { logits }, outputs, attrs: { temperature, topP, number } }) {
    const vocab = logits!.shape[1]!;
    const { device } = backend;
    const kind: Kind = {
      lanes: lanesOf(device.limits, adapterTraits(device).software),
      reads: readsOf([1, vocab]),
      greedy: temperature === 0,
      cuts: topP < 1,
    };
    dispatch(backend, {
      program: { key: `draw_ranked ${JSON.stringify(kind)}`, wgsl: () => drawRankedShader(kind) },
      tensors: [...boundAs(kind.reads, logits!), outputs[0]!],
      writes: outputs,
      uniforms: uniformBlock(u(vocab), f(number), f(topP), f(temperature || 1)),
      // The number differs from token to token.
      volatile: true,
      workgroups: [1],
    });
  },
});

interface Kind extends SelectKind {
  greedy: boolean;
  cuts: boolean;
}

export function drawRankedShader(kind: Kind): string {
  const { greedy, cuts } = kind;
  const bindings = bindingsOf(kind.reads);
  return `struct Uniforms { vocab: u32, number: f32, topP: f32, temperature: f32 }
${selectSource(kind, 0)}
@group(0) @binding(${bindings}) var<storage, read_write> drawn: array<f32>;
@group(0) @binding(${bindings + 1}) var<uniform> u: Uniforms;
const CUT = 0u;
const DRAW = 1u;
const PLACE = 2u;
var<workgroup> first: atomic<u32>;
var<workgroup> spreads: atomic<u32>;
// Of one lane, which decides, and of the one that writes in the end: all weights, those kept, and about the cut and the token.
struct Decided { whole: f32, mass: f32, range: u32, cutAbove: f32, cutWeight: f32, above: f32, weight: f32, among: f32 }
var<workgroup> decided: Decided;
fn found(done: State) -> State {
  let above = float(done.before);
  let weight = float(done.own) / f32(done.count);
  ${
    cuts
      ? `if (done.phase == CUT) {
    decided.cutAbove = above;
    decided.cutWeight = weight;
    // Of equal ones as many as it takes.
    let tokens = clamp(ceil((done.goal - above) / weight), 1.0, f32(done.count));
    decided.mass = min(above + tokens * weight, float(plus(done.before, done.own)));
    return byValue(done, DRAW, ${ADDS.weight}u, 1u, decided.range);
  }`
      : ''
  }
  decided.above = above;
  decided.weight = weight;
  decided.among = clamp(floor((done.goal - above) / weight), 0.0, f32(max(done.count, 1u) - 1u));
  // What is left is one logit, or equal ones: each counts 1, and those without a weight are none of them.
  return byPlace(done, ${ADDS.oneIfWeighed}u);
}
@compute @workgroup_size(${kind.lanes})
fn main(@builtin(local_invocation_index) lane: u32) {
  ${openRow(kind, '0u')}
${
  greedy
    ? `  var best = 0u;
  ${wholePass(kind, eachValue('if (inside[i] && far[i] == 0u) { best = max(best, ~(4u * q + i)); }'))}
  atomicMax(&first, best);
  workgroupBarrier();
  if (lane == 0u) { drawn[0] = f32(~atomicLoad(&first)); drawn[1] = select(1.0, -1.0, broken); }
}`
    : `  // In units of which all lanes together have less than 2^32: w·|x| is at most 1/e.
  let spreadUnit = 4294967296.0 / f32(u.vocab);
  var spread = 0.0;
  ${search(kind, {
    begin: `decided.range = ${WEIGHED_RANGE};
    s = byValue(s, ${cuts ? `CUT, ${ADDS.weight}u, 0u` : `DRAW, ${ADDS.weight}u, 1u`}, decided.range);`,
    quad: SPREAD,
    row: 'atomicAdd(&spreads, u32(ceil(spread * spreadUnit)));',
    goal: `if (s.first > 0u) { decided.whole = total(); decided.mass = decided.whole; }
      if (s.phase == CUT) { s.goal = u.topP * decided.whole; }
      if (s.phase == DRAW) { s.goal = u.number * decided.mass; }
      if (s.phase == PLACE) { s.goal = decided.among; }`,
    write: `drawn[0] = f32(chosen);
    drawn[1] = select(decided.whole * UNIT, -1.0, ${NO_SOFTMAX});
    drawn[2] = f32(atomicLoad(&spreads)) / spreadUnit;
    drawn[3] = decided.cutAbove * UNIT;
    drawn[4] = decided.cutWeight * UNIT;
    drawn[5] = decided.above * UNIT;
    drawn[6] = decided.weight * UNIT;
    drawn[7] = decided.among;`,
  })}
}`
}`;
}

const SPREAD = `let x = (bitcast<vec4f>(bits) - vec4f(top)) / u.temperature;
    spread += dot(select(vec4f(0.0), w * -x, inside & (w > vec4f(0.0))), vec4f(1.0));`;

/** logits [1, V] -> [8], for `settledToken`. */
export const drawRanked = (logits: tf.Tensor, attrs: DrawAttrs): tf.Tensor => kernel({ logits }, attrs)[0]!;

/** Half a unit in the last place of 1. */
const HALF_ULP = 2 ** -24;

/**
 * The token that double precision draws too, or null where rounding might decide. WGSL allows exp an error of 3 + 2·|x| units in
 * the last place and division 2.5. A partial sum errs by no more than all weights together.
 */
export function settledToken(
  drawn: Float32Array,
  { temperature, topP, number }: DrawAttrs & { number: number },
  vocab: number,
): number | null {
  const [token, total, spread, cutAbove, cutWeight, above, weight, among] = drawn as unknown as number[];
  if (!(total! > 0)) return null;
  if (temperature === 0) return token!;
  // Sums of weights, each rounded down to a multiple of 2^-44, are exact until a few are rounded and multiplied.
  const error = 2 * HALF_ULP * (3 * total! + 6 * spread!) + HALF_ULP * 8 * total! + vocab * 2 ** -44;
  let [least, most] = [total! - error, total! + error];
  if (topP < 1) {
    const tokens = (topP * total! - cutAbove!) / cutWeight!;
    const near = Math.round(tokens);
    // So near a whole number of equally likely tokens that one more may be kept, or one fewer; never none at all.
    const kept = Math.abs(tokens - near) * cutWeight! <= 3 * error ? [near, near + 1] : [Math.ceil(tokens)];
    const masses = kept.map((count) => cutAbove! + Math.max(cutAbove === 0 ? 1 : 0, count) * cutWeight!);
    [least, most] = [masses[0]! - 3 * error, masses.at(-1)! + 3 * error];
  }
  const before = above! + among! * weight!;
  const isFirst = above === 0 && among === 0;
  const settled = (isFirst || number * least > before + error) && number * most < before + weight! - error;
  return settled ? token! : null;
}
