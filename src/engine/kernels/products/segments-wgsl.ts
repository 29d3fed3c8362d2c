/**
 * WGSL for linear layers that read the same input as one product (q, k and v; gate and up): their weights are segments, each
 * with sizes of its own and a place in an array that they share or in one of its own. A tile belongs to one segment.
 *
 *   NT:  Y_s = alpha_s · X·W_sᵀ + H_s·B_sᵀ + bias_s       the layers, and with W = A their LoRA's H_s, columns of one matrix
 *   NN:  H_s = alpha_s · Y_s·B_s                          the gradients of these columns
 *   sum: Z = Σ_s (Y_s·W_s + H_s·A_s) + plus               the gradient of the input, with dropout of H_s·A_s if X had it there
 */
import type { WeightFormat } from '../../types';
import { KEPT } from '../pointwise/dropout';
import { besideProducts, type TnShape } from './matmul-tn-wgsl';
import {
  type Binding,
  bindings,
  declared,
  ENTRY,
  GLOBAL_INDEX,
  lines,
  nnColumns,
  ntLoop,
  ntSpans,
  overRows,
  range,
} from './matmul-wgsl';
import { blockCode, elementType, matrixLoader } from './weight-wgsl';

/** For every segment, which of several arrays holds its operand, counted from 0. */
export type Arrays = number[];

/** Vectors of four words that a segment has among the uniforms. */
const FIELDS = 3;

/** As `segmentFields` packs them: `width` are the columns of H, `tiles` those of one row of tiles. */
export const segmentUniforms = (count: number, dropout = false) =>
  `m: u32, k: u32, width: u32, tiles: u32,${dropout ? ' seed: u32, step: u32, limit: u32, scale: f32,' : ''} segments: array<vec4u, ${FIELDS * count}>`;

const field = (index: number, s: string | number = 'segment') =>
  `u.segments[${typeof s === 'number' ? `${FIELDS * s + index}u` : `${FIELDS}u * ${s} + ${index}u`}]`;
const rowsOf = (s?: string | number) => `${field(0, s)}.x`;
const weightAt = (s?: string | number) => `${field(0, s)}.y`;
const rankOf = (s?: string | number) => `${field(0, s)}.z`;
const columnOf = (s?: string | number) => `${field(0, s)}.w`;
const factorAt = (s?: string | number) => `${field(1, s)}.x`;
const biasAt = (s?: string | number) => `${field(1, s)}.y`;
const outAt = (s?: string | number) => `${field(1, s)}.z`;
const strideOf = (s?: string | number) => `${field(1, s)}.w`;
const tagOf = (s?: string | number) => `${field(2, s)}.y`;
const alphaOf = (s?: string | number) => `bitcast<f32>(${field(2, s)}.x)`;

/** The segment at work, and where the words of its weight begin if its format has blocks. */
const STATE = `var<private> segment: u32;
var<private> wordAt: u32;`;

/** Code over the words of a quantised weight (`W[a + b]`), moved to where the segment's begin. */
const moved = (code: string) => code.replaceAll('W[', 'W[wordAt + ');

/** Takes `id` apart: the segment's own tile remains. `size` is what the tiles divide. */
const findSegment = (count: number, size: string, tile: number) => `  segment = 0u;
  while (segment < ${count - 1}u) {
    let own = (${size} + ${tile - 1}u) / ${tile}u;
    if (id < own) { break; }
    id -= own;
    segment += 1u;
  }`;

const distinct = (arrays: Arrays) => Math.max(...arrays) + 1;

/** Declares the arrays `NAME0`, … and gives the function `loadNAME(i)`, which reads the one of the segment at work. */
function loader(
  declare: (access: string, name: string, type: string) => void,
  name: string,
  arrays: Arrays,
  quads: boolean,
  format: WeightFormat = 'f32',
): string {
  const count = distinct(arrays);
  for (const i of range(count)) declare('read', `${name}${i}`, elementType(format, quads));
  if (count === 1) return matrixLoader(`load${name}`, `${name}0`, format, quads);
  return `${lines(count, (i) => matrixLoader(`load${name}${i}`, `${name}${i}`, format, quads))}
fn load${name}(i: u32) -> ${quads ? 'vec4f' : 'f32'} {
${lines(arrays.length - 1, (s) => `  if (segment == ${s}u) { return load${name}${arrays[s]}(i); }`)}
  return load${name}${arrays.at(-1)}(i);
}`;
}

/** Declares W and gives the functions that read it; those of formats with blocks read from `wordAt` on. */
function weightLoader(
  declare: (access: string, name: string, type: string) => void,
  { format, quads, spans, w }: { format: WeightFormat; quads: boolean; spans: boolean; w: Arrays },
): string {
  if (!blockCode(format)) return loader(declare, 'W', w, quads, format);
  declare('read', 'W', 'u32');
  return moved(spans ? blockCode(format)!.functions : matrixLoader('loadW', 'W', format, quads, `(${rowsOf()} * u.k)`));
}

/** Before a segment's weight is read: where it begins, in loads of `loadW`. */
const openWeight = (format: WeightFormat, s?: number) =>
  blockCode(format) ? `  wordAt = ${weightAt(s)};\n  let weight = 0u;` : `  let weight = ${weightAt(s)};`;

export interface NtSegments {
  tm: number;
  tn: number;
  format: WeightFormat;
  /** Rows are whole spans of a quantised format. */
  spans: boolean;
  /** K is a multiple of 4. */
  quads: boolean;
  /** Every segment's rows and places are multiples of 4: results are stored as vec4. */
  quadStore: boolean;
  /** Adds H_s · B_sᵀ. */
  lora: false | { quads: boolean };
  /** Adds a matrix of Y's shape; of one segment only. */
  residual: boolean;
  arrays: { x: Arrays; w: Arrays; b?: Arrays; bias?: Arrays; y: Arrays };
}

export function ntSegmentsShader(v: NtSegments): string {
  const { declare, list } = bindings();
  const { arrays, lora } = v;
  const count = arrays.y.length;
  const code = v.spans ? blockCode(v.format) : undefined;
  const functions = [
    loader(declare, 'X', arrays.x, v.quads),
    weightLoader(declare, { ...v, w: arrays.w }),
    ...(lora ? [loader(declare, 'H', [0], lora.quads), loader(declare, 'B', arrays.b!, lora.quads)] : []),
    ...(arrays.bias ? [loader(declare, 'Bias', arrays.bias, v.quadStore)] : []),
  ];
  const wide = v.quadStore ? 'vec4f' : 'f32';
  if (v.residual) declare('read', 'residual', wide);
  const outputs = distinct(arrays.y);
  for (const i of range(outputs)) declare('read_write', `Y${i}`, wide);
  const put = `fn put(at: u32, value: ${wide}) {
${outputs === 1 ? '  Y0[at] = value;' : lines(count, (s) => `  if (segment == ${s}u) { Y${arrays.y[s]}[at] = value; return; }`)}
}`;
  const extra = (n: string) =>
    `${arrays.bias ? ` + loadBias(biasAt + ${n})` : ''}${v.residual ? ` + residual[row + ${n}]` : ''}`;
  const store = v.quadStore
    ? lines(
        v.tm,
        (i) => `  if (m0 + ${i}u < u.m) {
    let row = (m0 + ${i}u) * (stride / 4u) + at;
${lines(
  v.tn / 4,
  (q) =>
    `    { let n4 = n0 / 4u + ${q}u; if (n4 * 4u < rows) { put(row + n4, vec4f(${range(4)
      .map((c) => `a${i}_${q * 4 + c}`)
      .join(', ')}) * alpha${extra('n4')}); } }`,
)}
  }`,
      )
    : lines(
        v.tm,
        (i) => `  if (m0 + ${i}u < u.m) {
    let row = (m0 + ${i}u) * stride + at;
${lines(v.tn, (j) => `    if (n0 + ${j}u < rows) { put(row + n0 + ${j}u, a${i}_${j} * alpha${extra(`n0 + ${j}u`)}); }`)}
  }`,
      );
  const loads = v.quadStore ? ' / 4u' : '';
  const loraLoads = lora !== false && lora.quads ? ' / 4u' : '';
  return `struct Uniforms { ${segmentUniforms(count)} }
${declared(list)}
${STATE}
${functions.join('\n')}
${put}
${GLOBAL_INDEX}
${ENTRY} {
  let thread = globalIndex(wg, local, groups);
  let m0 = thread / u.tiles * ${v.tm}u;
  if (m0 >= u.m) { return; }
  var id = thread % u.tiles;
${findSegment(count, rowsOf(), v.tn)}
  let rows = ${rowsOf()};
  let n0 = id * ${v.tn}u;
${openWeight(v.format)}
${lines(v.tm, (i) =>
  range(v.tn)
    .map((j) => `  var a${i}_${j} = 0.0;`)
    .join(''),
)}
  ${
    code
      ? moved(`${code.prologue('(rows * u.k)')}\n${ntSpans(v, code, 'rows')}`)
      : ntLoop(v, { left: 'loadX', right: 'loadW', depth: 'u.k', rows: 'rows', rightAt: ' + weight' })
  }
  ${
    lora
      ? ntLoop(
          { ...v, quads: lora.quads },
          {
            left: 'loadH',
            right: 'loadB',
            depth: rankOf(),
            rows: 'rows',
            stride: `(u.width${loraLoads})`,
            leftAt: ` + ${columnOf()}${loraLoads}`,
            rightAt: ` + ${factorAt()}${loraLoads}`,
          },
        )
      : ''
  }
  let alpha = ${alphaOf()};
  let stride = ${strideOf()};
  let at = ${outAt()}${loads};
  ${arrays.bias ? `let biasAt = ${biasAt()}${loads};` : ''}
${store}
}`;
}

/** Sets a thread's sums to zero. */
const zeros = (tm: number, columns: number, quads: boolean, sums = 'a') =>
  lines(tm, (i) =>
    range(columns)
      .map((q) => `  var ${sums}${i}_${q} = ${quads ? 'vec4f(0.0)' : '0.0'};`)
      .join(''),
  );

/** Adds the sums `b` after dropout, whose mask is that of the place in Z. */
const masked = (tm: number, columns: number, quads: boolean) =>
  lines(tm, (i) =>
    lines(columns, (q) =>
      quads
        ? `  { let keep = kept((m0 + ${i}u) * (u.k / 4u) + c${q}, ${tagOf()}); a${i}_${q} += select(vec4f(0.0), b${i}_${q} * keep, keep > vec4f(0.0)); }`
        : `  { let at = (m0 + ${i}u) * u.k + c${q}; let keep = kept(at / 4u, ${tagOf()})[at % 4u]; a${i}_${q} += select(0.0, b${i}_${q} * keep, keep > 0.0); }`,
    ),
  );

export interface NnSegments {
  tm: number;
  tk: number;
  /** Every rank is a multiple of 4. */
  quads: boolean;
  /** Whether a segment's rows are a multiple of 4; only with `quads`. */
  left: boolean[];
  arrays: { b: Arrays };
}

/** H_s = alpha_s · Y_s·B_s. */
export function nnSegmentsShader(v: NnSegments): string {
  const { declare, list } = bindings();
  const count = v.left.length;
  const { width, columns, place, dense } = nnColumns({ ...v, format: 'f32', spans: false }, 'rank');
  const functions = [
    ...v.left.map((quads, s) => {
      declare('read', `Y${s}`, elementType('f32', quads));
      return matrixLoader(`loadY${s}`, `Y${s}`, 'f32', quads);
    }),
    loader(declare, 'B', v.arrays.b, v.quads),
  ];
  declare('read_write', 'Z', v.quads ? 'vec4f' : 'f32');
  const loads = v.quads ? ' / 4u' : '';
  const sums = (s: number) =>
    overRows(
      v.tm,
      v.left[s]!,
      { load: `loadY${s}`, depth: 'rows', stride: 'rows', first: '', first4: '' },
      dense('loadB', ' + factor'),
    );
  return `struct Uniforms { ${segmentUniforms(count)} }
${declared(list)}
${STATE}
${functions.join('\n')}
${GLOBAL_INDEX}
${ENTRY} {
  let thread = globalIndex(wg, local, groups);
  let m0 = thread / u.tiles * ${v.tm}u;
  if (m0 >= u.m) { return; }
  var id = thread % u.tiles;
${findSegment(count, rankOf(), v.tk)}
  let rows = ${rowsOf()};
  let rank = ${rankOf()};
  let tilesK = (rank + ${v.tk - 1}u) / ${v.tk}u;
  let factor = ${factorAt()}${loads};
${place}
${zeros(v.tm, columns, v.quads)}
${range(count)
  .map((s) => `  ${s > 0 ? 'else ' : ''}if (segment == ${s}u) { ${sums(s)} }`)
  .join('\n')}
  let alpha = ${alphaOf()};
${lines(
  v.tm,
  (i) => `  if (m0 + ${i}u < u.m) {
    let row = (m0 + ${i}u) * (u.width / ${width}u) + ${columnOf()} / ${width}u;
${lines(columns, (q) => `    if (k0 + ${q * width}u < rank) { Z[row + c${q}] = a${i}_${q} * alpha; }`)}
  }`,
)}
}`;
}

export interface SumSegments {
  tm: number;
  tk: number;
  format: WeightFormat;
  spans: boolean;
  /** K is a multiple of 4. */
  quads: boolean;
  /** Whether a segment's rows are a multiple of 4; only with `quads`. */
  left: boolean[];
  /** Adds H_s · A_s; `leftQuads` if every rank is a multiple of 4, only with `quads`. */
  lora: false | { leftQuads: boolean; a: Arrays };
  plus: boolean;
  /** What each segment's H_s · A_s gives takes dropout, with a mask of its own. */
  dropout: boolean;
}

/** The bindings, functions and `inputTile` of Z = Σ_s (Y_s·W_s + H_s·A_s) + plus. */
function sumParts(v: SumSegments): { list: Binding[]; functions: string; tile: string } {
  const { declare, list } = bindings();
  const count = v.left.length;
  const { code, width, columns, place, dense, spans } = nnColumns(v);
  const functions = v.left.map((quads, s) => {
    declare('read', `Y${s}`, elementType('f32', quads));
    return matrixLoader(`loadY${s}`, `Y${s}`, 'f32', quads);
  });
  functions.push(weightLoader(declare, { ...v, w: [0] }));
  if (v.dropout) functions.push(KEPT);
  if (v.lora) {
    declare('read', 'H', elementType('f32', v.lora.leftQuads));
    functions.push(matrixLoader('loadH', 'H', 'f32', v.lora.leftQuads), loader(declare, 'A', v.lora.a, v.quads));
  }
  if (v.plus) declare('read', 'plus', v.quads ? 'vec4f' : 'f32');
  declare('read_write', 'Z', v.quads ? 'vec4f' : 'f32');
  const loads = v.quads ? ' / 4u' : '';
  const weights = lines(
    count,
    (s) => `  {
  segment = ${s}u;
  let rows = ${rowsOf(s)};
${openWeight(v.format, s)}
  ${code ? moved(code.prologue('(rows * u.k)')) : ''}
  ${overRows(
    v.tm,
    v.left[s]!,
    { load: `loadY${s}`, depth: 'rows', stride: 'rows', first: '', first4: '' },
    code ? (n, y) => moved(spans(n, y)) : dense('loadW', ' + weight'),
  )}
  }`,
  );
  const factors = v.lora
    ? `  for (segment = 0u; segment < ${count}u; segment++) {
  let rank = ${rankOf()};
  let column = ${columnOf()};
  let factor = ${factorAt()}${loads};
${v.dropout ? zeros(v.tm, columns, v.quads, 'b') : ''}
  ${overRows(
    v.tm,
    v.lora.leftQuads,
    { load: 'loadH', depth: 'rank', stride: 'u.width', first: ' + column', first4: ' + column / 4u' },
    dense('loadA', ' + factor', v.dropout ? 'b' : 'a'),
  )}
${v.dropout ? masked(v.tm, columns, v.quads) : ''}
  }`
    : '';
  const inside = (q: number) => (code ? '' : `if (k0 + ${q * width}u < u.k) `);
  const tile = `${STATE}
fn inputTile(id: u32) {
  let tilesK = (u.k + ${v.tk - 1}u) / ${v.tk}u;
  let m0 = id / tilesK * ${v.tm}u;
  if (m0 >= u.m) { return; }
${place}
${zeros(v.tm, columns, v.quads)}
${weights}
${factors}
${lines(
  v.tm,
  (i) => `  if (m0 + ${i}u < u.m) {
    let row = (m0 + ${i}u) * (u.k / ${width}u);
${lines(columns, (q) => `    ${inside(q)}{ Z[row + c${q}] = a${i}_${q}${v.plus ? ` + plus[row + c${q}]` : ''}; }`)}
  }`,
)}
}`;
  return { list, functions: functions.join('\n'), tile };
}

export function sumSegmentsShader(v: SumSegments): string {
  const { list, functions, tile } = sumParts(v);
  return `struct Uniforms { ${segmentUniforms(v.left.length, v.dropout)} }
${declared(list)}
${functions}
${GLOBAL_INDEX}
${tile}
${ENTRY} { inputTile(globalIndex(wg, local, groups)); }`;
}

/** The same beside products of TN over the same rows. */
export function sumSegmentsAndProductsShader(
  v: SumSegments,
  products: TnShape[],
  shared: Record<string, string>,
): string {
  return besideProducts(sumParts(v), segmentUniforms(v.left.length, v.dropout), products, shared);
}
