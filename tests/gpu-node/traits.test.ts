/** What the engine knows of this adapter: another one than the browser's, or the suite would test nothing new. */
import { expect, test } from 'vitest';
import { adapterTraits, SUBGROUP_MATRIX } from '../../src/engine/webgpu/adapter';
import { gpuBackend } from '../../src/engine/webgpu/backend';
import { openDevice } from '../../src/engine/webgpu/device';

test('a driver that runs on the CPU counts as software, with all that it can do', async () => {
  const opened = await openDevice();
  // A driver of one's own choice (VK_DRIVER_FILES) may be a real GPU's.
  if (!/llvmpipe/i.test(opened.description)) return expect(opened.description).not.toMatch(/swiftshader/i);
  expect(opened.software).toBe(true);
  expect(adapterTraits(gpuBackend().device)).toMatchObject({ software: true, subgroups: true, f16: true });
  expect(opened.features).toEqual(expect.arrayContaining(['shader-f16', 'subgroups', 'timestamp-query']));
  // Eight floats of AVX.
  expect(opened.subgroupSizes).toEqual([8, 8]);
  // The smallest that WebGPU allows, so that large weights are bound in parts.
  expect(opened.device.limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
  // Since Mesa 26.1.
  const matrix = opened.features.includes(SUBGROUP_MATRIX) ? { m: 8, n: 8, k: 8, lanes: 8 } : null;
  expect(adapterTraits(gpuBackend().device).matrix).toEqual(matrix);
  opened.release();
});
