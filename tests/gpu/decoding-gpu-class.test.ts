/** Decoding with the kernels for graphics cards, on whatever adapter there is: the same tokens as transformers' and as the plain kernels'. */
import { adapterTraits, setAdapterTraits } from '../../src/engine/webgpu/adapter';
import { gpuBackend } from '../../src/engine/webgpu/backend';
import { generationParity } from '../parity/generation';
import { batchedFamilies, batchedRows, batchedVirtual } from '../parity/generation-batch';
import { openTestDevice } from './open-device';

async function openAsCard(): Promise<void> {
  await openTestDevice();
  const { device } = gpuBackend();
  setAdapterTraits(device, { ...adapterTraits(device), software: false });
}

generationParity('webgpu', openAsCard);
batchedRows('webgpu', openAsCard);
batchedFamilies('webgpu', ['gemma2', 'gpt2', 'phi3', 'qwen3', 'smollm3'], openAsCard);
batchedVirtual('webgpu', ['gemma2-prefix', 'mistral-prompt'], openAsCard);
