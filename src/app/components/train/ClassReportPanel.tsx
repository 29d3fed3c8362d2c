import { useState } from 'react';
import type { ClassReport } from '../../../storage/types';
import { useTraining } from '../../../stores/training';
import { classText as text } from '../../text/train';
import { Labelled, Select } from '../../ui/Field';
import { Panel } from '../../ui/Panel';
import { formatCount } from '../../util/format';
import { reportsIn } from './metrics';

const metrics = [
  { key: 'precision', bar: 'bg-series-1' },
  { key: 'recall', bar: 'bg-series-2' },
  { key: 'f1', bar: 'bg-series-3' },
] as const;

/** 0.9167 -> `92 %`. */
const percent = (share: number) => `${Math.round(share * 100)}\u00a0%`;

/** Precision, recall and F1 of each class as bars, and the confusion matrix. */
export function ClassReportPanel() {
  const rows = useTraining((state) => state.rows);
  const reports = reportsIn(rows);
  const [chosen, setChosen] = useState<number | null>(null);
  const shown = reports.find(({ step }) => step === chosen) ?? reports.at(-1);
  if (!shown) return null;
  const { report, step } = shown;
  return (
    <Panel
      title={text.report}
      aside={
        reports.length > 1 && (
          <Labelled label={text.evaluation} className="flex items-center gap-2 *:mb-0">
            <Select
              value={chosen !== null && step === chosen ? String(chosen) : ''}
              options={[
                { value: '', label: text.latest(reports.at(-1)!.step) },
                ...reports.slice(0, -1).map((one) => ({
                  value: String(one.step),
                  label: one.step === 0 ? text.beforeTraining : text.atStep(one.step),
                })),
              ]}
              onChange={({ target }) => setChosen(target.value === '' ? null : Number(target.value))}
            />
          </Labelled>
        )
      }
    >
      <div className="grid items-start gap-x-8 gap-y-6 min-[100rem]:grid-cols-[minmax(0,1fr)_auto]">
        <PerClass report={report} />
        {report.confusion.length > 0 && <Confusion report={report} />}
      </div>
    </Panel>
  );
}

function PerClass({ report }: { report: ClassReport }) {
  return (
    <div className="min-w-0 space-y-2">
      <p className="text-[0.8125rem] text-muted">{text.explanation}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <section aria-label={text.perClass} tabIndex={0} className="max-h-112 overflow-auto">
        <table className="w-full min-w-120 text-left">
          <thead>
            <tr className="border-b text-[0.8125rem] text-muted">
              <th scope="col" className="py-1 pr-4 font-medium">
                {text.class}
              </th>
              {metrics.map(({ key }) => (
                <th key={key} scope="col" className="w-[22%] py-1 pr-4 font-medium">
                  {text[key]}
                </th>
              ))}
              <th scope="col" className="py-1 text-right font-medium">
                {text.examples}
              </th>
            </tr>
          </thead>
          <tbody>
            {report.perClass.map((one) => (
              <tr key={one.label} className="border-b last:border-b-0">
                <th scope="row" className="py-1.5 pr-4 font-medium break-words">
                  {one.label}
                </th>
                {metrics.map(({ key, bar }) => (
                  <td key={key} className="py-1.5 pr-4">
                    <div className="flex items-center gap-2">
                      <span className="w-12 shrink-0 whitespace-nowrap text-right">{percent(one[key])}</span>
                      <span aria-hidden className="h-2 min-w-4 flex-1 overflow-hidden rounded-full bg-line">
                        <span className={`block h-full rounded-full ${bar}`} style={{ width: `${one[key] * 100}%` }} />
                      </span>
                    </div>
                  </td>
                ))}
                <td className="py-1.5 text-right">{formatCount(one.support)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

/** Rows are true classes, columns predicted ones; the darker a cell, the larger its share of the row. */
function Confusion({ report }: { report: ClassReport }) {
  const { labels, confusion } = report;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
    <section aria-label={text.confusion} tabIndex={0} className="max-h-112 max-w-full overflow-auto">
      <table className="border-separate border-spacing-0.5">
        <caption className="pb-1.5 text-left text-[0.8125rem] text-muted">{text.confusionCaption}</caption>
        <thead>
          <tr className="text-[0.8125rem] text-muted">
            <th scope="col" className="pr-2 text-left font-medium">
              {text.actual}
            </th>
            {labels.map((label) => (
              <th key={label} scope="col" className="max-w-24 px-1 align-bottom font-medium break-words">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {confusion.map((row, i) => {
            const total = Math.max(
              1,
              row.reduce((sum, count) => sum + count, 0),
            );
            return (
              <tr key={labels[i]}>
                <th scope="row" className="max-w-32 pr-2 text-left text-[0.8125rem] font-medium break-words">
                  {labels[i]}
                </th>
                {row.map((count, j) => (
                  <td
                    key={labels[j]}
                    className={`h-9 min-w-14 rounded px-2 text-center ${i === j ? 'font-semibold' : ''}`}
                    style={{ background: shade(count / total, i === j) }}
                  >
                    {formatCount(count)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** At most 40 % colour, so that the text on it stays readable. */
function shade(share: number, right: boolean): string {
  if (share === 0) return 'var(--sunken)';
  const colour = right ? '--series-1' : '--series-2';
  return `color-mix(in srgb, var(${colour}) ${Math.round(8 + 32 * share)}%, var(--surface))`;
}
