import { expect, test } from 'vitest';
import { rmsNorm } from '../../../src/engine/kernels/norms/rms-norm';
import type { Op } from '../../kernel-helpers';
import { checkGradient, expectSameOnGpu, gradientsOn, probesFor, randomValues, withTraits } from '../../kernel-helpers';

const op: Op = (x, w) => [rmsNorm(x!, w!, 1e-5)];
const inputs = (rows: number, d: number) => [randomValues([rows, d], 1, 2), randomValues([d], 2)];
const shapes = [
  [1, 3],
  [3, 8],
  [7, 10],
  [130, 64],
  [65, 257],
  [2, 1024],
] as const;

for (const software of [true, false]) {
  const variant = software ? 'one thread per row' : 'one workgroup per row';
  test.each(shapes)(`RMSNorm, ${variant}: [%i, %i] matches the reference`, (rows, d) =>
    withTraits({ software }, () => expectSameOnGpu(op, inputs(rows, d), { wanted: [0, 1], rtol: 2e-6 })),
  );

  test(`RMSNorm, ${variant}: gradients match finite differences`, () =>
    withTraits({ software }, async () => {
      for (const [rows, d] of [
        [3, 5],
        [9, 16],
      ] as const) {
        await checkGradient(op, inputs(rows, d), [0, 1], { backend: 'webgpu' });
      }
    }));
}

test('RMSNorm: many rows fold into two grid dimensions', () =>
  withTraits({ software: false }, () => expectSameOnGpu(op, inputs(70_000, 4), { rtol: 2e-6 })));

test('RMSNorm: the gradient of the weight has the same bits in every run', async () => {
  const given = inputs(300, 12);
  const probes = await probesFor(op, given);
  const run = () => withTraits({ software: false }, () => gradientsOn('webgpu', op, given, [1], probes));
  expect(await run()).toEqual(await run());
});
