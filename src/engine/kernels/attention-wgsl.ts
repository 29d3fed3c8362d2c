/**
 * WGSL of attention, forward and backward, generated for a head width D. Like the matrix products these are register
 * tiles without workgroup memory: a thread holds R query rows against J keys at a time, so that each value loaded is used
 * several times, and every accumulator is a named register (an array indexed in a loop would spill).
 *
 * The rows of one batch entry and key head are its queries × the query heads of the group, row = query · group + member:
 * neighbours read the same keys. Values are moved in units of vec4 where D is a multiple of 4, else as scalars.
 */
import { ENTRY, GLOBAL_INDEX } from './matmul-wgsl';

export interface AttentionTile {
  headDim: number;
  /** Query rows a thread holds. */
  rows: number;
  /** Keys taken at a time, or in the pass over keys: keys a thread holds. */
  keys: number;
  /** Parts of a head's width that threads share the accumulators of; each part's thread computes the scores anew. */
  slices: number;
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const lines = (n: number, f: (i: number) => string) => range(n).map(f).join('\n');
const sum = (n: number, f: (i: number) => string) => range(n).map(f).join(' + ');

export const unitsOf = (headDim: number) => (headDim % 4 === 0 ? headDim / 4 : headDim);

/** Below every score, and what no score is: exp of either minus a score is 0, and neither overflows in exp's own scaling. */
const LOWEST = '-1e30';
const MASKED = '-1e38';

function head(headDim: number, buffers: [name: string, access: string, type?: string][]): string {
  const unit = headDim % 4 === 0 ? 'vec4f' : 'f32';
  const declarations = buffers.map(
    ([name, access, type = unit], i) => `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${type}>;`,
  );
  return `struct Uniforms { batch: u32, queries: u32, keys: u32, heads: u32, kvHeads: u32, group: u32, scale: f32 }
${declarations.join('\n')}
@group(0) @binding(${buffers.length}) var<uniform> u: Uniforms;
const N = ${unitsOf(headDim)}u;
fn product(a: ${unit}, b: ${unit}) -> f32 { return ${unit === 'f32' ? 'a * b' : 'dot(a, b)'}; }
${GLOBAL_INDEX}`;
}

const SEEN = `// Keys that a query sees, [first, end); an empty range starts beyond every key.
fn seenBy(query: u32, inside: bool) -> vec2u {
  let seen = vec2u(max(visible[query], vec2i(0)));
  let end = min(seen.y, u.keys);
  return select(vec2u(0xffffffffu, 0u), vec2u(seen.x, end), inside && seen.x < end);
}`;

const zero = (headDim: number) => (headDim % 4 === 0 ? 'vec4f(0.0)' : '0.0');

/** Thread index -> slice, tile and the pair of batch entry and key head; `count` tiles a pair. */
const split = (slices: number, count: string) => `  let id = globalIndex(wg, local, groups);
  let slice = id % ${slices}u * (N / ${slices}u);
  let tile = id / ${slices}u % ${count};
  let pair = id / ${slices}u / ${count};
  if (pair >= u.batch * u.kvHeads) { return; }
  let b = pair / u.kvHeads;
  let kvHead = pair % u.kvHeads;`;

/**
 * Row r of a tile that starts at `start`: its query, place among the statistics and of its vectors (in units), and the keys
 * that it sees. A row beyond the last one is the last one again, and sees none.
 */
const row = (r: number, start: string) => `  let row${r} = min(${start} + ${r}u, rows - 1u);
  let query${r} = b * u.queries + row${r} / u.group;
  let stat${r} = query${r} * u.heads + kvHead * u.group + row${r} % u.group;
  let at${r} = stat${r} * N;
  let seen${r} = seenBy(query${r}, ${start} + ${r}u < rows);`;

/** Places of J keys from `first` on, kept inside the batch entry. */
const keyPlaces = (j: number, first: string) =>
  lines(j, (i) => `    let key${i} = ((b * u.keys + min(${first} + ${i}u, u.keys - 1u)) * u.kvHeads + kvHead) * N;`);

const visibleKey = (r: number, first: string, j: number) =>
  `${first} + ${j}u >= seen${r}.x && ${first} + ${j}u < seen${r}.y`;

/** The key range that any of a thread's rows sees. */
const keyRange = (rows: number) => `  var first = 0xffffffffu;
  var end = 0u;
${lines(rows, (r) => `  first = min(first, seen${r}.x); end = max(end, seen${r}.y);`)}`;

/** Online softmax (Milakov and Gimelshein, 2018): o [.., D] and lse of every row in one pass over its keys. */
export function forwardShader({ headDim, rows: R, keys: J, slices }: AttentionTile): string {
  const n = unitsOf(headDim) / slices;
  return `${head(headDim, [
    ['q', 'read'],
    ['k', 'read'],
    ['v', 'read'],
    ['visible', 'read', 'vec2i'],
    ['o', 'read_write'],
    ['lse', 'read_write', 'f32'],
  ])}
${SEEN}
${ENTRY} {
  let rows = u.queries * u.group;
  let tiles = (rows + ${R - 1}u) / ${R}u;
${split(slices, 'tiles')}
${lines(R, (r) => row(r, `tile * ${R}u`))}
${lines(R, (r) => `  var top${r} = ${LOWEST}; var total${r} = 0.0;`)}
${lines(R, (r) =>
  range(n)
    .map((d) => `  var o${r}_${d} = ${zero(headDim)};`)
    .join(''),
)}
${keyRange(R)}
  for (var j = first; j < end; j += ${J}u) {
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
  (r) => `${lines(J, (j) => `    s${r}_${j} = select(${MASKED}, s${r}_${j} * u.scale, ${visibleKey(r, 'j', j)});`)}
    let next${r} = max(top${r}, ${range(J).reduce((m, j) => (m ? `max(${m}, s${r}_${j})` : `s${r}_${j}`), '')});
    let shrink${r} = exp(top${r} - next${r});
    top${r} = next${r};
${lines(J, (j) => `    s${r}_${j} = exp(s${r}_${j} - next${r});`)}
    total${r} = total${r} * shrink${r} + ${sum(J, (j) => `s${r}_${j}`)};`,
)}
${lines(
  n,
  (d) => `    {
${lines(J, (j) => `      let v${j} = v[key${j} + slice + ${d}u];`)}
${lines(R, (r) => `      o${r}_${d} = o${r}_${d} * shrink${r} + ${sum(J, (j) => `s${r}_${j} * v${j}`)};`)}
    }`,
)}
  }
${lines(
  R,
  (r) => `  if (tile * ${R}u + ${r}u < rows) {
    let inverse = select(0.0, 1.0 / total${r}, total${r} > 0.0);
${lines(n, (d) => `    o[at${r} + slice + ${d}u] = o${r}_${d} * inverse;`)}
    if (slice == 0u) { lse[stat${r}] = select(0.0, top${r} + log(total${r}), total${r} > 0.0); }
  }`,
)}
}`;
}

/** stats [.., 2] = (lse, Σ dO·O): what both gradients need of a row, and one buffer less for them to bind. */
export function statsShader(headDim: number): string {
  return `${head(headDim, [
    ['o', 'read'],
    ['dO', 'read'],
    ['lse', 'read', 'f32'],
    ['stats', 'read_write', 'vec2f'],
  ])}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.batch * u.queries * u.heads) { return; }
  var delta = 0.0;
  for (var d = 0u; d < N; d++) { delta += product(o[id * N + d], dO[id * N + d]); }
  stats[id] = vec2f(lse[id], delta);
}`;
}

/** Both products of a tile: scores s = q·k and the gradient of the weights g = dO·v. */
const scoreTile = (R: number, J: number) => `${lines(R, (r) =>
  range(J)
    .map((j) => `    var s${r}_${j} = 0.0; var g${r}_${j} = 0.0;`)
    .join(''),
)}
    for (var d = 0u; d < N; d++) {
${lines(J, (j) => `      let k${j} = k[key${j} + d]; let v${j} = v[key${j} + d];`)}
${lines(
  R,
  (r) => `      let q${r} = q[at${r} + d]; let dO${r} = dO[at${r} + d];
${lines(J, (j) => `      s${r}_${j} += product(q${r}, k${j}); g${r}_${j} += product(dO${r}, v${j});`)}`,
)}
    }
${lines(R, (r) =>
  lines(
    J,
    // A weight is at most 1; the bound keeps keys that are not visible from overflowing.
    (j) => `    s${r}_${j} = select(0.0, exp(min(s${r}_${j} * u.scale - stat${r}v.x, 0.0)), ${visibleKey(r, 'j', j)});
    g${r}_${j} = s${r}_${j} * (g${r}_${j} - stat${r}v.y) * u.scale;`,
  ),
)}`;

/** dq: a thread holds R rows and goes over their keys. */
export function backwardQueryShader({ headDim, rows: R, keys: J, slices }: AttentionTile): string {
  const n = unitsOf(headDim) / slices;
  return `${head(headDim, [
    ['q', 'read'],
    ['k', 'read'],
    ['v', 'read'],
    ['visible', 'read', 'vec2i'],
    ['dO', 'read'],
    ['stats', 'read', 'vec2f'],
    ['dq', 'read_write'],
  ])}
${SEEN}
${ENTRY} {
  let rows = u.queries * u.group;
  let tiles = (rows + ${R - 1}u) / ${R}u;
${split(slices, 'tiles')}
${lines(R, (r) => `${row(r, `tile * ${R}u`)}\n  let stat${r}v = stats[stat${r}];`)}
${lines(R, (r) =>
  range(n)
    .map((d) => `  var a${r}_${d} = ${zero(headDim)};`)
    .join(''),
)}
${keyRange(R)}
  for (var j = first; j < end; j += ${J}u) {
${keyPlaces(J, 'j')}
${scoreTile(R, J)}
${lines(
  n,
  (d) => `    {
${lines(J, (j) => `      let k${j} = k[key${j} + slice + ${d}u];`)}
${lines(R, (r) => `      a${r}_${d} += ${sum(J, (j) => `g${r}_${j} * k${j}`)};`)}
    }`,
)}
  }
${lines(
  R,
  (r) => `  if (tile * ${R}u + ${r}u < rows) {
${lines(n, (d) => `    dq[at${r} + slice + ${d}u] = a${r}_${d};`)}
  }`,
)}
}`;
}

/** dk and dv: a thread holds J keys and goes over the rows that may see them, all heads of the group. */
export function backwardKeyValueShader({ headDim, rows: R, keys: J, slices }: AttentionTile): string {
  const n = unitsOf(headDim) / slices;
  return `${head(headDim, [
    ['q', 'read'],
    ['k', 'read'],
    ['v', 'read'],
    ['visible', 'read', 'vec2i'],
    ['dO', 'read'],
    ['stats', 'read', 'vec2f'],
    ['dk', 'read_write'],
    ['dv', 'read_write'],
  ])}
${SEEN}
${ENTRY} {
  let rows = u.queries * u.group;
  let tiles = (u.keys + ${J - 1}u) / ${J}u;
${split(slices, 'tiles')}
  let j = tile * ${J}u;
${keyPlaces(J, 'j')}
${lines(J, (j) =>
  range(n)
    .map((d) => `  var dk${j}_${d} = ${zero(headDim)}; var dv${j}_${d} = ${zero(headDim)};`)
    .join(''),
)}
  for (var start = 0u; start < rows; start += ${R}u) {
${lines(R, (r) => row(r, 'start'))}
${keyRange(R)}
    if (first >= j + ${J}u || end <= j) { continue; }
${lines(R, (r) => `    let stat${r}v = stats[stat${r}];`)}
${scoreTile(R, J)}
${lines(
  n,
  (d) => `    {
${lines(R, (r) => `      let q${r} = q[at${r} + slice + ${d}u]; let dO${r} = dO[at${r} + slice + ${d}u];`)}
${lines(
  J,
  (j) => `      dk${j}_${d} += ${sum(R, (r) => `g${r}_${j} * q${r}`)};
      dv${j}_${d} += ${sum(R, (r) => `s${r}_${j} * dO${r}`)};`,
)}
    }`,
)}
  }
${lines(
  J,
  (j) => `  if (j + ${j}u < u.keys) {
${lines(n, (d) => `    dk[key${j} + slice + ${d}u] = dk${j}_${d}; dv[key${j} + slice + ${d}u] = dv${j}_${d};`)}
  }`,
)}
}`;
}
