import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { passParity } from '../../parity/pass';

const cpu = async () => void (await tf.setBackend('cpu'));
passParity('cpu', cpu);
