/**
 * Tiles of f16 multiplied by subgroup matrices (Dawn's chromium-experimental-subgroup-matrix; tensor cores and their like), for the NT of
 * half tiles: a subgroup multiplies small matrices of both tiles at once and keeps its part of the workgroup's 64×64 sums in f32. At the end
 * they go through workgroup memory to the threads that store them. NN and TN are those of half tiles.
 */
import type { MatrixShape } from '../../webgpu/adapter';
import { lines, range } from './matmul-wgsl';
import type { NtLoop, Scheme } from './scheme';
import { blockEntry, halfTiles, TILE } from './tile-scheme';

const GROUP = 256;
const STEPS = 16;
/** From one row of a tile to the next: whole 16 bytes, as Vulkan wants, and rows that begin in different banks. */
const ROW = STEPS + 8;

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;

/** The matrices of a subgroup: so many below and beside each other, and so many subgroups beside each other. */
export interface Share {
  down: number;
  across: number;
  beside: number;
}

/** Null if the subgroups of a workgroup cannot share the tile's matrices evenly. */
export function shareOf({ m, n, k, lanes }: MatrixShape): Share | null {
  const [rows, columns, subgroups] = [TILE / m, TILE / n, GROUP / lanes];
  const each = (rows * columns) / subgroups;
  if (![rows, columns, subgroups, each, STEPS / k].every((count) => Number.isInteger(count) && count > 0)) return null;
  const down = range(each + 1).findLast((d) => d > 0 && d * d <= each && each % d === 0 && rows % d === 0)!;
  const across = each / down;
  return columns % across === 0 ? { down, across, beside: columns / across } : null;
}

/** Fills a tile with 16 steps of 64 rows, four steps of one row a thread. */
function fill(
  tile: string,
  o: { load: string; quads: boolean; from: string; count: string; stride: string; at: string },
): string {
  const read = o.quads
    ? `if (step < end) { v = ${o.load}(row + step / 4u); }`
    : range(4)
        .map((c) => `if (step + ${c}u < end) { v.${COMPONENTS[c]} = ${o.load}(row + step + ${c}u); }`)
        .join(' ');
  return `      {
        let step = base + (local & 3u) * 4u;
        let row = min(${o.from} + (local >> 2u), ${o.count} - 1u) * (${o.stride})${o.at};
        var v = vec4f(0.0);
        ${read}
        let to = (local >> 2u) * ${ROW}u + (local & 3u) * 4u;
${lines(4, (c) => `        ${tile}[to + ${c}u] = f16(v.${COMPONENTS[c]});`)}
      }`;
}

const nt =
  ({ m, n, k }: MatrixShape, { down, across }: Share): Scheme['nt'] =>
  ({ quads }, { left, right, depth, first = '', rows = 'u.n', stride, leftAt = '', rightAt = '' }: NtLoop) => {
    const width = quads ? `${depth} / 4u` : depth;
    const x = { load: left, quads, from: 'tileM', count: 'u.m', stride: stride ?? width, at: leftAt };
    const at = `${first ? ` + (0u${first}) * (${width})` : ''}${rightAt}`;
    const w = { load: right, quads, from: 'tileN', count: rows, stride: width, at };
    const step = (s: number) => `      {
${lines(down, (i) => `        let l${i} = subgroupMatrixLoad<subgroup_matrix_left<f16, ${k}, ${m}>>(&leftMatrix, (ownM + ${i * m}u) * ${ROW}u + ${s * k}u, false, ${ROW}u);`)}
${lines(across, (j) => `        let r${j} = subgroupMatrixLoad<subgroup_matrix_right<f16, ${n}, ${k}>>(&rightMatrix, (ownN + ${j * n}u) * ${ROW}u + ${s * k}u, true, ${ROW}u);`)}
${lines(down, (i) => lines(across, (j) => `        sum${i}_${j} = subgroupMatrixMultiplyAccumulate(l${i}, r${j}, sum${i}_${j});`))}
      }`;
    return `  {
    let end = ${depth};
    for (var base = 0u; base < end; base += ${STEPS}u) {
${fill('leftMatrix', x)}
${fill('rightMatrix', w)}
      workgroupBarrier();
${lines(STEPS / k, step)}
      workgroupBarrier();
    }
  }`;
  };

const whole = ({ m, n }: MatrixShape, { down, across, beside }: Share, sums: string) => `
  let ownM = subgroup / ${beside}u * ${down * m}u;
  let ownN = subgroup % ${beside}u * ${across * n}u;
${lines(down, (i) => lines(across, (j) => `  var sum${i}_${j}: subgroup_matrix_result<f32, ${n}, ${m}>;`))}
${sums}
${lines(down, (i) => lines(across, (j) => `  subgroupMatrixStore(&matrixSums, (ownM + ${i * m}u) * ${TILE}u + ownN + ${j * n}u, sum${i}_${j}, false, ${TILE}u);`))}
  workgroupBarrier();
  let place = (local >> 4u) * ${4 * TILE}u + (local & 15u) * 4u;
${lines(4, (i) =>
  range(4)
    .map((j) => `  a${i}_${j} = matrixSums[place + ${i * TILE + j}u];`)
    .join(''),
)}`;

const made = new Map<string, Scheme | null>();

/** Null if the device's matrices do not fit. */
export function matrixTiles(shape: MatrixShape): Scheme | null {
  const key = JSON.stringify(shape);
  if (!made.has(key)) made.set(key, schemeOf(shape));
  return made.get(key)!;
}

function schemeOf(shape: MatrixShape): Scheme | null {
  const share = shareOf(shape);
  if (!share) return null;
  return {
    ...halfTiles,
    family: 'matrix',
    // What a subgroup branches on, and its place in the tile, are the same for all of its lanes.
    directives:
      'enable f16;\nenable subgroups;\nenable chromium_experimental_subgroup_matrix;\ndiagnostic(off, chromium.subgroup_matrix_uniformity);\n',
    memory: `var<workgroup> leftMatrix: array<f16, ${TILE * ROW}>;
var<workgroup> rightMatrix: array<f16, ${TILE * ROW}>;
var<workgroup> matrixSums: array<f32, ${TILE * TILE}>;
var<private> local: u32;`,
    entry: blockEntry(GROUP, '@builtin(subgroup_id) subgroup: u32'),
    nt: nt(shape, share),
    whole: (_, sums) => whole(shape, share, sums),
  };
}
