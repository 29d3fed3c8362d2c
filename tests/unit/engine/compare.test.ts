import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { compareParity } from '../../parity/compare';

const cpu = async () => void (await tf.setBackend('cpu'));
compareParity('cpu', cpu);
