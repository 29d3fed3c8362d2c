/**
 * NF4 codes by the GPU, bit for bit those of nf4.ts: the magnitude of each block is found there, its inverse is taken here, because WGSL's
 * division may be off by 2.5 ulp, and the products and comparisons that follow are exact. What WGSL leaves open (values that are not
 * finite, blocks of very small or large ones) is left to nf4.ts.
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

/** The bits of value `i` as a float32. */
const BITS: Record<PlainType, string> = {
  F32: 'return words[i];',
  BF16: 'let word = words[i >> 1u]; return select(word << 16u, word & 0xffff0000u, (i & 1u) == 1u);',
  F16: 'let pair = unpack2x16float(words[i >> 1u]); return bitcast<u32>(select(pair.x, pair.y, (i & 1u) == 1u));',
};

const header = (dtype: PlainType, ...outputs: string[]) => `struct Uniforms { count: u32, at: u32 }
@group(0) @binding(0) var<storage, read> words: array<u32>;
${outputs.join('\n')}
@group(0) @binding(${outputs.length + 1}) var<uniform> u: Uniforms;
${GLOBAL_INDEX}
fn bitsOf(i: u32) -> u32 { ${BITS[dtype]} }`;

const magnitudesShader = (dtype: PlainType) => `${header(
  dtype,
  '@group(0) @binding(1) var<storage, read_write> largest: array<u32>;',
)}
${ENTRY} {
  let block = globalIndex(wg, local, groups);
  if (block >= u.count) { return; }
  // Magnitudes are ordered as their bits are, and what is not finite comes last.
  var most = 0u;
  for (var i = 0u; i < ${NF4_BLOCK}u; i++) { most = max(most, bitsOf(block * ${NF4_BLOCK}u + i) & 0x7fffffffu); }
  largest[block] = most;
}`;

const exactly = (value: number) => `bitcast<f32>(${new Uint32Array(Float32Array.of(value).buffer)[0]}u)`;

const codesShader = (dtype: PlainType) => `${header(
  dtype,
  '@group(0) @binding(1) var<storage, read> inverses: array<f32>;',
  '@group(0) @binding(2) var<storage, read_write> codes: array<u32>;',
)}
fn codeOf(i: u32, inverse: f32) -> u32 {
  let value = bitcast<f32>(bitsOf(i)) * inverse;
  return ${Array.from(LEVEL_BOUNDS, (bound) => `select(0u, 1u, ${exactly(bound)} < value)`).join('\n    + ')};
}
${ENTRY} {
  let id = globalIndex(wg, local, groups);
  if (id >= u.count) { return; }
  let inverse = inverses[id / ${NF4_BLOCK / 8}u];
  var word = 0u;
  for (var j = 0u; j < 4u; j++) {
    let first = 8u * id + 2u * j;
    word |= ((codeOf(first, inverse) << 4u) | codeOf(first + 1u, inverse)) << (8u * j);
  }
  codes[u.at + id] = word;
}`;

const { fround } = Math;
/** Between them, neither inverses nor products are so small that they could be flushed to zero. */
const [SMALL, LARGE] = [2 ** -100, 2 ** 100];

/**
 * Writes the codes of `size` values, from word `at` of `target` on. Resolves to the magnitude of each block; null where the values are not
 * whole blocks or not safe with the GPU, and nothing was written.
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
      program: { key: `nf4_magnitudes ${dtype}`, wgsl: () => magnitudesShader(dtype) },
      tensors: [words, largest],
      writes: [largest],
      uniforms: uniformBlock(u(blocks), u(0)),
      workgroups: groupsFor(blocks),
    });
    const magnitudes = await readFloats(largest);
    if (!magnitudes.every((value) => value === 0 || (value >= SMALL && value <= LARGE))) return null;
    const inverses = own(blocks, 'float32');
    // A block of zeros has the code of zero whatever it is multiplied by.
    const inverse = magnitudes.map((value) => (value === 0 ? 1 : fround(1 / value)));
    writeBytes(inverses, 0, new Uint8Array(inverse.buffer));
    dispatch(backend, {
      program: { key: `nf4_codes ${dtype}`, wgsl: () => codesShader(dtype) },
      tensors: [words, inverses, target],
      writes: [target],
      uniforms: uniformBlock(u(size / 8), u(at)),
      workgroups: groupsFor(size / 8),
    });
    return magnitudes;
  } finally {
    tf.dispose(owned);
  }
}
