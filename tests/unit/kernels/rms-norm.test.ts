import { expect, test } from 'vitest';
import { rmsNorm } from '../../../src/engine/kernels/norms/rms-norm';
import { checkGradient, expectClose, type Op, randomValues, runOn } from '../../kernel-helpers';

const op: Op = (x, w) => [rmsNorm(x!, w!, 1e-5)];

test('RMSNorm by hand: the root mean square of (3, 4) is √12.5', async () => {
  const [y] = await runOn('cpu', op, [
    { data: Float32Array.of(3, 4, 0, 0), shape: [2, 2] },
    { data: Float32Array.of(1, 2), shape: [2] },
  ]);
  expectClose(y!, [3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5), 0, 0], { rtol: 1e-5 });
});

test('RMSNorm: gradients match finite differences', async () => {
  await checkGradient(op, [randomValues([3, 5], 1), randomValues([5], 2)], [0, 1]);
  await checkGradient(op, [randomValues([8, 16], 3), randomValues([16], 4)], [0, 1]);
});

test('RMSNorm names the shapes that do not match', async () => {
  await expect(runOn('cpu', op, [randomValues([3, 5], 1), randomValues([4], 2)])).rejects.toThrow(
    'RmsNorm: expected x [M, d], weight [d]; got x [3,5], weight [4]',
  );
});
