import { useMemo } from 'react';
import type { MetricInfo } from '../../../objectives/objective';
import { useChartView } from '../../../stores/chart-view';
import { useTraining } from '../../../stores/training';
import { classText } from '../../text/train';
import { Panel } from '../../ui/Panel';
import { formatMetric } from '../../util/format';
import { StepChart } from '../charts/StepChart';
import { type Plot, type Series, stepsOf, valuesOf } from '../charts/series';
import { bestMarks, chartedMetrics, drawnMetrics, knownMetrics, measuredIn, metricsIn } from './metrics';

const looks = [
  { color: '--series-1' },
  { color: '--series-2', dash: [6, 4] },
  { color: '--series-3', dash: [8, 4] },
  { color: '--series-4', dash: [3, 3] },
];

/** How to read the metrics of a chart. */
function MetricHelp({ metrics }: { metrics: MetricInfo[] }) {
  const explained = metrics.filter(({ help }) => help !== '');
  if (explained.length === 0) return null;
  return (
    <dl className="mt-3 space-y-1 text-[0.8125rem] text-muted">
      {explained.map(({ name, label, help }) => (
        <div key={name}>
          <dt className="inline font-medium">{label}:</dt> <dd className="inline">{help}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Accuracy, F1 and the like on the held-out examples, at every evaluation. */
export function ClassMetrics() {
  const rows = useTraining((state) => state.rows);
  const view = useChartView();
  const totalSteps = useTraining((state) => state.totalSteps);
  const run = useTraining((state) => state.run);
  const evals = useMemo(() => measuredIn(rows), [rows]);
  const metrics = useMemo(() => {
    const charted = chartedMetrics(run, evals);
    return drawnMetrics(
      metricsIn(evals, knownMetrics(run)).filter(
        ({ name, help }) => !charted.has(name) && (help !== '' || charted.size === 0),
      ),
    );
  }, [evals, run]);
  const plot = useMemo((): Plot => {
    const x = stepsOf(evals);
    const series = metrics.map(
      ({ name, label }, i): Series => ({
        name: label,
        values: valuesOf(x, evals, (row) => (row.kind === 'eval' ? (row.metrics?.[name] ?? null) : null)),
        points: true,
        ...looks[i]!,
      }),
    );
    return { x, series, marks: bestMarks(rows, () => null) };
  }, [rows, evals, metrics]);
  if (metrics.length === 0) return null;
  return (
    <Panel title={classText.title} description={classText.description}>
      <StepChart label={classText.chart} plot={plot} format={formatMetric} xEnd={totalSteps} height={200} view={view} />
      <MetricHelp metrics={metrics} />
    </Panel>
  );
}
