/** Decoding with the kernels for graphics cards, on whatever adapter there is: the same tokens as transformers' and as the plain kernels'. */
import { afterAll } from 'vitest';
import { type AdapterTraits, adapterTraits, setAdapterTraits } from '../../src/engine/webgpu/adapter';
import { gpuBackend } from '../../src/engine/webgpu/backend';
import { generationParity } from '../parity/generation';
import { batchedFamilies, batchedVirtual } from '../parity/generation-batch';
import { openTestDevice } from './open-device';

/** The page's device serves other files as well, which must find it as it was. */
let before: { device: GPUDevice; traits: AdapterTraits } | null = null;

async function openAsCard(): Promise<void> {
  await openTestDevice();
  const { device } = gpuBackend();
  before ??= { device, traits: adapterTraits(device) };
  setAdapterTraits(device, { ...before.traits, software: false });
}

afterAll(() => {
  if (before) setAdapterTraits(before.device, before.traits);
});

generationParity('webgpu', openAsCard);
batchedFamilies('webgpu', ['gemma2', 'gpt2', 'qwen3'], openAsCard);
batchedVirtual('webgpu', ['gemma2-prefix'], openAsCard);
