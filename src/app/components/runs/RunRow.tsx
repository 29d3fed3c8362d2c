import { Pin } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useRunTable } from '../../../stores/run-table';
import { runActive, useTraining } from '../../../stores/training';
import { runsText, runTableText as text, whatChanged } from '../../text/runs';
import { Badge } from '../../ui/Badge';
import { Input } from '../../ui/Field';
import { Tooltip } from '../../ui/Tooltip';
import { cx } from '../../util/cx';
import { hashOf } from '../../util/route';
import { StatusBadge } from '../train/RunFacts';
import { type Column, type RunEntry, sortable } from './columns';
import { RunMenu } from './RunMenu';

interface Props {
  measure: (row: HTMLElement | null) => void;
  index: number;
  entry: RunEntry;
  columns: Column[];
  /** Its controls are the ones that Tab reaches. */
  current: boolean;
  /** Takes the focus. */
  focusing: boolean;
  selected: boolean;
  renaming: boolean;
  onToggle: (range: boolean) => void;
  onFocus: () => void;
  /** `stay`: the focus goes back to the row. */
  onRename: (on: boolean, stay?: boolean) => void;
  onOpen: () => void;
  onDelete: () => void;
  onLabels: () => void;
  onUse: (copy: boolean) => void;
}

/** What a narrow screen says under the name in place of the columns. */
const brief = ['method', 'loss', 'date'].map((id) => sortable.find((column) => column.id === id)!);

const isLoss = ({ id }: Column) => id === 'loss';

function Best({ of, className }: { of: number; className?: string }) {
  return (
    <Tooltip content={runsText.bestOf(of)}>
      <span className={className}>
        <Badge tone="accent">{runsText.best}</Badge>
      </span>
    </Tooltip>
  );
}

export function RunRow({
  measure,
  index,
  entry,
  columns,
  current,
  focusing,
  selected,
  renaming,
  onToggle,
  onFocus,
  onRename,
  onOpen,
  onDelete,
  onLabels,
  onUse,
}: Props) {
  const { run, bestOf } = entry;
  const label = useRunTable((state) => state.label);
  const busy = useTraining(runActive);
  const live = useTraining((state) => state.run?.id === run.id);
  const tabIndex = current ? 0 : -1;
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    measure(row.current);
    return () => measure(null);
  }, [measure]);
  useEffect(() => {
    if (focusing) row.current?.focus({ preventScroll: true });
  }, [focusing]);
  return (
    <tr
      ref={row}
      data-index={index}
      data-run={run.id}
      aria-rowindex={index + 2}
      aria-selected={selected}
      tabIndex={tabIndex}
      onFocus={onFocus}
      className={cx(
        'border-b align-top last:border-b-0 focus-visible:-outline-offset-2',
        selected ? 'bg-accent-soft' : 'hover:bg-hover',
      )}
    >
      <td className="py-2.5 pl-4">
        <input
          type="checkbox"
          tabIndex={tabIndex}
          aria-label={text.select(run.name)}
          className="block size-[1.125rem]"
          checked={selected}
          onChange={(event) => onToggle((event.nativeEvent as MouseEvent).shiftKey === true)}
        />
      </td>
      <th scope="row" className="min-w-40 px-2 py-2 font-normal">
        {renaming ? (
          <NameField
            name={run.name}
            onEnd={(name, stay) => {
              if (name !== '' && name !== run.name) void label(run.id, { name });
              onRename(false, stay);
            }}
          />
        ) : (
          <span className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
            {busy && !live ? (
              <span className="font-medium wrap-anywhere">{run.name}</span>
            ) : (
              <a
                href={hashOf('train', run.id)}
                tabIndex={tabIndex}
                onClick={() => void useTraining.getState().show(run)}
                className="inline-block min-h-6 font-medium text-balance break-words underline-offset-2 hover:underline"
              >
                {run.name}
              </a>
            )}
            {bestOf > 0 && <Best of={bestOf} className={columns.some(isLoss) ? '@2xl:hidden' : undefined} />}
          </span>
        )}
        <span className="mt-0.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-muted @2xl:hidden">
          <StatusBadge status={run.status} />
          {brief.map((column) => (
            <span key={column.id}>{column.text(entry)}</span>
          ))}
        </span>
        {(run.tags || run.note) && (
          <span className="mt-0.5 flex min-w-0 flex-wrap items-center gap-1 text-muted">
            {run.tags?.map((tag) => (
              <Badge key={tag}>{tag}</Badge>
            ))}
            {run.note && (
              <span className="line-clamp-1 max-w-80 break-words" title={run.note}>
                {run.note}
              </span>
            )}
          </span>
        )}
        {run.changes && <span className="block text-warn">{whatChanged(run.changes)}</span>}
      </th>
      {columns.map((column) => (
        <td
          key={column.id}
          className={cx(
            'hidden px-1.5 py-2.5 @2xl:table-cell',
            column.numeric ? 'text-right whitespace-nowrap' : 'max-w-40 break-words',
            column.id === 'date' && 'whitespace-nowrap',
            isLoss(column) && bestOf > 0 && 'font-semibold',
          )}
        >
          {isLoss(column) && bestOf > 0 && <Best of={bestOf} className="mr-1.5" />}
          {column.id === 'status' ? <StatusBadge status={run.status} /> : column.text(entry)}
        </td>
      ))}
      <td className="py-1.5 pr-2">
        <span className="flex items-center justify-end gap-0.5">
          <button
            type="button"
            tabIndex={tabIndex}
            aria-pressed={run.pinned ?? false}
            aria-label={run.pinned ? text.unpin(run.name) : text.pin(run.name)}
            onClick={() => void label(run.id, { pinned: !run.pinned })}
            className={cx(
              'inline-flex size-7 items-center justify-center rounded hover:bg-sunken',
              run.pinned ? 'text-accent' : 'text-muted',
            )}
          >
            <Pin aria-hidden size={14} fill={run.pinned ? 'currentColor' : 'none'} />
          </button>
          <RunMenu
            run={run}
            tabIndex={tabIndex}
            onRename={() => onRename(true)}
            onOpen={onOpen}
            onDelete={onDelete}
            onLabels={onLabels}
            onUse={onUse}
          />
        </span>
      </td>
    </tr>
  );
}

/** The name, in place. Enter and leaving it save; Esc leaves it as it was. */
function NameField({ name, onEnd }: { name: string; onEnd: (name: string, stay: boolean) => void }) {
  const [typed, setTyped] = useState(name);
  /** A field that goes away is left once more. */
  const over = useRef(false);
  function end(chosen: string, stay: boolean) {
    if (over.current) return;
    over.current = true;
    onEnd(chosen, stay);
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.key === 'Enter') end(typed.trim(), true);
    if (event.key === 'Escape') end(name, true);
  }
  return (
    <Input
      autoFocus
      aria-label={text.nameOf(name)}
      value={typed}
      maxLength={100}
      onChange={(event) => setTyped(event.target.value)}
      onFocus={(event) => event.target.select()}
      onKeyDown={onKeyDown}
      onBlur={() => end(typed.trim(), false)}
    />
  );
}
