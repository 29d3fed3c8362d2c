/**
 * Tiles in workgroup memory, for graphics cards: a workgroup of 256 threads computes 64×64 values of the result, 4×4 a thread, from
 * tiles of both operands. What 64 rows or columns need is so read, and a weight decoded, once.
 *
 * A tile holds 16 steps of the reduction, as vectors of four rows (or columns): `tile[step * 16 + place]`. A thread fills a block of
 * four steps and four rows. The place of rows 4p to 4p + 3 is p xor 2 · (step / 4), so that threads that read neighbouring steps of
 * a row, which is how rows are read fastest, write to different banks.
 */
import { lines, range } from './matmul-wgsl';
import { type NnLoop, type NnTile, type NtLoop, type Scheme, TN_SIGNATURE, type TnShape } from './scheme';

/** Rows and columns of a workgroup's result. */
export const TILE = 64;
const GROUP = 256;
const STEPS = 16;
/** Threads that fill a tile. */
const FILL = (STEPS / 4) * (TILE / 4);

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;

interface Operand {
  /** Reads the value, or with `quads` the four values, at an index. */
  load(index: string): string;
  quads: boolean;
  /** The first row or column of the tile, and how many the operand has. */
  from: string;
  count: string;
  /** From one row to the next, and where the first row begins, in loads. */
  stride: string;
  at: string;
}

/** Fills a tile with rows of an operand that the reduction goes along. */
function fillRows(tile: string, { load, quads, from, count, stride, at }: Operand): string {
  return `      let part = local & ${STEPS / 4 - 1}u;
      let step = base + part * 4u;
      let block = (local & ${FILL - 1}u) / ${STEPS / 4}u;
${lines(4, (i) => `      let row${i} = min(${from} + block * 4u + ${i}u, ${count} - 1u) * (${stride})${at};`)}
${lines(4, (i) => `      var v${i} = vec4f(0.0);`)}
${
  quads
    ? `      if (step < end) {\n${lines(4, (i) => `        v${i} = ${load(`row${i} + step / 4u`)};`)}\n      }`
    : lines(
        4,
        (c) =>
          `      if (step + ${c}u < end) {${range(4)
            .map((i) => ` v${i}.${COMPONENTS[c]} = ${load(`row${i} + step + ${c}u`)};`)
            .join('')} }`,
      )
}
      let to = part * 64u + (block ^ (part << 1u));
${lines(
  4,
  (c) =>
    `      ${tile}[to + ${16 * c}u] = vec4f(${range(4)
      .map((i) => `v${i}.${COMPONENTS[c]}`)
      .join(', ')});`,
)}`;
}

/** Fills a tile with columns of an operand whose rows the reduction goes over. */
function fillColumns(tile: string, { load, quads, from, count, stride, at }: Operand): string {
  const four = quads
    ? load(`row + min(${from} / 4u + block, ${count} / 4u - 1u)`)
    : `vec4f(${range(4)
        .map((i) => load(`row + min(${from} + block * 4u + ${i}u, ${count} - 1u)`))
        .join(', ')})`;
  return `      let block = local & 15u;
      let part = (local & ${FILL - 1}u) >> 4u;
      let to = part * 64u + (block ^ (part << 1u));
${lines(
  4,
  (c) => `      {
        var v = vec4f(0.0);
        let step = base + part * 4u + ${c}u;
        if (step < end) { let row = step * (${stride})${at}; v = ${four}; }
        ${tile}[to + ${16 * c}u] = v;
      }`,
)}`;
}

/** The sums over steps from `start` to `end`, both WGSL; `add` multiplies the vectors l and r. */
const overTiles = (start: string, end: string, left: string, right: string, add: string): string => `  {
    let first = ${start};
    let end = ${end};
    for (var base = first; base < end; base += ${STEPS}u) {
      if (local < ${FILL}u) {
${left}
      } else if (local < ${2 * FILL}u) {
${right}
      }
      workgroupBarrier();
      let parts = (min(end - base, ${STEPS}u) + 3u) / 4u;
      for (var q = 0u; q < parts; q++) {
        let li = q * 64u + ((local >> 4u) ^ (q << 1u));
        let ri = q * 64u + ((local & 15u) ^ (q << 1u));
${lines(4, (c) => `        { let l = leftTile[li + ${16 * c}u]; let r = rightTile[ri + ${16 * c}u];\n${add} }`)}
      }
      workgroupBarrier();
    }
  }`;

const scalars = lines(4, (i) =>
  range(4)
    .map((j) => `        a${i}_${j} = fma(l.${COMPONENTS[i]}, r.${COMPONENTS[j]}, a${i}_${j});`)
    .join(''),
);
const vectors = lines(4, (i) => `        a${i}_0 = fma(vec4f(l.${COMPONENTS[i]}), r, a${i}_0);`);

function nt({ quads }: { quads: boolean }, o: NtLoop): string {
  const { left, right, depth, first = '', rows = 'u.n', leftAt = '', rightAt = '' } = o;
  const width = quads ? `${depth} / 4u` : depth;
  const operand = (load: string, from: string, count: string, stride: string, at: string): Operand => ({
    ...{ load: (index) => `${load}(${index})`, quads, from, count, stride, at },
  });
  const x = operand(left, 'tileM', 'u.m', o.stride ?? width, leftAt);
  const w = operand(right, 'tileN', rows, width, `${first ? ` + (0u${first}) * (${width})` : ''}${rightAt}`);
  return overTiles('0u', depth, fillRows('leftTile', x), fillRows('rightTile', w), scalars);
}

function nn(v: NnTile, { left, right, rightAt = '' }: NnLoop, k: string): string {
  const y: Operand = {
    ...{ load: (index) => `${left.load}(${index})`, quads: left.quads, from: 'tileM', count: 'u.m' },
    ...{ stride: left.quads ? `${left.stride} / 4u` : left.stride, at: left.quads ? left.first4 : left.first },
  };
  const w: Operand = {
    ...{ load: (index) => `${right}(${index})`, quads: v.quads, from: 'tileK', count: k },
    ...{ stride: v.quads ? `${k} / 4u` : k, at: rightAt },
  };
  const fill = [fillRows('leftTile', y), fillColumns('rightTile', w)] as const;
  return overTiles(left.start ?? '0u', left.depth, ...fill, vectors);
}

function tnBody(name: string, { quads, add }: TnShape, [U, V, C]: readonly [string, string, string]): string {
  const inLoads = (value: string) => (quads ? `${value} / 4u` : value);
  const operand = (array: string, from: string, count: string, stride: string, at: string): Operand => ({
    ...{ load: (index) => `${array}[${index}]`, quads, from, count },
    ...{ stride: inLoads(stride), at: ` + ${inLoads(at)}` },
  });
  const u = fillColumns('leftTile', operand(U, 'tileP', 'P', 'US', 'UA'));
  const v = fillColumns('rightTile', operand(V, 'tileQ', 'Q', 'VS', 'VA'));
  const put = add ? '+=' : '=';
  return `fn ${name}${TN_SIGNATURE} {
  let tilesQ = (Q + ${TILE - 1}u) / ${TILE}u;
  let tileP = thread / tilesQ * ${TILE}u;
  let tileQ = thread % tilesQ * ${TILE}u;
  if (tileP >= P) { return; }
  let p0 = tileP + (local >> 4u) * 4u;
  let q0 = tileQ + (local & 15u) * 4u;
${lines(4, (i) => `  var a${i}_0 = vec4f(0.0);`)}
${overTiles('0u', 'u.m', u, v, vectors)}
${lines(4, (i) =>
  quads
    ? `  if (p0 + ${i}u < P && q0 < Q) { ${C}[(AT + (p0 + ${i}u) * Q + q0) / 4u] ${put} a${i}_0 * alpha; }`
    : lines(
        4,
        (j) =>
          `  if (p0 + ${i}u < P && q0 + ${j}u < Q) { ${C}[AT + (p0 + ${i}u) * Q + q0 + ${j}u] ${put} a${i}_0.${COMPONENTS[j]} * alpha; }`,
      ),
)}
}`;
}

/** The entry point of schemes with a workgroup for each block. */
export const blockEntry = (group: number) => `@compute @workgroup_size(${group})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) own: u32, @builtin(num_workgroups) groups: vec3u) {
  local = own;
  let thread = wg.y * groups.x + wg.x;`;

export const tiles: Scheme = {
  family: 'tile',
  directives: '',
  memory: `var<workgroup> leftTile: array<vec4f, ${(STEPS * TILE) / 4}>;
var<workgroup> rightTile: array<vec4f, ${(STEPS * TILE) / 4}>;
var<private> local: u32;`,
  entry: blockEntry(GROUP),
  group: 1,
  lanes: 1,
  block: 'thread',
  size: () => [TILE, TILE],
  placeNT: () => '  let m0 = tileM + (local >> 4u) * 4u; let n0 = tileN + (local & 15u) * 4u;',
  nt,
  ntSpans: () => {
    throw new Error('Tiles are filled value by value, not by spans.');
  },
  placeNN: (_, k) => `  let tileK = id % tilesK * ${TILE}u;
  let m0 = tileM + (local >> 4u) * 4u;
  let k0 = tileK + (local & 15u) * 4u;
  let c0 = min(k0 / 4u, ${k} / 4u - 1u);`,
  nn,
  whole: (_, sums) => sums,
  tn: { size: () => [TILE, TILE], body: tnBody },
};
