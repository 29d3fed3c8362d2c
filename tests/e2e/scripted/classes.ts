/** The output of a scripted classifier: metrics that improve during the run, and labels found by keywords. */
import type { Example, TaskData } from '../../../src/data/types';
import type { ObjectiveType } from '../../../src/recipe/types';
import type { LabelScore } from '../../../src/session/api';
import type { ClassReport } from '../../../src/storage/types';

const classes = ['complaint', 'praise', 'question'];
const entities = ['LOC', 'ORG', 'PER'];

/** Precision, recall and F1 as in scikit-learn. */
function reportOf(labels: string[], confusion: number[][]): ClassReport {
  const perClass = labels.map((label, i) => {
    const support = confusion[i]!.reduce((sum, n) => sum + n, 0);
    const predicted = confusion.reduce((sum, row) => sum + row[i]!, 0);
    const hit = confusion[i]![i]!;
    const precision = predicted === 0 ? 0 : hit / predicted;
    const recall = support === 0 ? 0 : hit / support;
    const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
    return { label, precision, recall, f1, support };
  });
  return { labels, confusion, perClass };
}

/** `learned` goes from 0 to 1. */
export function classFigures(objective: ObjectiveType, learned: number) {
  if (objective !== 'sequence_classification' && objective !== 'token_classification') return {};
  const labels = objective === 'token_classification' ? entities : classes;
  const support = [9, 8, 7];
  const confusion = labels.map((_, i) => {
    const row = labels.map(() => 0);
    const right = Math.round(support[i]! * (0.34 + (0.58 + 0.04 * i) * learned));
    row[i] = right;
    row[(i + 1) % 3] = Math.ceil((support[i]! - right) / 2);
    row[(i + 2) % 3] = Math.floor((support[i]! - right) / 2);
    return row;
  });
  const report = reportOf(labels, confusion);
  const total = support.reduce((sum, n) => sum + n, 0);
  const accuracy = confusion.reduce((sum, row, i) => sum + row[i]!, 0) / total;
  const mean = (pick: 'precision' | 'recall' | 'f1') =>
    report.perClass.reduce((sum, one) => sum + one[pick], 0) / labels.length;
  const metrics: Record<string, number> = {
    accuracy,
    precision: mean('precision'),
    recall: mean('recall'),
    f1: mean('f1'),
  };
  return { metrics, report };
}

/** The labels of the examples, in the order used by the data layer. */
export function taskOf(objective: ObjectiveType, examples: Example[]): TaskData | null {
  const sorted = (labels: string[]) => [...new Set(labels)].sort();
  if (objective === 'sequence_classification') {
    const labels = examples.flatMap((one) => (one.kind === 'labelled' && Array.isArray(one.labels) ? one.labels : []));
    return { problemType: 'single_label_classification', labels: labels.length > 0 ? sorted(labels) : classes };
  }
  if (objective !== 'token_classification') return null;
  const tags = examples.flatMap((one) => (one.kind === 'tagged' ? one.tags : []));
  return { problemType: 'token_classification', labels: tags.length > 0 ? sorted(tags) : entities };
}

const clues: Record<string, RegExp> = {
  complaint: /broken|late|bad|never|wrong/i,
  praise: /like|love|great|thank/i,
  question: /\?/,
};

export function scoresOf(objective: ObjectiveType | undefined, text: string, strength: number): LabelScore[] {
  if (objective === 'token_classification') {
    return text
      .split(/\s+/)
      .filter(Boolean)
      .map((word, i) => {
        const label = i > 0 && /^[A-Z]/.test(word) && strength > 0 ? 'B-LOC' : 'O';
        return { word, label, probability: strength > 0 ? 0.93 : 0.24 };
      });
  }
  const found = classes.map((label) => ({ label, weight: Math.exp(clues[label]!.test(text) ? 3.4 * strength : 0.2) }));
  const sum = found.reduce((total, { weight }) => total + weight, 0);
  return found
    .map(({ label, weight }) => ({ label, probability: weight / sum }))
    .sort((a, b) => b.probability - a.probability);
}
