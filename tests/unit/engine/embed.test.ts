import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { embedParity } from '../../parity/embed';

embedParity('cpu', async () => {
  await tf.setBackend('cpu');
});
