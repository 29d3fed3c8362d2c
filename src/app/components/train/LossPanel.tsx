import { useMemo } from 'react';
import type { RunRecord } from '../../../storage/types';
import { usePreferences } from '../../../stores/preferences';
import { useRuns } from '../../../stores/runs';
import { useTraining } from '../../../stores/training';
import { Panel } from '../../ui/Panel';
import { Segmented } from '../../ui/Segmented';
import { formatFigure, formatWhen } from '../../util/format';
import { StepChart } from '../charts/LazyChart';
import { evalLossOf, lossOf, type Plot, type Series, stepsOf, valuesOf } from '../charts/series';
import { smooth } from '../charts/smooth';
import { baseTextLossOf } from './metrics';

/** Looks of the runs that are laid over the shown one. */
export const overlayLooks = [
  { color: '--series-3', dash: [8, 4] },
  { color: '--series-4', dash: [3, 3] },
  { color: '--edge', dash: [12, 4, 3, 4] },
];

const nameOf = (run: RunRecord | undefined) => (run ? `${run.name}, ${formatWhen(run.createdAt)}` : '');

/** The loss: raw, smoothed, and on the held-out examples; past runs over it. */
export function LossPanel() {
  const rows = useTraining((state) => state.rows);
  const shown = useTraining((state) => state.run?.id);
  const phase = useTraining((state) => state.phase);
  const totalSteps = useTraining((state) => state.totalSteps);
  const { overlay, curves, runs } = useRuns();
  const { logScale, smoothing, set } = usePreferences();
  const plot = useMemo((): Plot => {
    const others = overlay
      .map((id, i) => ({
        id,
        look: overlayLooks[i]!,
        rows: curves[id],
        // Runs of one dataset share their name; their time tells them apart.
        name: nameOf(runs.find((run) => run.id === id)),
      }))
      .filter((other) => other.rows && other.id !== shown);
    const x = stepsOf(rows, ...others.map((other) => other.rows ?? []));
    const raw = valuesOf(x, rows, lossOf);
    const series: Series[] = [
      {
        name: smoothing > 0 ? 'Raw' : 'Training',
        color: '--series-1',
        values: raw,
        width: smoothing > 0 ? 1 : 2,
        faint: smoothing > 0,
      },
    ];
    if (smoothing > 0)
      series.push({ name: 'Training', color: '--series-1', values: smooth(raw, smoothing), width: 2.5 });
    series.push({
      name: 'Validation',
      color: '--series-2',
      values: valuesOf(x, rows, evalLossOf),
      points: true,
      dash: [6, 4],
    });
    const forgotten = valuesOf(x, rows, baseTextLossOf);
    if (forgotten.some((value) => value !== null)) {
      series.push({ name: 'Text of the base', color: '--series-3', values: forgotten, points: true, dash: [2, 4] });
    }
    for (const other of others) {
      const values = smooth(valuesOf(x, other.rows ?? [], lossOf), smoothing);
      series.push({ name: other.name, ...other.look, values });
    }
    return { x, series };
  }, [rows, shown, overlay, curves, runs, smoothing]);
  return (
    <Panel
      title="Loss"
      aside={
        <>
          <label className="flex items-center gap-2 text-[0.8125rem]">
            Smoothing
            <input
              type="range"
              min={0}
              max={0.95}
              step={0.05}
              value={smoothing}
              aria-valuetext={smoothing === 0 ? 'off' : String(smoothing)}
              onChange={(event) => set({ smoothing: event.target.valueAsNumber })}
              className="h-6 w-24"
            />
          </label>
          <Segmented
            label="Scale"
            value={logScale ? 'log' : 'linear'}
            onChange={(value) => set({ logScale: value === 'log' })}
            options={[
              { value: 'linear', label: 'Linear' },
              { value: 'log', label: 'Log' },
            ]}
          />
        </>
      }
    >
      <StepChart
        label="Training loss"
        plot={plot}
        xEnd={totalSteps}
        log={logScale}
        format={formatFigure}
        empty={
          phase === 'idle'
            ? 'This run has no figures yet.'
            : 'The first step is on its way. On a new GPU it compiles its programs first.'
        }
      />
    </Panel>
  );
}
