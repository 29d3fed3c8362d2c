import { useMemo, useState } from 'react';
import { rangesOf } from '../../../base/row-ranges';
import type { Example } from '../../../data/types';
import type { ExampleLosses } from '../../../session/api';
import { useData } from '../../../stores/data';
import { useEdits } from '../../../stores/edits';
import { useRecipe } from '../../../stores/recipe';
import { checksText as text } from '../../text/checks';
import { Button } from '../../ui/Button';
import { Input, Labelled } from '../../ui/Field';
import { formatCount, formatMetric, formatPlural } from '../../util/format';
import { CheckRow } from './CheckRow';
import { exampleText } from './exampleText';

/** Rows that are listed; the rest is counted. */
const most = 100;

interface Props {
  byRow: ReadonlyMap<number, Example>;
  why: string | null;
}

/** Every example by the model's own loss, and the worst of them dropped in one press. */
export function LossCheck({ byRow, why }: Props) {
  return (
    <CheckRow name="losses" title={text.losses.title} about={text.losses.about} why={why}>
      {(losses) => <Losses losses={losses} byRow={byRow} />}
    </CheckRow>
  );
}

function Losses({ losses, byRow }: { losses: ExampleLosses } & Omit<Props, 'why'>) {
  const selectRow = useData((state) => state.selectRow);
  // Equal losses in the order of the file, so that the same press drops the same rows.
  const ranked = useMemo(
    () =>
      losses.rows.map((row, i) => ({ row, loss: losses.losses[i]! })).sort((a, b) => b.loss - a.loss || a.row - b.row),
    [losses],
  );
  const at = (share: number) => formatMetric(ranked[Math.round(share * (ranked.length - 1))]?.loss);
  return (
    <>
      <p className="max-w-prose">
        {losses.adapter === null ? text.losses.base : text.losses.by(losses.adapter)}{' '}
        {text.losses.summary(at(0), at(0.5), at(1))}
      </p>
      <div className="max-h-80 overflow-auto rounded-md border">
        <table aria-label={text.losses.table} className="w-full text-left">
          <thead className="sticky top-0 bg-surface shadow-[0_1px_0_var(--line)]">
            <tr className="text-[0.8125rem] text-muted">
              <th scope="col" className="w-28 px-3 py-1.5 font-medium">
                {text.losses.row}
              </th>
              <th scope="col" className="w-20 px-3 py-1.5 text-right font-medium">
                {text.losses.loss}
              </th>
              <th scope="col" className="px-3 py-1.5 font-medium">
                {text.losses.example}
              </th>
            </tr>
          </thead>
          <tbody>
            {ranked.slice(0, most).map(({ row, loss }) => (
              <tr key={row} className="border-b align-baseline last:border-b-0">
                <td className="px-2 py-1">
                  <Button size="small" variant="quiet" onClick={() => selectRow(row)}>
                    {text.showRow(row)}
                  </Button>
                </td>
                <td className="px-3 py-1 text-right tabular-nums">{formatMetric(loss)}</td>
                <td className="px-3 py-1">
                  <span className="line-clamp-2 break-words">{exampleText(byRow.get(row))}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {ranked.length > most && <p className="text-muted">{text.losses.further(formatCount(ranked.length - most))}</p>}
      <div className="flex flex-wrap gap-x-8 gap-y-3">
        <Drop
          label={text.losses.worst}
          unit={text.losses.worstUnit}
          first={5}
          max={100}
          ranked={ranked}
          count={(typed) => Math.floor((ranked.length * typed) / 100)}
        />
        <Drop
          label={text.losses.best}
          unit={text.losses.bestUnit}
          first={Math.max(2, Math.floor(ranked.length * 0.9))}
          max={ranked.length}
          ranked={ranked}
          count={(typed) => ranked.length - Math.floor(typed)}
        />
      </div>
    </>
  );
}

/** A number, and how many of the first in the list go with it. */
function Drop({
  label,
  unit,
  first,
  max,
  ranked,
  count,
}: {
  label: string;
  unit: string;
  first: number;
  max: number;
  ranked: readonly { row: number }[];
  count: (typed: number) => number;
}) {
  const before = useRecipe((state) => state.recipe.dataset.leave_out_rows);
  const set = useEdits((state) => state.set);
  const [typed, setTyped] = useState(String(first));
  const number = Number(typed);
  const gone = typed.trim() !== '' && number >= 0 && number <= max ? count(number) : 0;
  const why = gone <= 0 ? text.losses.noneToDrop : ranked.length - gone < 2 ? text.losses.allDropped : null;
  return (
    <form
      className="flex items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (why) return;
        const rows = rangesOf(ranked.slice(0, gone).map(({ row }) => row));
        set(
          { 'dataset.leave_out_rows': before ? `${before},${rows}` : rows },
          text.losses.drop(formatPlural(gone, 'row')),
        );
      }}
    >
      <Labelled label={`${label} (${unit})`}>
        <Input inputMode="decimal" className="w-24" value={typed} onChange={(event) => setTyped(event.target.value)} />
      </Labelled>
      <Button type="submit" why={why}>
        {text.losses.drop(formatPlural(Math.max(0, gone), 'row'))}
      </Button>
    </form>
  );
}
