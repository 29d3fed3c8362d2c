/**
 * WGSL for linear layers that read the same input as one product (q, k and v; gate and up): their weights are segments, each
 * with sizes of its own and a place in an array that they share or in one of its own. A tile belongs to one segment.
 *
 *   NT:  Y_s = alpha_s · X·W_sᵀ + H_s·B_sᵀ + bias_s       the layers, and with W = A their LoRA's H_s, columns of one matrix
 *   NN:  H_s = alpha_s · Y_s·B_s                          the gradients of these columns
 *   sum: Z = Σ_s (Y_s·W_s + H_s·A_s) + plus               the gradient of the input (segments-sum-wgsl.ts)
 */
import type { WeightFormat } from '../../types';
import { bindings, declared, lines, type NtVariant, nnSums, quadSums, range } from './matmul-wgsl';
import type { Scheme } from './scheme';
import {
  alphaOf,
  biasAt,
  columnOf,
  factorAt,
  outAt,
  rankOf,
  rowsOf,
  segmentUniforms,
  strideOf,
  weightAt,
} from './segment-uniforms';
import { placesOf, storeSums } from './store-wgsl';
import { blockCode, elementType, matrixLoader } from './weight-wgsl';

/** For every segment, which of several arrays holds its operand, counted from 0. */
export type Arrays = number[];

/** The segment at work, and where the words of its weight begin if its format has blocks. */
export const STATE = `var<private> segment: u32;
var<private> wordAt: u32;`;

/** Code over the words of a quantised weight (`W[a + b]`), moved to where the segment's begin. */
export const moved = (code: string) => code.replaceAll('W[', 'W[wordAt + ');

/**
 * Takes `block` apart into `which` segment, for what all threads of a workgroup must know alike, and `id`, its own block. `size` is
 * what the blocks divide.
 */
const findSegment = (count: number, size: string, block: number) => `  var which = 0u;
  while (which < ${count - 1}u) {
    let own = (${size} + ${block - 1}u) / ${block}u;
    if (id < own) { break; }
    id -= own;
    which += 1u;
  }
  segment = which;`;

const distinct = (arrays: Arrays) => Math.max(...arrays) + 1;

/** Declares the arrays `NAME0`, … and gives the function `loadNAME(i)`, which reads the one of the segment at work. */
export function loader(
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
export function weightLoader(
  declare: (access: string, name: string, type: string) => void,
  { format, quads, spans, w }: { format: WeightFormat; quads: boolean; spans: boolean; w: Arrays },
): string {
  if (!blockCode(format)) return loader(declare, 'W', w, quads, format);
  declare('read', 'W', 'u32');
  return moved(spans ? blockCode(format)!.functions : matrixLoader('loadW', 'W', format, quads, `(${rowsOf()} * u.k)`));
}

/** Before a segment's weight is read: where it begins, in loads of `loadW`. */
export const openWeight = (format: WeightFormat, s?: number) =>
  blockCode(format) ? `  wordAt = ${weightAt(s)};\n  let weight = 0u;` : `  let weight = ${weightAt(s)};`;

/** `quadStore` also means that every segment's rows and places are multiples of 4; `residual` is of one segment only. */
export interface NtSegments extends Omit<NtVariant, 'bias' | 'part'> {
  arrays: { x: Arrays; w: Arrays; b?: Arrays; bias?: Arrays; y: Arrays };
}

export function ntSegmentsShader(v: NtSegments, scheme: Scheme): string {
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
    ? storeSums(quadSums(v), scheme.rolled, {
        row: (i, columns) => `  if (m0 + ${i} < u.m) {
    let row = (m0 + ${i}) * (stride / 4u) + at;
${columns}
  }`,
        put: (q, sum) =>
          `    { let n4 = n0 / 4u + ${q}; if (n4 * 4u < rows) { put(row + n4, ${sum} * alpha${extra('n4')}); } }`,
      })
    : storeSums({ rows: v.tm, columns: v.tn, type: 'f32', name: (i, j) => `a${i}_${j}` }, scheme.rolled, {
        row: (i, columns) => `  if (m0 + ${i} < u.m) {
    let row = (m0 + ${i}) * stride + at;
${columns}
  }`,
        put: (j, sum) => `    if (n0 + ${j} < rows) { put(row + n0 + ${j}, ${sum} * alpha${extra(`n0 + ${j}`)}); }`,
      });
  const loads = v.quadStore ? ' / 4u' : '';
  const loraLoads = lora !== false && lora.quads ? ' / 4u' : '';
  const { directives, memory, entry, block } = scheme;
  const [blockM, blockN] = scheme.size(v.tm, v.tn);
  const main = code
    ? moved(`${code.prologue('(rows * u.k)')}\n${scheme.ntSpans(v, code, 'rows')}`)
    : scheme.nt(v, { left: 'loadX', right: 'loadW', depth: 'u.k', rows: 'rows', rightAt: ' + weight' });
  const factors =
    lora &&
    scheme.nt(
      { ...v, quads: lora.quads },
      {
        ...{ left: 'loadH', right: 'loadB', depth: rankOf('which'), rows: 'rows', stride: `(u.width${loraLoads})` },
        leftAt: ` + ${columnOf('which')}${loraLoads}`,
        rightAt: ` + ${factorAt('which')}${loraLoads}`,
      },
    );
  return `${directives}struct Uniforms { ${segmentUniforms(count)} }
${declared(list)}
${STATE}
${functions.join('\n')}
${put}
${memory}
${entry}
  let tileM = ${block} / u.tiles * ${blockM}u;
  if (tileM >= u.m) { return; }
  var id = ${block} % u.tiles;
${findSegment(count, rowsOf('which'), blockN)}
  let rows = ${rowsOf('which')};
  let tileN = id * ${blockN}u;
${scheme.placeNT(v.tm)}
${openWeight(v.format)}
${lines(v.tm, (i) =>
  range(v.tn)
    .map((j) => `  var a${i}_${j} = 0.0;`)
    .join(''),
)}
${scheme.whole('nt', `${main}\n${factors || ''}`)}
  let alpha = ${alphaOf()};
  let stride = ${strideOf()};
  let at = ${outAt()}${loads};
  ${arrays.bias ? `let biasAt = ${biasAt()}${loads};` : ''}
${store}
}`;
}

/** Sets a thread's sums to zero. */
export const zeros = (tm: number, columns: number, quads: boolean, sums = 'a') =>
  lines(tm, (i) =>
    range(columns)
      .map((q) => `  var ${sums}${i}_${q} = ${quads ? 'vec4f(0.0)' : '0.0'};`)
      .join(''),
  );

/** The columns of a thread of NN. */
export const columnPlaces = (columns: number, { rolled }: Scheme) =>
  placesOf(
    range(columns).map((q) => `c${q}`),
    rolled,
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
export function nnSegmentsShader(v: NnSegments, scheme: Scheme): string {
  const { declare, list } = bindings();
  const count = v.left.length;
  const tile = { ...v, format: 'f32', spans: false } as const;
  const width = v.quads ? 4 : 1;
  const columns = v.tk / width;
  const functions = [
    ...v.left.map((quads, s) => {
      declare('read', `Y${s}`, elementType('f32', quads));
      return matrixLoader(`loadY${s}`, `Y${s}`, 'f32', quads);
    }),
    loader(declare, 'B', v.arrays.b, v.quads),
  ];
  declare('read_write', 'Z', v.quads ? 'vec4f' : 'f32');
  const loads = v.quads ? ' / 4u' : '';
  const left = { depth: 'rows', stride: 'rows', first: '', first4: '' };
  const sums = range(count).map(
    (s) =>
      `  ${s > 0 ? 'else ' : ''}if (which == ${s}u) { ${scheme.nn(
        tile,
        { left: { ...left, load: `loadY${s}`, quads: v.left[s]! }, right: 'loadB', rightAt: ' + factor' },
        'rank',
      )} }`,
  );
  const [blockM, blockK] = scheme.size(v.tm, v.tk);
  const place = columnPlaces(columns, scheme);
  return `${scheme.directives}struct Uniforms { ${segmentUniforms(count)} }
${declared(list)}
${STATE}
${functions.join('\n')}
${scheme.memory}
${scheme.entry}
  let tileM = ${scheme.block} / u.tiles * ${blockM}u;
  if (tileM >= u.m) { return; }
  var id = ${scheme.block} % u.tiles;
${findSegment(count, rankOf('which'), blockK)}
  let rows = ${rowsOf('which')};
  let rank = ${rankOf('which')};
  let tilesK = (rank + ${blockK - 1}u) / ${blockK}u;
  let factor = ${factorAt('which')}${loads};
${scheme.placeNN(tile, 'rank')}
${zeros(v.tm, columns, v.quads)}
${scheme.whole('nn', sums.join('\n'))}
  let alpha = ${alphaOf()};
${place.declare}
${storeSums(nnSums(v.tm, columns, v.quads), scheme.rolled, {
  row: (i, inner) => `  if (m0 + ${i} < u.m) {
    let row = (m0 + ${i}) * (u.width / ${width}u) + ${columnOf()} / ${width}u;
${inner}
  }`,
  put: (q, sum) => `    if (k0 + ${q} * ${width}u < rank) { Z[row + ${place.at(q)}] = ${sum} * alpha; }`,
})}
}`;
}
