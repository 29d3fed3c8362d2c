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
import { besideProducts } from './matmul-tn-wgsl';
import {
  bindings,
  declared,
  lines,
  type NtVariant,
  nnSums,
  quadSums,
  range,
  type TileParts,
  tileShader,
} from './matmul-wgsl';
import type { Scheme, TnShape } from './scheme';
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
  tagOf,
  weightAt,
} from './segment-uniforms';
import { isLoop, placesOf, storeSums, sumsArray } from './store-wgsl';
import { blockCode, elementType, matrixLoader } from './weight-wgsl';

/** For every segment, which of several arrays holds its operand, counted from 0. */
export type Arrays = number[];

/** The segment at work, and where the words of its weight begin if its format has blocks. */
const STATE = `var<private> segment: u32;
var<private> wordAt: u32;`;

/** Code over the words of a quantised weight (`W[a + b]`), moved to where the segment's begin. */
const moved = (code: string) => code.replaceAll('W[', 'W[wordAt + ');

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
const zeros = (tm: number, columns: number, quads: boolean, sums = 'a') =>
  lines(tm, (i) =>
    range(columns)
      .map((q) => `  var ${sums}${i}_${q} = ${quads ? 'vec4f(0.0)' : '0.0'};`)
      .join(''),
  );

/** The same sums by another name. */
const into = (sums: string, code: string) => code.replace(/\ba(?=\d+_\d+\b)/g, sums);

const columnPlaces = (columns: number, { rolled }: Scheme) =>
  placesOf(
    range(columns).map((q) => `c${q}`),
    rolled,
  );

/** Adds the sums `b` after dropout, whose mask is that of the place in Z, to what `to` names. */
function masked(v: SumSegments, columns: number, scheme: Scheme, to: (i: string, q: string) => string): string {
  const place = columnPlaces(columns, scheme);
  return `${place.declare}
${storeSums(nnSums(v.tm, columns, v.quads, 'b'), scheme.rolled, {
  row: (_, inner) => inner,
  put: (q, sum, i) =>
    v.quads
      ? `  { let keep = kept((m0 + ${i}) * (u.k / 4u) + ${place.at(q)}, ${tagOf()}); ${to(i, q)} += select(vec4f(0.0), ${sum} * keep, keep > vec4f(0.0)); }`
      : `  { let at = (m0 + ${i}) * u.k + ${place.at(q)}; let keep = kept(at / 4u, ${tagOf()})[at % 4u]; ${to(i, q)} += select(0.0, ${sum} * keep, keep > 0.0); }`,
})}`;
}

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
function sumParts(v: SumSegments, scheme: Scheme): TileParts {
  const { declare, list } = bindings();
  const count = v.left.length;
  const code = v.spans ? blockCode(v.format) : undefined;
  const width = v.quads ? 4 : 1;
  const columns = v.tk / width;
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
  const weightSums = (s: number) => {
    const y = { load: `loadY${s}`, quads: v.left[s]!, depth: 'rows', stride: 'rows', first: '', first4: '' };
    return code
      ? moved(scheme.nn(v, { left: y, right: null }, 'u.k'))
      : scheme.nn(v, { left: y, right: 'loadW', rightAt: ' + weight' }, 'u.k');
  };
  const weights = lines(
    count,
    (s) => `  {
  segment = ${s}u;
  let rows = ${rowsOf(s)};
${openWeight(v.format, s)}
  ${code ? moved(code.prologue('(rows * u.k)')) : ''}
  ${weightSums(s)}
  }`,
  );
  const lora = v.lora;
  const loop = v.dropout && isLoop(v.tm, columns, scheme.rolled);
  const inTotal = (i: string, q: string) => `total[${i} * ${columns}u + ${q}]`;
  const inSum = (i: string, q: string) => `a${Number.parseInt(i, 10)}_${Number.parseInt(q, 10)}`;
  // Written out for each: where a workgroup has tiles in common, it must know the same rank.
  const factors = lora
    ? lines(
        count,
        (s) => `  {
  segment = ${s}u;
  let rank = ${rankOf(s)};
  let column = ${columnOf(s)};
  let factor = ${factorAt(s)}${loads};
${v.dropout ? zeros(v.tm, columns, v.quads, 'b') : ''}
  ${into(
    v.dropout ? 'b' : 'a',
    scheme.nn(
      v,
      {
        left: {
          ...{ load: 'loadH', quads: lora.leftQuads, depth: 'rank', stride: 'u.width' },
          ...{ first: ' + column', first4: ' + column / 4u' },
        },
        ...{ right: 'loadA', rightAt: ' + factor' },
      },
      'u.k',
    ),
  )}
${v.dropout ? masked(v, columns, scheme, loop ? inTotal : inSum) : ''}
  }`,
      )
    : '';
  const inside = (q: string) => (code ? '' : `if (k0 + ${q} * ${width}u < u.k) `);
  const place = columnPlaces(columns, scheme);
  const [blockM, blockK] = scheme.size(v.tm, v.tk);
  const tile = `${STATE}
fn inputTile(thread: u32) {
  let tilesK = (u.k + ${blockK - 1}u) / ${blockK}u;
  let id = ${scheme.block};
  let tileM = id / tilesK * ${blockM}u;
  if (tileM >= u.m) { return; }
${scheme.placeNN(v, 'u.k')}
${zeros(v.tm, columns, v.quads)}
${scheme.whole('nn', `${weights}\n${loop ? sumsArray('total', nnSums(v.tm, columns, v.quads)) : ''}\n${factors}`)}
${place.declare}
${storeSums({ ...nnSums(v.tm, columns, v.quads), array: loop ? 'total' : undefined }, scheme.rolled, {
  row: (i, inner) => `  if (m0 + ${i} < u.m) {
    let row = (m0 + ${i}) * (u.k / ${width}u);
${inner}
  }`,
  put: (q, sum) => {
    const at = `row + ${place.at(q)}`;
    return `    ${inside(q)}{ Z[${at}] = ${sum}${v.plus ? ` + plus[${at}]` : ''}; }`;
  },
})}
}`;
  return { list, functions: functions.join('\n'), tile };
}

export const sumSegmentsShader = (v: SumSegments, scheme: Scheme): string =>
  tileShader(sumParts(v, scheme), segmentUniforms(v.left.length, v.dropout), scheme);

/** The same beside products of TN over the same rows. */
export function sumSegmentsAndProductsShader(
  v: SumSegments,
  products: TnShape[],
  shared: Record<string, string>,
  scheme: Scheme,
): string {
  return besideProducts(sumParts(v, scheme), segmentUniforms(v.left.length, v.dropout), products, shared, scheme);
}
