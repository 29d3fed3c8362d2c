/**
 * WGSL of attention that keeps the scores of some pairs of batch entry and key head in a scratch buffer of bounded size:
 * matrix products in full register tiles, with each weight computed once. Rows are numbered as in attention-wgsl.ts; a row
 * of scores is padded to a multiple of 4 keys and moved as vec4 (`u.quads` of them).
 *
 *   forward:   scores of q·k;   weights = softmax(scores), lse;   o = weights · v
 *   backward:  weights and ds recomputed from lse;   dq = ds · k;   dk = dsᵀ · q, dv = weightsᵀ · dO
 */
import { ENTRY, lines, range } from '../products/matmul-wgsl';
import {
  earliest,
  GRADIENT_INPUTS,
  type HeadWidth,
  head,
  keyPlaces,
  keyRange,
  main,
  pairOf,
  row,
  SEEN,
  score,
  weights,
  widthOf,
  zero,
} from './attention-wgsl';

/** One thread's part of a product: rows (or keys) by units of a head's width (or keys). */
export interface ScoreTile extends HeadWidth {
  rows: number;
  /** Keys (a multiple of 4) in a tile of scores; units in a tile of vectors. */
  columns: number;
}

const COMPONENTS = ['x', 'y', 'z', 'w'];

/** A row-major grid of tiles within a pair, `rows` by `columns`. */
const grid = (
  rows: string,
  rowTile: number,
  columns: string,
  columnTile: number,
) => `  let across = (${columns} + ${columnTile - 1}u) / ${columnTile}u;
  let down = (${rows} + ${rowTile - 1}u) / ${rowTile}u;
${pairOf('id', '(across * down)')}
  let rowStart = tile / across * ${rowTile}u;
  let columnStart = tile % across * ${columnTile}u;`;

/** Stores one tile of scores, rows × quads of keys. */
const storeScores = (R: number, J: number, values: { buffer: string; quad: (r: number, q: number) => string }[]) =>
  lines(
    R,
    (r) => `  if (rowStart + ${r}u < rows) {
    let place = (slot * rows + rowStart + ${r}u) * u.quads + columnStart;
${lines(
  J / 4,
  (q) => `    if (columnStart + ${q}u < u.quads) {
${values.map(({ buffer, quad }) => `      ${buffer}[place + ${q}u] = ${quad(r, q)};`).join('\n')}
    }`,
)}
  }`,
  );

const quadOf = (name: string) => (r: number, q: number) =>
  `vec4f(${range(4)
    .map((i) => `${name}${r}_${q * 4 + i}`)
    .join(', ')})`;

const scoresOf = (r: number, q: number) =>
  `vec4f(${range(4)
    .map((i) => `score(s${r}_${q * 4 + i})`)
    .join(', ')})`;

/** Scores q·k. Tiles in which nothing is visible are not written: nothing reads them. */
export function scoresShader(tile: ScoreTile): string {
  const { rows: R, columns: J } = tile;
  return `${head(tile, [
    ['q', 'read'],
    ['k', 'read'],
    ['visible', 'read', 'vec2i'],
    ['scores', 'read_write', 'vec4f'],
  ])}
${SEEN}
${score(tile)}
${main(tile)}
  let rows = u.queries * u.group;
${grid('rows', R, 'u.quads', J / 4)}
  let j = columnStart * 4u;
${lines(R, (r) => row(r, 'rowStart'))}
${keyRange(R)}
  if (first >= j + ${J}u || end <= j) { return; }
${keyPlaces(J, 'j')}
${lines(R, (r) =>
  range(J)
    .map((j) => `  var s${r}_${j} = 0.0;`)
    .join(''),
)}
  for (var d = 0u; d < N; d++) {
${lines(J, (j) => `    let k${j} = k[key${j} + d];`)}
${lines(R, (r) => `    let q${r} = q[at${r} + d];\n${lines(J, (j) => `    s${r}_${j} += product(q${r}, k${j});`)}`)}
  }
${storeScores(R, J, [{ buffer: 'scores', quad: scoresOf }])}
}`;
}

/** A thread adds up so many quads before it adds them to its sum, so that many small weights are not lost beside it one by one. */
const RUN = 32;

/** Softmax of every row of scores in place, then dropout; zeros where nothing is visible; and lse. 1 or 64 threads per row. */
export function softmaxShader(lanes: 1 | 64, dropout: boolean): string {
  const shared = lanes > 1;
  const fold = (op: (a: string, b: string) => string) =>
    shared
      ? `  parts[lane] = part;
  workgroupBarrier();
  for (var s = ${lanes / 2}u; s > 0u; s = s >> 1u) {
    if (lane < s) { parts[lane] = ${op('parts[lane]', 'parts[lane + s]')}; }
    workgroupBarrier();
  }
  part = parts[0];
  workgroupBarrier();`
      : '';
  const width = { quads: true, units: 0, softcap: false, dropout };
  return `${head(width, [
    ['visible', 'read', 'vec2i'],
    ['scores', 'read_write', 'vec4f'],
    ['lse', 'read_write', 'f32'],
  ])}
${SEEN}
${shared ? `var<workgroup> parts: array<f32, ${lanes}>;` : ''}
fn isSeen(quad: u32, seen: vec2u) -> vec4<bool> {
  let key = vec4u(quad * 4u) + vec4u(0u, 1u, 2u, 3u);
  return (key >= vec4u(seen.x)) & (key < vec4u(seen.y));
}
${main(width)}
  let rows = u.queries * u.group;
  let row = ${shared ? 'wg.y * groups.x + wg.x' : 'id'};
  let lane = ${shared ? 'local' : '0u'};
${pairOf('row', 'rows')}
${row(0, 'tile')}
  let base = row * u.quads;
  // An empty range starts beyond every key.
  let begin = min(seen0.x / 4u, u.quads);
  let stop = (seen0.y + 3u) / 4u;
  var part = -1e38;
  for (var i = begin + lane; i < stop; i += ${lanes}u) {
    let s = select(vec4f(-1e38), scores[base + i], isSeen(i, seen0));
    part = max(part, max(max(s.x, s.y), max(s.z, s.w)));
  }
${fold((a, b) => `max(${a}, ${b})`)}
  let top = part;
  part = 0.0;
  for (var run = begin + lane; run < stop; run += ${lanes * RUN}u) {
    var some = 0.0;
    for (var i = run; i < min(run + ${lanes * RUN}u, stop); i += ${lanes}u) {
      let p = select(vec4f(0.0), exp(min(scores[base + i] - top, vec4f(0.0))), isSeen(i, seen0));
      scores[base + i] = p;
      some += dot(p, vec4f(1.0));
    }
    part += some;
  }
${fold((a, b) => `${a} + ${b}`)}
  let total = part;
  let inverse = select(0.0, 1.0 / total, total > 0.0);
  // Each quad of the range has the same lane as above, which reads what it wrote itself.
  for (var i = begin + lane; i < stop; i += ${lanes}u) { scores[base + i] *= inverse${dropout ? ' * kept(stat0, i)' : ''}; }
  for (var i = lane; i < begin; i += ${lanes}u) { scores[base + i] = vec4f(0.0); }
  for (var i = max(begin, stop) + lane; i < u.quads; i += ${lanes}u) { scores[base + i] = vec4f(0.0); }
  if (lane == 0u) { lse[stat0] = select(0.0, top + log(total), total > 0.0); }
}`;
}

/**
 * p and ds of every pair of row and key; zeros where the key is not visible. It binds `o` and `lse` instead of `stats` where it
 * computes those itself.
 */
export function weightsShader(tile: ScoreTile, from: 'stats' | 'o'): string {
  const { rows: R, columns: J } = tile;
  const inputs = GRADIENT_INPUTS.flatMap((input): typeof GRADIENT_INPUTS =>
    input[0] === 'stats' && from === 'o'
      ? [
          ['o', 'read'],
          ['lse', 'read', 'f32'],
        ]
      : [input],
  );
  return `${head(tile, [...inputs, ['p', 'read_write', 'vec4f'], ['ds', 'read_write', 'vec4f']])}
${SEEN}
${score(tile)}
${main(tile)}
  let rows = u.queries * u.group;
${grid('rows', R, 'u.quads', J / 4)}
  let j = columnStart * 4u;
${lines(R, (r) => row(r, 'rowStart'))}
${keyRange(R)}
  if (first >= j + ${J}u || end <= j) {
${storeScores(R, J, [
  { buffer: 'p', quad: () => 'vec4f(0.0)' },
  { buffer: 'ds', quad: () => 'vec4f(0.0)' },
])}
    return;
  }
${keyPlaces(J, 'j')}
${weights(tile, R, J, from)}
${storeScores(R, J, [
  { buffer: 'p', quad: quadOf('s') },
  { buffer: 'ds', quad: quadOf('g') },
])}
}`;
}

/** out[row] = Σ_keys weights[row, key] · x[key]: o from v, dq from k. Keys that no row of the tile sees are skipped. */
export function mixShader(tile: ScoreTile): string {
  return `${head(tile, [
    ['w', 'read', 'vec4f'],
    ['x', 'read'],
    ['visible', 'read', 'vec2i'],
    ['out', 'read_write'],
  ])}
${SEEN}
${mixTile(tile, 'w', 'x', 'out')}
${ENTRY} { mixTile(globalIndex(wg, local, groups)); }`;
}

/** `fn mixTile(id)`, from and into arrays of these names. */
function mixTile(tile: ScoreTile, weights: string, x: string, out: string): string {
  const { rows: R, columns: C } = tile;
  return `fn mixTile(id: u32) {
  ${widthOf(tile)}
  let rows = u.queries * u.group;
${grid('rows', R, 'N', C)}
${lines(R, (r) => `${row(r, 'rowStart')}\n  let w${r} = (slot * rows + row${r}) * u.quads;`)}
${keyRange(R)}
${lines(C, (c) => `  let c${c} = min(columnStart + ${c}u, N - 1u);`)}
${lines(R, (r) =>
  range(C)
    .map((c) => `  var a${r}_${c} = ${zero(tile)};`)
    .join(''),
)}
  for (var j = first / 4u; j * 4u < end; j++) {
${keyPlaces(4, 'j * 4u')}
${lines(R, (r) => `    let p${r} = ${weights}[w${r} + j];`)}
${lines(
  4,
  (i) => `    {
${lines(C, (c) => `      let x${c} = ${x}[key${i} + c${c}];`)}
${lines(R, (r) => lines(C, (c) => `      a${r}_${c} += p${r}.${COMPONENTS[i]} * x${c};`))}
    }`,
)}
  }
${lines(
  R,
  (r) => `  if (rowStart + ${r}u < rows) {
${lines(C, (c) => `    if (columnStart + ${c}u < N) { ${out}[at${r} + columnStart + ${c}u] = a${r}_${c}; }`)}
  }`,
)}
}`;
}

/** dk = Σ_rows ds · q and dv = Σ_rows p · dO, for a tile of keys (`rows` of them, a multiple of 4) and units. */
export function gatherShader(tile: ScoreTile): string {
  return `${head(tile, [
    ['p', 'read', 'vec4f'],
    ['ds', 'read', 'vec4f'],
    ['q', 'read'],
    ['dO', 'read'],
    ['dk', 'read_write'],
    ['dv', 'read_write'],
  ])}
${gatherTile(tile)}
${ENTRY} { gatherTile(globalIndex(wg, local, groups)); }`;
}

/** dq, dk and dv in one dispatch. */
export function gradientsShader(gather: ScoreTile, mix: ScoreTile): string {
  const { rows: J, columns: C } = gather;
  return `${head(gather, [
    ['p', 'read', 'vec4f'],
    ['ds', 'read', 'vec4f'],
    ['q', 'read'],
    ['k', 'read'],
    ['visible', 'read', 'vec2i'],
    ['dO', 'read'],
    ['dq', 'read_write'],
    ['dk', 'read_write'],
    ['dv', 'read_write'],
  ])}
${SEEN}
${gatherTile(gather)}
${mixTile(mix, 'ds', 'k', 'dq')}
${ENTRY} {
  ${widthOf(gather)}
  let id = globalIndex(wg, local, groups);
  // Whole workgroups: none does both.
  let count = u.pairs * ((u.keys + ${J - 1}u) / ${J}u) * ((N + ${C - 1}u) / ${C}u);
  let first = (count + 63u) / 64u * 64u;
  if (id < first) { gatherTile(id); } else { mixTile(id - first); }
}`;
}

/** `fn gatherTile(id)`. */
function gatherTile(tile: ScoreTile): string {
  const { rows: J, columns: C } = tile;
  const product = (w: string, x: string, out: string) => `  {
${lines(J, (j) =>
  range(C)
    .map((c) => `    var a${j}_${c} = ${zero(tile)};`)
    .join(''),
)}
    for (var query = ${earliest('j')}; query < u.queries; query++) {
      var vector = ((b * u.queries + query) * u.heads + kvHead * u.group) * N;
      var place = (slot * u.queries + query) * u.group * u.quads;
      for (var member = 0u; member < u.group; member++) {
${lines(J / 4, (q) => `        let w${q} = ${w}[place + quad${q}];`)}
${lines(C, (c) => `        let x${c} = ${x}[vector + c${c}];`)}
${lines(J, (j) => lines(C, (c) => `        a${j}_${c} += w${j >> 2}.${COMPONENTS[j & 3]} * x${c};`))}
        vector += N;
        place += u.quads;
      }
    }
${lines(
  J,
  (j) => `    if (j + ${j}u < u.keys) {
${lines(C, (c) => `      if (columnStart + ${c}u < N) { ${out}[key${j} + columnStart + ${c}u] = a${j}_${c}; }`)}
    }`,
)}
  }`;
  return `fn gatherTile(id: u32) {
  ${widthOf(tile)}
${grid('u.keys', J, 'N', C)}
  let j = rowStart;
${keyPlaces(J, 'j')}
${lines(J / 4, (q) => `  let quad${q} = min(j / 4u + ${q}u, u.quads - 1u);`)}
${lines(C, (c) => `  let c${c} = min(columnStart + ${c}u, N - 1u);`)}
${product('ds', 'q', 'dk')}
${product('p', 'dO', 'dv')}
}`;
}
