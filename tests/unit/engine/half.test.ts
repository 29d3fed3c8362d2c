/** f16 in the tiles of products is a choice that only a device with the feature can take. */
import { expect, test } from 'vitest';
import { adapterTraits, setAdapterTraits, setHalf } from '../../../src/engine/webgpu/adapter';

const device = () => ({}) as GPUDevice;

test('is off by default, and refused without shader-f16', () => {
  const plain = device();
  expect(adapterTraits(plain).half).toBe(false);
  expect(() => setHalf(plain, true)).toThrow('shader-f16');
  expect(adapterTraits(plain).half).toBe(false);
  setHalf(plain, false);
});

test('is switched on and off without another trait', () => {
  const able = device();
  const own = { ...adapterTraits(able), f16: true, kernels: 'tile' as const };
  setAdapterTraits(able, own);
  setHalf(able, true);
  expect(adapterTraits(able)).toEqual({ ...own, half: true });
  setHalf(able, false);
  expect(adapterTraits(able)).toEqual(own);
});
