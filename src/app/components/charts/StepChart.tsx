import { RotateCcw, ZoomIn, ZoomOut } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { chartText as text } from '../../text/train';
import { IconButton } from '../../ui/IconButton';
import { cx } from '../../util/cx';
import { formatTick } from '../../util/format';
import { Swatch } from './Swatch';
import { type Plot, placeOf, type Series } from './series';
import { including, type Range, zoomed } from './thin';
import { useUplot } from './useUplot';
import { ValuesTable } from './ValuesTable';

/** Where charts of the same steps look: the step under the cursor and the steps zoomed into, or null for none and all. */
export interface ChartView {
  step: number | null;
  range: Range | null;
  setStep: (step: number | null) => void;
  setRange: (range: Range | null) => void;
}

/** The view of a chart that stands alone. */
function useOwnView(): ChartView {
  const [step, setStep] = useState<number | null>(null);
  const [range, setRange] = useState<Range | null>(null);
  return { step, range, setStep, setRange };
}

interface Props {
  label: string;
  plot: Plot;
  format: (value: number) => string;
  /** How the axis writes a value; by default short and without trailing zeros. */
  tick?: (value: number) => string;
  /** The x axis reaches at least this step, e.g. the last one of a run in progress. */
  xEnd?: number;
  log?: boolean;
  height?: number;
  /** How a place on the x axis is called in the readout, on the axis and in the table, if it is not a step's number. */
  stepText?: (step: number) => string;
  stepTick?: (step: number) => string;
  stepColumn?: string;
  /** Shown while there is nothing to draw. */
  empty?: ReactNode;
  /** Shared with other charts; by default the chart has its own. */
  view?: ChartView;
  /** Buttons for zooming. Dragging, and + and - on the keyboard, zoom in every chart. */
  zoomButtons?: boolean;
}

/** Half of the steps, or twice as many. */
const ZOOM = { in: 0.5, out: 2 };

/**
 * Curves over steps. A canvas is silent to a screen reader, so a slider covers it: arrow keys move through the steps and
 * the values are read out. All values are also in a table.
 */
export function StepChart({
  label,
  plot,
  format,
  tick = formatTick,
  xEnd = 0,
  log = false,
  height = 280,
  stepText = text.step,
  stepTick,
  stepColumn,
  empty,
  view: shared,
  zoomButtons = false,
}: Props) {
  const host = useRef<HTMLDivElement>(null);
  const own = useOwnView();
  const { step: at, range, setStep, setRange } = shared ?? own;
  const last = plot.x.length - 1;
  const whole: Range = [Math.min(plot.x[0] ?? 0, 0), Math.max(plot.x[last] ?? 0, xEnd, 1)];
  const shown = range ?? whole;
  useUplot(host, { plot, log, height, tick, stepTick, range: shown, onHover: setStep, onZoom: setRange }, at);
  const index = at === null || last < 0 ? last : Math.max(0, placeOf(plot.x, at));
  const read = plot.series.filter(({ quiet }) => !quiet);
  const mark = plot.marks?.find(({ step }) => step === plot.x[index]);
  const valueText =
    last < 0
      ? text.noValues
      : [
          stepText(plot.x[index]!),
          ...read.map((series) => spoken(series.name, valueAt(series, index), format)),
          mark?.label,
        ]
          .filter(Boolean)
          .join(', ');

  const slider = useRef<HTMLDivElement>(null);
  const zoomBy = (factor: number) => {
    const centre = at !== null && at >= shown[0] && at <= shown[1] ? at : (shown[0] + shown[1]) / 2;
    const next = zoomed(shown, whole, centre, factor);
    setRange(next);
    return next;
  };
  /** The buttons that were pressed for it go when everything is shown, so the chart takes the focus. */
  const widen = (factor = Number.POSITIVE_INFINITY) => {
    if (!zoomBy(factor)) slider.current?.focus({ preventScroll: true });
  };

  function walk(to: number) {
    const step = plot.x[Math.min(last, Math.max(0, to))]!;
    setStep(step);
    if (range) setRange(including(range, step));
  }

  function onKeyDown(event: KeyboardEvent) {
    if (last < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const big = Math.max(1, Math.round(plot.x.length / 10));
    const moves: Record<string, number> = {
      ArrowLeft: index - 1,
      ArrowDown: index - 1,
      ArrowRight: index + 1,
      ArrowUp: index + 1,
      PageDown: index - big,
      PageUp: index + big,
      Home: 0,
      End: last,
    };
    const zooms: Record<string, number> = { '+': ZOOM.in, '=': ZOOM.in, '-': ZOOM.out, '0': Number.POSITIVE_INFINITY };
    const move = moves[event.key];
    const zoom = zooms[event.key];
    if (move === undefined && zoom === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (move !== undefined) walk(move);
    if (zoom !== undefined) zoomBy(zoom);
  }

  return (
    <figure aria-label={label}>
      <div className="flex items-start gap-2">
        <ul className="flex min-h-6 flex-1 flex-wrap items-center gap-x-5 gap-y-1 text-[0.8125rem]" aria-hidden>
          <li className="w-24 text-muted">{last < 0 ? '' : stepText(plot.x[index]!)}</li>
          {read.map((series) => {
            const value = valueAt(series, index);
            return (
              <li key={series.name} className="flex items-center gap-1.5">
                <Swatch series={series} />
                <span className="text-muted">{series.name}</span>
                <span className="min-w-11 font-medium">{value == null ? '' : format(value)}</span>
              </li>
            );
          })}
        </ul>
        {(range || zoomButtons) && last >= 0 && (
          <div className="flex">
            {range && (
              <>
                <IconButton icon={RotateCcw} size="small" label={text.zoomReset(label)} onClick={() => widen()} />
                <IconButton icon={ZoomOut} size="small" label={text.zoomOut(label)} onClick={() => widen(ZOOM.out)} />
              </>
            )}
            <IconButton icon={ZoomIn} size="small" label={text.zoomIn(label)} onClick={() => zoomBy(ZOOM.in)} />
          </div>
        )}
      </div>
      <div className="relative mt-1" style={{ height }}>
        <div ref={host} className={cx('absolute inset-0 overflow-hidden', last < 0 && 'invisible')} aria-hidden />
        {last < 0 && <div className="absolute inset-0 flex items-center justify-center text-muted">{empty}</div>}
        <div
          ref={slider}
          role="slider"
          tabIndex={0}
          aria-label={text.cursor(label)}
          aria-valuemin={plot.x[0] ?? 0}
          aria-valuemax={plot.x[last] ?? 0}
          aria-valuenow={plot.x[index] ?? 0}
          aria-valuetext={valueText}
          aria-keyshortcuts="+ - 0"
          onKeyDown={onKeyDown}
          onBlur={() => setStep(null)}
          className="pointer-events-none absolute inset-0 rounded"
        />
      </div>
      {last >= 0 && <ValuesTable plot={plot} format={format} stepTick={stepTick} stepColumn={stepColumn} />}
    </figure>
  );
}

/** In a sparse curve, the last value holds until the next one. */
function valueAt({ values, points }: Series, index: number): number | null {
  if (!points) return values[index] ?? null;
  for (let i = index; i >= 0; i--) if (values[i] != null) return values[i]!;
  return null;
}

function spoken(name: string, value: number | null | undefined, format: (value: number) => string): string {
  return value == null ? '' : `${name} ${format(value)}`;
}
