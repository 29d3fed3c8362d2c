/**
 * NF4 codes by the GPU, bit for bit those of nf4.ts: the inverse of a block's magnitude is divided digit by digit in integers, because
 * WGSL's own division may be off by 2.5 ulp, and the products and comparisons that follow are exact. What WGSL leaves open (values that
 * are not finite, blocks of very small or large ones) is left to nf4.ts.
 */
import * as tf from '@tensorflow/tfjs-core';
import { emptyTensor, writeBytes } from '../kernels/in-place';
import { groupsFor } from '../kernels/products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../kernels/products/matmul-wgsl';
import { NF4_BLOCK } from '../kernels/products/weight-formats';
import { isGpu, readFloats } from '../webgpu/backend';
import { dispatch, u, uniformBlock } from '../webgpu/dispatch';
import { LEVEL_BOUNDS } from './nf4';

/** How the values are stored; others are quantised already. */
export type PlainType = 'F32' | 'F16' | 'BF16';

/** Eight values from `words`, the even and the odd ones; `at` counts such eights. */
const EIGHT: Record<PlainType, string> = {
  F32: `let a = words[2u * at]; let b = words[2u * at + 1u];
  return Eight(bitcast<vec4f>(vec4u(a.xz, b.xz)), bitcast<vec4f>(vec4u(a.yw, b.yw)));`,
  BF16: 'let w = words[at]; return Eight(bitcast<vec4f>(w << vec4u(16u)), bitcast<vec4f>(w & vec4u(0xffff0000u)));',
  F16: `let w = words[at];
  let a = unpack2x16float(w.x); let b = unpack2x16float(w.y); let c = unpack2x16float(w.z); let d = unpack2x16float(w.w);
  return Eight(vec4f(a.x, b.x, c.x, d.x), vec4f(a.y, b.y, c.y, d.y));`,
};

const exactly = (value: number) => `bitcast<f32>(${new Uint32Array(Float32Array.of(value).buffer)[0]}u)`;

/** A thread takes a block: its magnitude, which `largest` keeps, and the codes of its values. */
const blocksShader = (dtype: PlainType) => `struct Uniforms { count: u32, at: u32 }
@group(0) @binding(0) var<storage, read> words: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> largest: array<u32>;
@group(0) @binding(2) var<storage, read_write> codes: array<u32>;
@group(0) @binding(3) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
struct Eight { even: vec4f, odd: vec4f }
fn eight(at: u32) -> Eight { ${EIGHT[dtype]} }
// 1 / value to the nearest float32: 2^47 / mantissa, digit by digit. For normal values from 2^-100 to 2^100.
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
}
fn codesOf(values: vec4f, inverse: f32) -> vec4u {
  let v = values * inverse;
  return ${Array.from(LEVEL_BOUNDS, (bound) => `select(vec4u(0u), vec4u(1u), vec4f(${exactly(bound)}) < v)`).join('\n    + ')};
}
${ENTRY} {
  let block = globalIndex(wg, local, groups);
  if (block >= u.count) { return; }
  let first = block * ${NF4_BLOCK / 8}u;
  // Magnitudes are ordered as their bits are, and what is not finite comes last.
  var most = vec4u(0u);
  for (var i = 0u; i < ${NF4_BLOCK / 8}u; i++) {
    let values = eight(first + i);
    most = max(most, max(bitcast<vec4u>(values.even) & vec4u(0x7fffffffu), bitcast<vec4u>(values.odd) & vec4u(0x7fffffffu)));
  }
  let bits = max(max(most.x, most.y), max(most.z, most.w));
  largest[block] = bits;
  // A block of zeros has the code of zero whatever it is multiplied by.
  let inverse = select(inverseOf(bits), 1.0, bits == 0u);
  for (var i = 0u; i < ${NF4_BLOCK / 8}u; i++) {
    let values = eight(first + i);
    let pairs = (codesOf(values.even, inverse) << vec4u(4u)) | codesOf(values.odd, inverse);
    codes[u.at + first + i] = pairs.x | (pairs.y << 8u) | (pairs.z << 16u) | (pairs.w << 24u);
  }
}`;

/** Between them, neither inverses nor products are so small that they could be flushed to zero. */
const [SMALL, LARGE] = [2 ** -100, 2 ** 100];

/**
 * Writes the codes of `size` values, from word `at` of `target` on. Resolves to the magnitude of each block; null where the values are not
 * whole blocks or not safe with the GPU, and what was written has no meaning.
 */
export async function quantizeOnDevice(
  dtype: PlainType,
  bytes: Uint8Array,
  size: number,
  target: tf.Tensor,
  at: number,
): Promise<Float32Array | null> {
  const backend = tf.backend();
  if (!isGpu(backend) || size === 0 || size % NF4_BLOCK !== 0) return null;
  const blocks = size / NF4_BLOCK;
  const owned: tf.Tensor[] = [];
  const own = (length: number, type: 'float32' | 'int32') => {
    const tensor = emptyTensor([length], type);
    owned.push(tensor);
    return tensor;
  };
  try {
    const words = own(dtype === 'F32' ? size : size / 2, 'int32');
    writeBytes(words, 0, bytes);
    const largest = own(blocks, 'float32');
    dispatch(backend, {
      program: { key: `nf4_blocks ${dtype}`, wgsl: () => blocksShader(dtype) },
      tensors: [words, largest, target],
      writes: [largest, target],
      uniforms: uniformBlock(u(blocks), u(at)),
      workgroups: groupsFor(blocks),
    });
    const magnitudes = await readFloats(largest);
    if (!magnitudes.every((value) => value === 0 || (value >= SMALL && value <= LARGE))) return null;
    return magnitudes;
  } finally {
    tf.dispose(owned);
  }
}
