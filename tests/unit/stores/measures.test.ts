import { beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { Comparison } from '../../../src/session/comparison-types';
import { fakeComparison, fakeSession, runRecord } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { useCompare } = await import('../../../src/stores/compare');
const { useRuns } = await import('../../../src/stores/runs');
const { exampleChanges, keyOf, useMeasures } = await import('../../../src/stores/measures');

const initial = useMeasures.getState();
beforeEach(() => {
  useMeasures.setState(initial, true);
  useRuns.setState({ runs: [] });
});

function connect(parts: Partial<Comparison> = {}) {
  const comparison = fakeComparison(parts);
  connectSession(fakeSession({ comparison: async () => comparison }));
  return comparison;
}
const of = { runId: 'a' };

test('every model is measured once, and again when its run has gone on', async () => {
  const comparison = connect();
  useRuns.setState({ runs: [runRecord({ id: 'a', step: 3 })] });
  const { measure } = useMeasures.getState();
  await measure('heldOut', ['base', 'run:a'], of);
  await measure('heldOut', ['base', 'run:a'], of);
  expect(vi.mocked(comparison.measure).mock.calls.map(([model]) => model)).toEqual(['base', 'run:a']);
  expect(useMeasures.getState().heldOut[keyOf('run:a', of)]?.loss).toBe(1);
  useRuns.setState({ runs: [runRecord({ id: 'a', step: 6 })] });
  await measure('heldOut', ['base', 'run:a'], of);
  expect(comparison.measure).toHaveBeenCalledTimes(3);
});

test('a measurement that is stopped is no error, and leaves nothing behind', async () => {
  connect({
    forgetting: (_model, signal) =>
      new Promise((_, reject) => {
        signal!.addEventListener('abort', () => reject(new TabtuneError({ code: 'cancelled', message: 'stopped' })));
      }),
  });
  const measuring = useMeasures.getState().measure('forgetting', ['run:a']);
  await new Promise((resolve) => setTimeout(resolve));
  expect(useMeasures.getState().running).toBe('forgetting');
  useMeasures.getState().cancel();
  await measuring;
  expect(useMeasures.getState()).toMatchObject({ running: null, error: null, forgetting: {} });
  expect(useMeasures.getState().forgetting).toEqual({});
  expect(useCompare.getState().generating).toBe(false);
});

test('the change of an example is its loss after minus its loss before; what has no targets is left out', () => {
  const measured = (losses: number[]) => ({
    ...{ loss: 1, perplexity: null, metrics: {}, answers: null, rows: [4, 7, 9] },
    losses: Float32Array.from(losses),
  });
  expect(exampleChanges(measured([2, 1, Number.NaN]), measured([0.5, 1.25, Number.NaN]))).toEqual([
    { row: 4, before: 2, after: 0.5, change: -1.5 },
    { row: 7, before: 1, after: 1.25, change: 0.25 },
  ]);
});
