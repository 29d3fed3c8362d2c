import { describe, expect, it } from 'vitest';
import type { EvalMetrics } from '../../../src/storage/types';
import { bestEvaluation, validationLoss } from '../../../src/stores/evaluations';

const evaluation = (step: number, eval_loss: number, best = false): EvalMetrics => ({
  kind: 'eval',
  step,
  epoch: step / 10,
  eval_loss,
  best,
  seconds: step,
});
const unknown = { initialEvalLoss: null, bestEvalLoss: null, bestStep: null };

describe('the validation loss of a run', () => {
  it('is that before training, the best and the latest, each with its step', () => {
    const rows = [evaluation(0, 4), evaluation(20, 2, true), evaluation(40, 2.5)];
    expect(validationLoss(unknown, rows)).toEqual({
      before: 4,
      best: { step: 20, loss: 2 },
      latest: { step: 40, loss: 2.5 },
    });
  });

  it('has a best that is worse than the base where training only made it worse: no checkpoint has the base’s', () => {
    const rows = [evaluation(0, 2), evaluation(20, 3, true), evaluation(40, 3.5)];
    expect(validationLoss(unknown, rows).best).toEqual({ step: 20, loss: 3 });
  });

  it('takes the base’s evaluation for no checkpoint, even where an old run marked it as the best', () => {
    const rows = [evaluation(0, 2, true)];
    expect(bestEvaluation(rows)).toBeUndefined();
    expect(validationLoss(unknown, rows)).toEqual({ before: 2, best: null, latest: null });
  });

  it('comes from the record until the rows are read', () => {
    expect(validationLoss({ initialEvalLoss: 4, bestEvalLoss: 2, bestStep: 20 }, [])).toEqual({
      before: 4,
      best: { step: 20, loss: 2 },
      latest: null,
    });
  });

  it('of a live run comes from its rows, which know more than its record', () => {
    const rows = [evaluation(0, 4), evaluation(20, 2, true), evaluation(40, 1.5, true)];
    expect(validationLoss({ initialEvalLoss: 4, bestEvalLoss: 2, bestStep: 20 }, rows).best).toEqual({
      step: 40,
      loss: 1.5,
    });
  });

  it('is not known at all without held-out examples', () => {
    expect(validationLoss(unknown, [])).toEqual({ before: null, best: null, latest: null });
  });
});
