/**
 * WGSL for products of few rows of x, as decoding has them: memory-bound, so that lanes go along k and read neighbouring words of a
 * weight. A workgroup takes up to four rows; a row's result does not depend on how many there are.
 *
 * A workgroup of 256 lanes computes a block of columns of y, 32 lanes a column, whose sums meet in workgroup memory in a fixed order.
 * What else the columns need is in the same dispatch: the RMSNorm of x and LoRA's h = scale · x·Aᵀ, which each workgroup computes
 * for itself, and behind the product h·Bᵀ, bias, residual and activation. The weights of several segments (q, k and v, or gate and up)
 * share x and the dispatch.
 */
import type { WeightFormat } from '../../types';
import { type BlockCode, blockCode, elementType, matrixLoader } from './weight-wgsl';

export const LANES = 256;
/** Lanes of a column. */
const SHARE = 32;
/** Columns that a workgroup computes at a time. */
export const SLOTS = LANES / SHARE;
/** Of a column's partial sums in workgroup memory: more than SHARE, so that columns begin at different banks. */
const STRIDE = SHARE + 4;
/** Threads that add up a column's partial sums. */
const FOLDERS = 4;

export interface FewSegment {
  format: WeightFormat;
  /** Rows are whole spans of a quantised format. */
  spans: boolean;
  /** LoRA, with the rank in quads or single values. */
  lora: false | { quads: boolean };
  bias: boolean;
}

export interface FewVariant {
  /** Rows of x that a workgroup takes, 1 to 4. */
  rows: number;
  /** Columns per slot. */
  tile: number;
  /** K is a multiple of 4. */
  quads: boolean;
  /** x is normalised first. */
  norm: boolean;
  segments: FewSegment[];
  /** WGSL of two segments' results `g` and `up` and of the first one's activation; the two give one y. */
  gated: string | null;
  residual: boolean;
  /** h is also written, for a gradient. */
  keepsH: boolean;
  /** Values of h in workgroup memory, for each row of x. */
  rank: number;
  /** Of each binding's array, by name: several may be one. */
  bound: Record<string, number>;
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const lines = (n: number, f: (i: number) => string) => range(n).map(f).join('\n');

/** A block format's code with its array and functions named for a segment. */
function named(code: BlockCode, array: string, i: number): (text: string) => string {
  const functions = [...code.functions.matchAll(/fn (\w+)\(/g)].map(([, name]) => name!);
  const calls = new RegExp(`\\b(${functions.join('|')})\\(`, 'g');
  return (text) => text.replace(/\bW\[/g, `${array}[`).replace(calls, `$1${i}(`);
}

/** The names of the arrays that a variant binds, with their types and in order. */
export function fewBindings(v: Omit<FewVariant, 'bound'>): { name: string; type: string; access: string }[] {
  const scalar = elementType('f32', v.quads);
  const read = (name: string, type: string) => ({ name, type, access: 'read' });
  return [
    read('X', scalar),
    ...(v.norm ? [read('norm', scalar)] : []),
    ...v.segments.flatMap(({ format, lora, bias }, i) => [
      read(`W${i}`, elementType(format, v.quads)),
      ...(lora ? [read(`A${i}`, scalar), read(`B${i}`, elementType('f32', lora.quads))] : []),
      ...(bias ? [read(`bias${i}`, 'f32')] : []),
    ]),
    ...(v.residual ? [read('residual', 'f32')] : []),
    ...range(v.gated ? 1 : v.segments.length).map((i) => ({ name: `Y${i}`, type: 'f32', access: 'read_write' })),
    ...(v.keepsH ? [{ name: 'H', type: 'f32', access: 'read_write' }] : []),
  ];
}

/** Uniforms of a segment: rows of W in this part, the first one's index, columns of y, rank, scale, rows of the whole W before it. */
export const SEGMENT_FIELDS = ['n: u32', 'first: u32', 'stride: u32', 'rank: u32', 'scale: f32'];

const each = (v: FewVariant, f: (t: number, i: number) => string) =>
  lines(v.tile, (t) => lines(v.rows, (i) => f(t, i)));

/** Where the workgroup's rows of x begin; those beyond the last one are computed again and stored nowhere. */
const rowsOfX = (v: FewVariant) => lines(v.rows, (i) => `  let row${i} = min(m0 + ${i}u, u.m - 1u) * depth;`);

/** Loads quad or value `k` of every row of x. */
const loadRows = (v: FewVariant, k: string) =>
  lines(v.rows, (i) => `let x${i} = X[row${i} + ${k}]${v.norm ? ` * scale${i} * norm[${k}]` : ''};`);

const multiply = (v: FewVariant, x: string, w: string) => (v.quads ? `dot(${x}, ${w})` : `${x} * ${w}`);

/** Adds the lane's share of the products with rows `r0 … ` of a matrix that `load` reads, to the sums a{t}_{i}. */
const dense = (v: FewVariant, load: string) => `for (var k = lane; k < depth; k += ${SHARE}u) {
      ${loadRows(v, 'k')}
${lines(v.tile, (t) => `      { let w = ${load}(r${t} * depth + k); ${lines(v.rows, (i) => `a${t}_${i} += ${multiply(v, `x${i}`, 'w')};`)} }`)}
    }`;

/** The same of a quantised one, a step of a span at a time. */
const spans = (v: FewVariant, code: BlockCode, own: (text: string) => string) =>
  own(`let spans = depth * 4u / ${code.span}u;
    for (var unit = lane; unit < spans * ${code.steps}u; unit += ${SHARE}u) {
      let s = unit / ${code.steps}u; let t = unit % ${code.steps}u;
${lines(code.wide, (q) => `      let k${q} = ${code.quadAt('s', 't', q)};\n${lines(v.rows, (i) => `      let x${i}_${q} = X[row${i} + k${q}]${v.norm ? ` * scale${i} * norm[k${q}]` : ''};`)}`)}
${lines(
  v.tile,
  (r) => `      { ${code.open('w', `r${r} * spans + s`, 't')}
        ${code.words('w', 't')}
${lines(code.wide, (q) => `        { let w = ${code.quads('w')[q]}; ${lines(v.rows, (i) => `a${r}_${i} += dot(x${i}_${q}, w);`)} }`)} }`,
)}
    }`);

const sums = (v: FewVariant) => each(v, (t, i) => `var a${t}_${i} = 0.0;`);
const count = (v: FewVariant) => SLOTS * v.tile * v.rows;
/** Leaves the sums of a slot's columns in workgroup memory, for `sumOf`. */
const fold = (
  v: FewVariant,
) => `${each(v, (t, i) => `partial[((slot * ${v.tile}u + ${t}u) * ${v.rows}u + ${i}u) * ${STRIDE}u + lane] = a${t}_${i};`)}
    fold(local);`;

/** `local` is then one of the columns that the workgroup has summed, and one of the rows of x. */
const each1 = (v: FewVariant, body: string) => `if (local < ${count(v)}u) {
      let c = c0 + local / ${v.rows}u; let i = local % ${v.rows}u;
      ${body}
    }`;

function segment(v: FewVariant, i: number): string {
  const { format, lora, bias } = v.segments[i]!;
  const block = blockCode(format);
  const code = v.segments[i]!.spans ? block : undefined;
  const at = `u.s${i}_`;
  const own = block ? named(block, array(v, `W${i}`), i) : (text: string) => text;
  const columns = SLOTS * v.tile;
  const rows = (n: string) => lines(v.tile, (t) => `let r${t} = min(c0 + slot * ${v.tile}u + ${t}u, ${n} - 1u);`);
  return `${code ? own(code.functions) : own(matrixLoader(`loadW${i}`, array(v, `W${i}`), format, v.quads, `(${at}n * u.k)`))}
${lora ? `fn loadA${i}(k: u32) -> ${elementType('f32', v.quads)} { return ${array(v, `A${i}`)}[k]; }` : ''}
fn segment${i}(group: u32, m0: u32, local: u32${lines(v.norm ? v.rows : 0, (r) => `, scale${r}: f32`)}) {
  let lane = local % ${SHARE}u;
  let slot = local / ${SHARE}u;
  let depth = u.k${v.quads ? ' / 4u' : ''};
${rowsOfX(v)}
  ${
    lora
      ? `for (var c0 = 0u; c0 < ${at}rank; c0 += ${columns}u) {
    ${rows(`${at}rank`)}
    ${sums(v)}
    ${dense(v, `loadA${i}`)}
    ${fold(v)}
    ${each1(v, `if (c < ${at}rank) { let value = ${at}scale * sumOf(local); h[i * ${v.rank}u + c] = value;${v.keepsH ? ` if (group == 0u) { H[i * ${at}rank + c] = value; }` : ''} }`)}
  }
  workgroupBarrier();`
      : ''
  }
  let c0 = group * ${columns}u;
  {
    ${rows(`${at}n`)}
    ${sums(v)}
    ${code ? own(code.prologue(`(${at}n * u.k)`)) : ''}
    ${code ? spans(v, code, own) : dense(v, `loadW${i}`)}
    ${
      lora
        ? `let ranks = ${at}rank${lora.quads ? ' / 4u' : ''};
    for (var r = lane; r < ranks; r += ${SHARE}u) {
${lines(v.tile, (t) => `      { let b = ${array(v, `B${i}`)}[(r${t} + ${at}first) * ranks + r];\n${lines(v.rows, (x) => (lora.quads ? `        { let o = ${x * v.rank}u + 4u * r; a${t}_${x} += dot(vec4f(h[o], h[o + 1u], h[o + 2u], h[o + 3u]), b); }` : `        a${t}_${x} += h[${x * v.rank}u + r] * b;`))} }`)}
    }`
        : ''
    }
    ${fold(v)}
  }
  ${
    v.gated
      ? each1(
          v,
          `results[${i}u * ${count(v)}u + local] = sumOf(local)${bias ? ` + ${array(v, `bias${i}`)}[min(c, ${at}n - 1u) + ${at}first]` : ''};`,
        )
      : each1(
          v,
          `if (c < ${at}n && m0 + i < u.m) {
        let column = c + ${at}first; let place = (m0 + i) * ${at}stride + column;
        ${array(v, `Y${i}`)}[place] = sumOf(local)${bias ? ` + ${array(v, `bias${i}`)}[column]` : ''}${v.residual ? ' + residual[place]' : ''};
      }`,
        )
  }
}`;
}

const array = (v: FewVariant, name: string) => `b${v.bound[name]}`;

export function fewRowsShader(v: FewVariant): string {
  const declaredAt = new Set<number>();
  const bindings = fewBindings(v)
    .filter(({ name }) => {
      const fresh = !declaredAt.has(v.bound[name]!);
      declaredAt.add(v.bound[name]!);
      return fresh;
    })
    .map(
      ({ name, type, access }) =>
        `@group(0) @binding(${v.bound[name]}) var<storage, ${access}> b${v.bound[name]}: array<${type}>;`,
    );
  // Short names for what every segment reads.
  const plain = (text: string) => text.replace(/\b(X|norm|residual|H)\[/g, (_, name: string) => `${array(v, name)}[`);
  const segmentFields = v.segments.flatMap((_, i) => SEGMENT_FIELDS.map((field) => `s${i}_${field}`));
  const scales = lines(v.norm ? v.rows : 0, (i) => `, scale${i}`);
  const block = SLOTS * v.tile;
  const groupsOf = (i: number) => `(u.s${i}_n + ${block - 1}u) / ${block}u`;
  return plain(`struct Uniforms { m: u32, k: u32, eps: f32, ${segmentFields.join(', ')} }
${bindings.join('\n')}
@group(0) @binding(${declaredAt.size}) var<uniform> u: Uniforms;
var<workgroup> partial: array<f32, ${Math.max(count(v) * STRIDE, v.norm ? v.rows * LANES : 0)}>;
var<workgroup> folded: array<f32, ${count(v) * FOLDERS}>;
${v.rank > 0 ? `var<workgroup> h: array<f32, ${v.rank * v.rows}>;` : ''}
${v.gated ? `var<workgroup> results: array<f32, ${2 * count(v)}>;` : ''}
fn fold(local: u32) {
  workgroupBarrier();
  if (local < ${count(v) * FOLDERS}u) {
    let at = local / ${FOLDERS}u * ${STRIDE}u + local % ${FOLDERS}u;
    var sum = partial[at];
    for (var i = 1u; i < ${SHARE / FOLDERS}u; i++) { sum += partial[at + i * ${FOLDERS}u]; }
    folded[local] = sum;
  }
  workgroupBarrier();
}
fn sumOf(at: u32) -> f32 {
  return (folded[at * 4u] + folded[at * 4u + 1u]) + (folded[at * 4u + 2u] + folded[at * 4u + 3u]);
}
${lines(v.segments.length, (i) => segment(v, i))}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u) {
  let blocks = (u.m + ${v.rows - 1}u) / ${v.rows}u;
  var group = (wg.y * groups.x + wg.x) / blocks;
  let m0 = (wg.y * groups.x + wg.x) % blocks * ${v.rows}u;
  let depth = u.k${v.quads ? ' / 4u' : ''};
${v.norm ? rowsOfX(v) : ''}
  ${
    v.norm
      ? `${lines(v.rows, (i) => `{ var sum = ${v.quads ? 'vec4f(0.0)' : '0.0'}; for (var k = local; k < depth; k += ${LANES}u) { let x = X[row${i} + k]; sum += x * x; } partial[${i * LANES}u + local] = ${v.quads ? 'dot(sum, vec4f(1.0))' : 'sum'}; }`)}
  workgroupBarrier();
  if (local < ${16 * v.rows}u) {
    var sum = partial[local * 16u];
    for (var i = 1u; i < 16u; i++) { sum += partial[local * 16u + i]; }
    folded[local] = sum;
  }
  workgroupBarrier();
${lines(v.rows, (i) => `  var scale${i} = folded[${16 * i}u]; for (var i = 1u; i < 16u; i++) { scale${i} += folded[${16 * i}u + i]; } scale${i} = inverseSqrt(scale${i} / f32(u.k) + u.eps);`)}`
      : ''
  }
  ${
    v.gated
      ? `if (group >= ${groupsOf(0)}) { return; }
  segment0(group, m0, local${scales});
  segment1(group, m0, local${scales});
  workgroupBarrier();
  let c0 = group * ${block}u;
  ${each1(v, `if (c < u.s0_n && m0 + i < u.m) { let g = results[local]; let up = results[${count(v)}u + local]; ${v.gated} ${array(v, 'Y0')}[(m0 + i) * u.s0_stride + c] = g * s * up; }`)}`
      : lines(
          v.segments.length,
          (i) =>
            `  { let own = ${groupsOf(i)}; if (group < own) { segment${i}(group, m0, local${scales}); return; } group -= own; }`,
        )
  }
}`);
}
