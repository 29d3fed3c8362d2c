/** What a run measures besides its loss: a classifier's metrics, and forgetting. */
import { labelsWords, type TaskData, type TextProblemType } from '../../base/task';
import { partsOfBaseText } from '../../data/base-parts';
import { createBatchSource } from '../../data/batches';
import type { TokenizedExample } from '../../data/types';
import type { BaseBatches } from '../../engine/run/base-text';
import type { BatchScores } from '../../engine/run/evaluate';
import { classificationMetrics, type Evaluated, highest, tokenMetrics } from '../../metrics';
import type { ClassReport } from '../../storage/types';

/** Null when the objective has no labels. */
export function classifierMetrics(
  task: TaskData | null,
  scores: BatchScores[],
): { metrics: Record<string, number>; report?: ClassReport } | null {
  if (!task || scores.length === 0) return null;
  const { metrics, report } = labelsWords(task) ? ofWords(task, scores) : ofTexts(task, scores);
  return { metrics, ...(report ? { report } : {}) };
}

function ofTexts({ problemType, labels }: TaskData, scores: BatchScores[]): Evaluated {
  const joined = (parts: Float32Array[]) => {
    const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  };
  return classificationMetrics(
    problemType as TextProblemType,
    labels,
    joined(scores.map(({ values }) => values)),
    joined(scores.map(({ batch }) => (batch.kind === 'text_targets' ? batch.targets : new Float32Array()))),
  );
}

function ofWords({ labels }: TaskData, scores: BatchScores[]): Evaluated {
  const predicted: string[][] = [];
  const expected: string[][] = [];
  for (const { batch, values } of scores) {
    if (batch.kind !== 'token_labels') continue;
    const best = highest(values, labels.length);
    for (let b = 0; b < batch.batchSize; b++) {
      const labelled = Array.from({ length: batch.length }, (_, t) => b * batch.length + t).filter(
        (i) => batch.labels[i]! >= 0,
      );
      predicted.push(labelled.map((i) => labels[best[i]!]!));
      expected.push(labelled.map((i) => labels[batch.labels[i]!]!));
    }
  }
  return tokenMetrics(labels, predicted, expected);
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
