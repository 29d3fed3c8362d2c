/** Tasks on the CPU references, with the same fixtures as on WebGPU. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { FAMILIES, taskParity, taskTraining } from '../../parity/tasks';

const setUp = async () => {
  await tf.setBackend('cpu');
};
taskParity('cpu', FAMILIES, setUp);
taskTraining('cpu', [0, 1, 2, 3, 4], setUp);
