import { useMemo } from 'react';
import type { MetricInfo } from '../../../objectives/objective';
import type { MetricsRow } from '../../../storage/types';
import { useChartView } from '../../../stores/chart-view';
import { useTraining } from '../../../stores/training';
import { objectiveChartText as text } from '../../text/train';
import { Panel } from '../../ui/Panel';
import { formatMetric } from '../../util/format';
import { StepChart } from '../charts/StepChart';
import { type Plot, stepsOf, valuesOf } from '../charts/series';
import { figureSetOf } from './figures';
import { chartedMetrics, knownMetrics, metricNamed } from './metrics';

/** What the objective reports at each step besides its loss, by name, and no chart of its own has. */
function plotsOf(
  all: MetricsRow[],
  known: readonly MetricInfo[],
  drawn: ReadonlySet<string>,
): [metric: MetricInfo, plot: Plot][] {
  const rows = all.filter((row) => row.kind === 'step');
  const keys = [...new Set(rows.flatMap(({ metrics }) => Object.keys(metrics ?? {})))].filter((key) => !drawn.has(key));
  if (keys.length === 0) return [];
  const x = stepsOf(rows);
  return keys.map((key) => {
    const values = valuesOf(x, rows, (row) => row.metrics?.[key] ?? null);
    const metric = metricNamed(key, known);
    return [metric, { x, series: [{ name: metric.label, color: '--series-1', values, width: 1.5 }] }];
  });
}

/** A small chart for each of them; none for objectives that report nothing. */
export function StepMetrics() {
  const rows = useTraining((state) => state.rows);
  const view = useChartView();
  const totalSteps = useTraining((state) => state.totalSteps);
  const run = useTraining((state) => state.run);
  const plots = useMemo(() => plotsOf(rows, knownMetrics(run), chartedMetrics(run, rows)), [rows, run]);
  const panels = plots.map(([{ name, label, help }, plot]) => (
    <Panel key={name} title={label} description={help}>
      <StepChart label={label} plot={plot} format={formatMetric} xEnd={totalSteps} height={140} view={view} />
    </Panel>
  ));
  // Where charts above say what matters, the others are there for whoever looks for them.
  if (!figureSetOf(run) || panels.length === 0) return panels;
  return (
    <details className="lg:col-span-2">
      <summary className="inline-block py-0.5 text-muted underline underline-offset-2">
        {text.more(panels.length)}
      </summary>
      <div className="mt-3 grid gap-4 lg:grid-cols-2">{panels}</div>
    </details>
  );
}
