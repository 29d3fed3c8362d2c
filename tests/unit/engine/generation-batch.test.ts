/** Batched generation on the CPU references, for every family of decoders. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { DECODERS } from '../../parity/family';
import { batchedFamilies, batchedRows, batchedVirtual } from '../../parity/generation-batch';

const cpu = async () => void (await tf.setBackend('cpu'));
batchedFamilies('cpu', DECODERS, cpu);
batchedVirtual(
  'cpu',
  ['llama-prompt', 'llama-prefix', 'gpt2-prompt', 'gpt2-prefix', 'gemma2-prefix', 'mistral-prompt'],
  cpu,
);
batchedRows('cpu', cpu);
