import { useState } from 'react';
import { chartText as text } from '../../text/train';
import { type Plot, placeOf } from './series';

/** About so many rows at most, to stay readable. */
const ROWS = 200;

/** The rows to show: every nth step, and all with sparse values or marks. */
function rowsOf({ x, series, marks = [] }: Plot): number[] {
  const every = Math.ceil(x.length / ROWS);
  const places = new Set<number>();
  for (let i = 0; i < x.length; i += every) places.add(i);
  for (const { values, points } of series) {
    if (!points) continue;
    for (let i = 0; i < x.length; i++) if (values[i] != null) places.add(i);
  }
  for (const { step } of marks) places.add(Math.max(0, placeOf(x, step)));
  return [...places].sort((a, b) => a - b);
}

interface Props {
  plot: Plot;
  format: (value: number) => string;
  /** How a place on the x axis is called, if not by its number, and the column of them. */
  stepTick?: (step: number) => string;
  stepColumn?: string;
}

function Values({ plot, format, stepTick = String, stepColumn = text.stepColumn }: Props) {
  const markAt = (step: number) => plot.marks?.find((mark) => mark.step === step)?.label;
  return (
    <table className="w-full text-right">
      <thead className="sticky top-0 bg-sunken">
        <tr>
          <th scope="col" className="px-3 py-1 font-medium">
            {stepColumn}
          </th>
          {plot.series.map(({ name }) => (
            <th key={name} scope="col" className="px-3 py-1 font-medium">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rowsOf(plot).map((i) => {
          const step = plot.x[i]!;
          const mark = markAt(step);
          return (
            <tr key={step} className="border-t">
              <th scope="row" className="px-3 py-0.5 font-normal">
                {mark && <span className="mr-2 font-medium">{mark}</span>}
                {stepTick(step)}
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
          );
        })}
      </tbody>
    </table>
  );
}

/** What the chart draws, in numbers. */
export function ValuesTable(props: Props) {
  const [open, setOpen] = useState(false);
  return (
    <details className="mt-2 text-[0.8125rem]" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="inline-block py-0.5 text-muted underline underline-offset-2">{text.table}</summary>
      {open && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
        <section aria-label={text.values} tabIndex={0} className="mt-1 max-h-64 overflow-auto rounded-md border">
          <Values {...props} />
        </section>
      )}
    </details>
  );
}
