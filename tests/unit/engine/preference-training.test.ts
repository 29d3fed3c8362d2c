import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { PREFERENCE_RUNS, preferenceTraining } from '../../parity/preference-training';

const all = Array.from({ length: PREFERENCE_RUNS }, (_, i) => i);
preferenceTraining('cpu', all, async () => void (await tf.setBackend('cpu')));
