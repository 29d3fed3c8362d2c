/**
 * Q8_0 blocks by the GPU, byte for byte those of q8.ts: the scale and its inverse are divided in integers, and the products and
 * comparisons that follow are exact. Values that are not finite, and very small or large ones, are left to q8.ts.
 */
import type { BlockKernel } from './blocks-device';

/** Two blocks of 34 bytes are 17 words, and what a thread writes. */
const PAIR_WORDS = 17;

/** Of each pair of blocks the magnitudes, and the blocks. */
export const q8Blocks: BlockKernel = {
  name: 'q8_blocks',
  magnitudes: 2,
  functions: `// The bits of value / 127, to the nearest float32; 127 is odd, so there are no ties.
fn scaleOf(bits: u32) -> u32 {
  if (bits == 0u) { return 0u; }
  let mantissa = (bits & 0x7fffffu) | 0x800000u;
  var exponent = bits >> 23u;
  var shifted = mantissa << 7u;
  exponent -= 7u;
  if (shifted / 127u >= 0x1000000u) {
    shifted = mantissa << 6u;
    exponent += 1u;
  }
  let digits = shifted / 127u + select(0u, 1u, shifted % 127u > 63u);
  return (exponent << 23u) + digits - 0x800000u;
}
// A float16 to the nearest, ties to even; for scales, which are finite and not negative.
fn halfOf(bits: u32) -> u32 {
  if (bits >= 0x477ff000u) { return 0x7c00u; }
  if (bits >= 0x38800000u) { return (bits - 0x38000000u + 0xfffu + ((bits >> 13u) & 1u)) >> 13u; }
  // Subnormal halves count in units of 2^-24: adding 0.5 rounds as they do.
  return bitcast<u32>(bitcast<f32>(bits) + 0.5) - 0x3f000000u;
}
// Halves round away from zero; |x| + 0.5 could be rounded up itself.
fn quants(values: vec4f, inverse: f32) -> vec4u {
  let x = values * inverse;
  let size = abs(x);
  let whole = floor(size);
  let rounded = whole + select(vec4f(0.0), vec4f(1.0), size - whole >= vec4f(0.5));
  return bitcast<vec4u>(vec4i(select(rounded, -rounded, x < vec4f(0.0)))) & vec4u(0xffu);
}
// Four pairs of bytes.
fn pairs(at: u32, inverse: f32) -> vec4u {
  let values = eight(at);
  return quants(values.even, inverse) | (quants(values.odd, inverse) << vec4u(8u));
}
fn magnitude(at: u32) -> u32 {
  let most = max(max(sizes(eight(at)), sizes(eight(at + 1u))), max(sizes(eight(at + 2u)), sizes(eight(at + 3u))));
  return max(max(most.x, most.y), max(most.z, most.w));
}
fn inverseOrZero(scale: u32) -> f32 {
  if (scale == 0u) { return 0.0; }
  return inverseOf(scale);
}`,
  body: `  let most = vec2u(magnitude(first), magnitude(first + 4u));
  largest[id] = most;
  let scales = vec2u(scaleOf(most.x), scaleOf(most.y));
  var at = u.at + id * ${PAIR_WORDS}u;
  var carry = halfOf(scales.x);
  let inverse = inverseOrZero(scales.x);
  for (var i = 0u; i < 4u; i++) {
    let p = pairs(first + i, inverse);
    made[at] = carry | (p.x << 16u);
    made[at + 1u] = p.y | (p.z << 16u);
    carry = p.w;
    at += 2u;
  }
  made[at] = carry | (halfOf(scales.y) << 16u);
  at += 1u;
  let second = inverseOrZero(scales.y);
  for (var i = 4u; i < 8u; i++) {
    let p = pairs(first + i, second);
    made[at] = p.x | (p.y << 16u);
    made[at + 1u] = p.z | (p.w << 16u);
    at += 2u;
  }`,
};
