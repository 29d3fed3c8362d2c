import { expect, test } from 'vitest';
import { scoreLoss } from '../../../src/engine/kernels/losses/score-loss';
import { checkGradient, gradientsOn, intValues, runOn } from '../../kernel-helpers';
import { SCORE_CASES, scoreCase, takeCase } from '../../parity/scores';

const row = (...values: number[]) => ({ data: Float32Array.from(values), shape: [1, values.length] });

test('cross-entropy of scores by hand: a row without a class adds nothing', async () => {
  const scores = { data: Float32Array.of(0, Math.log(3), 5, 6), shape: [2, 2] };
  const run = (smoothing: number) =>
    runOn('cpu', (s, t) => [scoreLoss('cross_entropy', s!, t!, { scale: 0.5, smoothing })], [
      scores,
      intValues([1, -100], [2]),
    ]);
  expect((await run(0))[0]![0]).toBeCloseTo(0.5 * Math.log(4 / 3), 6);
  // F.cross_entropy(label_smoothing=0.1): 95 % of the target, 5 % of the other.
  expect((await run(0.1))[0]![0]).toBeCloseTo(0.5 * (0.95 * Math.log(4 / 3) + 0.05 * Math.log(4)), 6);
});

test('binary cross-entropy and squared error by hand: means over the labels', async () => {
  const binary = await runOn('cpu', (s, t) => [scoreLoss('binary', s!, t!, { scale: 1 })], [
    row(0, Math.log(3)),
    row(1, 0),
  ]);
  expect(binary[0]![0]).toBeCloseTo((Math.log(2) + Math.log(4)) / 2, 6);
  const squared = await runOn('cpu', (s, t) => [scoreLoss('squared', s!, t!, { scale: 2 })], [row(1, 4), row(3, 1)]);
  expect(squared[0]![0]).toBeCloseTo(2 * ((4 + 9) / 2), 6);
});

test.each(SCORE_CASES.filter((c) => !c.size))('loss of scores: gradients match finite differences, %o', async (c) => {
  const { op, inputs } = scoreCase(c);
  await checkGradient(op, inputs, [0]);
});

test('loss of scores: large scores do not overflow', async () => {
  for (const c of SCORE_CASES.filter((given) => given.size)) {
    const { op, inputs } = scoreCase({ ...c, size: 400 });
    expect(Number.isFinite((await runOn('cpu', op, inputs))[0]![0])).toBe(true);
  }
});

test('loss of scores names the shapes that do not match', async () => {
  const { op, inputs } = scoreCase({ kind: 'binary', rows: 3, classes: 4 });
  await expect(runOn('cpu', op, [inputs[0]!, row(1, 2)])).rejects.toThrow('ScoreLoss: expected scores [R, C]');
});

test('taken rows: by number, zeros for -1, and the gradient goes back to where they came from', async () => {
  const { op, inputs } = takeCase(4, 3, [2, -1, 0]);
  const x = inputs[0]!.data;
  const [y] = await runOn('cpu', op, inputs);
  expect([...y!]).toEqual([...x.slice(6, 9), 0, 0, 0, ...x.slice(0, 3)]);
  const probe = { data: Float32Array.from({ length: 9 }, (_, i) => i + 1), shape: [3, 3] };
  const [dx] = await gradientsOn('cpu', op, inputs, [0], [probe]);
  expect([...dx!]).toEqual([7, 8, 9, 0, 0, 0, 1, 2, 3, 0, 0, 0]);
  await checkGradient(op, inputs, [0]);
});
