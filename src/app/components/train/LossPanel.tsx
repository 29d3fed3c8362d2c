import { useMemo } from 'react';
import type { RunRecord } from '../../../storage/types';
import { useChartView } from '../../../stores/chart-view';
import { earnsRewards } from '../../../stores/evaluations';
import { usePreferences } from '../../../stores/preferences';
import { useRuns } from '../../../stores/runs';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { diffText, lossText as text } from '../../text/train';
import { Panel } from '../../ui/Panel';
import { formatMetric, formatWhen } from '../../util/format';
import { CurveScale } from '../charts/CurveScale';
import { StepChart } from '../charts/StepChart';
import {
  evalLossOf,
  type Look,
  lossOf,
  overlaySeries,
  type Plot,
  type Series,
  stepsOf,
  valuesOf,
} from '../charts/series';
import { smooth } from '../charts/smooth';
import { baseTextLossOf, bestMarks } from './metrics';

/** Looks of the overlaid runs. */
export const overlayLooks: Look[] = [
  { color: '--series-3', dash: [8, 4] },
  { color: '--series-4', dash: [3, 3] },
  { color: '--edge', dash: [12, 4, 3, 4] },
];

const nameOf = (run: RunRecord | undefined) => (run ? diffText.run(run.name, formatWhen(run.createdAt)) : '');

/** The training loss, raw and smoothed, the validation loss, and the losses of overlaid runs. */
export function LossPanel({ note }: { note?: string }) {
  const rows = useTraining((state) => state.rows);
  const shown = useTraining((state) => state.run?.id);
  const earns = useTraining(({ run }) => run !== null && earnsRewards(run));
  const active = useTraining(runActive);
  const totalSteps = useTraining((state) => state.totalSteps);
  const { overlay, curves, runs } = useRuns(useFields('overlay', 'curves', 'runs'));
  const view = useChartView();
  const { logScale, smoothing } = usePreferences(useFields('logScale', 'smoothing'));
  const plot = useMemo((): Plot => {
    const others = overlay
      .map((id, i) => ({
        id,
        look: overlayLooks[i]!,
        rows: curves[id],
        // Runs of one dataset have the same name; the time tells them apart.
        name: nameOf(runs.find((run) => run.id === id)),
      }))
      .filter((other) => other.rows && other.id !== shown);
    const x = stepsOf(rows, ...others.map((other) => other.rows ?? []));
    const raw = valuesOf(x, rows, lossOf);
    const series: Series[] = [
      {
        name: smoothing > 0 ? text.raw : text.training,
        color: '--series-1',
        values: raw,
        width: smoothing > 0 ? 1 : 2,
        faint: smoothing > 0,
      },
    ];
    if (smoothing > 0)
      series.push({ name: text.training, color: '--series-1', values: smooth(raw, smoothing), width: 2.5 });
    // What answers earned is drawn as that, above.
    if (!earns)
      series.push({
        name: text.validation,
        color: '--series-2',
        values: valuesOf(x, rows, evalLossOf),
        points: true,
        dash: [6, 4],
      });
    const forgotten = valuesOf(x, rows, baseTextLossOf);
    if (forgotten.some((value) => value !== null)) {
      series.push({ name: text.baseText, color: '--series-3', values: forgotten, points: true, dash: [2, 4] });
    }
    for (const { name, look, rows: past = [] } of others) {
      series.push(
        ...overlaySeries(x, { name, validationName: text.overlayValidation(name), rows: past, look, smoothing }),
      );
    }
    return { x, series, marks: bestMarks(rows, ({ eval_loss }) => (earns ? null : eval_loss)) };
  }, [earns, rows, shown, overlay, curves, runs, smoothing]);
  return (
    <Panel title={text.title} description={note} aside={<CurveScale />}>
      <StepChart
        label={text.chart}
        plot={plot}
        xEnd={totalSteps}
        log={logScale}
        view={view}
        zoomButtons
        format={formatMetric}
        empty={active ? text.waiting : text.none}
      />
    </Panel>
  );
}
