/** The encoders on the CPU references, with the same fixtures as on WebGPU. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { encoderParity } from '../../parity/encoder';

encoderParity('cpu', async () => {
  await tf.setBackend('cpu');
});
