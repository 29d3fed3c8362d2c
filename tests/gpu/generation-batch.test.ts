/** Batched generation on WebGPU: families that differ in positions and windows, and what batching adds. */
import { batchedFamilies, batchedRows, batchedVirtual } from '../parity/generation-batch';
import { openTestDevice } from './open-device';

batchedRows('webgpu', openTestDevice);
batchedFamilies('webgpu', ['gemma2', 'gpt2', 'smollm3'], openTestDevice);
batchedVirtual('webgpu', ['gemma2-prefix', 'mistral-prompt'], openTestDevice);
