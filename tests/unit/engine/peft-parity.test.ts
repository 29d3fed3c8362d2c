/** PEFT's methods on the CPU references, with the same fixtures as on WebGPU. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { PEFT_CASES, peftParity } from '../../parity/peft';

peftParity('cpu', PEFT_CASES, async () => {
  await tf.setBackend('cpu');
});
