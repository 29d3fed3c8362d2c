import { expect, test } from 'vitest';
import { expectSameOnGpu, gradientsOn, probesFor, withBuffers, withTraits } from '../../kernel-helpers';
import { SHARED_CASES } from '../../parity/shared-inputs';

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
