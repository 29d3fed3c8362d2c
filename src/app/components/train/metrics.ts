/** What evaluations measured besides the loss, ready to be drawn and named. */
import type { ClassReport, EvalMetrics, MetricsRow } from '../../../storage/types';

/** scikit-learn's names and its kin, as people say them, the most telling first. */
const names: Record<string, string> = {
  f1: 'F1',
  accuracy: 'Accuracy',
  precision: 'Precision',
  recall: 'Recall',
  f1_macro: 'F1, mean of classes',
  mae: 'Absolute error',
  pearson: 'Pearson correlation',
  precision_macro: 'Precision, mean of classes',
  recall_macro: 'Recall, mean of classes',
  spearman: 'Spearman correlation',
  mse: 'Squared error',
  f1_micro: 'F1, all together',
  f1_weighted: 'F1, by size of class',
  matthews_correlation: 'Matthews correlation',
};
/** What has no upper end does not share an axis with what ends at 1. */
const open = new Set(['mae', 'mse']);
const losses = new Set(['base_text_loss']);

export function metricName(key: string): string {
  return names[key] ?? key.replaceAll('_', ' ').replace(/^./, (letter) => letter.toUpperCase());
}

const known = Object.keys(names);
const place = (key: string) => (known.includes(key) ? known.indexOf(key) : known.length);

/** Loss on text of the kind that the base was trained on: what rises when it forgets. It is drawn with the other losses. */
export const baseTextLossOf = (row: MetricsRow): number | null =>
  row.kind === 'eval' ? (row.metrics?.base_text_loss ?? null) : null;

/** Evaluations that measured more than losses. */
export function measuredIn(rows: MetricsRow[]): EvalMetrics[] {
  return rows.filter(
    (row): row is EvalMetrics => row.kind === 'eval' && Object.keys(row.metrics ?? {}).some((key) => !losses.has(key)),
  );
}

/** Every metric that one of these evaluations has, the most telling first. */
export function metricKeys(evals: EvalMetrics[]): string[] {
  const keys = new Set(evals.flatMap(({ metrics }) => Object.keys(metrics ?? {})));
  return [...keys].filter((key) => !losses.has(key)).sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

/** Those that share an axis from 0 to 1, as many as stay apart in a chart. */
export const drawnKeys = (keys: string[]) => keys.filter((key) => !open.has(key)).slice(0, 4);

export interface Reported {
  step: number;
  report: ClassReport;
}

export function reportsIn(rows: MetricsRow[]): Reported[] {
  return rows.flatMap((row) => (row.kind === 'eval' && row.report ? [{ step: row.step, report: row.report }] : []));
}
