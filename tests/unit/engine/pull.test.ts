import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { pullParity } from '../../parity/pull';

pullParity('cpu', async () => {
  await tf.setBackend('cpu');
});
