/**
 * Reads a weight of any format in WGSL. The products read quantised weights a span at a time (`blockCode`): what a span's
 * values share is decoded once, outside the inner loop. All other kernels, and shapes that do not divide into spans, read
 * quads or single values by index (`matrixLoader`).
 */
import type { WeightFormat } from '../../types';
import { ggufBlock, NF4_CODES, NF4_DYNAMIC, NF4_LEVELS } from './weight-formats';

/** A quantised format, as code over the array `W` of words. Names that end in `j` belong to one row of a tile. */
export interface BlockCode {
  /** Values that are decoded together: they share words and one or a few scales. Not always adjacent. */
  span: number;
  /** Number of steps in which a span is read. */
  steps: number;
  /** Quads per step. */
  wide: number;
  /** The index of quad `q` of step `t` in span `s`, all counted over the row-major matrix. */
  quadAt(s: string, t: string, q: number): string;
  /** Declares `s`, `t` and `q` of quad `i`. */
  find: string;
  /** The functions that the code calls. */
  functions: string;
  /** Runs once per thread, before the rest; `size` is the number of values in the tensor. */
  prologue(size: string): string;
  /** Declares what span `s` needs; its steps must then be taken in order, starting at `t`. */
  open(j: string, s: string, t: string): string;
  /** Declares the words of step `t`. */
  words(j: string, t: string): string;
  /** The values of the step's quads. */
  quads(j: string): string[];
}

/** IEEE half to float. unpack2x16float may flush subnormals, and the scales of K-quants are small. */
const HALF = `fn half(h: u32) -> f32 {
  let size = h & 0x7fffu;
  let normal = bitcast<f32>((size << 13u) + select(0x38000000u, 0x70000000u, size >= 0x7c00u));
  let value = select(f32(size) * 0x1p-24, normal, size >= 0x400u);
  return select(value, -value, (h & 0x8000u) != 0u);
}`;
const BYTES = `fn bytes(p: u32) -> vec4f {
  return vec4f(vec4i(vec4u(p, p >> 8u, p >> 16u, p >> 24u) & vec4u(255u)));
}`;
const HALF_AT = `fn halfAt(o: u32) -> f32 { return half((W[(o >> 2u)] >> ((o & 2u) * 8u)) & 0xffffu); }`;
const BYTE_AT = `fn byteAt(o: u32) -> i32 { return bitcast<i32>(W[(o >> 2u)] << (24u - (o & 3u) * 8u)) >> 24u; }`;
/** d · scale and dmin · min of the sub-blocks 2p and 2p + 1 of a K-quant block that starts at word `o`. */
const SCALES_K = `fn scalesK(o: u32, p: u32) -> vec4f {
  let shift = vec2u((p & 1u) * 16u) + vec2u(0u, 8u);
  let a = vec2u(W[o + 1u]) >> shift;
  let b = vec2u(W[o + 2u]) >> shift;
  let c = vec2u(W[o + 3u]) >> shift;
  let scale = select((c & vec2u(15u)) | ((a >> vec2u(2u)) & vec2u(48u)), a & vec2u(63u), p < 2u);
  let low = select(((c >> vec2u(4u)) & vec2u(15u)) | ((b >> vec2u(2u)) & vec2u(48u)), b & vec2u(63u), p < 2u);
  let d = W[o];
  return vec4f(half(d & 0xffffu) * vec2f(scale), half(d >> 16u) * vec2f(low));
}`;
/** Spreads the low four bits of `x` to the fifth bits of four bytes. */
const FIFTH = `fn fifth(x: u32) -> u32 { return ((((x & 15u) * 0x204081u) & 0x01010101u) << 4u); }`;

const NONE = () => '';
const LOW = '0x0f0f0f0fu';

/** A step takes quads 2t and 2t + 1 of a span. */
const neighbours = (span: number) => ({
  span,
  steps: span / 8,
  wide: 2,
  quadAt: (s: string, t: string, q: number) => `(${s}) * ${span / 4}u + ${t} * 2u + ${q}u`,
  find: `let s = i / ${span / 4}u; let t = (i % ${span / 4}u) >> 1u; let q = i & 1u;`,
});

/** A step takes quad t of a span's first half and of its second: the low and high nibbles of the same bytes. */
const halves = (span: number) => ({
  span,
  steps: span / 8,
  wide: 2,
  quadAt: (s: string, t: string, q: number) => `(${s}) * ${span / 4}u + ${t} + ${(q * span) / 8}u`,
  find: `let s = i / ${span / 4}u; let t = i % ${span / 8}u; let q = i % ${span / 4}u / ${span / 8}u;`,
});

/**
 * A run of words at byte offset `at`, which is even. At an odd half-word, each word of the run straddles two words of `W`,
 * and the second is kept for the next step. `name` tells runs apart.
 */
const runOfWords = {
  open: (j: string, name: string, at: string, first: string) => `let ${name}a${j} = ${at};
    let ${name}o${j} = (${name}a${j} & 2u) != 0u; let ${name}i${j} = ${name}a${j} >> 2u; var ${name}c${j} = W[${name}i${j} + ${first}];`,
  /** Declares `into`, word `i` of the run; words must be taken in order. */
  next: (j: string, name: string, i: string, into: string) => `let ${into}n${j} = W[${name}i${j} + ${i} + 1u];
    let ${into}${j} = select(${name}c${j}, (${name}c${j} >> 16u) | (${into}n${j} << 16u), ${name}o${j}); ${name}c${j} = ${into}n${j};`,
};

/** Blocks of 32 values with one scale and, in some formats, a minimum. */
function plain(name: 'q4_0' | 'q4_1' | 'q5_0' | 'q5_1'): BlockCode {
  const size = ggufBlock(name)!.bytes;
  const minimum = name.endsWith('1');
  const five = name.startsWith('q5');
  const aligned = size % 4 === 0;
  const highAt = minimum ? 4 : 2;
  const codesAt = highAt + (five ? 4 : 0);
  const high = (j: string) =>
    aligned ? `W[(o${j} >> 2u) + 1u]` : `(halfWord(o${j} + 2u) | (halfWord(o${j} + 4u) << 16u))`;
  const value = (j: string, codes: string) =>
    minimum ? `bytes(${codes}) * d${j} + min${j}` : `(bytes(${codes}) - ${five ? 16 : 8}.0) * d${j}`;
  return {
    ...halves(32),
    functions: [
      HALF,
      HALF_AT,
      BYTES,
      'fn halfWord(o: u32) -> u32 { return (W[(o >> 2u)] >> ((o & 2u) * 8u)) & 0xffffu; }',
      FIFTH,
    ].join('\n'),
    prologue: NONE,
    open: (j, s, t) => `let o${j} = (${s}) * ${size}u; let d${j} = halfAt(o${j});
    ${minimum ? `let min${j} = halfAt(o${j} + 2u);` : ''} ${five ? `let h${j} = ${high(j)};` : ''}
    ${aligned ? '' : runOfWords.open(j, 'q', `o${j} + ${codesAt}u`, t)}`,
    words: (
      j,
      t,
    ) => `${aligned ? `let p${j} = W[(o${j} >> 2u) + ${codesAt / 4}u + ${t}];` : runOfWords.next(j, 'q', t, 'p')}
    ${five ? `let f${j} = h${j} >> (${t} * 4u);` : ''}`,
    quads: (j) => [
      value(j, five ? `(p${j} & ${LOW}) | fifth(f${j})` : `p${j} & ${LOW}`),
      value(j, five ? `((p${j} >> 4u) & ${LOW}) | fifth(f${j} >> 16u)` : `(p${j} >> 4u) & ${LOW}`),
    ],
  };
}

const q8: BlockCode = {
  ...neighbours(32),
  functions: `${HALF}\n${HALF_AT}
fn signedBytes(p: u32) -> vec4f {
  return vec4f(bitcast<vec4i>(vec4u(p << 24u, p << 16u, p << 8u, p)) >> vec4u(24u));
}`,
  prologue: NONE,
  open: (j, s, t) => `let o${j} = (${s}) * 34u; let d${j} = halfAt(o${j});
    ${runOfWords.open(j, 'q', `o${j} + 2u`, `${t} * 2u`)}`,
  words: (j, t) => `${runOfWords.next(j, 'q', `${t} * 2u`, 'p')} ${runOfWords.next(j, 'q', `${t} * 2u + 1u`, 'r')}`,
  quads: (j) => [`signedBytes(p${j}) * d${j}`, `signedBytes(r${j}) * d${j}`],
};

/** Q4_K and Q5_K: eight sub-blocks of 32 per block. Two sub-blocks share bytes; the fifth bits of all eight are separate. */
function superBlocks(five: boolean): BlockCode {
  const codes = five ? 12 : 4;
  const fifth = (j: string, sub: string) => (five ? ` | (((f${j} >> ${sub}) & 0x01010101u) << 4u)` : '');
  return {
    ...halves(64),
    functions: `${HALF}\n${BYTES}\n${SCALES_K}`,
    prologue: NONE,
    open: (j, s) => `let b${j} = (${s}) & 3u; let o${j} = ((${s}) >> 2u) * ${codes + 32}u;
    let d${j} = scalesK(o${j}, b${j}); let q${j} = o${j} + ${codes}u + b${j} * 8u;`,
    words: (j, t) => `let p${j} = W[q${j} + ${t}]; ${five ? `let f${j} = W[o${j} + 4u + ${t}] >> (b${j} * 2u);` : ''}`,
    quads: (j) => [
      `bytes((p${j} & ${LOW})${fifth(j, '0u')}) * d${j}.x - d${j}.z`,
      `bytes(((p${j} >> 4u) & ${LOW})${fifth(j, '1u')}) * d${j}.y - d${j}.w`,
    ],
  };
}

/**
 * Q6_K: a block of 256 has two halves of four rows of 32. Rows 0 and 2, and rows 1 and 3, share bytes of low bits; all four
 * share bytes of high bits. Every 16 values have a signed 8-bit scale. A span is half the columns of the four rows.
 */
const q6k: BlockCode = {
  span: 64,
  steps: 4,
  wide: 4,
  quadAt: (s, t, q) => `((${s}) >> 1u) * 32u + ((${s}) & 1u) * 4u + ${t} + ${8 * q}u`,
  find: 'let s = (i / 32u) * 2u + ((i >> 2u) & 1u); let t = i & 3u; let q = (i >> 3u) & 3u;',
  functions: `${HALF}\n${HALF_AT}\n${BYTE_AT}\n${BYTES}`,
  prologue: NONE,
  open: (j, s, t) => `let o${j} = ((${s}) >> 2u) * 210u; let h${j} = ((${s}) >> 1u) & 1u; let l${j} = (${s}) & 1u;
    let g${j} = o${j} + 192u + h${j} * 8u + l${j};
    let d${j} = halfAt(o${j} + 208u) * vec4f(f32(byteAt(g${j})), f32(byteAt(g${j} + 2u)), f32(byteAt(g${j} + 4u)), f32(byteAt(g${j} + 6u)));
    ${runOfWords.open(j, 'x', `o${j} + h${j} * 64u + l${j} * 16u`, t)} ${runOfWords.open(j, 'y', `xa${j} + 32u`, t)}
    ${runOfWords.open(j, 'z', `o${j} + 128u + h${j} * 32u + l${j} * 16u`, t)}`,
  words: (j, t) => `${runOfWords.next(j, 'x', t, 'p')}
    ${runOfWords.next(j, 'y', t, 'r')}
    ${runOfWords.next(j, 'z', t, 'f')}`,
  quads: (j) =>
    [`p${j} & ${LOW}`, `r${j} & ${LOW}`, `(p${j} >> 4u) & ${LOW}`, `(r${j} >> 4u) & ${LOW}`].map(
      (low, row) => `(bytes((${low}) | (((f${j} >> ${2 * row}u) & 0x03030303u) << 4u)) - 32.0) * d${j}.${'xyzw'[row]}`,
    ),
};

const nf4: BlockCode = {
  ...neighbours(64),
  functions: `fn level(c: u32) -> f32 { return bitcast<f32>(W[${NF4_LEVELS}u + (c & 15u)]); }`,
  prologue: (size) => `let blocks = (${size} + 63u) / 64u; let scales = ${NF4_CODES}u + (${size} + 7u) / 8u;
  let outer = scales + (blocks + 3u) / 4u; let offset = bitcast<f32>(W[0]);`,
  open: (j, s) => `let o${j} = ${s};
    let c${j} = (W[scales + (o${j} >> 2u)] >> ((o${j} & 3u) * 8u)) & 255u;
    let d${j} = bitcast<f32>(W[${NF4_DYNAMIC}u + c${j}]) * bitcast<f32>(W[outer + (o${j} >> 8u)]) + offset;`,
  words: (j, t) => `let p${j} = W[${NF4_CODES}u + o${j} * 8u + ${t}];`,
  quads: (j) => [
    `vec4f(level(p${j} >> 4u), level(p${j}), level(p${j} >> 12u), level(p${j} >> 8u)) * d${j}`,
    `vec4f(level(p${j} >> 20u), level(p${j} >> 16u), level(p${j} >> 28u), level(p${j} >> 24u)) * d${j}`,
  ],
};

const CODE: Partial<Record<WeightFormat, BlockCode>> = {
  nf4,
  q8_0: q8,
  q4_0: plain('q4_0'),
  q4_1: plain('q4_1'),
  q5_0: plain('q5_0'),
  q5_1: plain('q5_1'),
  q4_k: superBlocks(false),
  q5_k: superBlocks(true),
  q6_k: q6k,
};

/** Undefined for formats that store single values. */
export const blockCode = (format: WeightFormat): BlockCode | undefined => CODE[format];

/** The storage type of a matrix operand: quads or scalars in its format; words for quantised formats. */
export function elementType(format: WeightFormat, quads: boolean): string {
  if (blockCode(format)) return 'u32';
  if (format === 'f32') return quads ? 'vec4f' : 'f32';
  return quads ? 'vec2<u32>' : 'u32';
}

/**
 * `fn NAME(i) -> vec4f` for four consecutive values, `i` counting quads; without `quads`, `fn NAME(i) -> f32` for one.
 * Quantised weights must be in the array `W`, and `size` is their number of values as a WGSL expression.
 */
export function matrixLoader(name: string, array: string, format: WeightFormat, quads: boolean, size = ''): string {
  const code = blockCode(format);
  if (code) return blockLoader(name, code, quads, size);
  if (format === 'f32') return `fn ${name}(i: u32) -> ${quads ? 'vec4f' : 'f32'} { return ${array}[i]; }`;
  if (format === 'f16') {
    return quads
      ? `fn ${name}(i: u32) -> vec4f { let p = ${array}[i]; return vec4f(unpack2x16float(p.x), unpack2x16float(p.y)); }`
      : `fn ${name}(i: u32) -> f32 { return unpack2x16float(${array}[i >> 1u])[i & 1u]; }`;
  }
  // bf16 is the upper half of an f32, so widening is an exact shift.
  return quads
    ? `fn ${name}(i: u32) -> vec4f {
  let p = ${array}[i];
  return vec4f(bitcast<f32>(p.x << 16u), bitcast<f32>(p.x & 0xffff0000u), bitcast<f32>(p.y << 16u), bitcast<f32>(p.y & 0xffff0000u));
}`
    : `fn ${name}(i: u32) -> f32 {
  let p = ${array}[i >> 1u];
  return bitcast<f32>(select(p << 16u, p & 0xffff0000u, (i & 1u) == 1u));
}`;
}

function blockLoader(name: string, code: BlockCode, quads: boolean, size: string): string {
  const values = code.quads('w');
  const cases = values.slice(1).map((value, i) => `if (q == ${i + 1}u) { return ${value}; }`);
  return `${code.functions}
fn ${name}${quads ? '' : 'Quad'}(i: u32) -> vec4f {
  ${code.prologue(size)}
  ${code.find}
  ${code.open('w', 's', 't')}
  ${code.words('w', 't')}
  ${cases.join('\n  ')}
  return ${values[0]};
}
${quads ? '' : `fn ${name}(i: u32) -> f32 { return ${name}Quad(i >> 2u)[i & 3u]; }`}`;
}
