import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { MetricsRow, RunRecord } from '../../../src/storage/types';
import { fakeSession, runRecord } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { stepReached, useTraining } = await import('../../../src/stores/training');
const { useRuns } = await import('../../../src/stores/runs');
const { startAnnouncer, useAnnouncer } = await import('../../../src/stores/announcer');

const initial = useTraining.getState();
const recipe = runRecord().recipe;
const step = (n: number): MetricsRow => ({
  kind: 'step',
  step: n,
  epoch: n,
  loss: 3 - n / 10,
  grad_norm: 1,
  learning_rate: 1e-4,
  tokens: n,
  seconds: n,
  gpu_bytes: 1,
});

/** A session whose run lasts until `end` is called. */
function running() {
  let end = (_: RunRecord) => {};
  let fail = (_: unknown) => {};
  const wait = () =>
    new Promise<RunRecord>((resolve, reject) => {
      end = resolve;
      fail = reject;
    });
  const session = fakeSession({ train: wait, resumeRun: wait });
  connectSession(session);
  return { session, end: (run: RunRecord) => end(run), fail: (cause: unknown) => fail(cause) };
}

beforeEach(() => {
  vi.useFakeTimers();
  useTraining.setState(initial, true);
});
afterEach(() => vi.useRealTimers());

test('a run whose data has changed is asked about, and is still the run on the screen', async () => {
  const { fail } = running();
  const run = runRecord({ status: 'interrupted' });
  const resumed = useTraining.getState().resumeRun(run);
  await vi.advanceTimersByTimeAsync(0);
  fail(new TabtuneError({ code: 'inputs_changed', message: 'Another file.' }));
  expect(await resumed).toBe(null);
  const { phase, error, asked } = useTraining.getState();
  expect({ phase, error }).toEqual({ phase: 'idle', error: null });
  expect(asked).toMatchObject({ run, error: { message: 'Another file.' } });
  useTraining.getState().dismissAsked();
  expect(useTraining.getState()).toMatchObject({ asked: null, run });
});

test('rows reach the screen together, not one by one', async () => {
  const { session, end } = running();
  const done = useTraining.getState().start(recipe);
  session.emit({ type: 'started', run: runRecord(), totalSteps: 9, stepsPerEpoch: 3, resumedFrom: 0 });
  const changes = vi.fn();
  const unsubscribe = useTraining.subscribe((state, before) => state.rows !== before.rows && changes());
  for (let n = 1; n <= 5; n++) session.emit({ type: 'metrics', row: step(n), tokensPerSecond: 10, secondsLeft: 1 });
  expect(useTraining.getState().rows).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(150);
  expect(useTraining.getState().rows).toHaveLength(5);
  expect(changes).toHaveBeenCalledTimes(1);
  unsubscribe();
  end(runRecord());
  await done;
  expect(useTraining.getState().phase).toBe('idle');
});

test('going on drops what was drawn past the checkpoint', async () => {
  const { session, end } = running();
  session.runMetrics = async () => [step(1), step(2), step(3)];
  const done = useTraining.getState().resumeRun(runRecord({ status: 'interrupted' }));
  await vi.advanceTimersByTimeAsync(0);
  expect(useTraining.getState().rows).toHaveLength(3);
  session.emit({ type: 'started', run: runRecord(), totalSteps: 9, stepsPerEpoch: 3, resumedFrom: 2 });
  expect(useTraining.getState().rows.map((row) => row.step)).toEqual([1, 2]);
  end(runRecord());
  await done;
});

test('a failure keeps the words of its event', async () => {
  const { session, fail } = running();
  const done = useTraining.getState().start(recipe);
  const error = { code: 'gpu_lost' as const, message: 'The GPU went away.' };
  session.emit({ type: 'failed', error, run: runRecord({ status: 'interrupted' }), resumable: true });
  fail(new TabtuneError({ code: 'internal', message: 'something else' }));
  await done;
  const state = useTraining.getState();
  expect([state.error, state.resumable, state.phase]).toEqual([error, true, 'idle']);
});

test('a second start while a run goes on does nothing', async () => {
  const { end } = running();
  const done = useTraining.getState().start(recipe);
  expect(await useTraining.getState().start(recipe)).toBeNull();
  end(runRecord());
  await done;
});

test('stopping a paused run lets it take the step after which it stops', async () => {
  const { session, end } = running();
  const done = useTraining.getState().start(recipe);
  session.emit({ type: 'state', state: 'paused' });
  await useTraining.getState().stop();
  expect(session.resume).toHaveBeenCalledBefore(session.stop as ReturnType<typeof vi.fn>);
  session.emit({ type: 'state', state: 'training' });
  expect(useTraining.getState().phase).toBe('stopping');
  end(runRecord({ status: 'stopped' }));
  await done;
});

test('the status line tells changes at once and progress every ten seconds', async () => {
  const unsubscribe = startAnnouncer();
  const { session, end } = running();
  const done = useTraining.getState().start(recipe);
  expect(useAnnouncer.getState().text).toBe('Training is starting.');
  session.emit({ type: 'started', run: runRecord(), totalSteps: 9, stepsPerEpoch: 3, resumedFrom: 0 });
  const tell = async (n: number) => {
    session.emit({ type: 'metrics', row: step(n), tokensPerSecond: 10, secondsLeft: 1 });
    await vi.advanceTimersByTimeAsync(1000);
    return useAnnouncer.getState().text;
  };
  expect(await tell(1)).toBe('Training is starting.');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await tell(2)).toBe('Training: step 2 of 9, loss 2.80.');
  expect(await tell(3)).toBe('Training: step 2 of 9, loss 2.80.');
  end(runRecord());
  await done;
  expect(useAnnouncer.getState().text).toBe('Training finished after 3 of 3 steps.');
  unsubscribe();
});

test('a refused start says so, and does not go on starting', async () => {
  const unsubscribe = startAnnouncer();
  const { fail } = running();
  const done = useTraining.getState().start(recipe);
  expect(useAnnouncer.getState().text).toBe('Training is starting.');
  fail(new TabtuneError({ code: 'bad_recipe', message: 'The pattern cannot be used.' }));
  await done;
  expect(useAnnouncer.getState().text).toBe('Training did not start. The pattern cannot be used.');
  expect(useTraining.getState()).toMatchObject({ phase: 'idle', refused: true });

  // The old run's outcome is not this attempt's.
  const again = useTraining.getState().resumeRun(runRecord({ status: 'interrupted' }));
  await vi.waitFor(() => expect(useTraining.getState().phase).toBe('starting'));
  running();
  await vi.advanceTimersByTimeAsync(0);
  fail(new TabtuneError({ code: 'bad_model', message: 'The model is gone.' }));
  await again;
  expect(useAnnouncer.getState().text).toBe('Training did not start. The model is gone.');
  unsubscribe();
});

test('the list of runs says of the live one what the rest of the screen says', async () => {
  const { session, end } = running();
  const old = runRecord({ status: 'interrupted', step: 6, savedStep: 4 });
  useRuns.setState({ runs: [old] });
  const done = useTraining.getState().resumeRun(old);
  await vi.advanceTimersByTimeAsync(0);
  const listed = () => useRuns.getState().runs.map(({ status, step, savedStep }) => ({ status, step, savedStep }));
  expect(listed()).toEqual([{ status: 'running', step: 6, savedStep: 4 }]);
  const run = runRecord({ status: 'running', step: 4, savedStep: 4 });
  session.emit({ type: 'started', run, totalSteps: 9, stepsPerEpoch: 3, resumedFrom: 4 });
  expect(listed()).toEqual([{ status: 'running', step: 4, savedStep: 4 }]);
  session.emit({ type: 'metrics', row: step(5), tokensPerSecond: 10, secondsLeft: 1 });
  session.emit({ type: 'checkpoint', step: 5, everySeconds: 30 });
  expect(listed()).toEqual([{ status: 'running', step: 5, savedStep: 5 }]);
  expect(useTraining.getState().saved).toMatchObject({ step: 5, everySeconds: 30 });
  session.emit({ type: 'state', state: 'paused' });
  expect(listed()[0]).toMatchObject({ status: 'paused' });
  const ended = runRecord({ status: 'completed', step: 9 });
  session.runs = async () => [ended];
  end(ended);
  await done;
  await vi.advanceTimersByTimeAsync(0);
  expect(listed()[0]).toMatchObject({ status: 'completed', step: 9 });
});

test('what is not live says the step of its record, whatever the curve says', () => {
  useTraining.setState({ phase: 'training', run: runRecord({ step: 4 }), rows: [step(5), step(6)] });
  expect(stepReached(useTraining.getState())).toBe(6);
  useTraining.setState({ phase: 'idle' });
  expect(stepReached(useTraining.getState())).toBe(4);
});
