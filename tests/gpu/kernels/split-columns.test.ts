import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { byTurns, type ColumnPart, sideBySide, splitColumns } from '../../../src/engine/kernels/moves/split-columns';
import { checkGradient, expectSameOnGpu, gradientsOn, randomValues, runOn } from '../../kernel-helpers';

const cases: [name: string, rows: number, columns: number, parts: ColumnPart[]][] = [
  ['thirds, as in GPT-2', 5, 24, sideBySide(8, 8, 8)],
  ['unequal widths, as in Phi-3', 3, 20, sideBySide(12, 4, 4)],
  ['odd widths', 7, 12, sideBySide(5, 7)],
  ['alternating, as in GPT-NeoX', 5, 48, byTurns(3, 4, 4)],
  ['alternating, odd heads', 3, 30, byTurns(3, 2, 5)],
  ['more rows than a workgroup', 130, 36, byTurns(3, 3, 4)],
];

test.each(cases)('splitColumns, %s: matches the reference', async (_name, rows, columns, parts) => {
  const inputs = [randomValues([rows, columns], 1)];
  await expectSameOnGpu((x) => splitColumns(x!, parts), inputs, { wanted: [0], rtol: 0 });
});

test('splitColumns takes the columns that Hugging Face views as [heads, 3, width]', async () => {
  const x = randomValues([2, 12], 2);
  const row = [...x.data.subarray(0, 12)];
  // Two heads of width 2: q0 q0 k0 k0 v0 v0 q1 q1 k1 k1 v1 v1.
  const [q, k, v] = await runOn('webgpu', (t) => splitColumns(t!, byTurns(3, 2, 2)), [x]);
  const pick = (...at: number[]) => at.map((i) => row[i]!);
  expect([...q!.subarray(0, 4)]).toEqual(pick(0, 1, 6, 7));
  expect([...k!.subarray(0, 4)]).toEqual(pick(2, 3, 8, 9));
  expect([...v!.subarray(0, 4)]).toEqual(pick(4, 5, 10, 11));
});

test('splitColumns: the gradient matches finite differences', () =>
  checkGradient((x) => splitColumns(x!, byTurns(3, 2, 2)), [randomValues([3, 12], 3)], [0], { backend: 'webgpu' }));

test('splitColumns: a part that the loss does not use gets a zero gradient', async () => {
  const parts = sideBySide(2, 3);
  const probes = [null, randomValues([2, 3], 5)];
  const [dx] = await gradientsOn('webgpu', (x) => splitColumns(x!, parts), [randomValues([2, 5], 4)], [0], probes);
  const p = probes[1]!.data;
  expect([...dx!]).toEqual([0, 0, p[0]!, p[1]!, p[2]!, 0, 0, p[3]!, p[4]!, p[5]!]);
});

test('splitColumns rejects parts that overlap or leave columns out', () => {
  const x = tf.zeros([1, 6]);
  expect(() => splitColumns(x, sideBySide(2, 2))).toThrow('do not cover each of 6 columns once');
  const overlap = [
    { offset: 0, width: 3, groups: 1, stride: 3 },
    { offset: 2, width: 3, groups: 1, stride: 3 },
  ];
  expect(() => splitColumns(x, overlap)).toThrow('do not cover each of 6 columns once');
  x.dispose();
});
