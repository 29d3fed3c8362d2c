/** Trains classifiers on encoders without a language modelling head, on the CPU reference kernels. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { BARE_CELLS } from '../../parity/matrix/cells';
import { matrixTraining } from '../../parity/matrix/suite';

matrixTraining('cpu', BARE_CELLS, async () => {
  await tf.setBackend('cpu');
});
