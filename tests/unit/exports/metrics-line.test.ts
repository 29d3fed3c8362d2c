/** Lines of metrics.jsonl: the columns of a step are fixed, and what an objective reports comes after them. */
import { expect, test } from 'vitest';
import { metricsLine } from '../../../src/exports/run-metrics';
import type { MetricsRow } from '../../../src/storage/types';

const step: MetricsRow = {
  kind: 'step',
  step: 3,
  epoch: 0.5,
  loss: 1.5,
  grad_norm: 0.25,
  learning_rate: 1e-4,
  tokens: 96,
  seconds: 2,
  gpu_bytes: 1024,
};
const COLUMNS = ['step', 'epoch', 'loss', 'grad_norm', 'learning_rate', 'tokens', 'seconds', 'gpu_bytes'];

test('a step that reports nothing else has the eight columns', () => {
  expect(Object.keys(metricsLine(step))).toEqual(COLUMNS);
});

test('further metrics are columns of their own, and never replace one', () => {
  const line = metricsLine({ ...step, metrics: { reward_margin: 0.75, loss: 9 } });
  expect(Object.keys(line)).toEqual([...COLUMNS, 'reward_margin']);
  expect(line).toMatchObject({ loss: 1.5, reward_margin: 0.75 });
});

test('an evaluation keeps its metrics together', () => {
  const row: MetricsRow = {
    kind: 'eval',
    ...{ step: 4, epoch: 1, eval_loss: 2, best: true, seconds: 3 },
    metrics: { accuracy: 0.5 },
    report: { labels: [], confusion: [], perClass: [] },
  };
  const { kind: _, ...line } = row;
  expect(JSON.stringify(metricsLine(row))).toBe(JSON.stringify(line));
});
