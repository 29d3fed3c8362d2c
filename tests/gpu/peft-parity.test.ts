import { peftParity } from '../parity/peft';
import { openTestDevice } from './open-device';

// One of each computation: patterns and LoRA+ use the same kernels with other numbers, and the CPU run covers them all.
peftParity('webgpu', ['llama-dora', 'llama-dora-nf4', 'gpt2-dora', 'gpt2-ia3', 'bert-dora'], openTestDevice);
