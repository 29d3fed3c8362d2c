import { bottleneckParity } from '../parity/bottleneck';
import { openTestDevice } from './open-device';

// The kernels are the same in every family; all of those are in the CPU's run.
bottleneckParity('webgpu', openTestDevice, ['llama-double', 'gpt2-single', 'gemma2-double', 'bert-single']);
