import { bottleneckParity } from '../parity/bottleneck';
import { openTestDevice } from './open-device';

// Every family uses the same kernels; the CPU run covers all of them.
bottleneckParity('webgpu', openTestDevice, ['llama-double', 'gpt2-single', 'gemma2-double', 'bert-single']);
