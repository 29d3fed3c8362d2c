import { useMemo } from 'react';
import { useChartView } from '../../../stores/chart-view';
import { useTraining } from '../../../stores/training';
import { smallChartText as text } from '../../text/train';
import { Panel } from '../../ui/Panel';
import { formatBytes, formatCompact, formatMetric, formatRate } from '../../util/format';
import { StepChart } from '../charts/StepChart';
import { gradNormOf, memoryOf, rateOf, speedsOf, stepsOf, valuesOf } from '../charts/series';
import { StepMetrics } from './StepMetrics';

const whole = (value: number) => formatCompact(Math.round(value));

/** Below the loss: the learning rate, the gradient norm, the speed and the memory, step by step. */
export function SmallCharts() {
  const rows = useTraining((state) => state.rows);
  const totalSteps = useTraining((state) => state.totalSteps);
  const view = useChartView();
  const charts = useMemo(() => {
    const x = stepsOf(rows.filter(({ kind }) => kind === 'step'));
    return [
      { title: text.learningRate, values: valuesOf(x, rows, rateOf), width: 2, format: formatRate, tick: formatRate },
      { title: text.gradientNorm, values: valuesOf(x, rows, gradNormOf), format: formatMetric },
      { title: text.speed, values: speedsOf(x, rows), format: whole, tick: whole },
      { title: text.memory, values: valuesOf(x, rows, memoryOf), format: formatBytes, tick: formatBytes },
    ].map(({ title, values, width = 1.5, ...look }) => ({
      title,
      plot: { x, series: [{ name: title, color: '--series-1', values, width }] },
      look,
    }));
  }, [rows]);
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      {charts.map(({ title, plot, look }) => (
        <Panel key={title} title={title}>
          <StepChart label={title} plot={plot} xEnd={totalSteps} height={140} view={view} {...look} />
        </Panel>
      ))}
      <StepMetrics />
    </div>
  );
}
