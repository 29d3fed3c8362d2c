import { useMemo, useState } from 'react';
import { objectiveOf } from '../../../objectives';
import type { DataOf, HeldOutMeasure, SplitPrompt } from '../../../session/comparison-types';
import { subjectOf } from '../../../stores/compared';
import { useComparing } from '../../../stores/comparing';
import { type ExampleChange, exampleChanges, keyOf, useMeasures } from '../../../stores/measures';
import { useFields } from '../../../stores/select';
import { compareText, measureText as text } from '../../text/comparing';
import { Button } from '../../ui/Button';
import { Labelled, Select } from '../../ui/Field';
import { cx } from '../../util/cx';
import { formatMetric } from '../../util/format';
import { MeasurePanel } from './MeasurePanel';
import { useBlocked } from './PromptForm';
import { type ShownColumn, useColumns } from './useColumns';

type Order = keyof typeof text.orders;
/** Rows of the list of examples. */
const SHOWN = 100;

interface Measured {
  column: Pick<ShownColumn, 'id' | 'title' | 'name'>;
  measure: HeldOutMeasure;
}

/** Loss and metrics over the whole held-out side, before and after, and the examples that moved. */
export function EvaluationPanel() {
  const { models, columns } = useColumns();
  const doubt = useComparing((state) => state.split?.doubt ?? null);
  const known = useMeasures((state) => state.heldOut);
  const subject = subjectOf(models.map(({ id }) => id));
  const of: DataOf | undefined = subject?.of;
  const tuned = columns.filter(({ name }) => name !== null);
  const measured: ShownColumn['id'][] = ['base', ...tuned.map(({ id }) => id)];
  const found = measured.flatMap((id): Measured[] => {
    const measure = of && known[keyOf(id, of)];
    const column = tuned.find((one) => one.id === id) ?? { id, title: compareText.base, name: null };
    return measure ? [{ column, measure }] : [];
  });
  const run = models.find(({ run: one }) => one)?.run ?? null;
  return (
    <MeasurePanel
      id="held-out"
      kind="heldOut"
      text={text}
      models={measured}
      of={of}
      nothing={(tuned.length === 0 || !of) && text.noRun}
    >
      {doubt && <p className="text-warn">{doubt}</p>}
      {found.length > 0 && <Metrics found={found} labels={run ? metricLabels(run.recipe.objective.type) : new Map()} />}
      {of && found.length > 1 && <Examples found={found} />}
    </MeasurePanel>
  );
}

const metricLabels = (type: Parameters<typeof objectiveOf>[0]['type']) =>
  new Map(objectiveOf({ type }).metrics.map(({ name, label }) => [name, label]));

function Metrics({ found, labels }: { found: Measured[]; labels: ReadonlyMap<string, string> }) {
  const names = [...new Set(found.flatMap(({ measure }) => Object.keys(measure.metrics)))];
  // In the order of the objective, which puts the most telling first.
  const ordered = [...labels.keys()].filter((name) => names.includes(name));
  const rows: { label: string; note?: string; value: (measure: HeldOutMeasure) => number | null | undefined }[] = [
    { label: text.loss, note: text.lossNote, value: ({ loss }) => loss },
    ...(found.some(({ measure }) => measure.perplexity !== null)
      ? [{ label: text.perplexity, note: text.lossNote, value: ({ perplexity }: HeldOutMeasure) => perplexity }]
      : []),
    ...found.flatMap(({ measure: { answers } }, i) =>
      answers && found.findIndex(({ measure }) => measure.answers) === i
        ? [
            {
              ...{ label: text.rouge, note: text.rougeNote(answers.count) },
              value: ({ answers: of }: HeldOutMeasure) => of?.rougeL,
            },
          ]
        : [],
    ),
    ...ordered.map((name) => ({ label: labels.get(name)!, value: ({ metrics }: HeldOutMeasure) => metrics[name] })),
  ];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard.
    <section aria-label={text.title} tabIndex={0} className="overflow-x-auto">
      <table className="w-full text-left">
        <thead>
          <tr className="border-b text-[0.8125rem] text-muted">
            <th scope="col" className="py-1 pr-4 font-medium">
              {text.metric}
            </th>
            {found.map(({ column }) => (
              <th key={column.id} scope="col" className="py-1 pr-4 text-right font-medium">
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ label, note, value }) => (
            <tr key={label} className="border-b last:border-b-0">
              <th scope="row" className="py-1.5 pr-4 font-medium">
                {label} {note && <span className="text-[0.8125rem] font-normal text-muted">({note})</span>}
              </th>
              {found.map(({ column, measure }) => (
                <td key={column.id} className="py-1.5 pr-4 text-right">
                  {formatMetric(value(measure))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function inOrder(changes: readonly ExampleChange[], order: Order): ExampleChange[] {
  if (order === 'row') return [...changes];
  return [...changes].sort((a, b) => (order === 'worse' ? b.change - a.change : a.change - b.change));
}

/** The loss of each example before and after; pressing one asks it of all columns. */
function Examples({ found }: { found: Measured[] }) {
  const [order, setOrder] = useState<Order>('worse');
  const [chosen, setChosen] = useState('');
  const { take, ask, split } = useComparing(useFields('take', 'ask', 'split'));
  const blocked = useBlocked();
  const tuned = found.filter(({ column }) => column.name !== null);
  const after = tuned.find(({ column }) => column.id === chosen) ?? tuned[0];
  const before = found.find(({ column }) => column.id === 'base');
  const changes = useMemo(
    () => (before && after ? exampleChanges(before.measure, after.measure) : []),
    [before, after],
  );
  if (!after || !before || changes.length === 0) return null;
  const prompts = new Map<number, SplitPrompt>((split?.heldOut ?? []).map((prompt) => [prompt.row, prompt]));
  const shown = inOrder(changes, order).slice(0, SHOWN);
  const better = changes.filter(({ change }) => change < 0).length;
  const worse = changes.filter(({ change }) => change > 0).length;
  return (
    <div className="space-y-2">
      <div className="flex flex-wrap items-end gap-x-4 gap-y-2">
        <h3 className="font-medium">{text.examples}</h3>
        <span className="text-muted">{text.counts(better, worse)}</span>
        <div className="ml-auto flex flex-wrap gap-3">
          {tuned.length > 1 && (
            <Labelled label={text.of} className="flex items-center gap-2 *:mb-0">
              <Select
                value={after.column.id}
                options={tuned.map(({ column }) => ({ value: column.id, label: column.title }))}
                onChange={({ target }) => setChosen(target.value)}
              />
            </Labelled>
          )}
          <Labelled label={text.sort} className="flex items-center gap-2 *:mb-0">
            <Select
              value={order}
              options={Object.entries(text.orders).map(([value, label]) => ({ value, label }))}
              onChange={({ target }) => setOrder(target.value as Order)}
            />
          </Labelled>
        </div>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <section aria-label={text.examples} tabIndex={0} className="max-h-96 overflow-auto">
        <table className="w-full text-left">
          <thead>
            <tr className="border-b text-[0.8125rem] text-muted">
              <th scope="col" className="py-1 pr-4 font-medium">
                {text.example}
              </th>
              <th scope="col" className="py-1 pr-4 text-right font-medium">
                {text.before}
              </th>
              <th scope="col" className="py-1 pr-4 text-right font-medium">
                {text.after}
              </th>
              <th scope="col" className="py-1 text-right font-medium">
                {text.change}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ row, before: was, after: is, change }, i) => {
              const prompt = prompts.get(row);
              return (
                // biome-ignore lint/suspicious/noArrayIndexKey: a long text is several pieces of one row.
                <tr key={`${row} ${i}`} className="border-b last:border-b-0">
                  <th scope="row" className="py-1 pr-4 font-normal">
                    {prompt ? (
                      <Button
                        size="small"
                        variant="quiet"
                        className="!shrink text-left break-words"
                        why={blocked}
                        aria-label={`${text.show(row)}: ${prompt.text}`}
                        onClick={() => {
                          take(prompt, 'held_out');
                          void ask();
                        }}
                      >
                        {prompt.text.length > 90 ? `${prompt.text.slice(0, 90)}…` : prompt.text}
                      </Button>
                    ) : (
                      <span className="px-2 text-[0.8125rem] text-muted">{text.row(row)}</span>
                    )}
                  </th>
                  <td className="py-1 pr-4 text-right">{formatMetric(was)}</td>
                  <td className="py-1 pr-4 text-right">{formatMetric(is)}</td>
                  <td className={cx('py-1 text-right font-medium', change > 0 ? 'text-warn' : 'text-accent-strong')}>
                    {text.changeOf(change)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
      {changes.length > SHOWN && <p className="text-[0.8125rem] text-muted">{text.shown(SHOWN, changes.length)}</p>}
    </div>
  );
}
