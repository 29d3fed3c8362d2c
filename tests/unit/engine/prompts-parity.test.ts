/** Virtual tokens on the CPU references, with the same fixtures as on WebGPU. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { promptParity } from '../../parity/prompts';

promptParity('cpu', async () => {
  await tf.setBackend('cpu');
});
