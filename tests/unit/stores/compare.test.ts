import { beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
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
