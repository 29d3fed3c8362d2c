/** trainer_state.json of runs in every state, for transformers to read. */
import { metricsFile } from '../../src/exports/run-metrics';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { MetricsRow, RunRecord } from '../../src/storage/types';

const rows: MetricsRow[] = [
  { kind: 'eval', step: 0, epoch: 0, eval_loss: 3, perplexity: 20.1, best: false, seconds: 0 },
  ...[1, 2, 3].map(
    (step): MetricsRow => ({
      ...{ kind: 'step', step, epoch: step / 2, loss: 3 / step, grad_norm: 0.5, learning_rate: 1e-4 },
      ...{ tokens: step * 64, seconds: step / 3, gpu_bytes: 1024 },
    }),
  ),
  {
    ...{ kind: 'eval', step: 3, epoch: 1.5, eval_loss: 1.5, best: true, seconds: 1 },
    metrics: { accuracy: 0.75, base_text_loss: 3.1 },
  },
];

export function trainerStates(): Record<string, string> {
  const run: RunRecord = {
    ...{ id: 'run', name: 'pirate-chat LoRA r16', createdAt: 1, updatedAt: 2, status: 'completed', error: null },
    recipe: resolveRecipe({ version: 1, training: { num_train_epochs: 1.5 } }),
    ...{ step: 3, totalSteps: 3, trainableParameters: 10, totalParameters: 100, seconds: 1 },
    ...{ initialEvalLoss: 3, bestEvalLoss: 1.5, bestStep: 3, finalLoss: 1 },
  };
  const text = (change: Partial<RunRecord>, of: readonly MetricsRow[]) =>
    metricsFile('trainer_state', { ...run, ...change }, of).text;
  return {
    'that is finished': text({}, rows),
    'that was interrupted': text(
      { status: 'interrupted', step: 2, totalSteps: 9, bestStep: null, bestEvalLoss: null },
      rows.slice(0, 3),
    ),
    'that never began': text({ status: 'failed', step: 0, bestStep: null, bestEvalLoss: null }, []),
    'whose loss was no number': text({ status: 'failed' }, [{ ...rows[1], loss: Number.NaN } as MetricsRow]),
  };
}
