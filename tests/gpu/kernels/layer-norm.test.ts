import { expect, test } from 'vitest';
import { layerNorm } from '../../../src/engine/kernels/norms/layer-norm';
import type { Op } from '../../kernel-helpers';
import {
  checkGradient,
  expectSameOnGpu,
  gradientsOn,
  probesFor,
  randomValues,
  runOn,
  withTraits,
} from '../../kernel-helpers';

const op: Op = (x, w, b) => [layerNorm(x!, w!, b ?? null, 1e-5)];
const inputs = (rows: number, d: number, bias = true) => [
  randomValues([rows, d], 1, 2),
  randomValues([d], 2),
  ...(bias ? [randomValues([d], 3)] : []),
];
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
  test.each(shapes)(`LayerNorm, ${variant}: [%i, %i] matches the reference`, (rows, d) =>
    withTraits({ software }, () => expectSameOnGpu(op, inputs(rows, d), { wanted: [0, 1, 2], rtol: 4e-6 })),
  );

  test(`LayerNorm, ${variant}: matches the reference without a bias`, () =>
    withTraits({ software }, () => expectSameOnGpu(op, inputs(9, 20, false), { wanted: [0, 1], rtol: 4e-6 })));

  test(`LayerNorm, ${variant}: gradients match finite differences`, () =>
    withTraits({ software }, async () => {
      for (const [rows, d] of [
        [3, 5],
        [9, 16],
      ] as const) {
        await checkGradient(op, inputs(rows, d), [0, 1, 2], { backend: 'webgpu' });
      }
    }));
}

test('LayerNorm: a large mean does not drown the variance', async () => {
  const far = randomValues([4, 32], 5);
  far.data.forEach((v, i) => {
    far.data[i] = v + 3000;
  });
  const ones = { data: new Float32Array(32).fill(1), shape: [32] };
  const [y] = await runOn('webgpu', op, [far, ones]);
  for (let row = 0; row < 4; row++) {
    const values = y!.subarray(row * 32, (row + 1) * 32);
    const variance = values.reduce((sum, v) => sum + v * v, 0) / 32;
    expect(Math.abs(variance - 1), `row ${row}`).toBeLessThan(1e-3);
  }
});

test('LayerNorm: the gradient of the weight has the same bits in every run', async () => {
  const given = inputs(300, 12);
  const probes = await probesFor(op, given);
  const run = () => withTraits({ software: false }, () => gradientsOn('webgpu', op, given, [1], probes));
  expect(await run()).toEqual(await run());
});
