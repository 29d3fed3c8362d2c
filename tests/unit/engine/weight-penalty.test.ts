import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { weightPenaltyParity } from '../../parity/weight-penalty';

weightPenaltyParity('cpu', async () => {
  await tf.setBackend('cpu');
});
