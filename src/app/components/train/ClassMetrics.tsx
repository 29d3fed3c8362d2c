import { useMemo } from 'react';
import { useTraining } from '../../../stores/training';
import { classText } from '../../text/train';
import { Panel } from '../../ui/Panel';
import { formatMetric } from '../../util/format';
import { StepChart } from '../charts/StepChart';
import { type Plot, type Series, stepsOf, valuesOf } from '../charts/series';
import { drawnKeys, measuredIn, metricKeys, metricName } from './metrics';

const looks = [
  { color: '--series-1' },
  { color: '--series-2', dash: [6, 4] },
  { color: '--series-3', dash: [8, 4] },
  { color: '--series-4', dash: [3, 3] },
];

/** Accuracy, F1 and the like on the held-out examples, at every evaluation. */
export function ClassMetrics() {
  const rows = useTraining((state) => state.rows);
  const totalSteps = useTraining((state) => state.totalSteps);
  const plot = useMemo((): Plot | null => {
    const evals = measuredIn(rows);
    const keys = drawnKeys(metricKeys(evals));
    if (keys.length === 0) return null;
    const x = stepsOf(evals);
    const series = keys.map(
      (key, i): Series => ({
        name: metricName(key),
        values: valuesOf(x, evals, (row) => (row.kind === 'eval' ? (row.metrics?.[key] ?? null) : null)),
        points: true,
        ...looks[i]!,
      }),
    );
    return { x, series };
  }, [rows]);
  if (!plot) return null;
  return (
    <Panel title={classText.title} description={classText.description}>
      <StepChart label={classText.chart} plot={plot} format={formatMetric} xEnd={totalSteps} height={200} />
    </Panel>
  );
}
