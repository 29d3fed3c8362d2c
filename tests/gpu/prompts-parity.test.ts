import { promptParity } from '../parity/prompts';
import { openTestDevice } from './open-device';

// Every kind of virtual token, and every shape of kernel that they meet; all families are in the CPU's run.
promptParity('webgpu', openTestDevice, [
  'llama-prompt',
  'llama-p-tuning',
  'llama-prefix-projection',
  'gemma2-prefix',
  'mistral-prefix',
  'bert-classification',
]);
