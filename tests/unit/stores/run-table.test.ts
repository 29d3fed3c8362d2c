import { beforeEach, describe, expect, it, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { StorageItem } from '../../../src/session/api';
import { useRunTable } from '../../../src/stores/run-table';
import { useRuns } from '../../../src/stores/runs';
import { connectSession } from '../../../src/stores/session';
import { useTraining } from '../../../src/stores/training';
import { fakeSession, runRecord } from './fake-session';

const gone = new TabtuneError({ code: 'storage', message: 'This run is no longer in this browser.' });
const runs = ['a', 'b', 'c'].map((id) => runRecord({ id, name: id }));
const table = () => useRunTable.getState();

beforeEach(() => {
  useRuns.setState({ runs, error: null });
  useRunTable.setState({ selected: [], curves: {}, sizes: {} });
  useTraining.setState({ run: null, phase: 'idle' });
});

describe('what a person says of a run', () => {
  it('is stored and shown in the list and on the Train page', async () => {
    connectSession(fakeSession());
    useTraining.setState({ run: runs[1]! });
    expect(await table().label('b', { name: 'baseline', tags: ['keep'] })).toBe(true);
    expect(useRuns.getState().runs.map(({ name }) => name)).toEqual(['a', 'baseline', 'c']);
    expect(useTraining.getState().run).toMatchObject({ name: 'baseline', tags: ['keep'] });
  });

  it('is not shown if it could not be stored, and the page says why', async () => {
    connectSession(fakeSession({ labelRun: async () => Promise.reject(gone) }));
    expect(await table().label('b', { name: 'baseline' })).toBe(false);
    expect(useRuns.getState().runs[1]!.name).toBe('b');
    expect(useRuns.getState().error?.message).toBe(gone.message);
  });
});

describe('deletion', () => {
  it('takes the runs out of the list and the selection', async () => {
    const deleteRun = vi.fn(async () => {});
    connectSession(fakeSession({ deleteRun }));
    table().select(['a', 'b', 'c']);
    await table().remove(['a', 'c']);
    expect(deleteRun.mock.calls).toEqual([['a'], ['c']]);
    expect(table().selected).toEqual(['b']);
    expect(useRuns.getState().runs.map(({ id }) => id)).toEqual(['b']);
  });

  it('stops at the first run that is refused, and keeps it', async () => {
    const deleteRun = vi.fn(async (id: string) => {
      if (id === 'b') throw new TabtuneError({ code: 'storage', message: 'This run is still in progress.' });
    });
    connectSession(fakeSession({ deleteRun }));
    await table().remove(['a', 'b', 'c']);
    expect(useRuns.getState().runs.map(({ id }) => id)).toEqual(['b', 'c']);
    expect(useRuns.getState().error?.message).toBe('This run is still in progress.');
  });
});

describe('curves', () => {
  it('are read once, and again when the run has gone on', async () => {
    const runMetrics = vi.fn(async () => []);
    connectSession(fakeSession({ runMetrics }));
    await table().readCurves(runs);
    await table().readCurves(runs);
    expect(runMetrics).toHaveBeenCalledTimes(3);
    await table().readCurves([{ ...runs[0]!, step: runs[0]!.step + 1 }]);
    expect(runMetrics).toHaveBeenCalledTimes(4);
  });

  it('that cannot be read are said, and not asked for for ever', async () => {
    const runMetrics = vi.fn(async () => Promise.reject(gone));
    connectSession(fakeSession({ runMetrics }));
    await table().readCurves([runs[0]!]);
    await table().readCurves([runs[0]!]);
    expect(runMetrics).toHaveBeenCalledTimes(1);
    expect(useRuns.getState().error?.message).toBe(gone.message);
  });
});

it('sizes are those of the runs among what is stored', async () => {
  const items: StorageItem[] = [
    { id: 'run/a', kind: 'run', name: 'a', bytes: 12, createdAt: 1 },
    { id: 'dataset/a', kind: 'dataset', name: 'a', bytes: 99, createdAt: 1 },
  ];
  connectSession(fakeSession({ storage: async () => ({ usage: 0, quota: 1, persisted: false, items }) }));
  await table().readSizes();
  expect(table().sizes).toEqual({ a: 12 });
});

it('exported metrics are a file, or nothing and a reason', async () => {
  connectSession(fakeSession());
  expect(await table().exported(runs[0]!, 'trainer_state')).toMatchObject({ ending: 'trainer_state.json' });
  connectSession(fakeSession({ runMetrics: async () => Promise.reject(gone) }));
  expect(await table().exported(runs[0]!, 'csv')).toBeNull();
  expect(useRuns.getState().error?.message).toBe(gone.message);
});
