/**
 * Sums in slices, for graphics cards, where a result is small and its sums are long (LoRA's x·Aᵀ and dy·B, a few rows of a batch):
 * a workgroup of 256 threads computes 16×16 values. Each thread has a block of 4×4 and every sixteenth step of the reduction,
 * four values wide. Of the sixteen sums of a value, the last eight are added to the first eight, and these are added up in order.
 * Only for NT and NN; all sizes are multiples of 4.
 */
import { lines, range } from './matmul-wgsl';
import type { NnLoop, NnTile, NtLoop, Scheme } from './scheme';
import { blockEntry } from './tile-scheme';

/** Rows and columns of a workgroup's result. */
export const SPLIT = 16;
const GROUP = 256;
const SLICES = 16;
/** Sums of a value in workgroup memory. */
const KEPT = SLICES / 2;
/** Fours of values of a result, and of the threads that store them in NN. */
const FOURS = (SPLIT * SPLIT) / 4;

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;

/** A thread's slice of the reduction, and its block of rows and columns. */
const BLOCK = '  let slice = local & 15u; let down = local >> 6u; let across = (local >> 4u) & 3u;';

function nt(_: unknown, o: NtLoop): string {
  const { left, right, depth, first = '', rows = 'u.n', stride = 'depth', leftAt = '', rightAt = '' } = o;
  return `  {
    let depth = ${depth} / 4u;
${lines(4, (i) => `    let x${i} = min(tileM + down * 4u + ${i}u, u.m - 1u) * ${stride}${leftAt};`)}
${lines(4, (j) => `    let w${j} = (min(tileN + across * 4u + ${j}u, ${rows} - 1u)${first}) * depth${rightAt};`)}
    for (var k = slice; k < depth; k += ${SLICES}u) {
${lines(4, (j) => `      let wv${j} = ${right}(w${j} + k);`)}
${lines(4, (i) => `      let xv${i} = ${left}(x${i} + k);\n${lines(4, (j) => `      s${i}[${j}] += dot(xv${i}, wv${j});`)}`)}
    }
  }`;
}

function nn(_: NnTile, { left, right, rightAt = '' }: NnLoop, k: string): string {
  const { start = '0u' } = left;
  return `  {
${lines(4, (i) => `    let y${i} = min(tileM + down * 4u + ${i}u, u.m - 1u) * (${left.stride} / 4u)${left.first4};`)}
    let column = min(tileK / 4u + across, ${k} / 4u - 1u)${rightAt};
    for (var n4 = ${start} / 4u + slice; n4 < ${left.depth} / 4u; n4 += ${SLICES}u) {
${lines(4, (c) => `      let w${c} = ${right}((n4 * 4u + ${c}u) * (${k} / 4u) + column);`)}
${lines(
  4,
  (i) =>
    `      let yv${i} = ${left.load}(y${i} + n4); s${i} += ${range(4)
      .map((c) => `yv${i}.${COMPONENTS[c]} * w${c}`)
      .join(' + ')};`,
)}
    }
  }`;
}

/** The fours of a row are neighbours: those of thread `local` in NT are one value each, in NN of its first quarter whole. */
const whole = (kind: 'nt' | 'nn', sums: string) => `${BLOCK}
${lines(4, (i) => `  var s${i} = vec4f(0.0);`)}
${sums}
  let to = (slice % ${KEPT}u) * ${FOURS}u + down * 16u + across;
  if (slice < ${KEPT}u) {
${lines(4, (i) => `    partSums[to + ${4 * i}u] = s${i};`)}
  }
  workgroupBarrier();
  if (slice >= ${KEPT}u) {
${lines(4, (i) => `    partSums[to + ${4 * i}u] += s${i};`)}
  }
  workgroupBarrier();
${
  kind === 'nt'
    ? `  for (var s = 0u; s < ${KEPT}u; s++) { a0_0 += partSums[s * ${FOURS}u + (local >> 2u)][local & 3u]; }`
    : `  if (local < ${FOURS}u) { for (var s = 0u; s < ${KEPT}u; s++) { a0_0 += partSums[s * ${FOURS}u + local]; } }`
}`;

const never = () => {
  throw new Error('Sums are not split by spans, nor over the rows of both operands.');
};

export const slices: Scheme = {
  family: 'split',
  directives: '',
  memory: `var<workgroup> partSums: array<vec4f, ${KEPT * FOURS}>;\nvar<private> local: u32;`,
  entry: blockEntry(GROUP),
  group: 1,
  lanes: 1,
  block: 'thread',
  size: () => [SPLIT, SPLIT],
  placeNT: () => '  let m0 = tileM + (local >> 4u); let n0 = tileN + (local & 15u);',
  nt,
  ntSpans: never,
  // A quarter of the threads store four values each.
  placeNN: (_, k) => `  let tileK = id % tilesK * ${SPLIT}u;
  let m0 = select(u.m, tileM + (local >> 2u), local < ${FOURS}u);
  let k0 = tileK + (local & 3u) * 4u;
  let c0 = min(k0 / 4u, ${k} / 4u - 1u);`,
  nn,
  whole,
  rolled: false,
  tn: { size: never, body: never },
};
