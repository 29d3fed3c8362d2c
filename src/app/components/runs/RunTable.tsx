import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import type { RunRecord } from '../../../storage/types';
import { usePreferences } from '../../../stores/preferences';
import { useRunTable } from '../../../stores/run-table';
import { columnText, runTableText as text } from '../../text/runs';
import { cx } from '../../util/cx';
import { type Column, type RunEntry, type Sort, sortable } from './columns';
import { RunRow } from './RunRow';

const rowHeight = 54;

export interface RunTableProps {
  entries: RunEntry[];
  columns: Column[];
  sort: Sort;
  /** The run in the middle of being renamed. */
  renaming: string | null;
  onRename: (id: string | null) => void;
  onOpen: (run: RunRecord) => void;
  onDelete: (runs: RunRecord[]) => void;
  onLabels: (run: RunRecord) => void;
  onUse: (run: RunRecord, copy: boolean) => void;
}

/**
 * The runs, of which only those in view are in the DOM. One tab stop: the arrows move between runs, and Tab goes into the
 * controls of the current one.
 */
export function RunTable({
  entries,
  columns,
  sort,
  renaming,
  onRename,
  onOpen,
  onDelete,
  onLabels,
  onUse,
}: RunTableProps) {
  const keysId = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const selected = useRunTable((state) => state.selected);
  const select = useRunTable((state) => state.select);
  const [current, setCurrent] = useState<string | null>(null);
  /** Where a range that is selected with Shift begins. */
  const [anchor, setAnchor] = useState<string | null>(null);
  /** The row that takes the focus as soon as it is drawn. */
  const [focusing, setFocusing] = useState<string | null>(null);
  const found = entries.findIndex(({ run }) => run.id === current);
  // Where a run was deleted, the next one takes its place.
  const before = useRef(0);
  const index = found >= 0 ? found : Math.max(0, Math.min(before.current, entries.length - 1));
  before.current = index;
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (i) => entries[i]!.run.id,
    overscan: 6,
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const all = entries.length > 0 && entries.every(({ run }) => selected.includes(run.id));

  function focusRow(to: number) {
    const next = entries[Math.min(entries.length - 1, Math.max(0, to))];
    if (!next) return;
    virtual.scrollToIndex(entries.indexOf(next), { align: 'auto' });
    setCurrent(next.run.id);
    setFocusing(next.run.id);
  }

  // A row that went away has taken the focus with it.
  const count = useRef(entries.length);
  useEffect(() => {
    const fewer = entries.length < count.current;
    count.current = entries.length;
    if (fewer && document.activeElement === document.body) setFocusing(entries[index]?.run.id ?? null);
  }, [entries, index]);

  function toggle(id: string, range: boolean) {
    const ids = entries.map(({ run }) => run.id);
    const from = anchor === null ? -1 : ids.indexOf(anchor);
    const to = ids.indexOf(id);
    setCurrent(id);
    setAnchor(id);
    if (range && from >= 0) {
      const between = ids.slice(Math.min(from, to), Math.max(from, to) + 1);
      select([...new Set([...selected, ...between])]);
    } else select(selected.includes(id) ? selected.filter((other) => other !== id) : [...selected, id]);
  }

  function onKeyDown(event: KeyboardEvent) {
    const target = event.target as HTMLElement;
    if (target.matches('input:not([type=checkbox]), textarea') || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const moves: Record<string, number> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + 8,
      PageUp: index - 8,
      Home: 0,
      End: entries.length - 1,
    };
    const move = moves[event.key];
    const entry = entries[index];
    if (move !== undefined) {
      event.preventDefault();
      focusRow(move);
      return;
    }
    if (!entry) return;
    // A control in the row has its own Space and Enter.
    const onRow = target.matches('tr');
    let act: (() => void) | null = null;
    if (event.key === ' ' && onRow) act = () => toggle(entry.run.id, event.shiftKey);
    if (event.key === 'Enter' && onRow) act = () => onOpen(entry.run);
    if (event.key === 'F2') act = () => onRename(entry.run.id);
    if (event.key === 'Delete') act = () => onDelete([entry.run]);
    if (!act) return;
    event.preventDefault();
    act();
  }

  return (
    <div ref={scroller} className="relative max-h-[26rem] overflow-auto border-t" style={{ scrollPaddingTop: 36 }}>
      <p id={keysId} className="sr-only">
        {text.keys}
      </p>
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: rows are chosen and walked through.
        role="grid"
        aria-label={text.label}
        aria-multiselectable
        aria-describedby={keysId}
        aria-rowcount={entries.length + 1}
        onKeyDown={onKeyDown}
        className="w-full border-collapse text-left text-[0.8125rem]"
      >
        <thead className="sticky top-0 z-10 bg-surface shadow-[0_1px_0_var(--line)]">
          <tr aria-rowindex={1}>
            <th scope="col" className="w-9 py-1 pl-4">
              <span className="sr-only">{columnText.select}</span>
              <input
                type="checkbox"
                aria-label={text.selectAll}
                className="block size-[1.125rem]"
                checked={all}
                ref={(box) => {
                  if (box) box.indeterminate = !all && selected.length > 0;
                }}
                onChange={() => select(all ? [] : entries.map(({ run }) => run.id))}
              />
            </th>
            <HeaderCell column={sortable[0]!} sort={sort} />
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sort={sort} wide />
            ))}
            <th scope="col" className="w-16 pr-2">
              <span className="sr-only">{columnText.actions}</span>
            </th>
          </tr>
        </thead>
        {above > 0 && <Gap height={above} />}
        <tbody>
          {items.map(({ index: i }) => {
            const entry = entries[i]!;
            const { run } = entry;
            return (
              <RunRow
                key={run.id}
                measure={virtual.measureElement}
                index={i}
                entry={entry}
                columns={columns}
                current={i === index}
                focusing={focusing === run.id}
                selected={selected.includes(run.id)}
                renaming={renaming === run.id}
                onToggle={(range) => toggle(run.id, range)}
                onFocus={() => {
                  setCurrent(run.id);
                  setFocusing(null);
                }}
                onRename={(on, stay) => {
                  onRename(on ? run.id : null);
                  if (stay) focusRow(i);
                }}
                onOpen={() => onOpen(run)}
                onDelete={() => onDelete([run])}
                onLabels={() => onLabels(run)}
                onUse={(copy) => onUse(run, copy)}
              />
            );
          })}
        </tbody>
        {below > 0 && <Gap height={below} />}
      </table>
    </div>
  );
}

/** Takes the place of the rows outside the view. */
function Gap({ height }: { height: number }) {
  return (
    <tbody aria-hidden="true">
      <tr style={{ height }}>
        <td />
      </tr>
    </tbody>
  );
}

function HeaderCell({ column, sort, wide = false }: { column: Column; sort: Sort; wide?: boolean }) {
  const set = usePreferences((state) => state.set);
  const here = sort.column === column.id;
  const Arrow = sort.descending ? ArrowDown : ArrowUp;
  // A first press puts the newest and the largest on top, and names and losses in their usual order.
  const descending = here ? !sort.descending : column.id === 'date' || column.id === 'steps' || column.id === 'size';
  return (
    <th
      scope="col"
      aria-sort={here ? (sort.descending ? 'descending' : 'ascending') : undefined}
      className={cx('py-1 font-medium', wide ? 'hidden px-1.5 @2xl:table-cell' : 'px-2')}
    >
      <button
        type="button"
        aria-label={text.sortBy(column.label)}
        onClick={() => set({ runSort: { column: column.id, descending } })}
        className={cx(
          'inline-flex min-h-7 w-full items-center gap-1 rounded leading-tight hover:text-ink',
          column.numeric ? 'justify-end text-right' : 'text-left',
          here ? 'text-ink' : 'text-muted',
        )}
      >
        {column.label}
        {here && <Arrow aria-hidden size={13} className="shrink-0" />}
      </button>
    </th>
  );
}
