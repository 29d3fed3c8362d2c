import { test } from 'vitest';
import { addNoise } from '../../../src/engine/kernels/pointwise/noise';
import { expectSameOnGpu, randomValues } from '../../kernel-helpers';

test.each([[[1]], [[3]], [[5, 7]], [[33, 64]]])('noise on %j matches the reference', (shape) =>
  expectSameOnGpu(
    (x) => [addNoise(x!, { magnitude: 0.7, seed: 2 ** 32 - 1, step: 2 ** 31 + 5 })],
    [randomValues(shape, 1)],
    { wanted: [0], rtol: 1e-6 },
  ),
);
