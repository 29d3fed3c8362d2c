/** The generator of base/random.ts in WGSL: Philox4x32-10 with the key (seed, 0). */
export const PHILOX = `// The upper half of a 32-bit product, from 16-bit halves: WGSL has no wider integers.
fn high(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu; let a1 = a >> 16u;
  let b0 = b & 0xffffu; let b1 = b >> 16u;
  let mid = a1 * b0 + ((a0 * b0) >> 16u);
  let carry = a0 * b1 + (mid & 0xffffu);
  return a1 * b1 + (mid >> 16u) + (carry >> 16u);
}
fn philox(start: vec4u, seed: u32) -> vec4u {
  var c = start;
  var key = vec2u(seed, 0u);
  for (var round = 0; round < 10; round++) {
    c = vec4u(
      high(0xcd9e8d57u, c.z) ^ c.y ^ key.x, 0xcd9e8d57u * c.z,
      high(0xd2511f53u, c.x) ^ c.w ^ key.y, 0xd2511f53u * c.x);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}`;
