import { expect, test } from 'vitest';
import { checkGradient, expectSameOnGpu, runOn } from '../../kernel-helpers';
import { SCORE_CASES, scoreCase, takeCase } from '../../parity/scores';

test.each(SCORE_CASES)('loss of scores matches the reference: %o', async (c) => {
  const { op, inputs } = scoreCase(c);
  await expectSameOnGpu(op, inputs, { wanted: [0], rtol: 1e-5 });
});

test('loss of scores: gradients match finite differences', async () => {
  for (const c of SCORE_CASES.filter(({ size }) => !size).slice(1)) {
    const { op, inputs } = scoreCase(c);
    await checkGradient(op, inputs, [0], { backend: 'webgpu' });
  }
});

test('loss of scores: NaN reaches the loss', async () => {
  for (const kind of ['cross_entropy', 'binary', 'squared'] as const) {
    const { op, inputs } = scoreCase({ kind, rows: 3, classes: 4 });
    inputs[0]!.data[5] = Number.NaN;
    expect((await runOn('webgpu', op, inputs))[0]![0], kind).toBeNaN();
  }
});

test('taken rows match the reference, even in recycled buffers', async () => {
  for (const [tokens, width, rows] of [
    [1, 1, [0]],
    [9, 5, [8, -1, 3]],
    [40, 12, [39, 0, 7, -1, -1, 11]],
  ] as const) {
    const { op, inputs } = takeCase(tokens, width, [...rows]);
    for (let i = 0; i < 2; i++) await expectSameOnGpu(op, inputs, { wanted: [0], rtol: 0 });
  }
});
