/** PEFT's methods on the CPU references, against the same fixtures as on WebGPU. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { peftParity } from '../../parity/peft';

peftParity('cpu', async () => {
  await tf.setBackend('cpu');
});
