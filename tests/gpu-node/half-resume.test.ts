/** What a run guarantees holds for one whose products are in 16 bits (training.fp16): equal runs give equal bytes, resumed or not. */
import { afterAll, expect, test } from 'vitest';
import { watchHalves } from '../../src/engine/kernels/products/variants';
import { adapterTraits, setAdapterTraits } from '../../src/engine/webgpu/adapter';
import { gpuBackend } from '../../src/engine/webgpu/backend';
import { setupGpu } from '../kernel-helpers';
import { resumeParity } from '../parity/resume';

let products = 0;

// On a card, products this small are split and stay f32; here they are in tiles.
resumeParity('webgpu in 16 bits', async () => {
  await setupGpu();
  const { device } = gpuBackend();
  setAdapterTraits(device, { ...adapterTraits(device), kernels: 'tile', half: true });
  watchHalves(() => products++);
});

afterAll(() => watchHalves(null));

test('the runs had products in 16 bits', () => {
  expect(products).toBeGreaterThan(0);
});
