/**
 * Tiles in workgroup memory, for graphics cards: a workgroup of 256 threads computes 64×64 values of the result, 4×4 a thread, from
 * tiles of both operands. What 64 rows or columns need is so read, and a weight decoded, once.
 *
 * A tile holds 16 steps of the reduction, as vectors of four rows (or columns): `tile[step * 16 + place]`. A thread fills a block of
 * four steps and four rows. The place of rows 4p to 4p + 3 is p xor 2 · (step / 4), so that threads that read neighbouring steps of
 * a row, which is how rows are read fastest, write to different banks.
 *
 * Half tiles hold f16 where the device has it, which takes half the memory. Products and sums stay f32. Of NN, W alone is f16:
 * gradients may be too small or too large for it. So are both operands of TN.
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

/** A tile in workgroup memory; what it holds is rounded to its type. */
interface Tile {
  name: string;
  type: 'vec4f' | 'vec4h';
}

const LEFT: Tile = { name: 'leftTile', type: 'vec4f' };
const RIGHT: Tile = { name: 'rightTile', type: 'vec4f' };
const HALF_LEFT: Tile = { name: 'leftHalf', type: 'vec4h' };
const HALF_RIGHT: Tile = { name: 'rightHalf', type: 'vec4h' };

const declaration = ({ name, type }: Tile) => `var<workgroup> ${name}: array<${type}, ${(STEPS * TILE) / 4}>;`;

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
function fillRows({ name, type }: Tile, { load, quads, from, count, stride, at }: Operand): string {
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
    `      ${name}[to + ${16 * c}u] = ${type}(vec4f(${range(4)
      .map((i) => `v${i}.${COMPONENTS[c]}`)
      .join(', ')}));`,
)}`;
}

/** Fills a tile with columns of an operand whose rows the reduction goes over. */
function fillColumns({ name, type }: Tile, { load, quads, from, count, stride, at }: Operand): string {
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
        ${name}[to + ${16 * c}u] = ${type}(v);
      }`,
)}`;
}

/** Both tiles and the code that fills them. */
interface Tiles {
  left: Tile;
  right: Tile;
  fillLeft: string;
  fillRight: string;
}

/** The sums over steps from `start` to `end`, both WGSL; `add` multiplies the vectors l and r. */
const overTiles = (start: string, end: string, { left, right, fillLeft, fillRight }: Tiles, add: string): string => `  {
    let first = ${start};
    let end = ${end};
    for (var base = first; base < end; base += ${STEPS}u) {
      if (local < ${FILL}u) {
${fillLeft}
      } else if (local < ${2 * FILL}u) {
${fillRight}
      }
      workgroupBarrier();
      let parts = (min(end - base, ${STEPS}u) + 3u) / 4u;
      for (var q = 0u; q < parts; q++) {
        let li = q * 64u + ((local >> 4u) ^ (q << 1u));
        let ri = q * 64u + ((local & 15u) ^ (q << 1u));
${lines(4, (c) => `        { let l = vec4f(${left.name}[li + ${16 * c}u]); let r = vec4f(${right.name}[ri + ${16 * c}u]);\n${add} }`)}
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

type Pair = readonly [left: Tile, right: Tile];

/** Fills the first tile with rows of one operand, and the second with rows or columns of the other. */
const filled = ([left, right]: Pair, x: Operand, w: Operand, fill: typeof fillRows): Tiles => ({
  ...{ left, right, fillLeft: fillRows(left, x), fillRight: fill(right, w) },
});

const nt =
  (pair: Pair): Scheme['nt'] =>
  ({ quads }: { quads: boolean }, o: NtLoop) => {
    const { left, right, depth, first = '', rows = 'u.n', leftAt = '', rightAt = '' } = o;
    const width = quads ? `${depth} / 4u` : depth;
    const operand = (load: string, from: string, count: string, stride: string, at: string): Operand => ({
      ...{ load: (index) => `${load}(${index})`, quads, from, count, stride, at },
    });
    const x = operand(left, 'tileM', 'u.m', o.stride ?? width, leftAt);
    const w = operand(right, 'tileN', rows, width, `${first ? ` + (0u${first}) * (${width})` : ''}${rightAt}`);
    return overTiles('0u', depth, filled(pair, x, w, fillRows), scalars);
  };

const nn =
  (pair: Pair): Scheme['nn'] =>
  (v: NnTile, { left, right, rightAt = '' }: NnLoop, k: string) => {
    const y: Operand = {
      ...{ load: (index) => `${left.load}(${index})`, quads: left.quads, from: 'tileM', count: 'u.m' },
      ...{ stride: left.quads ? `${left.stride} / 4u` : left.stride, at: left.quads ? left.first4 : left.first },
    };
    const w: Operand = {
      ...{ load: (index) => `${right}(${index})`, quads: v.quads, from: 'tileK', count: k },
      ...{ stride: v.quads ? `${k} / 4u` : k, at: rightAt },
    };
    return overTiles(left.start ?? '0u', left.depth, filled(pair, y, w, fillColumns), vectors);
  };

function tnBody(name: string, { quads, add }: TnShape, [U, V, C]: readonly [string, string, string]): string {
  const inLoads = (value: string) => (quads ? `${value} / 4u` : value);
  const operand = (array: string, from: string, count: string, stride: string, at: string): Operand => ({
    ...{ load: (index) => `${array}[${index}]`, quads, from, count },
    ...{ stride: inLoads(stride), at: ` + ${inLoads(at)}` },
  });
  const both: Tiles = {
    ...{ left: LEFT, right: RIGHT },
    fillLeft: fillColumns(LEFT, operand(U, 'tileP', 'P', 'US', 'UA')),
    fillRight: fillColumns(RIGHT, operand(V, 'tileQ', 'Q', 'VS', 'VA')),
  };
  const put = add ? '+=' : '=';
  return `fn ${name}${TN_SIGNATURE} {
  let tilesQ = (Q + ${TILE - 1}u) / ${TILE}u;
  let tileP = thread / tilesQ * ${TILE}u;
  let tileQ = thread % tilesQ * ${TILE}u;
  if (tileP >= P) { return; }
  let p0 = tileP + (local >> 4u) * 4u;
  let q0 = tileQ + (local & 15u) * 4u;
${lines(4, (i) => `  var a${i}_0 = vec4f(0.0);`)}
${overTiles('0u', 'u.m', both, vectors)}
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

/** The entry point of schemes with a workgroup for each block; `more` are further parameters. */
export const blockEntry = (group: number, more = '') => `@compute @workgroup_size(${group})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) own: u32, @builtin(num_workgroups) groups: vec3u${more && `, ${more}`}) {
  local = own;
  let thread = wg.y * groups.x + wg.x;`;

export const tiles: Scheme = {
  family: 'tile',
  directives: '',
  memory: `${declaration(LEFT)}\n${declaration(RIGHT)}\nvar<private> local: u32;`,
  entry: blockEntry(GROUP),
  group: 1,
  lanes: 1,
  block: 'thread',
  size: () => [TILE, TILE],
  placeNT: () => '  let m0 = tileM + (local >> 4u) * 4u; let n0 = tileN + (local & 15u) * 4u;',
  nt: nt([LEFT, RIGHT]),
  ntSpans: () => {
    throw new Error('Tiles are filled value by value, not by spans.');
  },
  placeNN: (_, k) => `  let tileK = id % tilesK * ${TILE}u;
  let m0 = tileM + (local >> 4u) * 4u;
  let k0 = tileK + (local & 15u) * 4u;
  let c0 = min(k0 / 4u, ${k} / 4u - 1u);`,
  nn: nn([LEFT, RIGHT]),
  whole: (_, sums) => sums,
  rolled: false,
  tn: { size: () => [TILE, TILE], body: tnBody },
};

/** The same with f16 in the tiles of NT, and of W in NN. */
export const halfTiles: Scheme = {
  ...tiles,
  family: 'half',
  directives: 'enable f16;\n',
  // What a shader does not use takes no memory.
  memory: `${declaration(HALF_LEFT)}\n${declaration(HALF_RIGHT)}\n${tiles.memory}`,
  nt: nt([HALF_LEFT, HALF_RIGHT]),
  nn: nn([LEFT, HALF_RIGHT]),
};
