import { useMemo } from 'react';
import type { MetricInfo } from '../../../objectives/objective';
import type { MetricsRow } from '../../../storage/types';
import { useTraining } from '../../../stores/training';
import { Panel } from '../../ui/Panel';
import { formatMetric } from '../../util/format';
import { StepChart } from '../charts/StepChart';
import { type Plot, stepsOf, valuesOf } from '../charts/series';
import { knownMetrics, metricNamed } from './metrics';

/** What the objective reports at each step besides its loss, by name. */
function plotsOf(all: MetricsRow[], known: readonly MetricInfo[]): [metric: MetricInfo, plot: Plot][] {
  const rows = all.filter((row) => row.kind === 'step');
  const keys = [...new Set(rows.flatMap(({ metrics }) => Object.keys(metrics ?? {})))];
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
  const totalSteps = useTraining((state) => state.totalSteps);
  const run = useTraining((state) => state.run);
  const plots = useMemo(() => plotsOf(rows, knownMetrics(run)), [rows, run]);
  return plots.map(([{ name, label, help }, plot]) => (
    <Panel key={name} title={label} description={help}>
      <StepChart label={label} plot={plot} format={formatMetric} xEnd={totalSteps} height={140} />
    </Panel>
  ));
}
