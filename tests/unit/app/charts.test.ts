/** Curves as the charts draw them. */
import { describe, expect, test } from 'vitest';
import {
  lossOf,
  overlaySeries,
  placeOf,
  type Series,
  speedsOf,
  stepsOf,
  valuesOf,
} from '../../../src/app/components/charts/series';
import { including, thin, zoomed } from '../../../src/app/components/charts/thin';
import type { EvalMetrics, StepMetrics } from '../../../src/storage/types';

const step = (n: number, more: Partial<StepMetrics> = {}): StepMetrics => ({
  ...{ kind: 'step', step: n, epoch: n, loss: n / 10, grad_norm: 1, learning_rate: 1e-4 },
  ...{ tokens: 100 * n, seconds: 2 * n, gpu_bytes: 1, ...more },
});
const evaluation = (n: number, seconds: number): EvalMetrics => ({
  ...{ kind: 'eval', step: n, epoch: n, eval_loss: n, best: true, seconds },
});

describe('values along the steps', () => {
  test('of one run, and of runs with other steps', () => {
    const one = [evaluation(0, 0), step(1), step(2), evaluation(2, 5), step(3)];
    expect(stepsOf(one)).toEqual([0, 1, 2, 3]);
    expect(stepsOf(one, [step(2), step(8)])).toEqual([0, 1, 2, 3, 8]);
    expect(valuesOf(stepsOf(one), one, lossOf)).toEqual([null, 0.1, 0.2, 0.3]);
    expect(valuesOf([0, 2, 8], one, lossOf)).toEqual([null, 0.2, null]);
  });

  test('a step that was reported twice has its last value, and what is not a number is no value', () => {
    const rows = [step(1), step(2), step(1, { loss: 7 }), step(3, { loss: Number.NaN })];
    expect(stepsOf(rows)).toEqual([1, 2, 3]);
    expect(valuesOf([1, 2, 3], rows, lossOf)).toEqual([7, 0.2, null]);
  });

  test('the place of a step is that of the last one not after it', () => {
    expect([0, 1, 4, 5, 9, 99].map((at) => placeOf([1, 5, 9], at))).toEqual([-1, 0, 0, 1, 2, 2]);
  });

  test('speed is tokens over the seconds of the last steps, and an evaluation between them does not count', () => {
    // 100 tokens in 2 s each; the evaluation after step 2 takes 30 s.
    const rows = [step(1), step(2), evaluation(2, 34), step(3, { seconds: 36 }), step(4, { seconds: 40 })];
    expect(speedsOf([1, 2, 3, 4], rows)).toEqual([50, 50, 50, 40]);
  });

  test('an overlaid run brings its validation loss, if it has one', () => {
    const run = { name: 'a', validationName: 'a, validation', look: { color: '--series-3' }, smoothing: 0 };
    const names = (series: Series[]) => series.map(({ name }) => name);
    expect(names(overlaySeries([1], { ...run, rows: [step(1)] }))).toEqual(['a']);
    const both = overlaySeries([1, 2], { ...run, rows: [step(1), step(2), evaluation(2, 9)] });
    expect(names(both)).toEqual(['a', 'a, validation']);
    expect(both[1]).toMatchObject({ values: [null, 2], points: true, color: '--series-3' });
  });
});

describe('a long curve', () => {
  const x = Array.from({ length: 20_000 }, (_, i) => i + 1);
  const values = x.map((n) => Math.sin(n / 300) + (n === 7777 ? 50 : 0));
  const dots = x.map((n) => (n % 5000 === 1 ? n : null));
  const plot = {
    x,
    series: [
      { name: 'loss', color: '--series-1', values },
      { name: 'validation', color: '--series-2', values: dots, points: true },
    ],
  };

  test('is drawn with a few points per column, and its peaks and dots are among them', () => {
    const drawn = thin(plot, null, 600);
    expect(drawn.x.length).toBeLessThanOrEqual(4 * 600 + 4);
    expect(drawn.x[0]).toBe(1);
    expect(drawn.x.at(-1)).toBe(20_000);
    expect(drawn.series[0]!.values[drawn.x.indexOf(7777)]).toBe(values[7776]);
    expect(drawn.series[1]!.values.filter((value) => value !== null)).toEqual([1, 5001, 10_001, 15_001]);
    expect([...drawn.x].sort((a, b) => a - b)).toEqual(drawn.x);
  });

  test('zoomed into, shows every step, and its neighbours so that lines reach the edge', () => {
    const drawn = thin(plot, [100.5, 103], 600);
    expect(drawn.x).toEqual([99, 100, 101, 102, 103, 104]);
    expect(drawn.series[0]!.values).toHaveLength(drawn.x.length);
  });

  test('that fits is drawn as it is', () => {
    const short = { x: [1, 2], series: [{ name: 'loss', color: '--series-1', values: [3, 4] }] };
    expect(thin(short, null, 600)).toEqual(short);
    expect(thin({ x: [], series: [] }, [1, 2], 600)).toEqual({ x: [], series: [] });
  });
});

describe('zooming', () => {
  test('keeps the step under the cursor where it is, stays within the run, and ends in the whole', () => {
    expect(zoomed([0, 100], [0, 100], 25, 0.5)).toEqual([12.5, 62.5]);
    expect(zoomed([0, 100], [0, 100], 0, 0.5)).toEqual([0, 50]);
    expect(zoomed([0, 100], [0, 100], 100, 0.5)).toEqual([50, 100]);
    expect(zoomed([12.5, 62.5], [0, 100], 25, 2)).toBe(null);
    // Never less than four steps.
    expect(zoomed([10, 14], [0, 100], 12, 0.5)).toEqual([10, 14]);
  });

  test('the range follows a step that leaves it', () => {
    expect(including([10, 20], 15)).toEqual([10, 20]);
    expect(including([10, 20], 21)).toEqual([11, 21]);
    expect(including([10, 20], 4)).toEqual([4, 14]);
  });
});
