/** What the kernels that quantise share: how stored values are read, division that is exact, and the dispatch. */
import * as tf from '@tensorflow/tfjs-core';
import { emptyTensor, writeBytes } from '../kernels/in-place';
import { groupsFor } from '../kernels/products/matmul';
import { ENTRY, GLOBAL_INDEX } from '../kernels/products/matmul-wgsl';
import { isGpu, readFloats } from '../webgpu/backend';
import { dispatch, u, uniformBlock } from '../webgpu/dispatch';

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

/** `eight(at)` of values that are stored so, in an array `words` of vec4u, and `sizes`, their magnitudes' bits. */
const eights = (dtype: PlainType) => `struct Eight { even: vec4f, odd: vec4f }
${dtype === 'F16' ? HALVES : ''}
fn eight(at: u32) -> Eight { ${EIGHT[dtype]} }
fn sizes(values: Eight) -> vec4u {
  return max(bitcast<vec4u>(values.even) & vec4u(0x7fffffffu), bitcast<vec4u>(values.odd) & vec4u(0x7fffffffu));
}`;

/** WGSL's own division may be off by 2.5 ulp. */
const INVERSE = `// 1 / value to the nearest float32: 2^47 / mantissa, digit by digit. For normal values from 2^-100 to 2^100.
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
const isSafe = (magnitude: number): boolean => magnitude === 0 || (magnitude >= SMALL && magnitude <= LARGE);

/** Values that a thread takes. */
export const UNIT = 64;

export interface BlockKernel {
  name: string;
  /** Magnitudes that a thread finds. Their bits are ordered as they are, and what is not finite comes last. */
  magnitudes: 1 | 2;
  functions: string;
  /** What thread `id` does, whose first eight values are eight(first): it sets largest[id], and made[u.at + …]. */
  body: string;
}

const shaderOf = (
  { magnitudes, functions, body }: BlockKernel,
  dtype: PlainType,
) => `struct Uniforms { count: u32, at: u32 }
@group(0) @binding(0) var<storage, read> words: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> largest: array<${magnitudes === 1 ? 'u32' : 'vec2u'}>;
@group(0) @binding(2) var<storage, read_write> made: array<u32>;
@group(0) @binding(3) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${eights(dtype)}
${INVERSE}
${functions}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.count) { return; }
  let first = id * ${UNIT / 8}u;
${body}
}`;

/**
 * Runs a kernel on `size` stored values; it writes from word `at` of `target` on. Resolves to the blocks' magnitudes; null where there is no
 * GPU, the values are not whole units or not safe with it, and what was written has no meaning.
 */
export async function quantizeBlocksOnDevice(
  kernel: BlockKernel,
  dtype: PlainType,
  bytes: Uint8Array,
  size: number,
  target: tf.Tensor,
  at: number,
): Promise<Float32Array | null> {
  const backend = tf.backend();
  if (!isGpu(backend) || size === 0 || size % UNIT !== 0) return null;
  const count = size / UNIT;
  const words = emptyTensor([dtype === 'F32' ? size : size / 2], 'int32');
  const largest = emptyTensor([kernel.magnitudes * count], 'float32');
  try {
    writeBytes(words, 0, bytes);
    dispatch(backend, {
      program: { key: `${kernel.name} ${dtype}`, wgsl: () => shaderOf(kernel, dtype) },
      tensors: [words, largest, target],
      writes: [largest, target],
      uniforms: uniformBlock(u(count), u(at)),
      workgroups: groupsFor(count),
    });
    const magnitudes = await readFloats(largest);
    return magnitudes.every(isSafe) ? magnitudes : null;
  } finally {
    tf.dispose([words, largest]);
  }
}
