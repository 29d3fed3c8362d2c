/** The families on the CPU references, with the same fixtures as on WebGPU. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { DECODERS, familyParity } from '../../parity/family';

familyParity('cpu', DECODERS, async () => {
  await tf.setBackend('cpu');
});
