/** What the kernels that quantise share: how stored values are read, and division that is exact. */

/** How the values are stored; others are quantised already. */
export type PlainType = 'F32' | 'F16' | 'BF16';

/** Eight values from `words`, the even and the odd ones; `at` counts such eights. */
const EIGHT: Record<PlainType, string> = {
  F32: `let a = words[2u * at]; let b = words[2u * at + 1u];
  return Eight(bitcast<vec4f>(vec4u(a.xz, b.xz)), bitcast<vec4f>(vec4u(a.yw, b.yw)));`,
  BF16: 'let w = words[at]; return Eight(bitcast<vec4f>(w << vec4u(16u)), bitcast<vec4f>(w & vec4u(0xffff0000u)));',
  F16: 'let w = words[at]; return Eight(halves(w & vec4u(0xffffu)), halves(w >> vec4u(16u)));',
};

/** unpack2x16float may flush subnormals, down to zero. */
const HALVES = `fn halves(h: vec4u) -> vec4f {
  let size = h & vec4u(0x7fffu);
  let normal = bitcast<vec4f>((size << vec4u(13u)) + select(vec4u(0x38000000u), vec4u(0x70000000u), size >= vec4u(0x7c00u)));
  let value = select(vec4f(size) * 0x1p-24, normal, size >= vec4u(0x400u));
  return select(value, -value, (h & vec4u(0x8000u)) != vec4u(0u));
}`;

/** `eight(at)` of values that are stored so, in an array `words` of vec4u. */
export const eights = (dtype: PlainType) => `struct Eight { even: vec4f, odd: vec4f }
${dtype === 'F16' ? HALVES : ''}
fn eight(at: u32) -> Eight { ${EIGHT[dtype]} }
fn sizes(values: Eight) -> vec4u {
  return max(bitcast<vec4u>(values.even) & vec4u(0x7fffffffu), bitcast<vec4u>(values.odd) & vec4u(0x7fffffffu));
}`;

/** WGSL's own division may be off by 2.5 ulp. */
export const INVERSE = `// 1 / value to the nearest float32: 2^47 / mantissa, digit by digit. For normal values from 2^-100 to 2^100.
fn inverseOf(bits: u32) -> f32 {
  let exponent = bits >> 23u;
  let mantissa = (bits & 0x7fffffu) | 0x800000u;
  if (mantissa == 0x800000u) { return bitcast<f32>((254u - exponent) << 23u); }
  var rest = 0x800000u;
  var digits = 0u;
  for (var i = 0u; i < 24u; i++) {
    rest = rest << 1u;
    digits = digits << 1u;
    if (rest >= mantissa) { rest -= mantissa; digits |= 1u; }
  }
  let twice = rest << 1u;
  if (twice > mantissa || (twice == mantissa && (digits & 1u) == 1u)) { digits++; }
  return bitcast<f32>(((253u - exponent) << 23u) + digits - 0x800000u);
}`;

/** Between them, neither inverses nor products are so small that they could be flushed to zero. */
const [SMALL, LARGE] = [2 ** -100, 2 ** 100];

/** Whether a block with this magnitude is quantised by the GPU as by nf4.ts and q8.ts. */
export const isSafe = (magnitude: number): boolean => magnitude === 0 || (magnitude >= SMALL && magnitude <= LARGE);
