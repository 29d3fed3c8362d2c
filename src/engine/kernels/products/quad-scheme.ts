/**
 * Blocks of four lanes, for CPUs that run shaders (SwiftShader, llvmpipe), where a load from a buffer costs as much as dozens of
 * multiplications. Four neighbouring lanes, a quad, share a block of rows and columns: each has rows of its own (of TN, rows or
 * columns) and loads a quarter of what all four need, which quadBroadcast then hands to the others. Four steps of a reduction are
 * one assignment to a register, since each is masked by lane; they are added in the order in which registers alone would be.
 *
 * All sizes are multiples of 4, and no lane returns before its quad has read from it.
 */
import { lines, nnColumns, range } from './matmul-wgsl';
import { type NnLoop, type NnTile, type NtLoop, type Scheme, TN_SIGNATURE, type TnShape } from './scheme';
import { storeSums } from './store-wgsl';
import { type BlockCode, blockCode } from './weight-wgsl';

/** Threads of a workgroup: few, since a CPU runs a workgroup on one core. */
const GROUP = 16;

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;

/** The four lanes' values of `name`, as `name`_0 to `name`_3. */
const handOut = (name: string) =>
  range(4)
    .map((c) => `let ${name}_${c} = quadBroadcast(${name}, ${c}u);`)
    .join(' ');

const multiplyNT = (tm: number, shared: number) =>
  lines(
    shared,
    (j) => `      { ${handOut(`w${j}`)}
${lines(4, (c) => lines(tm, (i) => `        a${i}_${j * 4 + c} += dot(x${i}, w${j}_${c});`))} }`,
  );

function nt({ tm, tn }: { tm: number; tn: number }, o: NtLoop): string {
  const { left, right, depth, first = '', rows = 'u.n', stride = 'depth', leftAt = '', rightAt = '' } = o;
  const shared = tn / 4;
  return `  {
    let depth = ${depth} / 4u;
${lines(tm, (i) => `    let row${i} = min(m0 + ${i}u, u.m - 1u) * ${stride}${leftAt};`)}
${lines(shared, (j) => `    let wi${j} = (min(n0 + ${4 * j}u + lane, ${rows} - 1u)${first}) * depth${rightAt};`)}
    for (var k = 0u; k < depth; k++) {
${lines(tm, (i) => `      let x${i} = ${left}(row${i} + k);`)}
${lines(shared, (j) => `      let w${j} = ${right}(wi${j} + k);`)}
${multiplyNT(tm, shared)}
    }
  }`;
}

function ntSpans({ tm, tn }: { tm: number; tn: number }, code: BlockCode, rows = 'u.n'): string {
  const shared = tn / 4;
  return `  {
    let spans = u.k / ${code.span}u;
    let depth = u.k / 4u;
${lines(tm, (i) => `    let row${i} = min(m0 + ${i}u, u.m - 1u) * depth;`)}
${lines(shared, (j) => `    let wi${j} = min(n0 + ${4 * j}u + lane, ${rows} - 1u) * spans;`)}
    for (var s = 0u; s < spans; s++) {
${lines(shared, (j) => `      ${code.open(String(j), `wi${j} + s`, '0u')}`)}
      for (var t = 0u; t < ${code.steps}u; t++) {
${lines(shared, (j) => `      ${code.words(String(j), 't')}`)}
${lines(
  code.wide,
  (q) => `      {
        let k = ${code.quadAt('s', 't', q)};
${lines(tm, (i) => `        let x${i} = loadX(row${i} + k);`)}
${lines(shared, (j) => `        let w${j} = ${code.quads(String(j))[q]};`)}
${multiplyNT(tm, shared)}
      }`,
)}
      }
    }
  }`;
}

function nn(v: NnTile, { left, right, rightAt = '' }: NnLoop, k: string): string {
  const { tm } = v;
  const { start = '0u' } = left;
  const columns = v.tk / 4;
  const multiply = (w: string, q: number) =>
    lines(
      tm,
      (i) =>
        `      a${i}_${q} = a${i}_${q} + ${range(4)
          .map((c) => `y${i}.${COMPONENTS[c]} * ${w}_${c}`)
          .join(' + ')};`,
    );
  const dense = `      let base = (n4 * 4u + lane) * (${k} / 4u)${rightAt};
${lines(columns, (q) => `      let w${q} = ${right}(base + c${q}); ${handOut(`w${q}`)}\n${multiply(`w${q}`, q)}`)}`;
  const spans = (c: BlockCode) => `      ${c.open('w', '(n4 * 4u + lane) * spans + span', 't0')}
${lines(
  columns / c.wide,
  (p) => `      { ${c.words('w', `(t0 + ${p}u)`)}
${lines(c.wide, (q) => `      let w${q} = ${c.quads('w')[q]}; ${handOut(`w${q}`)}\n${multiply(`w${q}`, p * c.wide + q)}`)} }`,
)}`;
  return `  {
${lines(tm, (i) => `    let row${i} = min(m0 + ${i}u, u.m - 1u) * (${left.stride} / 4u)${left.first4};`)}
    for (var n4 = ${start} / 4u; n4 < ${left.depth} / 4u; n4++) {
${lines(tm, (i) => `      let y${i} = ${left.load}(row${i} + n4);`)}
${right === null ? spans(blockCode(v.format)!) : dense}
    }
  }`;
}

const blockOf = ({ block }: TnShape) => block!;

function tnBody(name: string, shape: TnShape, [U, V, C]: readonly [string, string, string]): string {
  const { lanes, own, shared } = blockOf(shape);
  const [blockP, blockQ] = quads.tn.size(shape);
  const [tp, tq] = lanes === 'p' ? [own, shared] : [shared, own];
  // Rows after the last one count as zeros.
  const load = (array: string, width: string, column: string, row: string) =>
    `select(vec4f(0.0), ${array}[min(${row}, u.m - 1u) * ${width} + ${column}], ${row} < u.m)`;
  const mine = (kind: string, array: string, width: string, count: number) =>
    lines(count, (i) =>
      lines(4, (c) => `    let ${kind}${i}_${c} = ${load(array, width, `${kind}c${i}`, `m + ${c}u`)};`),
    );
  const ours = (kind: string, array: string, width: string, count: number) =>
    lines(
      count,
      (i) => `    let ${kind}${i} = ${load(array, width, `${kind}c${i}`, 'm + lane')}; ${handOut(`${kind}${i}`)}`,
    );
  return `fn ${name}${TN_SIGNATURE} {
  let lane = thread & 3u;
  let tilesQ = (Q + ${blockQ - 1}u) / ${blockQ}u;
  let p0 = (thread >> 2u) / tilesQ * ${blockP}u${lanes === 'p' ? ` + lane * ${tp}u` : ''};
  let q0 = (thread >> 2u) % tilesQ * ${blockQ}u${lanes === 'q' ? ` + lane * ${tq}u` : ''};
  let P4 = P / 4u; let Q4 = Q / 4u; let US4 = US / 4u; let VS4 = VS / 4u; let at = AT / 4u;
${lines(tp / 4, (i) => `  let uc${i} = min(p0 / 4u + ${i}u, P4 - 1u) + UA / 4u;`)}
${lines(tq / 4, (j) => `  let vc${j} = min(q0 / 4u + ${j}u, Q4 - 1u) + VA / 4u;`)}
${lines(tp, (i) =>
  range(tq / 4)
    .map((j) => `  var a${i}_${j} = vec4f(0.0);`)
    .join(''),
)}
  for (var m = 0u; m < u.m; m += 4u) {
${(lanes === 'p' ? mine : ours)('u', U, 'US4', tp / 4)}
${(lanes === 'q' ? mine : ours)('v', V, 'VS4', tq / 4)}
${lines(tp, (i) =>
  lines(
    tq / 4,
    (j) =>
      `    a${i}_${j} = a${i}_${j} + ${range(4)
        .map((c) => `u${i >> 2}_${c}.${COMPONENTS[i & 3]} * v${j}_${c}`)
        .join(' + ')};`,
  ),
)}
  }
${storeSums({ rows: tp, columns: tq / 4, type: 'vec4f', name: (i, j) => `a${i}_${j}` }, true, {
  row: (i, columns) => `  if (p0 + ${i} < P) {\n${columns}\n  }`,
  put: (j, sum, i) =>
    `    if (q0 + ${j} * 4u < Q) { ${C}[at + (p0 + ${i}) * Q4 + q0 / 4u + ${j}] ${shape.add ? '+=' : '='} ${sum} * alpha; }`,
})}
}`;
}

export const quads: Scheme = {
  family: 'quad',
  // All lanes of a quad take the same way: what they branch on is their block's or a uniform.
  directives: 'enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n',
  memory: '',
  entry: `@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u) {
  let thread = (wg.y * groups.x + wg.x) * ${GROUP}u + local;`,
  group: GROUP,
  lanes: 4,
  block: '(thread >> 2u)',
  size: (rows, columns) => [4 * rows, columns],
  placeNT: (tm) => `  let lane = thread & 3u; let m0 = tileM + lane * ${tm}u; let n0 = tileN;`,
  nt,
  ntSpans,
  placeNN: (v, k) => `  let lane = thread & 3u; let m0 = tileM + lane * ${v.tm}u;\n${nnColumns(v, k).place}`,
  nn,
  whole: (_, sums) => sums,
  rolled: true,
  tn: {
    size: (shape) => {
      const { lanes, own, shared } = blockOf(shape);
      return lanes === 'p' ? [4 * own, shared] : [shared, 4 * own];
    },
    body: tnBody,
  },
};
