/** Early stopping: keeps the best validation loss, and counts evaluations since it. */

/** What of a run's state it reads and changes. */
export interface Patience {
  step: number;
  initialEvalLoss: number | null;
  bestEvalLoss: number | null;
  bestStep: number | null;
  lastEvalLoss: number | null;
  lastEvalStep: number | null;
  /** Evaluations since the best one. */
  patienceUsed: number;
}

/**
 * Takes in a validation loss at the present step; whether it is the best of the run. Before the first step it is the base's: the
 * loss to beat, not a checkpoint.
 */
export function noteEvaluation(state: Patience, loss: number): boolean {
  const best = Number.isFinite(loss) && (state.bestEvalLoss === null || loss < state.bestEvalLoss);
  if (state.step === 0) state.initialEvalLoss = loss;
  else if (best) {
    state.bestEvalLoss = loss;
    state.bestStep = state.step;
    state.patienceUsed = 0;
  } else state.patienceUsed++;
  state.lastEvalLoss = loss;
  state.lastEvalStep = state.step;
  return best && state.step > 0;
}

/** Whether the run should stop; `patience` 0 never stops it. */
export const isExhausted = ({ patienceUsed }: Pick<Patience, 'patienceUsed'>, patience: number): boolean =>
  patience > 0 && patienceUsed >= patience;
