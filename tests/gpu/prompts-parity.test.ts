import { promptParity } from '../parity/prompts';
import { openTestDevice } from './open-device';

// Every kind of virtual token, and every kernel shape that they need; the CPU run covers all families.
promptParity('webgpu', openTestDevice, [
  'llama-prompt',
  'llama-p-tuning',
  'llama-prefix-projection',
  'gemma2-prefix',
  'mistral-prefix',
  'bert-classification',
]);
