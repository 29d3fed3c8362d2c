/** Reads tensors back from the device. */
import type * as tf from '@tensorflow/tfjs-core';
import { readFloats } from '../webgpu/backend';
import type { Method } from './method';
import type { NamedTensors } from './tensors';

export async function readTensors(from: Map<string, tf.Tensor>): Promise<NamedTensors> {
  const tensors: NamedTensors = new Map();
  for (const [name, tensor] of from) tensors.set(name, { shape: tensor.shape, data: await readFloats(tensor) });
  return tensors;
}

/** The tensors of a method that go into an adapter's file. */
export async function savedTensors(method: Method): Promise<NamedTensors> {
  const saved = method.saved?.();
  try {
    return await readTensors(saved ?? method.trainable);
  } finally {
    for (const tensor of saved?.values() ?? []) tensor.dispose();
  }
}
