import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { checkpointingParity } from '../../parity/checkpointing';

const cpu = async () => void (await tf.setBackend('cpu'));
checkpointingParity('cpu', cpu);
