import { beforeEach, expect, test, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import type { Session } from '../../../src/session/api';
import { fakeSession, testDrive } from './fake-session';

const { connectSession } = await import('../../../src/stores/session');
const { useRecipe } = await import('../../../src/stores/recipe');
const { usePlan } = await import('../../../src/stores/plan');
const { stepOf, useTrial } = await import('../../../src/stores/trial');

const initial = useTrial.getState();
beforeEach(() => {
  useTrial.setState(initial, true);
  usePlan.getState().forget();
  useRecipe.getState().replace({ version: 1 });
});

const connected = (parts: Partial<Session> = {}) => {
  const session = fakeSession(parts);
  connectSession(session);
  return session;
};

test('a test drive is kept with its recipe, and asks for a new forecast', async () => {
  const session = connected({
    testDrive: vi.fn(async (_recipe, onProgress) => {
      onProgress(2, 3);
      return testDrive();
    }),
  });
  const driving = useTrial.getState().startDrive();
  expect(useTrial.getState().phase).toBe('driving');
  // One at a time.
  await useTrial.getState().startSearch();
  expect(session.findRate).not.toHaveBeenCalled();
  await driving;
  const { phase, done, total, drive } = useTrial.getState();
  expect({ phase, done, total }).toEqual({ phase: 'idle', done: 2, total: 3 });
  expect(drive).toEqual({ recipe: stepOf(useRecipe.getState().recipe), result: testDrive() });
  expect(session.forecast).toHaveBeenCalledTimes(1);
  // Another name takes the same step, another rate does not.
  useRecipe.getState().set({ name: 'other' });
  expect(stepOf(useRecipe.getState().recipe)).toBe(drive!.recipe);
  useRecipe.getState().set({ 'training.learning_rate': 1e-3 });
  expect(stepOf(useRecipe.getState().recipe)).not.toBe(drive!.recipe);
});

test('what fails is said, and what is cancelled leaves what was known', async () => {
  connected();
  await useTrial.getState().startDrive();
  const before = useTrial.getState().drive;
  connected({
    testDrive: (_recipe, _onProgress, signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(new TabtuneError({ code: 'cancelled', message: 'Cancelled.' })));
      }),
  });
  const driving = useTrial.getState().startDrive();
  useTrial.getState().cancel();
  await driving;
  expect(useTrial.getState()).toMatchObject({ phase: 'idle', drive: before, driveError: null });

  const session = connected({
    testDrive: async () => {
      throw new TabtuneError({ code: 'gpu_out_of_memory', message: 'No memory.' });
    },
  });
  await useTrial.getState().startDrive();
  expect(useTrial.getState()).toMatchObject({ drive: null, driveError: { code: 'gpu_out_of_memory' } });
  // It knows what does not fit now, and what would.
  expect(session.forecast).toHaveBeenCalledTimes(1);
});

test('a range test draws as it goes, and ends with its own points', async () => {
  const point = (rate: number) => ({ rate, loss: 1, smoothed: 1 });
  const seen: number[] = [];
  connected({
    findRate: async (_recipe, onPoint) => {
      onPoint(point(1));
      onPoint(point(2));
      seen.push(useTrial.getState().points.length);
      return { points: [point(1), point(2), point(3)], diverged: true, suggested: null };
    },
  });
  await useTrial.getState().startSearch();
  expect(seen).toEqual([2]);
  expect(useTrial.getState()).toMatchObject({ phase: 'idle', search: { diverged: true } });
  expect(useTrial.getState().points).toHaveLength(3);
});
