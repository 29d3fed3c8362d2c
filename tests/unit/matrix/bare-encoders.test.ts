/** Classifiers on encoders without a head of their own, on the CPU references. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { BARE_CELLS } from '../../parity/matrix/cells';
import { matrixTraining } from '../../parity/matrix/suite';

matrixTraining('cpu', BARE_CELLS, async () => {
  await tf.setBackend('cpu');
});
