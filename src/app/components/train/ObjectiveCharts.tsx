import { useMemo } from 'react';
import type { MetricsRow } from '../../../storage/types';
import { useChartView } from '../../../stores/chart-view';
import { useTraining } from '../../../stores/training';
import { objectiveChartText as text } from '../../text/train';
import { Notice } from '../../ui/Notice';
import { Panel } from '../../ui/Panel';
import { formatMetric } from '../../util/format';
import { StepChart } from '../charts/StepChart';
import { type Plot, type Series, stepsOf, valuesOf } from '../charts/series';
import { figureSetOf, linesOf } from './figures';
import type { ChartInfo, Figures } from './figures/types';

const COLORS = ['--series-1', '--series-2', '--series-3', '--series-4'];
const DASHES = [undefined, [8, 4], [3, 3], [12, 4, 3, 4]];

/** The lines that the run has values for, and dots for its evaluations. Null if it has none. */
export function plotOf(chart: ChartInfo, rows: MetricsRow[]): Plot | null {
  const x = stepsOf(rows);
  const series = linesOf(chart, rows).flatMap(({ metric, label }, i): Series[] => {
    const of = (kind: MetricsRow['kind']) =>
      valuesOf(x, rows, (row) => (row.kind === kind ? (row.metrics?.[metric] ?? null) : null));
    const look = { color: COLORS[i % COLORS.length]!, dash: DASHES[i % DASHES.length] };
    return [
      { name: label, values: of('step'), width: 1.5, ...look },
      { name: text.heldOut(label), values: of('eval'), points: true, ...look },
    ].filter(({ values }) => values.some((value) => value !== null));
  });
  return series.length > 0 ? { x, series } : null;
}

/** The charts that say most about a run of this objective, each with how to read it. */
export function ObjectiveCharts() {
  const rows = useTraining((state) => state.rows);
  const run = useTraining((state) => state.run);
  const totalSteps = useTraining((state) => state.totalSteps);
  const view = useChartView();
  const plots = useMemo(() => {
    const charts = figureSetOf(run)?.charts ?? [];
    return charts.flatMap((chart) => {
      const plot = plotOf(chart, rows);
      return plot ? [{ ...chart, plot }] : [];
    });
  }, [run, rows]);
  if (plots.length === 0) return null;
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      {plots.map(({ title, help, plot }, i) => (
        <Panel key={title} title={title} description={help} className={i === 0 ? 'lg:col-span-2' : undefined}>
          <StepChart
            label={title}
            plot={plot}
            format={formatMetric}
            xEnd={totalSteps}
            height={i === 0 ? 220 : 150}
            view={view}
          />
        </Panel>
      ))}
    </div>
  );
}

const figuresOf = (rows: MetricsRow[]): Figures[] =>
  rows.map(({ step, kind, metrics = {} }) => ({ step, evaluation: kind === 'eval', metrics }));

/** What a person should know about the figures so far. */
export function RunRemarks() {
  const rows = useTraining((state) => state.rows);
  const run = useTraining((state) => state.run);
  const remarks = useMemo(() => figureSetOf(run)?.remarks(figuresOf(rows)) ?? [], [run, rows]);
  return remarks.map(({ tone, title, text: said }) => (
    <Notice key={title} tone={tone === 'warning' ? 'warning' : undefined} title={title}>
      <p>{said}</p>
    </Notice>
  ));
}
