import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { chartText as text } from '../../text/train';
import { cx } from '../../util/cx';
import { formatTick } from '../../util/format';
import { Swatch } from './Swatch';
import type { Plot, Series } from './series';
import { useUplot } from './useUplot';

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
  empty,
}: {
  label: string;
  plot: Plot;
  format: (value: number) => string;
  /** How the axis writes a value; by default short and without trailing zeros. */
  tick?: (value: number) => string;
  /** The x axis reaches at least this step, e.g. the last one of a run in progress. */
  xEnd?: number;
  log?: boolean;
  height?: number;
  /** Shown while there is nothing to draw. */
  empty?: ReactNode;
}) {
  const host = useRef<HTMLDivElement>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const [walked, setWalked] = useState<number | null>(null);
  const last = plot.x.length - 1;
  const at = hovered ?? (walked === null ? null : Math.min(walked, last));
  useUplot(host, { plot, log, height, tick, xEnd, onHover: setHovered }, at);
  const index = at ?? last;
  const read = plot.series.filter(({ quiet }) => !quiet);
  const valueText =
    last < 0
      ? text.noValues
      : [text.step(plot.x[index]!), ...read.map((series) => spoken(series.name, valueAt(series, index), format))]
          .filter(Boolean)
          .join(', ');

  function onKeyDown(event: KeyboardEvent) {
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
    const next = moves[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    setWalked(Math.min(last, Math.max(0, next)));
  }

  return (
    <figure aria-label={label}>
      <ul className="flex min-h-6 flex-wrap items-center gap-x-5 gap-y-1 text-[0.8125rem]" aria-hidden>
        <li className="w-24 text-muted">{last < 0 ? '' : text.step(plot.x[index]!)}</li>
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
      <div className="relative mt-1" style={{ height }}>
        <div ref={host} className={cx('absolute inset-0 overflow-hidden', last < 0 && 'invisible')} aria-hidden />
        {last < 0 && <div className="absolute inset-0 flex items-center justify-center text-muted">{empty}</div>}
        <div
          role="slider"
          tabIndex={0}
          aria-label={text.cursor(label)}
          aria-valuemin={plot.x[0] ?? 0}
          aria-valuemax={plot.x[last] ?? 0}
          aria-valuenow={plot.x[index] ?? 0}
          aria-valuetext={valueText}
          onKeyDown={onKeyDown}
          onBlur={() => setWalked(null)}
          className="pointer-events-none absolute inset-0 rounded"
        />
      </div>
      {last >= 0 && <ValuesTable plot={plot} format={format} />}
    </figure>
  );
}

/** In a sparse curve, the last value holds until the next one. */
function valueAt({ values, points }: Series, index: number): number | null {
  const value = values[index] ?? null;
  return value === null && points ? (values.slice(0, index).findLast((earlier) => earlier !== null) ?? null) : value;
}

function spoken(name: string, value: number | null | undefined, format: (value: number) => string): string {
  return value == null ? '' : `${name} ${format(value)}`;
}

/** About 200 rows at most, to stay readable. */
function ValuesTable({ plot, format }: { plot: Plot; format: (value: number) => string }) {
  const [open, setOpen] = useState(false);
  const every = Math.ceil(plot.x.length / 200);
  const sparse = plot.series.filter(({ points }) => points);
  const rows = plot.x
    .map((step, i) => ({ step, i }))
    .filter(({ i }) => i % every === 0 || sparse.some(({ values }) => values[i] != null));
  return (
    <details className="mt-2 text-[0.8125rem]" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="inline-block py-0.5 text-muted underline underline-offset-2">{text.table}</summary>
      {open && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
        <section aria-label={text.values} tabIndex={0} className="mt-1 max-h-64 overflow-auto rounded-md border">
          <table className="w-full text-right">
            <thead className="sticky top-0 bg-sunken">
              <tr>
                <th scope="col" className="px-3 py-1 font-medium">
                  {text.stepColumn}
                </th>
                {plot.series.map(({ name }) => (
                  <th key={name} scope="col" className="px-3 py-1 font-medium">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ step, i }) => (
                <tr key={step} className="border-t">
                  <th scope="row" className="px-3 py-0.5 font-normal">
                    {step}
                  </th>
                  {plot.series.map(({ name, values }) => {
                    const value = values[i];
                    return (
                      <td key={name} className="px-3 py-0.5">
                        {value == null ? '' : format(value)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </details>
  );
}
