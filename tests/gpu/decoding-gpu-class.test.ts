/** Decoding with the kernels for graphics cards, on whatever adapter there is: the same tokens as transformers' and as the plain kernels'. */
import { adapterTraits, setAdapterTraits } from '../../src/engine/webgpu/adapter';
import { gpuBackend } from '../../src/engine/webgpu/backend';
import { generationParity } from '../parity/generation';
import { batchedFamilies, batchedVirtual } from '../parity/generation-batch';
import { openTestDevice } from './open-device';

async function openAsCard(): Promise<void> {
  await openTestDevice();
  const { device } = gpuBackend();
  setAdapterTraits(device, { ...adapterTraits(device), software: false });
}

generationParity('webgpu', openAsCard);
batchedFamilies('webgpu', ['gemma2', 'gpt2', 'qwen3'], openAsCard);
batchedVirtual('webgpu', ['gemma2-prefix'], openAsCard);
