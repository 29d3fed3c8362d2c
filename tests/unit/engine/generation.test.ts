import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { generationParity } from '../../parity/generation';

const cpu = async () => void (await tf.setBackend('cpu'));
generationParity('cpu', cpu);
