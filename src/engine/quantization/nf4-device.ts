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
import { eights, INVERSE, isSafe, type PlainType } from './blocks-wgsl';
import { LEVEL_BOUNDS } from './nf4';

const exactly = (value: number) => `bitcast<f32>(${new Uint32Array(Float32Array.of(value).buffer)[0]}u)`;

/** A thread takes a block: its magnitude, which `largest` keeps, and the codes of its values. */
const blocksShader = (dtype: PlainType) => `struct Uniforms { count: u32, at: u32 }
@group(0) @binding(0) var<storage, read> words: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> largest: array<u32>;
@group(0) @binding(2) var<storage, read_write> codes: array<u32>;
@group(0) @binding(3) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
${eights(dtype)}
${INVERSE}
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
    most = max(most, sizes(eight(first + i)));
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
    if (!magnitudes.every(isSafe)) return null;
    return magnitudes;
  } finally {
    tf.dispose(owned);
  }
}
