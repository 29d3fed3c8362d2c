import { useMemo } from 'react';
import { useTraining } from '../../../stores/training';
import { Panel } from '../../ui/Panel';
import { formatFigure } from '../../util/format';
import { StepChart } from '../charts/LazyChart';
import { type Plot, type Series, stepsOf, valuesOf } from '../charts/series';
import { drawnKeys, measuredIn, metricKeys, metricName } from './metrics';

const looks = [
  { color: '--series-1' },
  { color: '--series-2', dash: [6, 4] },
  { color: '--series-3', dash: [8, 4] },
  { color: '--series-4', dash: [3, 3] },
];

/** Accuracy, F1 and the like at every evaluation, on the examples that were held out. */
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
    <Panel title="On the held-out examples" description="What it gets right, measured at every evaluation.">
      <StepChart label="Evaluation metrics" plot={plot} format={formatFigure} xEnd={totalSteps} height={200} />
    </Panel>
  );
}
