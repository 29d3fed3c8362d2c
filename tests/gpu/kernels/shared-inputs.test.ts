import { expect, test } from 'vitest';
import { gpuBackend } from '../../../src/engine/webgpu/backend';
import { expectSameOnGpu, gradientsOn, probesFor, setupGpu, withTraits } from '../../kernel-helpers';
import { SHARED_CASES } from '../../parity/shared-inputs';

/** Runs `body` as if shaders could bind so many buffers. */
async function withBuffers<T>(count: number, body: () => Promise<T>): Promise<T> {
  await setupGpu();
  const { device } = gpuBackend();
  const { limits } = device;
  const fewer = new Proxy(limits, {
    get: (target, name) => (name === 'maxStorageBuffersPerShaderStage' ? count : Reflect.get(target, name, target)),
  });
  Object.defineProperty(device, 'limits', { value: fewer, configurable: true });
  try {
    return await body();
  } finally {
    Reflect.deleteProperty(device, 'limits');
  }
}

test.each(SHARED_CASES)('gradients as the reference: $name', async ({ op, inputs, wanted }) => {
  for (const software of [true, false]) {
    await withTraits({ software }, () => expectSameOnGpu(op, inputs, { wanted, rtol: 1e-5 }));
  }
});

test('a device that binds eight buffers gives the same bits in more dispatches', async () => {
  for (const { op, inputs, wanted } of SHARED_CASES) {
    const probes = await probesFor(op, inputs);
    const ten = await gradientsOn('webgpu', op, inputs, wanted, probes);
    expect(await withBuffers(8, () => gradientsOn('webgpu', op, inputs, wanted, probes))).toEqual(ten);
    expect(await withBuffers(3, () => gradientsOn('webgpu', op, inputs, wanted, probes))).toEqual(ten);
  }
});
