/** Tiles of a thread's own registers, without workgroup memory: for any size and device. */
import { ENTRY, GLOBAL_INDEX, lines, nnColumns, ntLoop, ntSpans, overRows, range } from './matmul-wgsl';
import { type Scheme, TN_SIGNATURE, type TnShape } from './scheme';

const TILE = 8;

const tileOf = ({ quads }: TnShape) => (quads ? TILE : TILE / 2);

export const registers: Scheme = {
  family: 'register',
  directives: '',
  memory: GLOBAL_INDEX,
  entry: `${ENTRY} {
  let thread = globalIndex(wg, local, groups);`,
  group: 64,
  lanes: 1,
  block: 'thread',
  size: (rows, columns) => [rows, columns],
  placeNT: () => '  let m0 = tileM; let n0 = tileN;',
  nt: ntLoop,
  ntSpans,
  placeNN: (v, k) => `  let m0 = tileM;\n${nnColumns(v, k).place}`,
  nn: (v, { left, right, rightAt }, k) => {
    const { dense, spans } = nnColumns(v, k);
    return overRows(v.tm, left.quads, left, right === null ? spans : dense(right, rightAt));
  },
  whole: (_, sums) => sums,
  rolled: false,
  tn: {
    size: (shape) => [tileOf(shape), tileOf(shape)],
    body: (name, shape, arrays) => tnBody(name, shape.quads, shape.add ? '+=' : '=', tileOf(shape), arrays),
  },
};

/** A tile of a product; U's and V's rows are `US` and `VS` values long, of which those from `UA` and `VA` on are taken. */
function tnBody(
  name: string,
  quads: boolean,
  put: string,
  t: number,
  [U, V, C]: readonly [string, string, string],
): string {
  const component = ['x', 'y', 'z', 'w'];
  const code = quads
    ? `  let P4 = P / 4u; let Q4 = Q / 4u;
${lines(2, (i) => `  let pc${i} = min(p0 / 4u + ${i}u, P4 - 1u) + UA / 4u; let qc${i} = min(q0 / 4u + ${i}u, Q4 - 1u) + VA / 4u;`)}
${lines(8, (i) => `  var a${i}_0 = vec4f(0.0); var a${i}_1 = vec4f(0.0);`)}
  let US4 = US / 4u; let VS4 = VS / 4u; let at = AT / 4u;
  for (var m = 0u; m < u.m; m++) {
    let v0 = ${V}[m * VS4 + qc0]; let v1 = ${V}[m * VS4 + qc1];
    let u0 = ${U}[m * US4 + pc0]; let u1 = ${U}[m * US4 + pc1];
${lines(8, (i) => `    a${i}_0 += u${i >> 2}.${component[i & 3]} * v0; a${i}_1 += u${i >> 2}.${component[i & 3]} * v1;`)}
  }
${lines(
  8,
  (i) => `  if (p0 + ${i}u < P) {
    if (q0 < Q) { ${C}[at + (p0 + ${i}u) * Q4 + q0 / 4u] ${put} a${i}_0 * alpha; }
    if (q0 + 4u < Q) { ${C}[at + (p0 + ${i}u) * Q4 + q0 / 4u + 1u] ${put} a${i}_1 * alpha; }
  }`,
)}`
    : `${lines(t, (i) => `  let pc${i} = min(p0 + ${i}u, P - 1u) + UA; let qc${i} = min(q0 + ${i}u, Q - 1u) + VA;`)}
${lines(t, (i) =>
  range(t)
    .map((j) => `  var a${i}_${j} = 0.0;`)
    .join(''),
)}
  for (var m = 0u; m < u.m; m++) {
${lines(t, (j) => `    let v${j} = ${V}[m * VS + qc${j}];`)}
${lines(t, (i) => `    let u${i} = ${U}[m * US + pc${i}];\n${lines(t, (j) => `    a${i}_${j} += u${i} * v${j};`)}`)}
  }
${lines(
  t,
  (i) => `  if (p0 + ${i}u < P) {
${lines(t, (j) => `    if (q0 + ${j}u < Q) { ${C}[AT + (p0 + ${i}u) * Q + q0 + ${j}u] ${put} a${i}_${j} * alpha; }`)}
  }`,
)}`;
  return `fn ${name}${TN_SIGNATURE} {
  let tilesQ = (Q + ${t - 1}u) / ${t}u;
  let p0 = thread / tilesQ * ${t}u;
  let q0 = thread % tilesQ * ${t}u;
  if (p0 >= P) { return; }
${code}
}`;
}
