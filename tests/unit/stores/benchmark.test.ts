/** One benchmark at a time, and never beside a run. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { BenchmarkResult } from '../../../src/benchmark/result';
import { useBenchmark } from '../../../src/stores/benchmark';
import { useTraining } from '../../../src/stores/training';
import { resetOf } from './reset-stores';

const measured = vi.hoisted(() => vi.fn());
vi.mock('../../../src/session/benchmark', () => ({ benchmark: measured }));

const resets = [resetOf(useBenchmark), resetOf(useTraining)];
afterEach(() => {
  for (const reset of resets) reset();
});
beforeEach(() => {
  measured.mockReset();
});

/** A measurement that lasts until it is cancelled. */
const endless = (_: unknown, signal: AbortSignal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new TabtuneError({ code: 'cancelled', message: 'Cancelled.' })));
  });

test('a second start is ignored while the first measures; cancelling is no error', async () => {
  measured.mockImplementation(endless);
  const first = useBenchmark.getState().start();
  await useBenchmark.getState().start();
  expect(measured).toHaveBeenCalledTimes(1);
  expect(useBenchmark.getState().progress).toBe('opening');
  useBenchmark.getState().cancel();
  await first;
  expect(useBenchmark.getState()).toMatchObject({ progress: null, error: null, result: null, gaveWay: false });
});

test('gives way to a run that begins', async () => {
  measured.mockImplementation(endless);
  const ended = useBenchmark.getState().start();
  useTraining.setState({ phase: 'starting' });
  await ended;
  expect(useBenchmark.getState()).toMatchObject({ progress: null, gaveWay: true, error: null });
});

test('shows progress, the result, and what failed', async () => {
  const result = { seconds: 3 } as BenchmarkResult;
  measured.mockImplementationOnce(async (onProgress: (progress: unknown) => void) => {
    onProgress({ stage: 'floors', what: 'copies', done: 1, total: 6 });
    expect(useBenchmark.getState().progress).toMatchObject({ what: 'copies' });
    return result;
  });
  await useBenchmark.getState().start();
  expect(useBenchmark.getState().result).toBe(result);

  measured.mockRejectedValueOnce(new TabtuneError({ code: 'gpu_lost', message: 'Gone.' }));
  await useBenchmark.getState().start();
  expect(useBenchmark.getState()).toMatchObject({ result: null, error: { code: 'gpu_lost' }, progress: null });
});
