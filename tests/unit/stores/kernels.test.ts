import { beforeEach, expect, it, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { useKernels } from '../../../src/stores/kernels';
import { connectSession } from '../../../src/stores/session';
import { fakeSession } from './fake-session';

const initial = useKernels.getInitialState();
beforeEach(() => useKernels.setState(initial, true));

const kept = { asked: 'auto', choices: { version: '1', since: 1, clock: 'gpu', classes: {} } } as const;

it('shows what is kept, and what was chosen', async () => {
  const chooseKernels = vi.fn(async (timed: boolean) => ({
    ...kept,
    choices: timed ? kept.choices : { ...kept.choices, off: true as const },
  }));
  connectSession(fakeSession({ keptKernels: async () => kept, chooseKernels }));
  await useKernels.getState().load();
  expect(useKernels.getState().kept).toEqual(kept);
  await useKernels.getState().choose(false);
  expect(useKernels.getState().kept!.choices!.off).toBe(true);
  expect(chooseKernels).toHaveBeenCalledWith(false);
});

it('times once at a time, says how far it is, and leaves everything as it was when that is cancelled', async () => {
  const measureKernels = vi.fn(async (onProgress: (share: number) => void, signal?: AbortSignal) => {
    onProgress(0.5);
    await new Promise((resolve) => signal!.addEventListener('abort', resolve));
    throw new TabtuneError({ code: 'cancelled', message: 'Cancelled.' });
  });
  connectSession(fakeSession({ keptKernels: async () => kept, measureKernels }));
  await useKernels.getState().load();
  const measuring = useKernels.getState().measure();
  expect(useKernels.getState().progress).toBe(0.5);
  await useKernels.getState().measure();
  expect(measureKernels).toHaveBeenCalledOnce();
  useKernels.getState().cancel();
  await measuring;
  expect(useKernels.getState()).toMatchObject({ kept, progress: null, error: null });
});

it('says what went wrong', async () => {
  const measureKernels = async () => {
    throw new TabtuneError({ code: 'gpu_lost', message: 'The GPU stopped responding and was reset.' });
  };
  connectSession(fakeSession({ measureKernels }));
  await useKernels.getState().measure();
  expect(useKernels.getState()).toMatchObject({ progress: null, error: { code: 'gpu_lost' } });
});
