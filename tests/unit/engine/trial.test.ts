import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { trialParity } from '../../parity/trial';

trialParity('cpu', async () => void (await tf.setBackend('cpu')));
