import { useEffect, useMemo, useState } from 'react';
import { BASE_TEXT_LOSS } from '../../../objectives/metrics';
import type { MetricsRow, RunRecord } from '../../../storage/types';
import { usePreferences } from '../../../stores/preferences';
import { useRunTable } from '../../../stores/run-table';
import { useFields } from '../../../stores/select';
import { runActive, useTraining } from '../../../stores/training';
import { curvesText as text } from '../../text/runs';
import { Panel } from '../../ui/Panel';
import { formatMetric } from '../../util/format';
import { CurveScale } from '../charts/CurveScale';
import { type ChartView, StepChart } from '../charts/StepChart';
import { Swatch } from '../charts/Swatch';
import { evalLossOf, lossOf, type Plot, stepsOf, valuesOf } from '../charts/series';
import { smooth } from '../charts/smooth';
import type { Range } from '../charts/thin';
import { knownMetrics, metricNamed } from '../train/metrics';
import { type GroupBy, groupings, groupsOf, lookOf, MOST_CURVES, namesOf } from './curves';

/** The two charts are of the same steps. */
function useSharedView(): ChartView {
  const [step, setStep] = useState<number | null>(null);
  const [range, setRange] = useState<Range | null>(null);
  return { step, range, setStep, setRange };
}

interface Measure {
  /** Empty for the validation loss. */
  name: string;
  label: string;
  pick: (row: MetricsRow) => number | null;
}

/** What the evaluations of these runs have measured: the loss first. */
function measuresOf(runs: RunRecord[], rowsOf: ReadonlyMap<string, MetricsRow[]>): Measure[] {
  const found = new Map<string, Measure>([['', { name: '', label: text.validation, pick: evalLossOf }]]);
  for (const run of runs) {
    const known = [...knownMetrics(run), BASE_TEXT_LOSS];
    for (const row of rowsOf.get(run.id) ?? []) {
      if (row.kind !== 'eval') continue;
      for (const name of Object.keys(row.metrics ?? {})) {
        if (found.has(name)) continue;
        const pick = (of: MetricsRow) => (of.kind === 'eval' ? (of.metrics?.[name] ?? null) : null);
        found.set(name, { name, label: metricNamed(name, known).label, pick });
      }
    }
  }
  return [...found.values()];
}

/** The curves of the selected runs over one another, in groups of one colour each. */
export function RunCurves({ selected }: { selected: RunRecord[] }) {
  const drawn = useMemo(() => selected.slice(0, MOST_CURVES), [selected]);
  const { curves, readCurves } = useRunTable(useFields('curves', 'readCurves'));
  const { logScale, smoothing } = usePreferences(useFields('logScale', 'smoothing'));
  const live = useTraining((state) => (runActive(state) ? state.run?.id : undefined));
  const liveRows = useTraining((state) => (live === undefined ? null : state.rows));
  const [by, setBy] = useState<GroupBy>('run');
  const [measure, setMeasure] = useState('');
  const view = useSharedView();
  useEffect(() => {
    void readCurves(drawn.filter(({ id }) => id !== live));
  }, [drawn, live, readCurves]);

  const rowsOf = useMemo(() => {
    const rows = new Map<string, MetricsRow[]>();
    for (const { id } of drawn) {
      const known = id === live ? liveRows : curves[id]?.rows;
      if (known) rows.set(id, known);
    }
    return rows;
  }, [drawn, live, liveRows, curves]);
  const options = useMemo(() => groupings(drawn), [drawn]);
  const grouping = options.some(({ value }) => value === by) ? by : 'run';
  const groups = useMemo(() => groupsOf(drawn, grouping), [drawn, grouping]);
  const measures = useMemo(() => measuresOf(drawn, rowsOf), [drawn, rowsOf]);
  const shownMeasure = measures.find(({ name }) => name === measure) ?? measures[0]!;
  const charts = useMemo(() => {
    const names = new Map(namesOf(drawn).map((name, i) => [drawn[i]!.id, name]));
    const x = stepsOf(...rowsOf.values());
    const plot = (pick: (row: MetricsRow) => number | null, points: boolean, weight: number): Plot => {
      const series = groups.flatMap(({ runs }, group) =>
        runs.map(({ id }, place) => ({
          name: names.get(id)!,
          ...lookOf(group, place),
          values: smooth(valuesOf(x, rowsOf.get(id) ?? [], pick), weight),
          points,
        })),
      );
      return { x, series: series.filter(({ values }) => values.some((value) => value !== null)) };
    };
    const shown = ({ x: steps, series }: Plot): Plot => (series.length > 0 ? { x: steps, series } : { x: [], series });
    return { training: shown(plot(lossOf, false, smoothing)), evaluated: shown(plot(shownMeasure.pick, true, 0)) };
  }, [drawn, groups, rowsOf, smoothing, shownMeasure]);
  const reading = drawn.some(({ id }) => !rowsOf.has(id));
  return (
    <Panel
      title={text.title}
      aside={
        <>
          {options.length > 1 && (
            <label className="flex items-center gap-2 text-[0.8125rem]">
              {text.group}
              <select
                value={grouping}
                onChange={(event) => setBy(event.target.value as GroupBy)}
                className="min-h-8 max-w-44 rounded-md border border-edge bg-surface px-1.5"
              >
                {options.map(({ value, label }) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </select>
            </label>
          )}
          <CurveScale />
        </>
      }
    >
      {selected.length > drawn.length && (
        <p className="mb-2 text-warn">{text.tooMany(drawn.length, selected.length)}</p>
      )}
      {grouping !== 'run' && (
        <ul className="mb-3 flex flex-wrap gap-x-5 gap-y-1 text-[0.8125rem]">
          {groups.map(({ label, look, runs }) => (
            <li key={label} className="flex items-center gap-1.5">
              <Swatch series={{ color: look.color }} />
              <span className="wrap-anywhere">
                {label} <span className="text-muted">({runs.length})</span>
              </span>
            </li>
          ))}
        </ul>
      )}
      <h3 className="text-[0.8125rem] font-medium text-muted">{text.training}</h3>
      <StepChart
        label={text.figure(text.training)}
        plot={charts.training}
        log={logScale}
        view={view}
        zoomButtons
        height={240}
        format={formatMetric}
        empty={reading ? text.reading : text.noSteps}
      />
      <div className="mt-5 flex min-h-8 flex-wrap items-center gap-3">
        <h3 className="text-[0.8125rem] font-medium text-muted">{shownMeasure.label}</h3>
        {measures.length > 1 && (
          <select
            aria-label={text.measure}
            value={shownMeasure.name}
            onChange={(event) => setMeasure(event.target.value)}
            className="ml-auto min-h-8 max-w-56 rounded-md border border-edge bg-surface px-1.5 text-[0.8125rem]"
          >
            {measures.map(({ name, label }) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        )}
      </div>
      <StepChart
        label={text.figure(shownMeasure.label)}
        plot={charts.evaluated}
        log={logScale && shownMeasure.name === ''}
        view={view}
        height={200}
        format={formatMetric}
        empty={reading ? text.reading : text.noEvaluations}
      />
    </Panel>
  );
}
