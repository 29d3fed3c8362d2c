/** Bottleneck adapters on the CPU references, with the same fixtures as on WebGPU. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { bottleneckParity } from '../../parity/bottleneck';

bottleneckParity('cpu', async () => {
  await tf.setBackend('cpu');
});
