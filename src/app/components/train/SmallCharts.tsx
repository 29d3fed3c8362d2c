import { useMemo } from 'react';
import { useTraining } from '../../../stores/training';
import { smallChartText as text } from '../../text/train';
import { Panel } from '../../ui/Panel';
import { formatMetric, formatRate } from '../../util/format';
import { StepChart } from '../charts/StepChart';
import { gradNormOf, type Plot, rateOf, stepsOf, valuesOf } from '../charts/series';
import { StepMetrics } from './StepMetrics';

/** Below the loss: the learning rate and the gradient norm. */
export function SmallCharts() {
  const rows = useTraining((state) => state.rows);
  const totalSteps = useTraining((state) => state.totalSteps);
  const [rate, norm] = useMemo((): [Plot, Plot] => {
    const x = stepsOf(rows.filter(({ kind }) => kind === 'step'));
    return [
      { x, series: [{ name: text.learningRate, color: '--series-1', values: valuesOf(x, rows, rateOf) }] },
      {
        x,
        series: [{ name: text.gradientNorm, color: '--series-1', values: valuesOf(x, rows, gradNormOf), width: 1.5 }],
      },
    ];
  }, [rows]);
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Panel title={text.learningRate}>
        <StepChart
          label={text.learningRate}
          plot={rate}
          format={formatRate}
          tick={formatRate}
          xEnd={totalSteps}
          height={140}
        />
      </Panel>
      <Panel title={text.gradientNorm}>
        <StepChart label={text.gradientNorm} plot={norm} format={formatMetric} xEnd={totalSteps} height={140} />
      </Panel>
      <StepMetrics />
    </div>
  );
}
