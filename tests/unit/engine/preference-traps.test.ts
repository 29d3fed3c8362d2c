import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { preferenceTraps } from '../../parity/preference-traps';

preferenceTraps('cpu', async () => void (await tf.setBackend('cpu')));
