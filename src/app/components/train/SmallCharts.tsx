import { useMemo } from 'react';
import { useTraining } from '../../../stores/training';
import { Panel } from '../../ui/Panel';
import { formatFigure, formatRate } from '../../util/format';
import { StepChart } from '../charts/LazyChart';
import { gradNormOf, type Plot, rateOf, stepsOf, valuesOf } from '../charts/series';
import { StepMetrics } from './StepMetrics';

/** Beneath the loss: how far each step goes, and how hard the data pulls. */
export function SmallCharts() {
  const rows = useTraining((state) => state.rows);
  const totalSteps = useTraining((state) => state.totalSteps);
  const [rate, norm] = useMemo((): [Plot, Plot] => {
    const x = stepsOf(rows.filter(({ kind }) => kind === 'step'));
    return [
      { x, series: [{ name: 'Learning rate', color: '--series-1', values: valuesOf(x, rows, rateOf) }] },
      {
        x,
        series: [{ name: 'Gradient norm', color: '--series-1', values: valuesOf(x, rows, gradNormOf), width: 1.5 }],
      },
    ];
  }, [rows]);
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Panel title="Learning rate">
        <StepChart
          label="Learning rate"
          plot={rate}
          format={formatRate}
          tick={formatRate}
          xEnd={totalSteps}
          height={140}
        />
      </Panel>
      <Panel title="Gradient norm">
        <StepChart label="Gradient norm" plot={norm} format={formatFigure} xEnd={totalSteps} height={140} />
      </Panel>
      <StepMetrics />
    </div>
  );
}
