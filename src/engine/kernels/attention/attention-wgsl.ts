/**
 * WGSL of attention in one pass over the keys, forward and backward, generated for a head width D; and the parts it shares
 * with attention-scores-wgsl.ts. These are register tiles without workgroup memory: a thread
 * holds R query rows against J keys at a time, so each loaded value is used several times.
 *
 * The rows of one batch entry and key head are its queries × the query heads of the group, row = query · group + member, so
 * neighbouring rows read the same keys. Values are moved as vec4 if D is a multiple of 4, otherwise as scalars.
 */
import { Stream } from '../../../base/random';
import { PHILOX } from '../pointwise/philox-wgsl';
import { ENTRY, GLOBAL_INDEX, lines, range } from '../products/matmul-wgsl';

/** What is compiled into a shader for a head width. */
export interface HeadWidth {
  /** D is a multiple of 4: a unit is a vec4f, otherwise a scalar. */
  quads: boolean;
  /** D in units, a constant for a GPU's compiler; 0 for a shader that reads it from its uniforms and serves every width. */
  units: number;
  /** Scores are bounded by the uniform `softcap`. */
  softcap: boolean;
  /** Dropout of the probabilities. */
  dropout: boolean;
}

export interface AttentionTile extends HeadWidth {
  /** Query rows per step. */
  rows: number;
  /** Keys per step. */
  keys: number;
  /**
   * Where vectors are summed. In registers, the code is unrolled for the width, because an array indexed in a loop would
   * spill. In the output buffer, updated tile by tile, the code is a loop: a CPU adapter takes seconds to compile unrolled
   * code, and its memory is a cache anyway.
   */
  sums: 'registers' | 'memory';
  /** Slices of a head's width; each slice's thread computes the scores again and holds fewer registers. 1 with memory. */
  slices: number;
}

const sum = (n: number, f: (i: number) => string) => range(n).map(f).join(' + ');

export const unitsOf = (headDim: number) => (headDim % 4 === 0 ? headDim / 4 : headDim);

/** Less than every score, and the score of a masked key: exp of either minus a score is 0, and nothing overflows on the way. */
export const LOWEST = '-1e30';
export const MASKED = '-1e38';

export const zero = ({ quads }: HeadWidth) => (quads ? 'vec4f(0.0)' : '0.0');

/** Declarations of a shader; N is the head's width in units. */
export function head(
  { quads, units, dropout }: HeadWidth,
  buffers: [name: string, access: string, type?: string][],
): string {
  const unit = quads ? 'vec4f' : 'f32';
  const declarations = buffers.map(
    ([name, access, type = unit], i) => `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${type}>;`,
  );
  return `struct Uniforms {
  batch: u32, queries: u32, keys: u32, heads: u32, kvHeads: u32, group: u32, causal: u32, scale: f32,
  firstPair: u32, pairs: u32, quads: u32, units: u32, window: u32, softcap: f32${dropout ? ',\n  dropLimit: u32, seed: u32, step: u32, site: u32, dropScale: f32' : ''}
}
${declarations.join('\n')}
@group(0) @binding(${buffers.length}) var<uniform> u: Uniforms;
${units ? `const N = ${units}u;` : ''}
fn product(a: ${unit}, b: ${unit}) -> f32 { return ${unit === 'f32' ? 'a * b' : 'dot(a, b)'}; }
${GLOBAL_INDEX}
${dropout ? KEPT : ''}`;
}

/** Dropout's factors for the probabilities of four keys of a row (attention-tiles.ts); `quad` is the first key's index / 4. */
const KEPT = `${PHILOX}
fn kept(row: u32, quad: u32) -> vec4f {
  let words = philox(vec4u(row * u.quads + quad, u.step, u.site, ${Stream.attention}u), u.seed) >> vec4u(8u);
  return select(vec4f(0.0), vec4f(u.dropScale), words >= vec4u(u.dropLimit));
}`;

/** Masks m{r}_{j} for a tile's rows and the keys from j on, used by `masked`. J and j are multiples of 4, or J is 1. */
const masks = ({ dropout }: HeadWidth, R: number, J: number) =>
  dropout
    ? lines(R, (r) =>
        J % 4 === 0
          ? lines(
              J / 4,
              (q) => `    let quad${r}_${q} = kept(stat${r}, j / 4u + ${q}u);
${lines(4, (i) => `    let m${r}_${q * 4 + i} = quad${r}_${q}[${i}];`)}`,
            )
          : `    let m${r}_0 = kept(stat${r}, j / 4u)[j % 4u];`,
      )
    : '';

/** A term after dropout. */
const masked = ({ dropout }: HeadWidth, term: string, r: number, j: number) =>
  dropout ? `${term} * m${r}_${j}` : term;

/** The key where the first tile of J keys starts: masks are drawn for four keys at a time. */
const startOf = ({ dropout }: HeadWidth, J: number, first: string) => (dropout && J > 1 ? `${first} / 4u * 4u` : first);

/** The first lines of the entry point. */
export const main = (width: HeadWidth) => `${ENTRY} {
  ${widthOf(width)}
  let id = globalIndex(wg, local, groups);`;

/** Declares N where it is no constant. */
export const widthOf = ({ units }: HeadWidth) => (units ? '' : 'let N = u.units;');

export const SEEN = `// Keys that a query sees, [first, end); an empty range starts beyond every key.
fn seenBy(query: u32, inside: bool) -> vec2u {
  var seen = vec2u(max(visible[query], vec2i(0)));
  let end = min(seen.y, u.keys);
  // A window of 0 means no window.
  seen.x = max(seen.x, select(0u, end - u.window, u.window > 0u && end > u.window));
  return select(vec2u(0xffffffffu, 0u), vec2u(seen.x, end), inside && seen.x < end);
}`;

/**
 * The score of a product, and the factor of its derivative. Models with a soft cap (Gemma 2) bound it by
 * cap · tanh(score / cap). tanh is computed from exp(−2|x|), because WGSL's own may overflow.
 */
export const score = ({ softcap }: HeadWidth) =>
  softcap
    ? `fn score(s: f32) -> f32 {
  let x = s * u.scale / u.softcap;
  let e = exp(-2.0 * abs(x));
  return u.softcap * sign(x) * (1.0 - e) / (1.0 + e);
}
fn slope(score: f32) -> f32 { let t = score / u.softcap; return (1.0 - t * t) * u.scale; }`
    : `fn score(s: f32) -> f32 { return s * u.scale; }
fn slope(score: f32) -> f32 { return u.scale; }`;

/** The batch entry and key head that a tile belongs to, given `count` tiles per pair; returns after the last pair. */
export const pairOf = (index: string, count: string) => `  let tile = ${index} % ${count};
  let slot = ${index} / ${count};
  if (slot >= u.pairs) { return; }
  let pair = u.firstPair + slot;
  let b = pair / u.kvHeads;
  let kvHead = pair % u.kvHeads;`;

const split = (slices: number, count: string) => `  let slice = id % ${slices}u * (N / ${slices}u);
${pairOf(`(id / ${slices}u)`, count)}`;

/**
 * Row r of a tile that starts at `start`: its query, its index in the statistics, the offset of its vectors (in units) and
 * the keys it sees. A row beyond the last one repeats the last one and sees no keys.
 */
export const row = (r: number, start: string) => `  let row${r} = min(${start} + ${r}u, rows - 1u);
  let query${r} = b * u.queries + row${r} / u.group;
  let stat${r} = query${r} * u.heads + kvHead * u.group + row${r} % u.group;
  let at${r} = stat${r} * N;
  let seen${r} = seenBy(query${r}, ${start} + ${r}u < rows);`;

/** Offsets of J keys from `first` on, clamped to the batch entry. */
export const keyPlaces = (j: number, first: string) =>
  lines(j, (i) => `    let key${i} = ((b * u.keys + min(${first} + ${i}u, u.keys - 1u)) * u.kvHeads + kvHead) * N;`);

/** The first query that may see key `j`, if no query i sees a key after i + keys − queries (`u.causal`). */
export const earliest = (j: string) => `select(0u, max(${j} + u.queries, u.keys) - u.keys, u.causal == 1u)`;

const visibleKey = (r: number, j: number) => `j + ${j}u >= seen${r}.x && j + ${j}u < seen${r}.y`;

/** The range of keys that any of the rows sees. */
export const keyRange = (rows: number) => `  var first = 0xffffffffu;
  var end = 0u;
${lines(rows, (r) => `  first = min(first, seen${r}.x); end = max(end, seen${r}.y);`)}`;

/** A vector being summed: its output buffer, its offset there (in units), and a name for its registers. */
interface Sum {
  name: string;
  buffer: string;
  place: string;
}

/** The code that starts, updates and stores the sums, in registers or in memory. */
function accumulators(tile: AttentionTile, all: Sum[]) {
  const { units, sums, slices } = tile;
  const n = units / slices;
  const loop = (body: string) => `    for (var d = 0u; d < N; d++) {\n${body}\n    }`;
  const element = (s: Sum) => `${s.buffer}[${s.place} + d]`;
  return sums === 'registers'
    ? {
        begin: lines(n, (d) => all.map((s) => `  var ${s.name}_${d} = ${zero(tile)};`).join('')),
        /** `load(d)` runs once per unit; `next` gives each sum's new value from its old one. */
        each: (load: (d: string) => string, next: (s: Sum, i: number, old: string) => string) =>
          lines(
            n,
            (d) => `    {
${load(`slice + ${d}u`)}
${all.map((s, i) => `      ${s.name}_${d} = ${next(s, i, `${s.name}_${d}`)};`).join('\n')}
    }`,
          ),
        end: (s: Sum, value: (old: string) => string = (old) => old) =>
          lines(n, (d) => `    ${s.buffer}[${s.place} + slice + ${d}u] = ${value(`${s.name}_${d}`)};`),
      }
    : {
        begin: loop(all.map((s) => `      ${element(s)} = ${zero(tile)};`).join('\n')),
        // Each sum is read, changed and written before the next: a row or key repeated at the edge of a tile adds nothing,
        // but must not write back a value read before its twin changed it.
        each: (load: (d: string) => string, next: (s: Sum, i: number, old: string) => string) =>
          loop(`${load('d')}\n${all.map((s, i) => `      ${element(s)} = ${next(s, i, element(s))};`).join('\n')}`),
        end: (s: Sum, value?: (old: string) => string) =>
          value ? loop(`      ${element(s)} = ${value(element(s))};`) : '',
      };
}

/** Online softmax (Milakov and Gimelshein, 2018): o [.., D] and lse of every row in one pass over its keys. */
export function forwardShader(tile: AttentionTile): string {
  const { rows: R, keys: J, slices } = tile;
  const o = accumulators(
    tile,
    range(R).map((r) => ({ name: `o${r}`, buffer: 'o', place: `at${r}` })),
  );
  return `${head(tile, FORWARD)}
${SEEN}
${score(tile)}
${main(tile)}
  let rows = u.queries * u.group;
  let tiles = (rows + ${R - 1}u) / ${R}u;
${split(slices, 'tiles')}
${lines(R, (r) => row(r, `tile * ${R}u`))}
${lines(R, (r) => `  var top${r} = ${LOWEST}; var total${r} = 0.0;`)}
${o.begin}
${keyRange(R)}
  for (var j = ${startOf(tile, J, 'first')}; j < end; j += ${J}u) {
${keyPlaces(J, 'j')}
${lines(R, (r) =>
  range(J)
    .map((j) => `    var s${r}_${j} = 0.0;`)
    .join(''),
)}
    for (var d = 0u; d < N; d++) {
${lines(J, (j) => `      let k${j} = k[key${j} + d];`)}
${lines(R, (r) => `      let q${r} = q[at${r} + d];\n${lines(J, (j) => `      s${r}_${j} += product(q${r}, k${j});`)}`)}
    }
${lines(
  R,
  (r) => `${lines(J, (j) => `    s${r}_${j} = select(${MASKED}, score(s${r}_${j}), ${visibleKey(r, j)});`)}
    let next${r} = ${range(J).reduce((m, j) => `max(${m}, s${r}_${j})`, `top${r}`)};
    let shrink${r} = exp(top${r} - next${r});
    top${r} = next${r};
${lines(J, (j) => `    s${r}_${j} = exp(s${r}_${j} - next${r});`)}
    total${r} = total${r} * shrink${r} + ${sum(J, (j) => `s${r}_${j}`)};`,
)}
${masks(tile, R, J)}
${o.each(
  (d) => lines(J, (j) => `      let v${j} = v[key${j} + ${d}];`),
  (_s, r, old) => `${old} * shrink${r} + ${sum(J, (j) => `${masked(tile, `s${r}_${j}`, r, j)} * v${j}`)}`,
)}
  }
${lines(
  R,
  (r) => `  if (tile * ${R}u + ${r}u < rows) {
    let inverse = select(0.0, 1.0 / total${r}, total${r} > 0.0);
${o.end({ name: `o${r}`, buffer: 'o', place: `at${r}` }, (old) => `${old} * inverse`)}
    if (slice == 0u) { lse[stat${r}] = select(0.0, top${r} + log(total${r}), total${r} > 0.0); }
  }`,
)}
}`;
}

/** stats [.., 2] = (lse, Σ dO·O), which both gradients need for each row; one buffer, so that neither binds more than 8. */
export function statsShader(width: HeadWidth): string {
  return `${head(width, [
    ['o', 'read'],
    ['dO', 'read'],
    ['lse', 'read', 'f32'],
    ['stats', 'read_write', 'vec2f'],
  ])}
${main(width)}
  if (id >= u.batch * u.queries * u.heads) { return; }
  var delta = 0.0;
  for (var d = 0u; d < N; d++) { delta += product(o[id * N + d], dO[id * N + d]); }
  stats[id] = vec2f(lse[id], delta);
}`;
}

/** What a forward pass binds. */
export const FORWARD: [string, string, string?][] = [
  ['q', 'read'],
  ['k', 'read'],
  ['v', 'read'],
  ['visible', 'read', 'vec2i'],
  ['o', 'read_write'],
  ['lse', 'read_write', 'f32'],
];

export const GRADIENT_INPUTS: [string, string, string?][] = [
  ['q', 'read'],
  ['k', 'read'],
  ['v', 'read'],
  ['visible', 'read', 'vec2i'],
  ['dO', 'read'],
  ['stats', 'read', 'vec2f'],
];

/**
 * A tile of weights for rows r and the keys from j on: p (after dropout) in s, and the gradient of the scores in g. The rows'
 * statistics come from `stats`, or are computed here from `o` and `lse`.
 */
export const weights = (width: HeadWidth, R: number, J: number, from: 'stats' | 'o' = 'stats') => `${lines(R, (r) =>
  range(J)
    .map((j) => `    var s${r}_${j} = 0.0; var g${r}_${j} = 0.0;`)
    .join(''),
)}
${from === 'o' ? lines(R, (r) => `    var delta${r} = 0.0;`) : ''}
    for (var d = 0u; d < N; d++) {
${lines(J, (j) => `      let k${j} = k[key${j} + d]; let v${j} = v[key${j} + d];`)}
${lines(
  R,
  (r) => `      let q${r} = q[at${r} + d]; let dO${r} = dO[at${r} + d];${
    from === 'o' ? ` delta${r} += product(o[at${r} + d], dO${r});` : ''
  }
${lines(J, (j) => `      s${r}_${j} += product(q${r}, k${j}); g${r}_${j} += product(dO${r}, v${j});`)}`,
)}
    }
${masks(width, R, J)}
${lines(
  R,
  // A weight is at most 1; the bound keeps invisible keys from overflowing.
  (r) => `    let of${r} = ${from === 'o' ? `vec2f(lse[stat${r}], delta${r})` : `stats[stat${r}]`};
${lines(
  J,
  (j) => `    let score${r}_${j} = score(s${r}_${j});
    s${r}_${j} = select(0.0, exp(min(score${r}_${j} - of${r}.x, 0.0)), ${visibleKey(r, j)});
    g${r}_${j} = s${r}_${j} * (${masked(width, `g${r}_${j}`, r, j)} - of${r}.y) * slope(score${r}_${j});${
      width.dropout ? `\n    s${r}_${j} *= m${r}_${j};` : ''
    }`,
)}`,
)}`;

/** dq: each thread holds R rows and loops over their keys. */
export function backwardQueryShader(tile: AttentionTile): string {
  const { rows: R, keys: J, slices } = tile;
  const all = range(R).map((r) => ({ name: `dq${r}`, buffer: 'dq', place: `at${r}` }));
  const dq = accumulators(tile, all);
  return `${head(tile, [...GRADIENT_INPUTS, ['dq', 'read_write']])}
${SEEN}
${score(tile)}
${main(tile)}
  let rows = u.queries * u.group;
  let tiles = (rows + ${R - 1}u) / ${R}u;
${split(slices, 'tiles')}
${lines(R, (r) => row(r, `tile * ${R}u`))}
${dq.begin}
${keyRange(R)}
  for (var j = ${startOf(tile, J, 'first')}; j < end; j += ${J}u) {
${keyPlaces(J, 'j')}
${weights(tile, R, J)}
${dq.each(
  (d) => lines(J, (j) => `      let k${j} = k[key${j} + ${d}];`),
  (_s, r, old) => `${old} + ${sum(J, (j) => `g${r}_${j} * k${j}`)}`,
)}
  }
${lines(R, (r) => `  if (tile * ${R}u + ${r}u < rows) {\n${dq.end(all[r]!)}\n  }`)}
}`;
}

/** dk and dv: each thread holds J keys and loops over the rows that may see them, for all heads of the group. */
export function backwardKeyValueShader(tile: AttentionTile): string {
  const { rows: R, keys: J, slices } = tile;
  const all = range(J).flatMap((j) =>
    ['dk', 'dv'].map((buffer) => ({ name: `${buffer}${j}`, buffer, place: `key${j}` })),
  );
  const dkv = accumulators(tile, all);
  return `${head(tile, [...GRADIENT_INPUTS, ['dk', 'read_write'], ['dv', 'read_write']])}
${SEEN}
${score(tile)}
${main(tile)}
  let rows = u.queries * u.group;
  let tiles = (u.keys + ${J - 1}u) / ${J}u;
${split(slices, 'tiles')}
  let j = tile * ${J}u;
${keyPlaces(J, 'j')}
${dkv.begin}
  for (var start = ${earliest('j')} * u.group; start < rows; start += ${R}u) {
${lines(R, (r) => row(r, 'start'))}
${keyRange(R)}
    if (first >= j + ${J}u || end <= j) { continue; }
${weights(tile, R, J)}
${dkv.each(
  (d) => lines(R, (r) => `      let q${r} = q[at${r} + ${d}]; let dO${r} = dO[at${r} + ${d}];`),
  (s, i, old) =>
    `${old} + ${sum(R, (r) => (s.buffer === 'dk' ? `g${r}_${i >> 1} * q${r}` : `s${r}_${i >> 1} * dO${r}`))}`,
)}
  }
${lines(J, (j) => `  if (j + ${j}u < u.keys) {\n${dkv.end(all[2 * j]!)}\n${dkv.end(all[2 * j + 1]!)}\n  }`)}
}`;
}
