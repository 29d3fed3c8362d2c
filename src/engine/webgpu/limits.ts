/** Limits of the device. */
import * as tf from '@tensorflow/tfjs-core';
import { isGpu } from './backend';

/** The size of the largest buffer that a shader can bind. */
export function bindingLimit(): number {
  const backend = tf.backend();
  if (!isGpu(backend)) return Infinity;
  const { maxStorageBufferBindingSize, maxBufferSize } = backend.device.limits;
  return Math.min(maxStorageBufferBindingSize, maxBufferSize);
}
