import { beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { Download } from '../../../src/hub/descriptions';
import { fakeSession } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { followDownloads, useDownloads } = await import('../../../src/stores/downloads');
const { startAnnouncer, useAnnouncer } = await import('../../../src/stores/announcer');
const { useModel } = await import('../../../src/stores/model');
const { useRecipe } = await import('../../../src/stores/recipe');
const { useTraining } = await import('../../../src/stores/training');

const source = 'hf:org/tiny@abc';
const download = (change: Partial<Download> = {}): Download => ({
  source,
  title: 'org/tiny',
  state: 'downloading',
  file: 'model.safetensors',
  loaded: 10,
  total: 100,
  rate: null,
  secondsLeft: null,
  note: null,
  error: null,
  updatedAt: 1,
  ...change,
});

beforeEach(() => {
  useRecipe.getState().replace({ version: 1 });
  useTraining.setState({ phase: 'idle' });
  useDownloads.setState({ downloads: [], error: null });
});

function connect(parts: Parameters<typeof fakeSession>[0] = {}) {
  const session = fakeSession(parts);
  connectSession(session);
  return session;
}
const chosen = () => useRecipe.getState().recipe.model;

test('what is fetched is opened, as it comes', async () => {
  const session = connect();
  await useDownloads.getState().fetchAndOpen(source, 'none');
  expect(session.download).toHaveBeenCalledWith(source);
  expect(chosen()).toEqual({ source, quantization: 'none' });
  expect(useRecipe.getState().input.model).toEqual({ source });
});

test('the precision that was chosen is kept until the model is here, over a pause too', async () => {
  let refuse: (cause: unknown) => void = () => {};
  connect({ download: () => new Promise((_, reject) => (refuse = reject)) });
  const fetching = useDownloads.getState().fetchAndOpen(source, 'nf4');
  refuse(new TabtuneError({ code: 'cancelled', message: 'The download was paused.' }));
  await fetching;
  expect(useDownloads.getState().error).toBeNull();
  expect(chosen().source).toBe('builtin:stories');
  connect();
  await useDownloads.getState().resume(source);
  expect(chosen()).toEqual({ source, quantization: 'nf4' });
});

test('of two downloads only the one asked for last is opened', async () => {
  const finish = new Map<string, () => void>();
  connect({ download: (wanted) => new Promise((resolve) => finish.set(wanted, resolve)) });
  const first = useDownloads.getState().fetchAndOpen(source, 'none');
  const second = useDownloads.getState().fetchAndOpen('hf:org/other@abc', 'none');
  finish.get('hf:org/other@abc')!();
  await second;
  finish.get(source)!();
  await first;
  expect(chosen().source).toBe('hf:org/other@abc');
});

test('a model that the recipe named before it was here is opened when it is', async () => {
  const session = connect();
  useRecipe.getState().set({ 'model.source': source });
  useModel.setState({ status: 'failed', source });
  await useDownloads.getState().fetchAndOpen(source, 'none');
  expect(session.openModel).toHaveBeenCalledWith(source, expect.any(Function), 'none');
  await expect.poll(() => useModel.getState().status).toBe('ready');
  // Chosen again, it is open already.
  useDownloads.getState().open(source);
  expect(session.openModel).toHaveBeenCalledTimes(1);
});

test('nothing is opened under a run', async () => {
  connect();
  useTraining.setState({ phase: 'training' });
  await useDownloads.getState().fetchAndOpen(source, 'none');
  expect(chosen().source).toBe('builtin:stories');
  useTraining.setState({ phase: 'idle' });
  expect(useDownloads.getState().open(source)).toBe(true);
  expect(chosen().source).toBe(source);
});

test('what is cancelled is not opened, should it still arrive', async () => {
  let finish = () => {};
  const session = connect({ download: () => new Promise((resolve) => (finish = resolve)) });
  const fetching = useDownloads.getState().fetchAndOpen(source, 'none');
  await useDownloads.getState().cancel(source);
  finish();
  await fetching;
  expect(session.cancelDownload).toHaveBeenCalledWith(source);
  expect(chosen().source).toBe('builtin:stories');
});

test('a failure that the list tells is not told twice; another one is', async () => {
  const error = { code: 'network' as const, message: 'The connection was lost.' };
  const session = connect({
    download: vi.fn(async () => {
      throw TabtuneError.fromData(error);
    }),
  });
  useDownloads.setState({ downloads: [download({ state: 'paused', error })] });
  await useDownloads.getState().resume(source);
  expect(useDownloads.getState().error).toBeNull();
  useDownloads.setState({ downloads: [] });
  await useDownloads.getState().resume(source);
  expect(useDownloads.getState().error).toMatchObject(error);
  expect(session.download).toHaveBeenCalledTimes(2);
});

test('the status line says when one is here, and why one stopped; progress is left to the bar', () => {
  connect();
  const stop = startAnnouncer();
  const said = () => useAnnouncer.getState().text;
  useDownloads.setState({ downloads: [download()] });
  useDownloads.setState({ downloads: [download({ loaded: 50 })] });
  expect(said()).toBe('');
  const error = { code: 'network' as const, message: 'The connection was lost.' };
  useDownloads.setState({ downloads: [download({ state: 'paused', error })] });
  expect(said()).toBe('The download of org/tiny stopped. The connection was lost.');
  useDownloads.setState({ downloads: [download()] });
  useDownloads.setState({ downloads: [download({ state: 'done' })] });
  expect(said()).toBe('org/tiny is downloaded.');
  stop();
});

test('the list is the session’s', () => {
  let tell: (downloads: Download[]) => void = () => {};
  const stopped = vi.fn();
  connect({
    watchDownloads: (listener) => {
      tell = listener;
      return stopped;
    },
  });
  const stop = followDownloads();
  tell([download({ state: 'paused' })]);
  expect(useDownloads.getState().downloads).toEqual([download({ state: 'paused' })]);
  stop();
  expect(stopped).toHaveBeenCalled();
});
