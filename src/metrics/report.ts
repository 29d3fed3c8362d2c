/**
 * What a classifier got right, per class. Definitions are scikit-learn's (metrics.precision_recall_fscore_support,
 * confusion_matrix, matthews_corrcoef); a division by zero gives 0, as with its zero_division.
 */

export interface ClassScore {
  label: string;
  /** The fraction of predictions of the class that are right: TP / (TP + FP). */
  precision: number;
  /** The fraction of the class that was found: TP / (TP + FN). */
  recall: number;
  /** Their harmonic mean: 2·TP / (2·TP + FP + FN). */
  f1: number;
  /** How many belong to the class. */
  support: number;
}

export interface ClassReport {
  /** Names of the confusion matrix's rows and columns. */
  labels: string[];
  /** confusion[i][j]: how many of class i were predicted as class j; empty if several classes may apply at once. */
  confusion: number[][];
  /** One row per class, or per kind of entity in tagged text. */
  perClass: ClassScore[];
}

/** True positives, and how many are predicted as a class and belong to it. */
export interface Counts {
  hits: number;
  predicted: number;
  actual: number;
}

const ratio = (a: number, b: number) => (b === 0 ? 0 : a / b);

export function scoreOf(label: string, { hits, predicted, actual }: Counts): ClassScore {
  return {
    label,
    precision: ratio(hits, predicted),
    recall: ratio(hits, actual),
    f1: ratio(2 * hits, predicted + actual),
    support: actual,
  };
}

/** All classes taken together. */
export function micro(counts: readonly Counts[]): ClassScore {
  const sum = { hits: 0, predicted: 0, actual: 0 };
  for (const { hits, predicted, actual } of counts) {
    sum.hits += hits;
    sum.predicted += predicted;
    sum.actual += actual;
  }
  return scoreOf('micro', sum);
}

type Averaged = Pick<ClassScore, 'precision' | 'recall' | 'f1'>;

function mean(scores: readonly ClassScore[], weightOf: (score: ClassScore) => number): Averaged {
  const total = scores.reduce((sum, score) => sum + weightOf(score), 0);
  const of = (key: keyof Averaged) =>
    ratio(
      scores.reduce((sum, score) => sum + score[key] * weightOf(score), 0),
      total,
    );
  return { precision: of('precision'), recall: of('recall'), f1: of('f1') };
}

/** Every class counts the same. */
export const macro = (scores: readonly ClassScore[]): Averaged => mean(scores, () => 1);

/** Every class counts in proportion to its support. */
export const weighted = (scores: readonly ClassScore[]): Averaged => mean(scores, ({ support }) => support);

/** confusion[i][j]: how many of class i were predicted as class j. */
export function confusionMatrix(classes: number, predicted: ArrayLike<number>, actual: ArrayLike<number>): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < actual.length; i++) {
    const row = matrix[actual[i]!]!;
    row[predicted[i]!] = row[predicted[i]!]! + 1;
  }
  return matrix;
}

/** Counts of each class from a confusion matrix. */
export function countsOf(confusion: readonly (readonly number[])[]): Counts[] {
  return confusion.map((row, i) => ({
    hits: row[i]!,
    predicted: confusion.reduce((sum, other) => sum + other[i]!, 0),
    actual: row.reduce((a, b) => a + b, 0),
  }));
}

/**
 * Matthews correlation for several classes, R_K (Gorodkin, "Comparing two K-category assignments by a K-category correlation
 * coefficient", 2004): 1 is perfect, 0 no better than chance or only one class.
 */
export function matthews(counts: readonly Counts[]): number {
  let hits = 0;
  let all = 0;
  let both = 0;
  let predicted2 = 0;
  let actual2 = 0;
  for (const { hits: h, predicted, actual } of counts) {
    hits += h;
    all += actual;
    both += predicted * actual;
    predicted2 += predicted * predicted;
    actual2 += actual * actual;
  }
  const spread = Math.sqrt(all * all - predicted2) * Math.sqrt(all * all - actual2);
  return ratio(hits * all - both, spread);
}
