/**
 * NF4 codes by the GPU, bit for bit those of nf4.ts: the inverse of a block's magnitude is divided digit by digit in integers, because
 * WGSL's own division may be off by 2.5 ulp, and the products and comparisons that follow are exact. What WGSL leaves open (values that
 * are not finite, blocks of very small or large ones) is left to nf4.ts.
 */
import { type BlockKernel, UNIT } from './blocks-device';
import { LEVEL_BOUNDS } from './nf4';

const exactly = (value: number) => `bitcast<f32>(${new Uint32Array(Float32Array.of(value).buffer)[0]}u)`;

/** Of each block the magnitude, and the codes of its values, a word for eight. */
export const nf4Blocks: BlockKernel = {
  name: 'nf4_blocks',
  magnitudes: 1,
  functions: `fn codesOf(values: vec4f, inverse: f32) -> vec4u {
  let v = values * inverse;
  return ${Array.from(LEVEL_BOUNDS, (bound) => `select(vec4u(0u), vec4u(1u), vec4f(${exactly(bound)}) < v)`).join('\n    + ')};
}`,
  body: `  var most = vec4u(0u);
  for (var i = 0u; i < ${UNIT / 8}u; i++) {
    most = max(most, sizes(eight(first + i)));
  }
  let bits = max(max(most.x, most.y), max(most.z, most.w));
  largest[id] = bits;
  // A block of zeros has the code of zero whatever it is multiplied by.
  let inverse = select(inverseOf(bits), 1.0, bits == 0u);
  for (var i = 0u; i < ${UNIT / 8}u; i++) {
    let values = eight(first + i);
    let pairs = (codesOf(values.even, inverse) << vec4u(4u)) | codesOf(values.odd, inverse);
    made[u.at + first + i] = pairs.x | (pairs.y << 8u) | (pairs.z << 16u) | (pairs.w << 24u);
  }`,
};
