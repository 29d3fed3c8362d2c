import { expect, test } from 'vitest';
import { addTensors } from '../../../src/engine/kernels/pointwise/add';
import { checkGradient, randomTensor, withBackend } from '../../kernel-helpers';
import { SHARED_CASES } from '../../parity/shared-inputs';

test.each(SHARED_CASES)('gradients match finite differences: $name', async ({ op, inputs, wanted }) => {
  await checkGradient(op, inputs, wanted);
});

test('tensors of different shapes are not added', () =>
  withBackend('cpu', () => {
    const [a, b] = [randomTensor([2, 3], 1), randomTensor([3, 2], 2)];
    expect(() => addTensors(a, b)).toThrow('a [2,3], b [3,2]');
    a.dispose();
    b.dispose();
  }));
