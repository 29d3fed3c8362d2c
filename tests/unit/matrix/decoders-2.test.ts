/** Trains every supported cell of these families on the CPU reference kernels. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { CELLS } from '../../parity/matrix/cells';
import { trains } from '../../parity/matrix/refusals';
import { matrixTraining } from '../../parity/matrix/suite';

const families = ['qwen3', 'gemma2', 'gemma3_text', 'smollm3'];

matrixTraining(
  'cpu',
  CELLS.filter((cell) => families.includes(cell.family.name) && trains(cell)),
  async () => {
    await tf.setBackend('cpu');
  },
);
