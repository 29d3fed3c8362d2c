/** The engine on the CPU references, with the same fixtures as on WebGPU. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { llamaParity } from '../../parity/llama';

llamaParity('cpu', async () => {
  await tf.setBackend('cpu');
});
