/** The metrics of evaluations besides the loss, ready to be drawn and named. */
import { objectiveOf } from '../../../objectives';
import { BASE_TEXT_LOSS } from '../../../objectives/metrics';
import type { MetricInfo } from '../../../objectives/objective';
import type { ClassReport, EvalMetrics, MetricsRow, RunRecord } from '../../../storage/types';
import { bestEvaluation } from '../../../stores/evaluations';
import { lossText } from '../../text/train';
import type { Mark } from '../charts/series';
import { figureSetOf, linesOf } from './figures';

const losses = new Set([BASE_TEXT_LOSS.name]);

/** The metrics that the run's objective can give, the most telling first. */
export const knownMetrics = (run: RunRecord | null): readonly MetricInfo[] =>
  (run && objectiveOf(run.recipe.objective)?.metrics) ?? [];

/** The metrics that charts of the objective's own draw. */
export const chartedMetrics = (run: RunRecord | null, rows: readonly MetricsRow[]): ReadonlySet<string> =>
  new Set((figureSetOf(run)?.charts ?? []).flatMap((chart) => linesOf(chart, rows).map(({ metric }) => metric)));

/** A metric by its name in metrics.jsonl; one that the objective does not describe is called by that name. */
export function metricNamed(name: string, known: readonly MetricInfo[]): MetricInfo {
  const label = name.replaceAll('_', ' ').replace(/^./, (letter) => letter.toUpperCase());
  return known.find((metric) => metric.name === name) ?? { name, label, help: '' };
}

/** Loss on text like the base's training data, which rises when it forgets. It is drawn with the other losses. */
export const baseTextLossOf = (row: MetricsRow): number | null =>
  row.kind === 'eval' ? (row.metrics?.[BASE_TEXT_LOSS.name] ?? null) : null;

/** Marks the evaluation whose checkpoint is kept as the best, at a value of it if the chart draws one. */
export function bestMarks(rows: MetricsRow[], value: (best: EvalMetrics) => number | null): Mark[] {
  const best = bestEvaluation(rows);
  return best ? [{ step: best.step, value: value(best), label: lossText.best, color: '--series-2' }] : [];
}

/** Evaluations that measured more than losses. */
export function measuredIn(rows: MetricsRow[]): EvalMetrics[] {
  return rows.filter(
    (row): row is EvalMetrics => row.kind === 'eval' && Object.keys(row.metrics ?? {}).some((key) => !losses.has(key)),
  );
}

/** Every metric in these evaluations, the most telling first. */
export function metricsIn(evals: EvalMetrics[], known: readonly MetricInfo[]): MetricInfo[] {
  const names = new Set(evals.flatMap(({ metrics }) => Object.keys(metrics ?? {})));
  const others = [...names].filter((name) => !losses.has(name) && !known.some((metric) => metric.name === name)).sort();
  return [...known.filter(({ name }) => names.has(name)), ...others.map((name) => metricNamed(name, known))];
}

/** Those that share an axis from 0 to 1, as many as a chart can show distinctly. */
export const drawnMetrics = (metrics: MetricInfo[]) => metrics.filter(({ open }) => !open).slice(0, 4);

export interface Reported {
  step: number;
  report: ClassReport;
}

export function reportsIn(rows: MetricsRow[]): Reported[] {
  return rows.flatMap((row) => (row.kind === 'eval' && row.report ? [{ step: row.step, report: row.report }] : []));
}
