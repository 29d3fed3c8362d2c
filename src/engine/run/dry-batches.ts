/** The batches of a dry run: the shapes of a run's, full of zeros. */
import { IGNORE_INDEX } from '../../base/ignore-index';
import type { TaskData } from '../../base/task';
import type { Batch, BatchKind, BatchSource, PromptExample } from '../../data/types';
import type { TrainingSection } from '../../recipe/types';
import type { BaseBatches } from './base-text';

/** A micro-batch as far as memory goes: `targets` of its tokens have a loss. */
export interface BatchShape {
  /** Examples: pairs and judged answers are two sequences each. */
  rows: number;
  length: number;
  targets: number;
}

/** A batch of zeros. `width` is the number of targets of a text. */
function batchOf(kind: BatchKind, { rows, length, targets }: BatchShape, width = 1): Batch {
  const padded = {
    batchSize: rows,
    length,
    ids: new Int32Array(rows * length),
    lengths: new Int32Array(rows).fill(length),
    targetCount: targets,
  };
  switch (kind) {
    case 'next_token':
      return { kind, ...padded, labels: labelsOf(rows, length, targets), starts: null };
    case 'token_labels':
      return { kind, ...padded, labels: labelsOf(rows, length, targets) };
    case 'text_targets':
      return { kind, ...padded, targets: new Float32Array(rows * width), width };
    case 'hidden_tokens':
      return { kind, ...padded, special: new Uint8Array(rows * length) };
    case 'pair':
      return {
        kind,
        ...doubled(rows, length, targets),
        pairs: rows,
        margins: new Float32Array(rows),
        rows: new Int32Array(rows),
      };
    case 'judged':
      return {
        kind,
        ...doubled(rows, length, targets),
        answers: rows,
        good: new Uint8Array(rows),
        rows: new Int32Array(rows),
      };
    case 'prompt':
      return { kind, ...padded, targetCount: rows, prompts: promptsOf(rows, length) };
    case 'rollout':
      return { kind, ...padded, labels: labelsOf(rows, length, targets), figures: {} };
  }
}

/** All different: equal ones would be read once. */
const promptsOf = (count: number, length: number): PromptExample[] =>
  Array.from({ length: count }, (_, row) => {
    const ids = new Int32Array(length);
    ids[0] = row;
    return { kind: 'prompt', row, ids, truncatedBy: 0, prompt: '', columns: {} };
  });

/** Two sequences for each example: half of the targets are in the rows of either half. */
function doubled(examples: number, length: number, targets: number) {
  const half = labelsOf(examples, length, Math.ceil(targets / 2));
  const rows = 2 * examples;
  return {
    batchSize: rows,
    length,
    ids: new Int32Array(rows * length),
    lengths: new Int32Array(rows).fill(length),
    labels: Int32Array.from([...half, ...half]),
    targetCount: examples,
  };
}

/** So many labels of class 0. Position 0 of a row is predicted from nothing, and has none. */
function labelsOf(rows: number, length: number, targets: number): Int32Array {
  const labels = new Int32Array(rows * length).fill(IGNORE_INDEX);
  for (let left = targets, i = 0; left > 0 && i < labels.length; i++) {
    if (i % length === 0) continue;
    labels[i] = 0;
    left--;
  }
  return labels;
}

/** A single piece of base text, of so many tokens. */
export function baseBatches(kind: BatchKind, tokens: number): BaseBatches {
  const text = [batchOf(kind, { rows: 1, length: tokens, targets: tokens - 1 })];
  return { measured: text, learned: text };
}

export interface BatchPlan {
  /** The widest first. */
  batches: BatchShape[];
  evaluation: BatchShape[];
  stepsPerBatch?: number;
  training: Pick<TrainingSection, 'gradient_accumulation_steps'>;
  task: { problemType: TaskData['problemType']; labels: number } | null;
}

/** Steps on answers to prompts are not many more than these, and the widest batches come first. */
const MOST_STEPS = 24;

/** The batches in steps of two, since further micro-batches add no memory; the widest comes twice. */
export function dryBatches(
  { batches, evaluation, stepsPerBatch, training, task }: BatchPlan,
  kind: BatchKind,
): BatchSource & { steps: number } {
  const size = stepsPerBatch ? 1 : Math.min(2, training.gradient_accumulation_steps);
  const width = task?.problemType === 'multi_label_classification' ? task.labels : 1;
  const make = (shape: BatchShape) => batchOf(kind, shape, width);
  const [widest, second, ...others] = batches.map(make) as [Batch, ...Batch[]];
  const list = [widest, second ?? widest, widest, ...(others.length > 0 ? others : [widest])];
  const each = stepsPerBatch ?? 1;
  const all = stepsPerBatch ? list.slice(0, Math.max(2, Math.floor(MOST_STEPS / each))) : list;
  const steps = Math.ceil(all.length / size) * each;
  const held = evaluation.map(make);
  return {
    steps,
    stepsPerEpoch: steps,
    microBatches(step) {
      const turn = Math.floor(step / each);
      return all.slice(turn * size, (turn + 1) * size);
    },
    evaluation: () => held,
  };
}
