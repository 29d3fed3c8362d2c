/** Metrics from the scores of a classification head, for each of transformers' three problem types. */
import type { TextProblemType } from '../base/task';
import { meanAbsoluteError, meanSquaredError, pearson, spearman } from './regression';
import {
  type ClassReport,
  type Counts,
  confusionMatrix,
  countsOf,
  macro,
  matthews,
  micro,
  scoreOf,
  weighted,
} from './report';

export interface Evaluated {
  /** By name, named as in scikit-learn and transformers' examples; NaN if a metric is undefined. */
  metrics: Record<string, number>;
  /** Null for regression. */
  report: ClassReport | null;
}

/**
 * `scores` are the head's, [n · labels] ([n] for regression). `targets` are TextTargetsExample.targets, one after another: a
 * class index, a zero or one for each label, or the number to predict.
 *
 * single_label_classification: the highest score wins, the first among equals. multi_label_classification: a label applies
 * if its probability is at least 0.5, that is, if its score is not negative.
 */
export function classificationMetrics(
  problemType: TextProblemType,
  labels: readonly string[],
  scores: Float32Array,
  targets: Float32Array,
): Evaluated {
  switch (problemType) {
    case 'regression':
      return regressionMetrics(scores, targets);
    case 'multi_label_classification':
      return multiLabelMetrics(labels, scores, targets);
    case 'single_label_classification':
      return classMetrics(labels, highest(scores, labels.length), targets);
  }
  problemType satisfies never;
}

/** The index of each row's highest score, the first among equals (numpy.argmax). */
export function highest(scores: ArrayLike<number>, width: number): Int32Array {
  const out = new Int32Array(width === 0 ? 0 : scores.length / width);
  for (let r = 0; r < out.length; r++) {
    let best = 0;
    for (let i = 1; i < width; i++) if (scores[r * width + i]! > scores[r * width + best]!) best = i;
    out[r] = best;
  }
  return out;
}

/**
 * One class per row. Averages are over the classes that occur among predictions or targets, as in scikit-learn; F1 `micro`
 * is then the accuracy.
 */
export function classMetrics(
  labels: readonly string[],
  predicted: ArrayLike<number>,
  actual: ArrayLike<number>,
): Evaluated {
  const confusion = confusionMatrix(labels.length, predicted, actual);
  const counts = countsOf(confusion);
  const perClass = counts.map((count, i) => scoreOf(labels[i]!, count));
  const occurring = perClass.filter((_, i) => counts[i]!.actual + counts[i]!.predicted > 0);
  const all = micro(counts);
  return {
    metrics: {
      accuracy: actual.length === 0 ? Number.NaN : all.recall,
      ...averages('macro', macro(occurring)),
      ...averages('weighted', weighted(occurring)),
      f1_micro: all.f1,
      matthews_correlation: matthews(counts),
    },
    report: { labels: [...labels], confusion, perClass },
  };
}

/** Any number of labels per row. `accuracy` is the fraction of rows with all labels right (subset accuracy). */
function multiLabelMetrics(labels: readonly string[], scores: Float32Array, targets: Float32Array): Evaluated {
  const width = labels.length;
  const rows = width === 0 ? 0 : targets.length / width;
  const counts: Counts[] = labels.map(() => ({ hits: 0, predicted: 0, actual: 0 }));
  let right = 0;
  for (let r = 0; r < rows; r++) {
    let equal = true;
    for (let i = 0; i < width; i++) {
      const said = scores[r * width + i]! >= 0;
      const is = targets[r * width + i]! > 0.5;
      const count = counts[i]!;
      if (said) count.predicted++;
      if (is) count.actual++;
      if (said && is) count.hits++;
      if (said !== is) equal = false;
    }
    if (equal) right++;
  }
  const perClass = counts.map((count, i) => scoreOf(labels[i]!, count));
  return {
    metrics: {
      accuracy: rows === 0 ? Number.NaN : right / rows,
      ...averages('micro', micro(counts)),
      ...averages('macro', macro(perClass)),
      ...averages('weighted', weighted(perClass)),
    },
    report: { labels: [...labels], confusion: [], perClass },
  };
}

function regressionMetrics(predicted: Float32Array, actual: Float32Array): Evaluated {
  const metrics = {
    mse: meanSquaredError(predicted, actual),
    mae: meanAbsoluteError(predicted, actual),
    pearson: pearson(predicted, actual),
    spearman: spearman(predicted, actual),
  };
  return { metrics, report: null };
}

function averages(name: string, { precision, recall, f1 }: { precision: number; recall: number; f1: number }) {
  return { [`precision_${name}`]: precision, [`recall_${name}`]: recall, [`f1_${name}`]: f1 };
}
