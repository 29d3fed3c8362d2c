import { beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { LoadedAdapter } from '../../../src/session/api';
import { fakeSession, runRecord } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { useCompare } = await import('../../../src/stores/compare');

const initial = useCompare.getState();
beforeEach(() => {
  useCompare.getState().forgetAdapter();
  useCompare.setState(initial, true);
});

test('the base answers with strength 0, then the tuned with the chosen strength', async () => {
  const session = fakeSession();
  connectSession(session);
  await useCompare.getState().openRun(runRecord());
  useCompare.getState().set({ prompt: 'Hello', strength: 1.5 });
  await useCompare.getState().ask();
  const strengths = vi.mocked(session.generate).mock.calls.map(([, options]) => options.adapterStrength);
  expect(strengths).toEqual([0, 1.5]);
  const { base, tuned } = useCompare.getState();
  expect([base, tuned]).toEqual([
    { text: 'base', state: 'done' },
    { text: 'tuned', state: 'done' },
  ]);
});

test('the base need not answer the same question twice', async () => {
  const session = fakeSession();
  connectSession(session);
  await useCompare.getState().openRun(runRecord());
  useCompare.getState().set({ prompt: 'Hello' });
  await useCompare.getState().ask();
  useCompare.getState().set({ strength: 0.5 });
  await useCompare.getState().ask();
  expect(session.generate).toHaveBeenCalledTimes(3);
  useCompare.getState().set({ temperature: 1 });
  await useCompare.getState().ask();
  expect(session.generate).toHaveBeenCalledTimes(5);
});

test('without an adapter only the base answers', async () => {
  const session = fakeSession();
  connectSession(session);
  useCompare.getState().set({ prompt: 'Hello' });
  await useCompare.getState().ask();
  expect(session.generate).toHaveBeenCalledTimes(1);
  expect(useCompare.getState().tuned.state).toBe('empty');
});

test('a failure is shown and both columns come to rest', async () => {
  const generate = async () => {
    throw new TabtuneError({ code: 'gpu_lost', message: 'The GPU went away.' });
  };
  connectSession(fakeSession({ generate }));
  useCompare.getState().set({ prompt: 'Hello' });
  await useCompare.getState().ask();
  const { error, base, generating } = useCompare.getState();
  expect([error?.message, base.state, generating]).toEqual(['The GPU went away.', 'stopped', false]);
});

const loaded = (id: string, change: Partial<LoadedAdapter> = {}): LoadedAdapter => ({
  id,
  name: id,
  method: 'lora',
  objective: 'sft',
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
    classify: vi.fn(async (_text, strength) => [{ label: strength > 0 ? 'praise' : 'question', probability: 0.9 }]),
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

test('a classifier is asked for labels, at strength 0 and at the chosen one', async () => {
  const session = sessionWith([loaded('sorter', { objective: 'sequence_classification' })]);
  connectSession(session);
  await useCompare.getState().activate('sorter');
  useCompare.getState().set({ prompt: 'I like it', strength: 0.5 });
  await useCompare.getState().ask();
  expect(vi.mocked(session.classify).mock.calls).toEqual([
    ['I like it', 0],
    ['I like it', 0.5],
  ]);
  expect(session.generate).not.toHaveBeenCalled();
  const { base, tuned } = useCompare.getState();
  expect([base.scores?.[0]?.label, tuned.scores?.[0]?.label]).toEqual(['question', 'praise']);
  // What a classifier said is no answer of a model that writes.
  await useCompare.getState().activate(null);
  expect(useCompare.getState().base.state).toBe('empty');
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
