/**
 * What the evaluations of a run came to. Every place that shows a validation loss asks here and says which one it shows: the
 * base's before training, the best, or the latest.
 */
import { objectiveOf } from '../objectives';
import type { EvalMetrics, MetricsRow, RunRecord } from '../storage/types';

export interface LossAt {
  step: number;
  loss: number;
}

export interface ValidationLoss {
  /** Of the base, before the first step. */
  before: number | null;
  /** Of the checkpoint that is kept, compared and exported. */
  best: LossAt | null;
  /** Of the last evaluation, which may be the best. */
  latest: LossAt | null;
}

export const isEvaluation = (row: MetricsRow): row is EvalMetrics => row.kind === 'eval';

/** The evaluation whose checkpoint is kept as the best. That of the base is the loss to beat, not a checkpoint. */
export const bestEvaluation = (rows: readonly MetricsRow[]): EvalMetrics | undefined =>
  rows.findLast((row): row is EvalMetrics => isEvaluation(row) && row.best && row.step > 0);

/** Of a live run the rows know more than its record; of a past one the record is there before its rows are read. */
export function validationLoss(
  run: Pick<RunRecord, 'initialEvalLoss' | 'bestEvalLoss' | 'bestStep'>,
  rows: readonly MetricsRow[],
): ValidationLoss {
  const first = rows.find(isEvaluation);
  const latest = rows.findLast(isEvaluation);
  const best = bestEvaluation(rows);
  const known = run.bestEvalLoss !== null && run.bestStep !== null;
  return {
    before: run.initialEvalLoss ?? (first?.step === 0 ? first.eval_loss : null),
    best: best
      ? { step: best.step, loss: best.eval_loss }
      : known
        ? { step: run.bestStep!, loss: run.bestEvalLoss! }
        : null,
    latest: latest && latest.step > 0 ? { step: latest.step, loss: latest.eval_loss } : null,
  };
}

/** Whether the run is judged by what its answers earn: its validation loss is then the negated mean reward, and shown as that reward. */
export const earnsRewards = ({ recipe }: Pick<RunRecord, 'recipe'>): boolean =>
  objectiveOf(recipe.objective)?.figures === 'rewards';

/** A validation loss as the number that a person reads: for rewards, how much was earned. */
export const shownLoss = (run: Pick<RunRecord, 'recipe'>, loss: number | null): number | null =>
  loss === null || !earnsRewards(run) ? loss : -loss;
