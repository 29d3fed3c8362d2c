/** Checkpoint tensors onto the device, in the precision they came in. */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import type { Weight } from '../types';
import { isGpu } from '../webgpu/backend';
import type { WeightSource } from './model';

/** IEEE half to float: exact. */
function widenF16(bytes: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(bytes);
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const h = halves[i]!;
    const exponent = (h >> 10) & 31;
    const fraction = h & 1023;
    const sign = h & 0x8000 ? -1 : 1;
    if (exponent === 0) out[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) out[i] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else out[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return out;
}

function widenBf16(bytes: ArrayBuffer): Float32Array {
  const halves = new Uint16Array(bytes);
  const out = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halves[i]! << 16;
  return new Float32Array(out.buffer);
}

/** Moves the values to the GPU now, so that JavaScript's copy can be freed before the next tensor is read. */
function upload(values: Float32Array | Int32Array, shape: number[]): tf.Tensor {
  const tensor = tf.keep(tf.tensor(values, shape, values instanceof Int32Array ? 'int32' : 'float32'));
  const backend = tf.backend();
  if (isGpu(backend)) backend.uploadToGPU(tensor.dataId);
  return tensor;
}

async function readChecked(source: WeightSource, name: string, shape: number[]) {
  const raw = await source.read(name);
  if (raw.shape.join() !== shape.join()) {
    throw new TabtuneError({
      code: 'bad_model',
      message: `The tensor ${name} has shape [${raw.shape}], but config.json implies [${shape}].`,
      where: name,
      action: 'Use the config.json that belongs to these weights.',
    });
  }
  return raw;
}

/** A matrix as it lies in the file: bf16 stays packed, two values to a 32-bit word; f16 is widened to f32. */
export async function loadMatrix(source: WeightSource, name: string, shape: [number, number]): Promise<Weight> {
  const { dtype, bytes } = await readChecked(source, name, shape);
  if (dtype === 'BF16') {
    const words = new Int32Array(Math.ceil(bytes.byteLength / 4));
    new Uint8Array(words.buffer).set(new Uint8Array(bytes));
    return { tensor: upload(words, [words.length]), format: 'bf16', shape };
  }
  const values = dtype === 'F16' ? widenF16(bytes) : new Float32Array(bytes);
  return { tensor: upload(values, shape), format: 'f32', shape };
}

/** A vector (norm weight, bias) as float32. */
export async function loadVector(source: WeightSource, name: string, size: number): Promise<tf.Tensor> {
  const { dtype, bytes } = await readChecked(source, name, [size]);
  const values = dtype === 'BF16' ? widenBf16(bytes) : dtype === 'F16' ? widenF16(bytes) : new Float32Array(bytes);
  return upload(values, [size]);
}
