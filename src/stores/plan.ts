/** What a run would need, before it starts. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { Recipe } from '../recipe/types';
import type { Forecast } from '../session/api';
import { toErrorData } from './errors';
import { latestOnly } from './latest';
import { getSession } from './session';

interface PlanState {
  forecast: Forecast | null;
  pending: boolean;
  error: ErrorData | null;
  update: (recipe: Recipe) => Promise<void>;
  forget: () => void;
}

const asking = latestOnly();

export const usePlan = create<PlanState>()((set) => ({
  forecast: null,
  pending: false,
  error: null,
  async update(recipe) {
    set({ pending: true });
    const result = await asking.run(() => getSession().forecast(recipe));
    if (!result) return;
    if ('value' in result) set({ forecast: result.value, pending: false, error: null });
    else set({ forecast: null, pending: false, error: toErrorData(result.error, 'The run could not be planned.') });
  },
  forget() {
    asking.cancel();
    set({ forecast: null, pending: false, error: null });
  },
}));
