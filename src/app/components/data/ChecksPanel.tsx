import { type ReactNode, useMemo } from 'react';
import type { Leak, NearGroup } from '../../../data/near-duplicates';
import type { Example, ParsedDataset } from '../../../data/types';
import { useData } from '../../../stores/data';
import { useRecipe } from '../../../stores/recipe';
import { runActive, useTraining } from '../../../stores/training';
import { checksText as text } from '../../text/checks';
import { Button } from '../../ui/Button';
import { Panel } from '../../ui/Panel';
import { formatCount, formatPlural, formatShare } from '../../util/format';
import { CheckRow } from './CheckRow';
import { exampleText } from './exampleText';
import { LossCheck } from './LossCheck';

/** Groups and rows that are listed; the rest is counted. */
const most = 50;

/** Checks that look at every pair of examples, or that need the model. */
export function ChecksPanel({ dataset }: { dataset: ParsedDataset }) {
  const tokens = useData((state) => state.tokens);
  const training = useTraining(runActive);
  const byRow = useMemo(() => new Map(dataset.examples.map((example) => [example.row, example])), [dataset]);
  const why = training ? text.training : null;
  const whyModel = why ?? (tokens ? null : text.needsModel);
  return (
    <Panel title={text.title} description={text.description} flush>
      <div className="divide-y border-t">
        <CheckRow name="near" title={text.near.title} about={text.near.about} why={why}>
          {(groups) => <NearGroups groups={groups} byRow={byRow} />}
        </CheckRow>
        <CheckRow name="leaks" title={text.leaks.title} about={text.leaks.about} why={whyModel}>
          {(leaks) => <Leaks leaks={leaks} heldOut={tokens?.rows.validation.length ?? 0} byRow={byRow} />}
        </CheckRow>
        <LossCheck byRow={byRow} why={whyModel} />
      </div>
    </Panel>
  );
}

function NearGroups({ groups, byRow }: { groups: readonly NearGroup[]; byRow: ReadonlyMap<number, Example> }) {
  const set = useRecipe((state) => state.set);
  if (groups.length === 0) return <p>{text.near.none}</p>;
  const rows = groups.reduce((sum, { others }) => sum + others.length, 0);
  return (
    <>
      <div className="flex flex-wrap items-center gap-3">
        <p>{text.near.found(formatPlural(rows, 'row is', 'rows are'), formatPlural(groups.length, 'group'))}</p>
        <Button size="small" variant="primary" onClick={() => set({ 'dataset.near_duplicates': 'leave_out' })}>
          {text.near.fix}
        </Button>
      </div>
      <ul className="max-h-80 divide-y overflow-auto rounded-md border">
        {groups.slice(0, most).map(({ kept, others }) => (
          <li key={kept} className="px-3 py-2">
            <ul aria-label={text.near.group(kept)} className="space-y-0.5">
              <Line row={kept} byRow={byRow} note={text.near.kept} />
              {others.slice(0, most).map(({ row, similarity, otherLabel }) => (
                <Line
                  key={row}
                  row={row}
                  byRow={byRow}
                  note={`${text.near.similar(formatShare(similarity))}${otherLabel ? `, ${text.near.otherLabel}` : ''}`}
                />
              ))}
            </ul>
          </li>
        ))}
        {groups.length > most && (
          <li className="px-3 py-2 text-muted">{text.near.further(formatCount(groups.length - most))}</li>
        )}
      </ul>
    </>
  );
}

function Leaks({
  leaks,
  heldOut,
  byRow,
}: {
  leaks: readonly Leak[];
  heldOut: number;
  byRow: ReadonlyMap<number, Example>;
}) {
  const set = useRecipe((state) => state.set);
  if (heldOut === 0) return <p>{text.leaks.nothing}</p>;
  if (leaks.length === 0) return <p>{text.leaks.none(formatCount(heldOut))}</p>;
  return (
    <>
      <div className="flex flex-wrap items-center gap-3">
        <p>{text.leaks.found(formatCount(leaks.length), formatCount(heldOut))}</p>
        <Button size="small" variant="primary" onClick={() => set({ 'dataset.validation_leaks': 'one_side' })}>
          {text.leaks.oneSide}
        </Button>
        <Button size="small" onClick={() => set({ 'dataset.validation_leaks': 'leave_out' })}>
          {text.leaks.leaveOut}
        </Button>
      </div>
      <ul className="max-h-80 divide-y overflow-auto rounded-md border">
        {leaks.slice(0, most).map(({ row, of, how, similarity }) => (
          <li key={row} className="px-3 py-2">
            <ul className="space-y-0.5">
              <Line
                row={row}
                byRow={byRow}
                note={similarity === undefined ? '' : text.near.similar(formatShare(similarity))}
              />
              <Line row={of} byRow={byRow} note="" before={text.leaks.how[how]} />
            </ul>
          </li>
        ))}
        {leaks.length > most && (
          <li className="px-3 py-2 text-muted">{text.leaks.further(formatCount(leaks.length - most))}</li>
        )}
      </ul>
    </>
  );
}

function Line({
  row,
  byRow,
  note,
  before,
}: {
  row: number;
  byRow: ReadonlyMap<number, Example>;
  note: ReactNode;
  before?: string;
}) {
  const selectRow = useData((state) => state.selectRow);
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 sm:flex-nowrap">
      {before && <span className="shrink-0 text-[0.8125rem] text-muted">{before}</span>}
      <Button size="small" variant="quiet" className="shrink-0" onClick={() => selectRow(row)}>
        {text.showRow(row)}
      </Button>
      <span className="line-clamp-2 min-w-0 flex-1 basis-48 break-words">{exampleText(byRow.get(row))}</span>
      {note && <span className="shrink-0 text-[0.8125rem] text-muted">{note}</span>}
    </li>
  );
}
