import { useVirtualizer } from '@tanstack/react-virtual';
import { Pencil } from 'lucide-react';
import { type KeyboardEvent, useMemo, useRef, useState } from 'react';
import type { Example, ParsedDataset } from '../../../data/types';
import { useData } from '../../../stores/data';
import { useEdits } from '../../../stores/edits';
import { useFields } from '../../../stores/select';
import { useTable } from '../../../stores/table';
import { tableText as text } from '../../text/data';
import { cx } from '../../util/cx';
import { formatCount } from '../../util/format';
import { CellEditor } from './CellEditor';
import { type Cell, cellsOf, editOf, headersOf } from './cells';

const rowHeight = 56;

interface Editing {
  row: number;
  cell: number;
}

/**
 * Every example of the dataset; only the rows in view are in the DOM. A grid with one tab stop: arrows move, the focused
 * row is shown in the panel below, Enter edits.
 */
export function ExamplesTable({
  dataset,
  problemRows,
  why,
}: {
  dataset: ParsedDataset;
  problemRows: Set<number>;
  why: string | null;
}) {
  const chosen = useData((state) => state.row);
  const selectRow = useData((state) => state.selectRow);
  const edit = useEdits((state) => state.edit);
  const scroller = useRef<HTMLDivElement>(null);
  const [column, setColumn] = useState(0);
  const [editing, setEditing] = useState<Editing | null>(null);
  const { examples } = dataset;
  const { order, tokens } = useTable(useFields('order', 'tokens'));
  const count = order?.length ?? examples.length;
  const at = (i: number) => examples[order ? order[i]! : i];
  const headers = headersOf(dataset);
  // Looked for only when it may have moved: there may be 200,000 to look through.
  const selected = useMemo(() => {
    const isChosen = (i: number) => examples[i]!.row === chosen;
    return order ? order.findIndex(isChosen) : examples.findIndex(({ row }) => row === chosen);
  }, [order, examples, chosen]);
  const index = Math.max(0, selected);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 6,
  });
  const items = virtual.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);

  function focusCell(row: number, cell: number) {
    virtual.scrollToIndex(row, { align: 'auto' });
    setColumn(cell);
    const example = at(row);
    if (example) selectRow(example.row);
    // The row may have to be drawn first.
    setTimeout(
      () =>
        scroller.current?.querySelector<HTMLElement>(`[data-cell="${row}-${cell}"]`)?.focus({ preventScroll: true }),
      30,
    );
  }

  function onKeyDown(event: KeyboardEvent) {
    if (editing) return;
    const page = 8;
    const moves: Record<string, [number, number]> = {
      ArrowDown: [index + 1, column],
      ArrowUp: [index - 1, column],
      ArrowRight: [index, column + 1],
      ArrowLeft: [index, column - 1],
      PageDown: [index + page, column],
      PageUp: [index - page, column],
      Home: [event.ctrlKey ? 0 : index, 0],
      End: [event.ctrlKey ? count - 1 : index, headers.length - 1],
    };
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      focusCell(clamp(move[0], count), clamp(move[1], headers.length));
    } else if ((event.key === 'Enter' || event.key === 'F2') && isEditable(dataset, at(index), column) && !why) {
      event.preventDefault();
      setEditing({ row: index, cell: column });
    }
  }

  async function save(example: Example, cell: number, edited: string) {
    const at = editing;
    setEditing(null);
    if (at) focusCell(at.row, at.cell);
    const fields = edited === cellsOf(example)[cell]?.text ? null : editOf(dataset, example, cell, edited);
    if (!fields) return;
    const label = text.edit(headers[cell] ?? '', example.row);
    await edit({ kind: 'cells', row: example.row, fields }, label);
  }

  return (
    <div ref={scroller} className="max-h-96 overflow-auto border-t" style={{ scrollPaddingTop: 32 }}>
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: the pattern for editable tables.
        role="grid"
        aria-label={text.label}
        aria-rowcount={count + 1}
        aria-readonly={why ? true : undefined}
        onKeyDown={onKeyDown}
        className={cx('w-full table-fixed border-collapse text-left', headers.length > 2 && 'min-w-[40rem]')}
      >
        <thead className="sticky top-0 z-10 bg-surface shadow-[0_1px_0_var(--line)]">
          <tr aria-rowindex={1}>
            <th scope="col" className="w-14 px-3 py-1.5 text-right text-[0.8125rem] font-medium text-muted">
              {text.row}
            </th>
            {headers.map((header) => (
              <th key={header} scope="col" className="px-3 py-1.5 text-[0.8125rem] font-medium text-muted">
                {header}
              </th>
            ))}
          </tr>
        </thead>
        {above > 0 && <Gap height={above} />}
        <tbody>
          {items.map(({ index: i }) => {
            const example = at(i)!;
            return (
              <tr
                key={example.row}
                aria-rowindex={i + 2}
                aria-selected={i === selected}
                className={cx('border-b align-top', i === selected ? 'bg-accent-soft' : 'hover:bg-hover')}
                style={{ height: rowHeight }}
              >
                <th scope="row" className="px-3 py-2 text-right font-normal text-muted">
                  {example.row}
                  {tokens?.has(example.row) && (
                    <span className="block text-xs whitespace-nowrap">
                      {text.tokens(formatCount(tokens.get(example.row)!))}
                    </span>
                  )}
                  {problemRows.has(example.row) && (
                    <span className="block text-xs text-warn" title={text.noteTitle}>
                      {text.note}
                    </span>
                  )}
                </th>
                {cellsOf(example).map((cell, c) => {
                  const here = editing?.row === i && editing.cell === c;
                  return (
                    <GridCell
                      key={cell.label}
                      id={`${i}-${c}`}
                      cell={cell}
                      tabStop={i === index && c === column}
                      editable={isEditable(dataset, example, c) && !why}
                      onChoose={() => focusCell(i, c)}
                      onEdit={() => setEditing({ row: i, cell: c })}
                    >
                      {here && (
                        <CellEditor
                          label={text.cell(cell.label, example.row)}
                          text={cell.text}
                          onSave={(edited) => void save(example, c, edited)}
                          onCancel={() => {
                            setEditing(null);
                            focusCell(i, c);
                          }}
                        />
                      )}
                    </GridCell>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
        {below > 0 && <Gap height={below} />}
      </table>
      {count === 0 && <p className="px-4 py-3 text-muted">{text.nothing}</p>}
    </div>
  );
}

const clamp = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));

const isEditable = (dataset: ParsedDataset, example: Example | undefined, cell: number) =>
  example !== undefined && editOf(dataset, example, cell, '') !== null;

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

function GridCell({
  id,
  cell,
  tabStop,
  editable,
  onChoose,
  onEdit,
  children,
}: {
  id: string;
  cell: Cell;
  tabStop: boolean;
  editable: boolean;
  onChoose: () => void;
  onEdit: () => void;
  children: React.ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles the keys.
    <td
      // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a cell of an editable grid.
      role="gridcell"
      data-cell={id}
      tabIndex={tabStop ? 0 : -1}
      aria-readonly={editable ? undefined : true}
      onClick={children ? undefined : onChoose}
      onDoubleClick={editable && !children ? onEdit : undefined}
      className="group relative px-3 py-2 focus-visible:-outline-offset-2"
    >
      {children || (
        <>
          <span className="line-clamp-2 break-words whitespace-pre-line">{cell.text}</span>
          {editable && (
            <Pencil
              aria-hidden
              size={14}
              onClick={(event) => {
                event.stopPropagation();
                onEdit();
              }}
              className="absolute top-2 right-1 box-content cursor-pointer rounded bg-surface p-1.5 text-muted opacity-0 group-hover:opacity-100 group-focus:opacity-100"
            />
          )}
        </>
      )}
    </td>
  );
}
