/** What the device allows. */
import * as tf from '@tensorflow/tfjs-core';
import { isGpu } from './backend';

/** The largest buffer that a shader can be given. */
export function bindingLimit(): number {
  const backend = tf.backend();
  if (!isGpu(backend)) return Infinity;
  const { maxStorageBufferBindingSize, maxBufferSize } = backend.device.limits;
  return Math.min(maxStorageBufferBindingSize, maxBufferSize);
}
