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
 * Nothing is sorted: the logit at which the sum passes what is wanted is found two bits at a time.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { dispatch, f, u, uniformBlock } from '../../webgpu/dispatch';
import { current, type Live } from '../../webgpu/live';
import { defineKernel, shapeError } from '../kernel';

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

const LANES = 256;

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
  gpu({ backend, inputs: { logits }, outputs, attrs: { temperature, topP, number }, temp }) {
    const vocab = logits!.shape[1]!;
    const kind: Kind = { quads: vocab % 4 === 0, greedy: temperature === 0, cuts: topP < 1 };
    const weights = temp([vocab]);
    dispatch(backend, {
      program: { key: `draw_ranked ${JSON.stringify(kind)}`, wgsl: () => shader(kind) },
      tensors: [logits!, ...(kind.greedy ? [] : [weights]), outputs[0]!],
      writes: [...(kind.greedy ? [] : [weights]), outputs[0]!],
      uniforms: uniformBlock(u(kind.quads ? vocab / 4 : vocab), f(number), f(topP), f(temperature || 1)),
      // The number differs from token to token.
      volatile: true,
      workgroups: [1],
    });
  },
});

interface Kind {
  /** The vocabulary is a multiple of 4. */
  quads: boolean;
  greedy: boolean;
  cuts: boolean;
}

function shader({ quads, greedy, cuts }: Kind): string {
  const [value, word] = quads ? ['vec4f', 'vec4u'] : ['f32', 'u32'];
  const all = (of: string) => (quads ? `dot(${of}, vec4f(1.0))` : of);
  const highest = (of: string) => (quads ? `max(max(${of}.x, ${of}.y), max(${of}.z, ${of}.w))` : of);
  const lowest = (of: string) => (quads ? `min(min(${of}.x, ${of}.y), min(${of}.z, ${of}.w))` : of);
  const each = `for (var v = lane; v < u.count; v += ${LANES}u)`;
  const where = (condition: string, of: string) => all(`select(${value}(0.0), ${of}, ${condition})`);
  /** Declares the key at which the sum of this and higher ones passes. */
  const find = (name: string, passes: (sum: string) => string) => `
  var ${name} = 0u;
  for (var step = 0u; step < 16u; step++) {
    let shift = 30u - 2u * step;
    let a = ${name} | (1u << shift); let b = ${name} | (2u << shift); let c = ${name} | (3u << shift);
    var part = vec4f(0.0);
    ${each} {
      let key = keyOf(logits[v]); let w = weights[v];
      part += vec4f(${where(`key >= ${word}(a)`, 'w')}, ${where(`key >= ${word}(b)`, 'w')}, ${where(`key >= ${word}(c)`, 'w')}, 0.0);
    }
    let sums = fold(lane, part);
    if (${passes('sums.z')}) { ${name} = c; } else if (${passes('sums.y')}) { ${name} = b; } else if (${passes('sums.x')}) { ${name} = a; }
  }
  // Of likelier ones, of equal ones, and how many these are.
  var ${name}Part = vec4f(0.0);
  ${each} {
    let key = keyOf(logits[v]); let w = weights[v];
    ${name}Part += vec4f(${where(`key > ${word}(${name})`, 'w')}, ${where(`key == ${word}(${name})`, 'w')}, ${where(`key == ${word}(${name})`, `${value}(1.0)`)}, 0.0);
  }
  let ${name}Sums = fold(lane, ${name}Part);
  let ${name}Weight = ${name}Sums.y / max(1.0, ${name}Sums.z);`;
  return `struct Uniforms { count: u32, number: f32, topP: f32, temperature: f32 }
@group(0) @binding(0) var<storage, read> logits: array<${value}>;
${greedy ? '' : `@group(0) @binding(1) var<storage, read_write> weights: array<${value}>;`}
@group(0) @binding(${greedy ? 1 : 2}) var<storage, read_write> drawn: array<f32>;
@group(0) @binding(${greedy ? 2 : 3}) var<uniform> u: Uniforms;
${greedy ? '' : `var<workgroup> parts: array<vec4f, ${LANES}>;\nvar<workgroup> sixteenths: array<vec4f, 16>;`}
var<workgroup> words: array<vec2u, ${LANES}>;
// In the order of the numbers, and both zeros alike.
fn keyOf(z: ${value}) -> ${word} {
  let bits = bitcast<${word}>(z);
  let key = select(bits | ${word}(0x80000000u), ~bits, bits >= ${word}(0x80000000u));
  return select(key, ${word}(0x80000000u), (bits & ${word}(0x7fffffffu)) == ${word}(0u));
}
// The lowest and the highest of the lanes' words.
fn range(lane: u32, low: u32, high: u32) -> vec2u {
  workgroupBarrier();
  words[lane] = vec2u(low, high);
  workgroupBarrier();
  for (var s = ${LANES / 2}u; s > 0u; s = s >> 1u) {
    if (lane < s) { words[lane] = vec2u(min(words[lane].x, words[lane + s].x), max(words[lane].y, words[lane + s].y)); }
    workgroupBarrier();
  }
  return words[0];
}
${
  greedy
    ? ''
    : `// In a fixed order, for every lane.
fn fold(lane: u32, part: vec4f) -> vec4f {
  workgroupBarrier();
  parts[lane] = part;
  workgroupBarrier();
  if (lane < 16u) {
    var sum = parts[lane * 16u];
    for (var i = 1u; i < 16u; i++) { sum += parts[lane * 16u + i]; }
    sixteenths[lane] = sum;
  }
  workgroupBarrier();
  var sum = sixteenths[0];
  for (var i = 1u; i < 16u; i++) { sum += sixteenths[i]; }
  return sum;
}`
}
// The first index of a logit.
fn firstOf(key: u32, lane: u32) -> u32 {
  var first = 0xffffffffu;
  ${each} {
    let own = keyOf(logits[v]);
    ${
      quads
        ? 'for (var i = 0u; i < 4u; i++) { if (own[i] == key) { first = min(first, v * 4u + i); } }'
        : 'if (own == key) { first = min(first, v); }'
    }
  }
  return range(lane, first, 0u).x;
}
@compute @workgroup_size(${LANES})
fn main(@builtin(local_invocation_index) lane: u32) {
  var low = 0xffffffffu;
  var high = 0u;
  ${each} { let key = keyOf(logits[v]); low = min(low, ${lowest('key')}); high = max(high, ${highest('key')}); }
  let keys = range(lane, low, high);
  // NaN is beyond both infinities.
  let broken = keys.x < 0x007fffffu || keys.y > 0xff800000u${greedy ? '' : ' || keys.y == 0xff800000u || keys.y == 0x007fffffu'};
${
  greedy
    ? `  let first = firstOf(keys.y, lane);
  if (lane == 0u) { drawn[0] = f32(first); drawn[1] = select(1.0, -1.0, broken); }
}`
    : `  let top = bitcast<f32>(select(~keys.y, keys.y & 0x7fffffffu, keys.y >= 0x80000000u));
  var both = vec4f(0.0);
  ${each} {
    let x = (logits[v] - ${value}(top)) / u.temperature;
    let w = exp(x);
    weights[v] = w;
    both += vec4f(${all('w')}, ${where(`w > ${value}(0.0)`, 'w * -x')}, 0.0, 0.0);
  }
  let sums = fold(lane, both);
  ${
    cuts
      ? `let wanted = u.topP * sums.x;
  ${find('cut', (sum) => `${sum} >= wanted`)}
  let mass = cutSums.x + max(1.0, ceil((wanted - cutSums.x) / cutWeight)) * cutWeight;`
      : 'let mass = sums.x;'
  }
  let goal = u.number * mass;
  ${find('at', (sum) => `${sum} > goal`)}
  let among = clamp(floor((goal - atSums.x) / atWeight), 0.0, max(0.0, atSums.z - 1.0));
  var token = firstOf(at, lane);
  if (lane > 0u) { return; }
  // Equal logits are rare: one thread looks for the later ones.
  var more = u32(among);
  let vocab = u.count${quads ? ' * 4u' : ''};
  for (var v = token + 1u; more > 0u && v < vocab; v++) {
    if (keyOf(logits[${quads ? 'v / 4u' : 'v'}])${quads ? '[v % 4u]' : ''} == at) { more--; token = v; }
  }
  drawn[0] = f32(token);
  drawn[1] = select(sums.x, -1.0, broken);
  drawn[2] = sums.y;
  drawn[3] = ${cuts ? 'cutSums.x' : '0.0'};
  drawn[4] = ${cuts ? 'cutWeight' : '0.0'};
  drawn[5] = atSums.x;
  drawn[6] = atWeight;
  drawn[7] = among;
}`
}`;
}

/** logits [1, V] -> [8], for `settledToken`. */
export const drawRanked = (logits: tf.Tensor, attrs: DrawAttrs): tf.Tensor => kernel({ logits }, attrs)[0]!;

/** Half a unit in the last place of 1. */
const HALF_ULP = 2 ** -24;

/**
 * The token that double precision draws too, or null where rounding might decide. WGSL allows exp an error of 3 + 2·|x| units in
 * the last place and division 2.5; a sum errs by half a unit an addition. A partial sum errs by no more than all weights together.
 */
export function settledToken(
  drawn: Float32Array,
  { temperature, topP, number }: DrawAttrs & { number: number },
  vocab: number,
): number | null {
  const [token, total, spread, cutAbove, cutWeight, above, weight, among] = drawn as unknown as number[];
  if (!(total! > 0)) return null;
  if (temperature === 0) return token!;
  const additions = Math.ceil(vocab / LANES) + 40;
  // Weights that are too small for single precision count as 0: less than its smallest normal number each.
  const error = 2 * HALF_ULP * (3 * total! + 6 * spread!) + HALF_ULP * additions * total! + vocab * 2 ** -126;
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
