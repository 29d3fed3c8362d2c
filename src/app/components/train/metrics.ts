/** The metrics of evaluations besides the loss, ready to be drawn and named. */
import type { ClassReport, EvalMetrics, MetricsRow } from '../../../storage/types';
import { metricNames } from '../../text/train';

/** Unbounded metrics do not share an axis with those that end at 1. */
const open = new Set(['mae', 'mse']);
const losses = new Set(['base_text_loss']);

export function metricName(key: string): string {
  return metricNames[key] ?? key.replaceAll('_', ' ').replace(/^./, (letter) => letter.toUpperCase());
}

const known = Object.keys(metricNames);
const place = (key: string) => (known.includes(key) ? known.indexOf(key) : known.length);

/** Loss on text like the base's training data, which rises when it forgets. It is drawn with the other losses. */
export const baseTextLossOf = (row: MetricsRow): number | null =>
  row.kind === 'eval' ? (row.metrics?.base_text_loss ?? null) : null;

/** Evaluations that measured more than losses. */
export function measuredIn(rows: MetricsRow[]): EvalMetrics[] {
  return rows.filter(
    (row): row is EvalMetrics => row.kind === 'eval' && Object.keys(row.metrics ?? {}).some((key) => !losses.has(key)),
  );
}

/** Every metric in these evaluations, the most telling first. */
export function metricKeys(evals: EvalMetrics[]): string[] {
  const keys = new Set(evals.flatMap(({ metrics }) => Object.keys(metrics ?? {})));
  return [...keys].filter((key) => !losses.has(key)).sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

/** Those that share an axis from 0 to 1, as many as a chart can show distinctly. */
export const drawnKeys = (keys: string[]) => keys.filter((key) => !open.has(key)).slice(0, 4);

export interface Reported {
  step: number;
  report: ClassReport;
}

export function reportsIn(rows: MetricsRow[]): Reported[] {
  return rows.flatMap((row) => (row.kind === 'eval' && row.report ? [{ step: row.step, report: row.report }] : []));
}
