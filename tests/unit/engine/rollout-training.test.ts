import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { PPO_RUNS, ROLLOUT_RUNS, rolloutTraining } from '../../parity/rollout-training';

const cpu = async () => void (await tf.setBackend('cpu'));
rolloutTraining('cpu', 'training', ROLLOUT_RUNS, cpu);
rolloutTraining('cpu', 'ppo', PPO_RUNS, cpu);
