import { afterEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { MergedExport, Session } from '../../../src/session/api';
import { fakeSession } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { useMerge } = await import('../../../src/stores/merge');
const initial = useMerge.getState();

const merged: MergedExport = {
  name: 'pirate-chat-merged',
  files: [],
  bytes: 1000,
  maxLogitDifference: 2e-6,
  notes: [],
};

afterEach(() => useMerge.setState(initial, true));

function withExport(exportMerged: Session['exportMerged']) {
  connectSession(fakeSession({ exportMerged }));
}

test('the chosen precision is merged, saved, and told with its difference', async () => {
  const exportMerged = vi.fn(async () => merged);
  withExport(exportMerged);
  useMerge.getState().setDtype('F32');
  const save = vi.fn(async () => {});
  await useMerge.getState().merge(save);
  expect(exportMerged.mock.calls[0]).toEqual(['F32', expect.any(Function), expect.any(AbortSignal)]);
  expect(save).toHaveBeenCalledTimes(1);
  expect(useMerge.getState()).toMatchObject({
    state: 'idle',
    error: null,
    result: { name: 'pirate-chat-merged', dtype: 'F32', bytes: 1000, maxLogitDifference: 2e-6, notes: [] },
  });
});

test('a cancelled merge saves nothing and is no error', async () => {
  withExport((_dtype, _onProgress, signal) => {
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () =>
        reject(new TabtuneError({ code: 'cancelled', message: 'The merge was cancelled.' })),
      );
    });
  });
  const save = vi.fn(async () => {});
  const merging = useMerge.getState().merge(save);
  useMerge.getState().cancel();
  await merging;
  expect(save).not.toHaveBeenCalled();
  expect(useMerge.getState()).toMatchObject({ state: 'idle', error: null, result: null });
});

test('a merge that ends although it was cancelled is not saved either', async () => {
  withExport(async () => {
    useMerge.getState().cancel();
    return merged;
  });
  const save = vi.fn(async () => {});
  await useMerge.getState().merge(save);
  expect(save).not.toHaveBeenCalled();
  expect(useMerge.getState().result).toBeNull();
});

test('a full disk is an error, and no result', async () => {
  withExport(async () => merged);
  await useMerge.getState().merge(async () => {
    throw new DOMException('no space', 'QuotaExceededError');
  });
  expect(useMerge.getState()).toMatchObject({ state: 'idle', result: null, error: { code: 'internal' } });
});

test('while one is merged, another cannot be begun', async () => {
  let finish: (value: MergedExport) => void = () => {};
  const exportMerged = vi.fn(() => new Promise<MergedExport>((resolve) => (finish = resolve)));
  withExport(exportMerged);
  const first = useMerge.getState().merge(async () => {});
  await useMerge.getState().merge(async () => {});
  finish(merged);
  await first;
  expect(exportMerged).toHaveBeenCalledTimes(1);
});
