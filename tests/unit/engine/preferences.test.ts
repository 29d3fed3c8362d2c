import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import { preferenceParity } from '../../parity/preferences';

preferenceParity('cpu', async () => void (await tf.setBackend('cpu')));
