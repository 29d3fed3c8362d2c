import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { rulesParity } from '../../parity/rules';

rulesParity('cpu', async () => {
  await tf.setBackend('cpu');
});
