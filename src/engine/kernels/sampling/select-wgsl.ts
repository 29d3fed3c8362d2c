/**
 * WGSL with which a workgroup finds things in a row of logits: the logit of some rank, the one at which the sum of likelier ones passes
 * something, and the token at which a sum in the order of the vocabulary does. Nothing is sorted or moved.
 *
 * What counts is how far a logit is from the top one, in bits that are in the order of the numbers. A pass over the row adds weights
 * into 1,024 bins by the highest ten of these bits; the bin is found where the sum passes, and a further pass looks at its logits alone.
 *
 * Sums are whole numbers of 64 bits, weights in units of 2^-44: they are the same in whatever order lanes add to them, and a bin is
 * exactly the sum of its parts. Neighbouring lanes read neighbouring vec4s.
 */
import type * as tf from '@tensorflow/tfjs-core';

const BINS = 1024;
/** Bins whose sum is made before one is looked for, and lanes that read a slab of the row abreast. */
const GROUP = 32;
/** Bits that a pass tells apart. */
const DIGITS = 10;

/** What a pass of the search looks at: `State.look`. */
const LOOK = { nothing: 0, values: 1, slabs: 2, shares: 3 } as const;

/** A row's bytes may begin between two vec4s; then what the last one lacks is read value by value. */
export type RowReads = 'quads' | 'quads and values' | 'values';

export interface SelectKind {
  lanes: number;
  reads: RowReads;
}

export const readsOf = ([rows, vocab]: readonly [number, number]): RowReads =>
  vocab % 4 === 0 ? 'quads' : rows * vocab < 4 ? 'values' : 'quads and values';

/** How often the logits are bound. */
export const bindingsOf = (reads: RowReads): number => (reads === 'quads and values' ? 2 : 1);

export const boundAs = (reads: RowReads, logits: tf.TensorInfo): tf.TensorInfo[] =>
  Array<tf.TensorInfo>(bindingsOf(reads)).fill(logits);

/** A workgroup has as many lanes as the device allows, up to this. */
const MAX_LANES = 1024;
/** Where a CPU runs the lanes, more of them only cost. */
const SOFTWARE_LANES = 64;

export function lanesOf(
  { maxComputeInvocationsPerWorkgroup: count, maxComputeWorkgroupSizeX: wide }: GPUSupportedLimits,
  software: boolean,
): number {
  return software ? SOFTWARE_LANES : 2 ** Math.floor(Math.log2(Math.min(MAX_LANES, count, wide)));
}

const quadOf = ({ reads }: SelectKind) => `let bits = bitsAt(q);
    let keys = keysOf(bits);
    let far = vec4u(topKey) - keys;
    let inside = ${reads === 'quads' ? 'vec4<bool>(true)' : '(4u * q + vec4u(0u, 1u, 2u, 3u) - base) < vec4u(u.vocab)'};`;

/** A pass over the row, all lanes abreast; `body` has q, `bits`, `keys`, how `far` from the top these are, and which are `inside` the row. */
export const wholePass = (kind: SelectKind, body: string): string => `
  for (var q = firstQuad + lane; q < endQuad; q += ${kind.lanes}u) {
    ${quadOf(kind)}
    ${body}
  }`;

export const eachValue = (body: string): string => `for (var i = 0u; i < 4u; i++) { ${body} }`;

/** Declarations; `first` is the number of the logits' first binding. */
export function selectSource({ lanes, reads }: SelectKind, first: number): string {
  const quads = reads !== 'values';
  const values = reads !== 'quads';
  return `
${quads ? `@group(0) @binding(${first}) var<storage, read> quads: array<vec4u>;` : ''}
${values ? `@group(0) @binding(${first + (quads ? 1 : 0)}) var<storage, read> values: array<u32>;` : ''}
// One lane decides what all do next. Looked at are logits between \`low\` and \`low + span\` from the top one, up to \`limit\`: in bins of
// 2^shift, in slabs of the row, or in one slab lane by lane. What counts is each one's weight, 1, or 1 if it has a weight.
struct State {
  look: u32, phase: u32, adds: u32, fresh: u32, first: u32, strict: u32, goal: f32,
  shift: u32, low: u32, span: u32, limit: u32,
  // Of what was found: how many it is, what it weighs, and what is before it. Then the slab and the lane that has the token.
  count: u32, own: vec2u, before: vec2u, slab: u32, lane: u32
}
var<workgroup> edges: array<atomic<u32>, 2>;
var<workgroup> counts: array<atomic<u32>, ${BINS}>;
var<workgroup> lows: array<atomic<u32>, ${BINS}>;
var<workgroup> highs: array<atomic<u32>, ${BINS}>;
var<workgroup> groups: array<vec2u, ${BINS / GROUP}>;
var<workgroup> state: State;
var<private> topKey: u32;
var<private> lowKey: u32;
var<private> top: f32;
var<private> base: u32;
var<private> firstQuad: u32;
var<private> endQuad: u32;
var<private> slab: u32;
var<private> share: u32;
fn bitsAt(q: u32) -> vec4u {
  ${quads ? `${values ? 'if (q < arrayLength(&quads)) ' : ''}{ return quads[q]; }` : ''}
  ${
    values
      ? `let last = arrayLength(&values) - 1u;
  return vec4u(values[4u * q], values[min(4u * q + 1u, last)], values[min(4u * q + 2u, last)], values[min(4u * q + 3u, last)]);`
      : ''
  }
}
// In the order of the numbers, and both zeros alike; NaN is beyond both infinities.
fn keysOf(bits: vec4u) -> vec4u {
  let keys = select(bits | vec4u(0x80000000u), ~bits, bits >= vec4u(0x80000000u));
  return select(keys, vec4u(0x80000000u), (bits & vec4u(0x7fffffffu)) == vec4u(0u));
}
const UNIT = ${2 ** -44};
fn plus(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2u(low, a.y + b.y + select(0u, 1u, low < b.x));
}
// Four sums.
struct Sums { low: vec4u, high: vec4u }
// Weights of at most 1, rounded down.
fn fixed(w: vec4f) -> Sums {
  let high = floor(w * 4096.0);
  return Sums(vec4u((w * 4096.0 - high) * 4294967296.0), vec4u(high));
}
fn plusWhere(a: Sums, b: Sums, which: vec4<bool>) -> Sums {
  let more = select(vec4u(0u), b.low, which);
  let low = a.low + more;
  return Sums(low, a.high + select(vec4u(0u), b.high, which) + select(vec4u(0u), vec4u(1u), low < more));
}
fn together(sums: Sums) -> vec2u {
  let first = plus(vec2u(sums.low.x, sums.high.x), vec2u(sums.low.y, sums.high.y));
  return plus(first, plus(vec2u(sums.low.z, sums.high.z), vec2u(sums.low.w, sums.high.w)));
}
// Rounded, which keeps the order.
fn float(sum: vec2u) -> f32 { return f32(sum.y) * 4294967296.0 + f32(sum.x); }
fn weightsOf(bits: vec4u) -> vec4f { return exp((bitcast<vec4f>(bits) - vec4f(top)) / u.temperature); }
fn put(bin: u32, sum: vec2u, count: u32) {
  var high = sum.y;
  if (sum.x > 0u) {
    let was = atomicAdd(&lows[bin], sum.x);
    if (was + sum.x < was) { high++; }
  }
  if (high > 0u) { atomicAdd(&highs[bin], high); }
  atomicAdd(&counts[bin], count);
}
// What a lane adds to one bin in succession is added up first, since lanes wait for each other at a bin.
var<private> heldBin: u32;
var<private> heldCount: u32;
var<private> held: vec2u;
fn release() {
  if (heldCount > 0u) { put(heldBin, held, heldCount); }
  heldCount = 0u;
  held = vec2u(0u);
}
fn add(bin: u32, sum: vec2u) {
  if (bin != heldBin) { release(); heldBin = bin; }
  held = plus(held, sum);
  heldCount++;
}
fn clear(lane: u32) {
  for (var bin = lane; bin < ${BINS}u; bin += ${lanes}u) {
    atomicStore(&counts[bin], 0u); atomicStore(&lows[bin], 0u); atomicStore(&highs[bin], 0u);
  }
  workgroupBarrier();
}
fn sumAt(bin: u32) -> vec2u { return vec2u(atomicLoad(&lows[bin]), atomicLoad(&highs[bin])); }
fn gather(lane: u32) {
  workgroupBarrier();
  if (lane < ${BINS / GROUP}u) {
    var sum = vec2u(0u);
    // Each lane begins at another bank.
    for (var i = 0u; i < ${GROUP}u; i++) { sum = plus(sum, sumAt(lane * ${GROUP}u + (i + lane) % ${GROUP}u)); }
    groups[lane] = sum;
  }
  workgroupBarrier();
}
// Of all bins, after gathering.
fn total() -> f32 {
  var sum = groups[0];
  for (var i = 1u; i < ${BINS / GROUP}u; i++) { sum = plus(sum, groups[i]); }
  return float(sum);
}
fn passes(sum: vec2u, s: State) -> bool { return select(float(sum) >= s.goal, float(sum) > s.goal, s.strict > 0u); }
// A search by value among so many distances.
fn byValue(s: State, phase: u32, adds: u32, strict: u32, range: u32) -> State {
  var next = s;
  next.look = ${LOOK.values}u; next.phase = phase; next.adds = adds; next.strict = strict; next.fresh = 1u;
  next.shift = max(32u - countLeadingZeros(range), ${DIGITS}u) - ${DIGITS}u;
  next.low = 0u; next.span = 0xffffffffu; next.before = vec2u(0u);
  return next;
}
// The search for the token, in the order of the vocabulary, among what is looked at.
fn byPlace(s: State, adds: u32) -> State {
  var next = s;
  next.look = ${LOOK.slabs}u; next.phase = PLACE; next.adds = adds; next.strict = 1u; next.fresh = 1u; next.before = vec2u(0u);
  return next;
}
// The bin at which the sum passes the goal, or the last one; after gathering.
fn advance(s: State) -> State {
  var next = s;
  next.first = 0u;
  next.fresh = 0u;
  var before = s.before;
  var bin = 0u;
  for (; bin < ${BINS - GROUP}u; bin += ${GROUP}u) {
    let sum = plus(before, groups[bin / ${GROUP}u]);
    if (passes(sum, s)) { break; }
    before = sum;
  }
  if (s.look == ${LOOK.slabs}u) {
    next.look = ${LOOK.shares}u; next.slab = bin / ${GROUP}u; next.before = before;
    return next;
  }
  for (let end = bin + ${GROUP - 1}u; bin < end; bin++) {
    let sum = plus(before, sumAt(bin));
    if (passes(sum, s)) { break; }
    before = sum;
  }
  next.before = before;
  if (s.look == ${LOOK.shares}u) {
    // Where nothing counts, the goal is never passed.
    next.look = ${LOOK.nothing}u; next.lane = min(bin, ${lanes - 1}u);
    return next;
  }
  next.own = sumAt(bin);
  next.count = atomicLoad(&counts[bin]);
  next.low = s.low + (bin << s.shift);
  next.span = (1u << s.shift) - 1u;
  next.shift = max(s.shift, ${DIGITS}u) - ${DIGITS}u;
  // One logit, or equal ones.
  if (s.shift == 0u || next.count == 1u) { return found(next); }
  return next;
}
`;
}

/** Sets what the row's passes need: its place, its top logit; `lowKey` is its lowest one's key, and `broken` says that one is NaN. */
export const openRow = (kind: SelectKind, at: string): string => `
  base = ${at};
  firstQuad = base / 4u;
  endQuad = (base + u.vocab + 3u) / 4u;
  var highest = 0u;
  // The complement, since workgroup memory begins as zeros.
  var lowest = 0u;
  ${wholePass(kind, eachValue('if (inside[i]) { highest = max(highest, keys[i]); lowest = max(lowest, ~keys[i]); }'))}
  atomicMax(&edges[0], highest);
  atomicMax(&edges[1], lowest);
  workgroupBarrier();
  topKey = atomicLoad(&edges[0]);
  top = bitcast<f32>(select(~topKey, topKey & 0x7fffffffu, topKey >= 0x80000000u));
  lowKey = ~atomicLoad(&edges[1]);
  let broken = lowKey < 0x007fffffu || topKey > 0xff800000u;`;

/** Without a softmax: NaN, or a top that is infinite. */
export const NO_SOFTMAX = 'broken || topKey == 0xff800000u || topKey == 0x007fffffu';

/** Distances that weigh something: e^-31 is less than the unit of sums. */
export const WEIGHED_RANGE = 'topKey - max(lowKey, keysOf(bitcast<vec4u>(vec4f(top - 31.0 * u.temperature))).x)';

/** How values count: `State.adds`. */
export const ADDS = { weight: 0, one: 1, oneIfWeighed: 2 } as const;

/** A quad of the row, the values of it that count (`which`), and their `sums`. */
const counting = (kind: SelectKind) => `${quadOf(kind)}
    var which = inside & ((far - vec4u(s.low)) <= vec4u(s.span)) & (far <= vec4u(s.limit));
    let w = weightsOf(bits);
    if (s.adds != ${ADDS.one}u) { which = which & (w >= vec4f(UNIT)); }
    var sums = Sums(vec4u(1u), vec4u(0u));
    if (s.adds == ${ADDS.weight}u) { sums = fixed(w); }`;

export interface Search {
  /** WGSL that sets `s` to the first search, by `byValue` or `byPlace`. */
  begin: string;
  /** What is done for every quad of the row once, with its weights `w`, and after that. */
  quad?: string;
  row?: string;
  /** WGSL that sets `s.goal` of a search that has just begun, whose sum is `total()`. */
  goal: string;
  /** WGSL that runs in the lane that has the token, `chosen`. */
  write: string;
}

/**
 * Searches until the token is found. The shader declares `found(s: State) -> State`, which is given what a search by value has come to
 * and begins the next one, and PLACE, the phase of the last one.
 */
export const search = (kind: SelectKind, { begin, quad = '', row = '', goal, write }: Search): string => `
  slab = (endQuad - firstQuad + ${kind.lanes / GROUP - 1}u) / ${kind.lanes / GROUP}u;
  share = (slab + ${kind.lanes - 1}u) / ${kind.lanes}u;
  if (lane == 0u) {
    var s = State();
    s.first = 1u;
    s.limit = 0xffffffffu;
    s.span = 0xffffffffu;
    ${begin}
    state = s;
  }
  var last: State;
  // One loop for all searches, since compilers copy what is written twice.
  loop {
    var s = workgroupUniformLoad(&state);
    if (s.look == ${LOOK.nothing}u) { last = s; break; }
    clear(lane);
    // The whole row abreast; some lanes a slab abreast; or each lane a few neighbouring quads of a slab.
    var start = firstQuad + lane;
    var to = endQuad;
    var step = ${kind.lanes}u;
    if (s.look == ${LOOK.slabs}u) {
      let begin = firstQuad + lane / ${GROUP}u * slab;
      start = begin + lane % ${GROUP}u;
      to = min(endQuad, begin + slab);
      step = ${GROUP}u;
    }
    if (s.look == ${LOOK.shares}u) {
      let begin = firstQuad + s.slab * slab;
      start = begin + lane * share;
      to = min(min(endQuad, begin + slab), start + share);
      step = 1u;
    }
    var all = Sums();
    for (var q = start; q < to; q += step) {
      ${counting(kind)}
      ${quad ? `if (s.first > 0u) { ${quad} }` : ''}
      if (s.look != ${LOOK.values}u) {
        all = plusWhere(all, sums, which);
      } else if (any(which)) {
        for (var i = 0u; i < 4u; i++) {
          if (which[i]) { add(min((far[i] - s.low) >> s.shift, ${BINS - 1}u), vec2u(sums.low[i], sums.high[i])); }
        }
      }
    }
    if (s.look != ${LOOK.values}u) {
      let own = together(all);
      atomicStore(&lows[lane], own.x);
      atomicStore(&highs[lane], own.y);
    }
    release();
    ${row ? `if (s.first > 0u) { ${row} }` : ''}
    gather(lane);
    if (lane == 0u) {
      if (s.fresh > 0u) { ${goal} }
      state = advance(s);
    }
  }
  if (lane == last.lane) {
    let s = last;
    var chosen = 0u;
    var all = s.before;
    let start = firstQuad + s.slab * slab + lane * share;
    let to = min(min(endQuad, firstQuad + (s.slab + 1u) * slab), start + share);
    for (var q = start; q < to; q++) {
      ${counting(kind)}
      for (var i = 0u; i < 4u; i++) {
        if (which[i] && float(all) <= s.goal) { chosen = 4u * q + i - base; all = plus(all, vec2u(sums.low[i], sums.high[i])); }
      }
    }
    ${write}
  }`;
