/** What a run measures beside its loss: a classifier's figures, forgetting, and how far the weights have moved. */
import { partsOfBaseText } from '../../data/base-parts';
import { createBatchSource } from '../../data/batches';
import type { Batch, TaskData, TokenizedExample } from '../../data/types';
import type { Method } from '../../engine/methods/method';
import type { LanguageModel } from '../../engine/models/model';
import { createObjective } from '../../engine/objectives';
import type { Objective } from '../../engine/objectives/objective';
import { type BatchScores, evaluate } from '../../engine/run/evaluate';
import { classificationMetrics, type Evaluated, highest, tokenMetrics } from '../../metrics';
import type { ClassReport } from '../../storage/types';

/** Null where the objective has no labels. */
export function figuresOf(
  task: TaskData | null,
  scores: BatchScores[],
): { metrics: Record<string, number>; report?: ClassReport } | null {
  if (!task || scores.length === 0) return null;
  const { metrics, report } =
    task.problemType === 'token_classification' ? tagFigures(task, scores) : textFigures(task, scores);
  return { metrics, ...(report ? { report } : {}) };
}

function textFigures({ problemType, labels }: TaskData, scores: BatchScores[]): Evaluated {
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
    problemType as Exclude<TaskData['problemType'], 'token_classification'>,
    labels,
    joined(scores.map(({ values }) => values)),
    joined(scores.map(({ batch }) => (batch.kind === 'text_targets' ? batch.targets : new Float32Array()))),
  );
}

function tagFigures({ labels }: TaskData, scores: BatchScores[]): Evaluated {
  const predicted: string[][] = [];
  const expected: string[][] = [];
  for (const { batch, values } of scores) {
    if (batch.kind !== 'token_labels') continue;
    const said = highest(values, labels.length);
    for (let b = 0; b < batch.batchSize; b++) {
      const places = Array.from({ length: batch.length }, (_, t) => b * batch.length + t).filter(
        (i) => batch.labels[i]! >= 0,
      );
      predicted.push(places.map((i) => labels[said[i]!]!));
      expected.push(places.map((i) => labels[batch.labels[i]!]!));
    }
  }
  return tokenMetrics(labels, predicted, expected);
}

/** How well a model still predicts text of the kind that its base was trained on. */
export interface BaseText {
  objective: Objective;
  /** Batches of one row: what forgetting is measured on, and what EWC weighs the weights by. */
  measured: Batch[];
  learned: Batch[];
}

export function baseTextOf(
  model: LanguageModel,
  pieces: TokenizedExample[],
  { padTokenId, maskTokenId }: { padTokenId: number; maskTokenId: number | null },
): BaseText | null {
  if (pieces.length === 0 || !model.head) return null;
  const decoder = model.kind === 'decoder';
  const objective = createObjective(decoder ? { type: 'pretraining' } : { type: 'masked_lm', mlm_probability: 0.15 }, {
    maskTokenId,
    vocabSize: model.vocabSize,
    task: null,
  });
  const options = { batchSize: 1, accumulation: 1, shuffle: false, seed: 0, padTokenId };
  const rows = (part: TokenizedExample[]) => createBatchSource([], part, options).evaluation();
  const { measured, learned } = partsOfBaseText(pieces);
  return { objective, measured: rows(measured), learned: rows(learned) };
}

/** Mean loss on the measured rows of base text; null without any. */
export async function baseTextLoss(
  model: LanguageModel,
  method: Method | null,
  base: BaseText | null,
  stopped: () => boolean = () => false,
): Promise<number | null> {
  if (!base) return null;
  const { objective, measured } = base;
  const given = await evaluate({ model, method, objective }, measured, stopped);
  return given?.loss ?? null;
}
