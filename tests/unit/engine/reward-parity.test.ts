import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { REWARD_RUNS, rewardLoss, rewardTraining } from '../../parity/reward-models';

const cpu = async () => {
  await tf.setBackend('cpu');
};
rewardLoss('cpu', cpu);
rewardTraining('cpu', REWARD_RUNS, cpu);
