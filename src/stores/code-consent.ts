/** Which code of rewards may run, as the screen follows it. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import { rewardsOf } from '../rewards';
import { allowCode, mayRun } from '../session/code-consent';
import { unseen } from '../session/reward-errors';
import { useRecipe } from './recipe';

interface CodeConsent {
  /** Counts what was allowed, so that whoever asks is told of changes. */
  allowed: number;
  /** The person has read it, or has written it; kept in this browser once it is finished. */
  allow: (code: string, finished: boolean) => void;
}

export const useCodeConsent = create<CodeConsent>()((set) => ({
  allowed: 0,
  allow: (code, finished) => {
    allowCode(code, finished);
    set(({ allowed }) => ({ allowed: allowed + 1 }));
  },
}));

export function useMayRun(code: string): boolean {
  useCodeConsent((state) => state.allowed);
  return mayRun(code);
}

/** A problem for each reward of the recipe whose code nobody has agreed to. */
export function useWaitingCode(): ErrorData[] {
  const objective = useRecipe((state) => state.recipe.objective);
  useCodeConsent((state) => state.allowed);
  return rewardsOf(objective).flatMap((reward) =>
    reward.type === 'javascript' && !mayRun(reward.code) ? [unseen(reward.name).toData()] : [],
  );
}
