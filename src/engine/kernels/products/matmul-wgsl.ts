/**
 * WGSL for the products that training needs: what their schemes (variants.ts) share, and the loops of registers. There each thread
 * computes a TM×TN block of the output from 16-byte loads, every value held in a named register (an array indexed in a loop
 * would spill). Out-of-range rows are clamped on load and guarded on store, so the inner loop has no branch.
 *
 *   NT: Y[M,N] = X[M,K] · W[N,K]ᵀ     Hugging Face stores a Linear as [out, in], so this is its forward pass
 *   NN: Z[M,K] = Y[M,N] · W[N,K]      its gradient with respect to the input
 *   TN: C[P,Q] = U[M,P]ᵀ · V[M,Q]     gradients of LoRA's A and B, and of trainable weights (matmul-tn-wgsl.ts)
 *
 * Quantised weights have separate loops, which take a span of equal scale at a time. A weight in several buffers takes one
 * dispatch per part: N is then the part's rows, `first` its first row's index in the whole, `stride` the whole's N.
 */
import type { WeightFormat } from '../../types';
import type { NnTile, NtLoop, Scheme } from './scheme';
import { placesOf, type Sums, storeSums } from './store-wgsl';
import { type BlockCode, blockCode, elementType, matrixLoader } from './weight-wgsl';

export const range = (n: number) => Array.from({ length: n }, (_, i) => i);
export const lines = (n: number, f: (i: number) => string) => range(n).map(f).join('\n');

/** The flat invocation index; a dispatch may be folded into two dimensions. */
export const GLOBAL_INDEX = `fn globalIndex(wg: vec3u, local: u32, groups: vec3u) -> u32 {
  return (wg.y * groups.x + wg.x) * 64u + local;
}`;

export const ENTRY = `@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(local_invocation_index) local: u32, @builtin(num_workgroups) groups: vec3u)`;

// A product in pieces has `pieces` of `share` rows of W.
export const UNIFORMS =
  'm: u32, n: u32, k: u32, rank: u32, alpha: f32, first: u32, stride: u32, pieces: u32, share: u32';

/** An array of a shader, in the order of its bindings. */
export interface Binding {
  access: string;
  name: string;
  type: string;
}

/** The storage bindings in their order, with the uniforms last. */
export const declared = (list: Binding[]): string =>
  `${list.map(({ access, name, type }, i) => `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<${type}>;`).join('\n')}
@group(0) @binding(${list.length}) var<uniform> u: Uniforms;`;

/** Collects storage bindings in the order they are declared. */
export function bindings() {
  const list: Binding[] = [];
  return {
    list,
    declare(access: string, name: string, type: string) {
      list.push({ access, name, type });
    },
    text: () => `struct Uniforms { ${UNIFORMS} }\n${declared(list)}`,
  };
}

/** Whether a format's span loops fit rows of `k` values: GGUF's rows are whole blocks, NF4's need not be. */
export function fitsSpans(format: WeightFormat, k: number): boolean {
  const code = blockCode(format);
  return code !== undefined && k % code.span === 0;
}

/** Columns that one step of a span reads. */
export const columnsAStep = (format: WeightFormat) => 4 * (blockCode(format)?.wide ?? 1);

export interface NtVariant {
  tm: number;
  tn: number;
  format: WeightFormat;
  /** Rows are whole spans of a quantised format. */
  spans: boolean;
  /** K is a multiple of 4. */
  quads: boolean;
  /** N and tn are multiples of 4: results are stored as vec4. */
  quadStore: boolean;
  /** Adds H[M,r] · B[N,r]ᵀ, LoRA's second half, in the same reduction. */
  lora: false | { quads: boolean };
  bias: boolean;
  residual: boolean;
  /** W holds only some of the rows. */
  part: boolean;
}

/** The sums of NT, four columns at a time. */
export const quadSums = ({ tm, tn }: { tm: number; tn: number }): Sums => ({
  ...{ rows: tm, columns: tn / 4, type: 'vec4f' },
  name: (i, q) =>
    `vec4f(${range(4)
      .map((c) => `a${i}_${q * 4 + c}`)
      .join(', ')})`,
});

/** The sums of NN. */
export const nnSums = (rows: number, columns: number, quads: boolean, name = 'a'): Sums => ({
  ...{ rows, columns, type: quads ? 'vec4f' : 'f32' },
  name: (i, q) => `${name}${i}_${q}`,
});

/** One reduction `acc[i][j] += Σ_k left[m0+i, k] · right[n0+j, k]`. */
export function ntLoop(v: { tm: number; tn: number; quads: boolean }, o: NtLoop): string {
  const { tm, tn, quads } = v;
  const { left, right, depth, first = '', rows = 'u.n', stride = 'depth', leftAt = '', rightAt = '' } = o;
  const d = quads ? `(${depth} / 4u)` : depth;
  return `{
  let depth = ${d};
${lines(tm, (i) => `  let x${i} = min(m0 + ${i}u, u.m - 1u) * ${stride}${leftAt};`)}
${lines(tn, (j) => `  let w${j} = (min(n0 + ${j}u, ${rows} - 1u)${first}) * depth${rightAt};`)}
  for (var k = 0u; k < depth; k++) {
${lines(tn, (j) => `    let wv${j} = ${right}(w${j} + k);`)}
${lines(
  tm,
  (i) => `    let xv${i} = ${left}(x${i} + k);
${lines(tn, (j) => (quads ? `    a${i}_${j} += dot(xv${i}, wv${j});` : `    a${i}_${j} += xv${i} * wv${j};`))}`,
)}
  }
}`;
}

/** The same for a quantised W. */
export function ntSpans({ tm, tn }: { tm: number; tn: number }, code: BlockCode, rows = 'u.n'): string {
  return `{
  let spans = u.k / ${code.span}u;
  let depth = u.k / 4u;
${lines(tm, (i) => `  let x${i} = min(m0 + ${i}u, u.m - 1u) * depth;`)}
${lines(tn, (j) => `  let w${j} = min(n0 + ${j}u, ${rows} - 1u) * spans;`)}
  for (var s = 0u; s < spans; s++) {
${lines(tn, (j) => `    ${code.open(String(j), `w${j} + s`, '0u')}`)}
    for (var t = 0u; t < ${code.steps}u; t++) {
${lines(tn, (j) => `      ${code.words(String(j), 't')}`)}
${lines(
  code.wide,
  (q) => `      {
        let k = ${code.quadAt('s', 't', q)};
${lines(tn, (j) => `        let wv${j} = ${code.quads(String(j))[q]};`)}
${lines(tm, (i) => `        let xv${i} = loadX(x${i} + k);\n${lines(tn, (j) => `        a${i}_${j} += dot(xv${i}, wv${j});`)}`)}
      }`,
)}
    }
  }
}`;
}

export function ntShader(v: NtVariant, scheme: Scheme): string {
  const { declare, text } = bindings();
  const code = v.spans ? blockCode(v.format) : undefined;
  declare('read', 'X', elementType('f32', v.quads));
  declare('read', 'W', elementType(v.format, v.quads));
  const loaders = [
    matrixLoader('loadX', 'X', 'f32', v.quads),
    code ? code.functions : matrixLoader('loadW', 'W', v.format, v.quads, '(u.n * u.k)'),
  ];
  if (v.lora) {
    declare('read', 'H', elementType('f32', v.lora.quads));
    declare('read', 'B', elementType('f32', v.lora.quads));
    loaders.push(matrixLoader('loadH', 'H', 'f32', v.lora.quads), matrixLoader('loadB', 'B', 'f32', v.lora.quads));
  }
  const wide = v.quadStore ? 'vec4f' : 'f32';
  if (v.bias) declare('read', 'bias', wide);
  if (v.residual) declare('read', 'residual', wide);
  declare('read_write', 'Y', wide);
  const extra = (n: string) => `${v.bias ? ` + bias[${n}]` : ''}${v.residual ? ' + residual[at]' : ''}`;
  // Where column n of this part is in the rows of the whole.
  const [stride, first, first4] = v.part ? ['u.stride', ' + u.first', ' + u.first / 4u'] : ['u.n', '', ''];
  const store = v.quadStore
    ? storeSums(quadSums(v), scheme.rolled, {
        row: (i, columns) => `  if (m0 + ${i} < u.m) {\n${columns}\n  }`,
        put: (q, sum, i) =>
          `    { let n4 = n0 / 4u + ${q}; if (n4 * 4u < u.n) { let c4 = n4${first4}; let at = (m0 + ${i}) * (${stride} / 4u) + c4;
      Y[at] = ${sum} * u.alpha${extra('c4')}; } }`,
      })
    : storeSums({ rows: v.tm, columns: v.tn, type: 'f32', name: (i, j) => `a${i}_${j}` }, scheme.rolled, {
        row: (i, columns) => `  if (m0 + ${i} < u.m) {\n${columns}\n  }`,
        put: (j, sum, i) =>
          `    if (n0 + ${j} < u.n) { let c = n0 + ${j}${first}; let at = (m0 + ${i}) * ${stride} + c;
      Y[at] = ${sum} * u.alpha${extra('c')}; }`,
      });
  const { directives, memory, entry, block } = scheme;
  const [rows, columns] = scheme.size(v.tm, v.tn);
  const sums = `  ${
    code
      ? `${code.prologue('(u.n * u.k)')}\n${scheme.ntSpans(v, code)}`
      : scheme.nt(v, { left: 'loadX', right: 'loadW', depth: 'u.k' })
  }
  ${v.lora ? scheme.nt({ ...v, quads: v.lora.quads }, { left: 'loadH', right: 'loadB', depth: 'u.rank', first }) : ''}`;
  return `${directives}${text()}
${loaders.join('\n')}
${memory}
${entry}
  let tilesN = (u.n + ${columns - 1}u) / ${columns}u;
  let tileM = ${block} / tilesN * ${rows}u;
  let tileN = ${block} % tilesN * ${columns}u;
  if (tileM >= u.m) { return; }
${scheme.placeNT(v.tm)}
${lines(v.tm, (i) =>
  range(v.tn)
    .map((j) => `  var a${i}_${j} = 0.0;`)
    .join(''),
)}
${scheme.whole('nt', sums)}
${store}
}`;
}

export interface NnVariant {
  tm: number;
  /** Output columns per thread; a multiple of 4 with `quads`, of a step's columns with `spans`. */
  tk: number;
  format: WeightFormat;
  /** Rows are whole spans of a quantised format. */
  spans: boolean;
  /** K is a multiple of 4 (weight rows are read in quads). */
  quads: boolean;
  /** N is a multiple of 4 (dY is read in quads); only with `quads`. */
  leftQuads: boolean;
  /** Adds H[M,r] · A[r,K]. */
  lora: false | { leftQuads: boolean };
  /** W holds only some of the rows. */
  part: boolean;
  /** Adds to the contents of Z: for every part after the first. */
  add: boolean;
  /** Adds another matrix of Z's shape. */
  plus: boolean;
  /** Pieces of N have a Z each, one after the other; not with `lora` or `plus`. */
  split: boolean;
}

/**
 * acc[i][q] += Σ_n left[m0+i, n] · right[n, columns]. `body(n, y)` multiplies row n of the right operand by the left one's
 * values, given per tile row. Rows of the left operand are `stride` long and start at `first`.
 */
export function overRows(
  tm: number,
  leftQuads: boolean,
  left: { load: string; start?: string; depth: string; stride: string; first: string; first4: string },
  body: (n: string, y: (i: number) => string) => string,
): string {
  const { start = '0u' } = left;
  if (!leftQuads) {
    return `for (var n = ${start}; n < ${left.depth}; n++) {
${lines(tm, (i) => `    let y${i} = ${left.load}(min(m0 + ${i}u, u.m - 1u) * ${left.stride} + n${left.first});`)}
${body('n', (i) => `y${i}`)}
  }`;
  }
  const component = ['x', 'y', 'z', 'w'];
  return `{
${lines(tm, (i) => `  let r${i} = min(m0 + ${i}u, u.m - 1u) * (${left.stride} / 4u)${left.first4};`)}
  for (var n4 = ${start} / 4u; n4 < ${left.depth} / 4u; n4++) {
${lines(tm, (i) => `    let y${i} = ${left.load}(r${i} + n4);`)}
${lines(4, (c) => `    {\n${body(`(n4 * 4u + ${c}u)`, (i) => `y${i}.${component[c]}`)}\n    }`)}
  }
}`;
}

/** The columns of W and Z that a thread of NN has, and how a row of W takes part in its sums. */
export function nnColumns(v: NnTile, k = 'u.k') {
  const code = v.spans ? blockCode(v.format) : undefined;
  const width = v.quads ? 4 : 1;
  const columns = v.tk / width;
  // A thread's columns, in quads (or values): consecutive, or the quads of some steps of one span.
  const steps = code ? columns / code.wide : 0;
  const place = code
    ? `  let tile = id % tilesK;
  let span = tile / ${code.steps / steps}u;
  let t0 = tile % ${code.steps / steps}u * ${steps}u;
  let spans = u.k / ${code.span}u;
${lines(columns, (q) => `  let c${q} = ${code.quadAt('span', `(t0 + ${Math.floor(q / code.wide)}u)`, q % code.wide)};`)}`
    : `  let k0 = id % tilesK * ${v.tk}u;
${lines(columns, (q) => `  let c${q} = min(k0 / ${width}u + ${q}u, ${k} / ${width}u - 1u);`)}`;
  const dense =
    (load: string, at = '') =>
    (n: string, y: (i: number) => string) =>
      `    let base = ${n} * (${k} / ${width}u)${at};
${lines(columns, (q) => `    let w${q} = ${load}(base + c${q});`)}
${lines(v.tm, (i) => lines(columns, (q) => `    a${i}_${q} += ${y(i)} * w${q};`))}`;
  const spans = (n: string, y: (i: number) => string) => `    ${code!.open('w', `${n} * spans + span`, 't0')}
${lines(
  steps,
  (p) => `    { ${code!.words('w', `(t0 + ${p}u)`)}
${lines(code!.wide, (q) => {
  const column = p * code!.wide + q;
  return `      let w${q} = ${code!.quads('w')[q]};\n${lines(v.tm, (i) => `      a${i}_${column} += ${y(i)} * w${q};`)}`;
})} }`,
)}`;
  return { code, width, columns, place, dense, spans };
}

export const nnShader = (v: NnVariant, scheme: Scheme): string => tileShader(nnParts(v, scheme), UNIFORMS, scheme);

/** The bindings of a shader, the functions that it calls, and `inputTile(thread)`, which computes a tile. */
export interface TileParts {
  list: Binding[];
  functions: string;
  tile: string;
}

/** A shader whose threads compute a tile each. */
export function tileShader({ list, functions, tile }: TileParts, uniforms: string, scheme: Scheme): string {
  return `${scheme.directives}struct Uniforms { ${uniforms} }
${declared(list)}
${functions}
${scheme.memory}
${tile}
${scheme.entry}
  inputTile(thread);
}`;
}

export function nnParts(v: NnVariant, scheme: Scheme): TileParts {
  const { declare, list } = bindings();
  const code = v.spans ? blockCode(v.format) : undefined;
  const width = v.quads ? 4 : 1;
  const columns = v.tk / width;
  declare('read', 'Y', elementType('f32', v.leftQuads));
  declare('read', 'W', elementType(v.format, v.quads));
  const loaders = [
    matrixLoader('loadY', 'Y', 'f32', v.leftQuads),
    code ? code.functions : matrixLoader('loadW', 'W', v.format, v.quads, '(u.n * u.k)'),
  ];
  if (v.lora) {
    declare('read', 'H', elementType('f32', v.lora.leftQuads));
    declare('read', 'A', elementType('f32', v.quads));
    loaders.push(matrixLoader('loadH', 'H', 'f32', v.lora.leftQuads), matrixLoader('loadA', 'A', 'f32', v.quads));
  }
  if (v.plus) declare('read', 'plus', v.quads ? 'vec4f' : 'f32');
  declare('read_write', 'Z', v.quads ? 'vec4f' : 'f32');
  const whole = v.part ? ['u.stride', ' + u.first', ' + u.first / 4u'] : ['u.n', '', ''];
  const [start, depth] = v.split ? ['start', 'end'] : ['0u', 'u.n'];
  const left = { start, depth, stride: whole[0]!, first: whole[1]!, first4: whole[2]! };
  const share = { depth: 'u.rank', stride: 'u.rank', first: '', first4: '' };
  const inside = (q: string) => (code ? '' : `if (k0 + ${q} * ${width}u < u.k) `);
  const place = placesOf(
    range(columns).map((q) => `c${q}`),
    scheme.rolled,
  );
  const store = storeSums(nnSums(v.tm, columns, v.quads), scheme.rolled, {
    row: (i, inner) => `  if (m0 + ${i} < u.m) {
    let row = (${v.split ? 'piece * u.m + ' : ''}m0 + ${i}) * (u.k / ${width}u);
${inner}
  }`,
    put: (q, sum) => {
      const at = `row + ${place.at(q)}`;
      return `    ${inside(q)}{ Z[${at}] = ${v.add ? `Z[${at}] + ` : ''}${sum} * u.alpha${v.plus ? ` + plus[${at}]` : ''}; }`;
    },
  });
  const [blockM, blockK] = scheme.size(v.tm, v.tk);
  const y = { ...left, load: 'loadY', quads: v.leftQuads };
  const sums = `  ${code ? code.prologue('(u.n * u.k)') : ''}
  ${scheme.nn(v, { left: y, right: code ? null : 'loadW' }, 'u.k')}
  ${v.lora ? scheme.nn(v, { left: { ...share, load: 'loadH', quads: v.lora.leftQuads }, right: 'loadA' }, 'u.k') : ''}`;
  const tile = `fn inputTile(thread: u32) {
  let tilesK = (u.k + ${blockK - 1}u) / ${blockK}u;
  ${
    v.split
      ? `let tiles = (u.m + ${blockM - 1}u) / ${blockM}u * tilesK;
  let id = ${scheme.block} % tiles;
  let piece = ${scheme.block} / tiles;
  if (piece >= u.pieces) { return; }
  let start = min(piece * u.share, u.n);
  let end = min(start + u.share, u.n);`
      : `let id = ${scheme.block};`
  }
  let tileM = id / tilesK * ${blockM}u;
  if (tileM >= u.m) { return; }
${scheme.placeNN(v, 'u.k')}
${lines(v.tm, (i) =>
  range(columns)
    .map((q) => `  var a${i}_${q} = ${v.quads ? 'vec4f(0.0)' : '0.0'};`)
    .join(''),
)}
${scheme.whole('nn', sums)}
${place.declare}
${store}
}`;
  return { list, functions: loaders.join('\n'), tile };
}
