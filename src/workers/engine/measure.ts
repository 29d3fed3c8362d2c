/** What a run measures besides its loss: a classifier's metrics, and forgetting. */
import type { TaskData } from '../../base/task';
import { partsOfBaseText } from '../../data/base-text-parts';
import { createBatchSource } from '../../data/batches';
import type { TokenizedExample } from '../../data/types';
import type { BaseBatches } from '../../engine/run/base-text';
import type { Evaluated } from '../../metrics';
import { type ObjectiveSection, objectiveOf } from '../../objectives';
import type { BatchScores } from '../../objectives/objective';

/** Metrics that the objective computes from scores on the held-out examples; null when it computes none. */
export function scoredMetrics(
  objective: ObjectiveSection,
  task: TaskData | null,
  scores: readonly BatchScores[],
): Evaluated | null {
  return (task && scores.length > 0 && objectiveOf(objective).measure?.(task, scores)) || null;
}

/** Base text as batches of one row; null without any. */
export function baseTextBatches(pieces: TokenizedExample[], padTokenId: number): (() => BaseBatches) | null {
  if (pieces.length === 0) return null;
  const { measured, learned } = partsOfBaseText(pieces);
  const options = { batchSize: 1, accumulation: 1, shuffle: false, seed: 0, padTokenId };
  const rows = (part: TokenizedExample[]) => createBatchSource([], part, options).evaluation();
  return () => ({ measured: rows(measured), learned: rows(learned) });
}

/** Loss on base text before the run, and at the step that the run leaves behind. */
export class Forgetting {
  private after: number | null = null;

  /** `before` is null while it has not been measured. */
  constructor(private before: number | null) {}

  /** `best`: the step is the best so far, which is the one that the run leaves behind. */
  add(loss: number, best: boolean): void {
    this.before ??= loss;
    if (best || this.after === null) this.after = loss;
  }

  /** Null without base text. */
  get result(): { before: number; after: number } | null {
    return this.before === null || this.after === null ? null : { before: this.before, after: this.after };
  }
}
