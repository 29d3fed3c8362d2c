import { beforeEach, expect, test } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { LoadedAdapter } from '../../../src/session/api';
import { fakeSession } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { useCompare } = await import('../../../src/stores/compare');

const initial = useCompare.getState();
beforeEach(() => {
  useCompare.getState().forgetAdapter();
  useCompare.setState(initial, true);
});

const loaded = (id: string, change: Partial<LoadedAdapter> = {}): LoadedAdapter => ({
  id,
  name: id,
  method: 'lora',
  objective: 'sft',
  settings: resolveRecipe({ version: 1 }).method,
  trainableParameters: 10,
  active: false,
  runId: null,
  ...change,
});

/** A session that keeps a list, as the real one does. */
function sessionWith(list: LoadedAdapter[]) {
  let kept = list;
  return fakeSession({
    listAdapters: async () => kept,
    activateAdapter: async (id) => {
      kept = kept.map((adapter) => ({ ...adapter, active: adapter.id === id }));
    },
    removeAdapter: async (id) => {
      kept = kept.filter((adapter) => adapter.id !== id);
    },
  });
}

test('one of several adapters is on the model, or none', async () => {
  connectSession(sessionWith([loaded('first', { active: true }), loaded('second', { method: 'bottleneck' })]));
  const { activate, removeAdapter } = useCompare.getState();
  await activate('second');
  expect(useCompare.getState().adapter).toMatchObject({ kind: 'import', name: 'second', method: 'bottleneck' });
  expect(useCompare.getState().adapters.map(({ active }) => active)).toEqual([false, true]);
  await activate(null);
  expect(useCompare.getState().adapter).toBeNull();
  expect(useCompare.getState().adapters).toHaveLength(2);
  await activate('first');
  await removeAdapter('first');
  expect(useCompare.getState().adapter).toBeNull();
  expect(useCompare.getState().adapters.map(({ id }) => id)).toEqual(['second']);
});

test('an adapter that cannot be put on the model says why', async () => {
  const activateAdapter = async () => {
    throw new TabtuneError({ code: 'bad_adapter', message: 'It is no longer loaded.' });
  };
  connectSession(fakeSession({ activateAdapter }));
  await useCompare.getState().activate('gone');
  expect(useCompare.getState().adapterError?.message).toBe('It is no longer loaded.');
  expect(useCompare.getState().opening).toBe(false);
});
