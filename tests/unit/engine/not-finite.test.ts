import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { notFiniteParity } from '../../parity/not-finite';

const cpu = async () => void (await tf.setBackend('cpu'));
notFiniteParity('cpu', cpu);
