/** WGSL for the gradient of the input that several linear layers share: Z = Σ_s (Y_s·W_s + H_s·A_s) + plus, with dropout of H_s·A_s if X had it there. */
import type { WeightFormat } from '../../types';
import { KEPT } from '../pointwise/dropout';
import { besideProducts } from './matmul-tn-wgsl';
import { bindings, lines, nnSums, type TileParts, tileShader } from './matmul-wgsl';
import type { Scheme, TnShape } from './scheme';
import { columnOf, factorAt, rankOf, rowsOf, segmentUniforms, tagOf } from './segment-uniforms';
import { type Arrays, columnPlaces, loader, moved, openWeight, STATE, weightLoader, zeros } from './segments-wgsl';
import { isLoop, storeSums, sumsArray } from './store-wgsl';
import { blockCode, elementType, matrixLoader } from './weight-wgsl';

/** The same sums by another name. */
const into = (sums: string, code: string) => code.replace(/\ba(?=\d+_\d+\b)/g, sums);

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
