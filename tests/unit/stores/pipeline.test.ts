import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeSession } from './fake-session';
import { resetOf } from './reset-stores';

const { connectSession } = await import('../../../src/stores/session');
const { startPipeline } = await import('../../../src/stores/pipeline');
const { useRecipe } = await import('../../../src/stores/recipe');
const { useModel } = await import('../../../src/stores/model');
const { useData } = await import('../../../src/stores/data');
const { usePlan } = await import('../../../src/stores/plan');
const { useTraining } = await import('../../../src/stores/training');

const resets = [resetOf(useModel), resetOf(useData), resetOf(usePlan), resetOf(useTraining)];
let stop = () => {};

beforeEach(() => {
  vi.useFakeTimers();
  useRecipe.getState().replace({ version: 1 });
  for (const reset of resets) reset();
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

async function started(session = fakeSession()) {
  connectSession(session);
  stop = startPipeline();
  await vi.runAllTimersAsync();
  return session;
}

test('at the start everything is opened once, in order, up to the forecast', async () => {
  const session = await started();
  expect(session.openModel).toHaveBeenCalledTimes(1);
  expect(session.openDataset).toHaveBeenCalledTimes(1);
  expect(session.tokenize).toHaveBeenCalledTimes(1);
  expect(session.viewTokens).toHaveBeenCalledTimes(1);
  expect(session.forecast).toHaveBeenCalledTimes(1);
  expect(usePlan.getState().forecast?.totalSteps).toBe(3);
});

test('a field of the training asks for a new forecast and nothing else', async () => {
  const session = await started();
  useRecipe.getState().set({ 'training.learning_rate': 1e-3 });
  await vi.runAllTimersAsync();
  expect(session.forecast).toHaveBeenCalledTimes(2);
  expect(session.tokenize).toHaveBeenCalledTimes(1);
  expect(session.openModel).toHaveBeenCalledTimes(1);
});

test('quick changes are taken together', async () => {
  const session = await started();
  for (const epochs of [4, 5, 6, 7]) useRecipe.getState().set({ 'training.num_train_epochs': epochs });
  await vi.runAllTimersAsync();
  expect(session.forecast).toHaveBeenCalledTimes(2);
});

test('another dataset is read, tokenized and planned; the model stays', async () => {
  const session = await started();
  useRecipe.getState().set({ 'dataset.source': 'builtin:feedback' });
  await vi.runAllTimersAsync();
  expect(session.openDataset).toHaveBeenCalledTimes(2);
  expect(session.tokenize).toHaveBeenCalledTimes(2);
  expect(session.openModel).toHaveBeenCalledTimes(1);
});

test('while a run goes on nothing is opened; afterwards what was changed is', async () => {
  let end = (_: unknown) => {};
  const session = fakeSession({ train: () => new Promise((resolve) => (end = resolve as typeof end)) });
  await started(session);
  const run = useTraining.getState().start(useRecipe.getState().recipe);
  useRecipe.getState().set({ 'model.source': 'file:own' });
  await vi.runAllTimersAsync();
  expect(session.openModel).toHaveBeenCalledTimes(1);
  end({ id: 'run-1', status: 'completed' });
  await run;
  await vi.runAllTimersAsync();
  expect(session.openModel).toHaveBeenLastCalledWith('file:own', expect.any(Function), 'none');
});

test('a slow answer for an old dataset never replaces a newer one', async () => {
  let late = (_: unknown) => {};
  const quick = fakeSession().openDataset;
  const session = fakeSession({
    openDataset: (section) =>
      section.source === 'builtin:feedback'
        ? new Promise((resolve) => (late = resolve as typeof late))
        : quick(section),
  });
  await started(session);
  useRecipe.getState().set({ 'dataset.source': 'builtin:feedback' });
  useRecipe.getState().set({ 'dataset.source': 'builtin:lumen-bay' });
  await vi.runAllTimersAsync();
  late({ name: 'late', examples: [] });
  await vi.runAllTimersAsync();
  expect(useData.getState().dataset?.name).toBe('builtin:lumen-bay');
});

test('another precision opens the model again, and plans anew', async () => {
  const session = await started();
  useRecipe.getState().set({ 'model.quantization': 'nf4' });
  await vi.runAllTimersAsync();
  expect(session.openModel).toHaveBeenCalledTimes(2);
  expect(session.openModel).toHaveBeenLastCalledWith('builtin:stories', expect.any(Function), 'nf4');
  expect(session.forecast).toHaveBeenCalledTimes(2);
  expect(session.openDataset).toHaveBeenCalledTimes(1);
});
