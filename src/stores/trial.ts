/** What is tried on this device before a run: the test drive, and the range test of the learning rate. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { Recipe } from '../recipe/types';
import type { RatePoint, RateSearch, TestDrive } from '../session/api';
import { isCancelled, toErrorData } from './errors';
import { usePlan } from './plan';
import { useRecipe } from './recipe';
import { getSession } from './session';
import { useTraining } from './training';

interface TrialState {
  phase: 'idle' | 'driving' | 'searching';
  /** Parts of the test drive. */
  done: number;
  total: number;
  /** The last test drive, and what was driven. */
  drive: { recipe: string; result: TestDrive } | null;
  driveError: ErrorData | null;
  /** Of the range test that is under way, or of the last one. */
  points: RatePoint[];
  search: RateSearch | null;
  searchError: ErrorData | null;
  startDrive: () => Promise<void>;
  startSearch: () => Promise<void>;
  cancel: () => void;
}

/** Equal for recipes that take the same step. */
export const stepOf = (recipe: Recipe): string => JSON.stringify({ ...recipe, name: '' });

let abort: AbortController | null = null;

export const useTrial = create<TrialState>()((set, get) => {
  /** One at a time; what is cancelled leaves what was known before. */
  async function attempt<T>(
    phase: Exclude<TrialState['phase'], 'idle'>,
    work: (recipe: Recipe, signal: AbortSignal) => Promise<T>,
  ): Promise<{ value: T; recipe: Recipe } | { error: unknown } | null> {
    if (get().phase !== 'idle') return null;
    const { recipe } = useRecipe.getState();
    abort = new AbortController();
    set({ phase });
    try {
      return { value: await work(recipe, abort.signal), recipe };
    } catch (error) {
      return isCancelled(error) ? null : { error };
    } finally {
      abort = null;
      set({ phase: 'idle' });
    }
  }

  return {
    phase: 'idle',
    done: 0,
    total: 0,
    drive: null,
    driveError: null,
    points: [],
    search: null,
    searchError: null,

    async startDrive() {
      const tried = await attempt('driving', (recipe, signal) => {
        set({ done: 0, total: 0, driveError: null });
        return getSession().testDrive(recipe, (done, total) => set({ done, total }), signal);
      });
      if (!tried) return;
      if ('error' in tried) {
        set({ drive: null, driveError: toErrorData(tried.error, 'The test drive ended with an error.', 'Try again.') });
      } else {
        set({ drive: { recipe: stepOf(tried.recipe), result: tried.value } });
      }
      // The forecast knows the pace now, or that this much memory is not there.
      if (useTraining.getState().phase === 'idle') await usePlan.getState().update(useRecipe.getState().recipe);
    },

    async startSearch() {
      const tried = await attempt('searching', (recipe, signal) => {
        set({ points: [], search: null, searchError: null });
        const onPoint = (point: RatePoint) => set(({ points }) => ({ points: [...points, point] }));
        return getSession().findRate(recipe, onPoint, signal);
      });
      if (!tried) return;
      if ('error' in tried) {
        set({ searchError: toErrorData(tried.error, 'The range test ended with an error.', 'Try again.') });
      } else set({ points: tried.value.points, search: tried.value });
    },

    cancel: () => abort?.abort(),
  };
});
