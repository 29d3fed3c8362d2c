/** Trains DoRA, PiSSA and rsLoRA on one family of each kind, on the CPU reference kernels. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { VARIANT_CELLS } from '../../parity/matrix/cells';
import { matrixTraining } from '../../parity/matrix/suite';

matrixTraining('cpu', VARIANT_CELLS, async () => {
  await tf.setBackend('cpu');
});
