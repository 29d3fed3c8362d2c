import { Menu } from '@base-ui/react/menu';
import { ArrowDown, ArrowUp, Check, Columns3 } from 'lucide-react';
import type { RunRecord, RunStatus } from '../../../storage/types';
import { usePreferences } from '../../../stores/preferences';
import { filterText as text } from '../../text/runs';
import { factsText } from '../../text/train';
import { Button } from '../../ui/Button';
import { Input, Select } from '../../ui/Field';
import { IconButton } from '../../ui/IconButton';
import {
  type Column,
  columns,
  type Filters,
  modelsOf,
  type RunEntry,
  type Sort,
  sortable,
  statusesOf,
  tagsOf,
} from './columns';

/** Which runs are listed, and on a narrow screen, which has no column headers, in which order. */
export function RunFilters({
  runs,
  entries,
  filters,
  sort,
  onChange,
}: {
  runs: RunRecord[];
  entries: RunEntry[];
  filters: Filters;
  sort: Sort;
  onChange: (change: Partial<Filters>) => void;
}) {
  const set = usePreferences((state) => state.set);
  const statuses = statusesOf(runs);
  const models = modelsOf(entries);
  const tags = tagsOf(runs);
  const Arrow = sort.descending ? ArrowDown : ArrowUp;
  return (
    <div className="flex flex-wrap items-center gap-2 px-4 pb-3">
      <Input
        type="search"
        aria-label={text.find}
        placeholder={text.placeholder}
        value={filters.text}
        onChange={(event) => onChange({ text: event.target.value })}
        className="max-w-72 flex-1 basis-48"
      />
      {/* A choice of one is none. What has been chosen stays, even if its last run is gone. */}
      {(statuses.length > 1 || filters.status !== '') && (
        <Select
          aria-label={text.status}
          value={filters.status}
          onChange={(event) => onChange({ status: event.target.value as RunStatus | '' })}
          options={withAny(
            text.anyStatus,
            statuses.map((status) => [status, factsText.statuses[status]]),
            filters.status,
          )}
          className="w-auto!"
        />
      )}
      {(models.length > 1 || filters.model !== '') && (
        <Select
          aria-label={text.model}
          value={filters.model}
          onChange={(event) => onChange({ model: event.target.value })}
          options={withAny(
            text.anyModel,
            models.map((model) => [model, model]),
            filters.model,
          )}
          className="w-auto! max-w-48"
        />
      )}
      {(tags.length > 0 || filters.tag !== '') && (
        <Select
          aria-label={text.tag}
          value={filters.tag}
          onChange={(event) => onChange({ tag: event.target.value })}
          options={withAny(
            text.anyTag,
            tags.map((tag) => [tag, tag]),
            filters.tag,
          )}
          className="w-auto! max-w-48"
        />
      )}
      <span className="flex items-center gap-1 @2xl:hidden">
        <Select
          aria-label={text.sort}
          value={sort.column}
          onChange={(event) => set({ runSort: { ...sort, column: event.target.value } })}
          options={sortable.map(({ id, label }) => ({ value: id, label }))}
          className="w-auto!"
        />
        <IconButton
          icon={Arrow}
          label={sort.descending ? text.descending : text.ascending}
          onClick={() => set({ runSort: { ...sort, descending: !sort.descending } })}
        />
      </span>
    </div>
  );
}

function withAny(any: string, known: [string, string][], chosen: string): { value: string; label: string }[] {
  const options = known.map(([value, label]) => ({ value, label }));
  if (chosen !== '' && !known.some(([value]) => value === chosen)) options.push({ value: chosen, label: chosen });
  return [{ value: '', label: any }, ...options];
}

/** The columns that are shown, chosen one by one and kept in this browser. */
export function ColumnsMenu({ shown }: { shown: Column[] }) {
  const set = usePreferences((state) => state.set);
  const ids = shown.map(({ id }) => id);
  const item = 'flex min-h-9 cursor-pointer items-center gap-2.5 rounded px-2.5 outline-none data-highlighted:bg-hover';
  return (
    <Menu.Root>
      <Menu.Trigger
        render={
          <Button size="small">
            <Columns3 aria-hidden size={14} /> {text.columns}
          </Button>
        }
      />
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={4} className="z-30">
          <Menu.Popup className="max-h-[var(--available-height)] min-w-52 overflow-y-auto rounded-lg border bg-raised p-1 text-ink shadow-xl outline-none">
            {columns.map(({ id, label }) => (
              <Menu.CheckboxItem
                key={id}
                checked={ids.includes(id)}
                onCheckedChange={(on) => set({ runColumns: on ? [...ids, id] : ids.filter((other) => other !== id) })}
                className={item}
              >
                <span className="flex-1">{label}</span>
                <Menu.CheckboxItemIndicator>
                  <Check aria-hidden size={16} />
                </Menu.CheckboxItemIndicator>
              </Menu.CheckboxItem>
            ))}
            <Menu.Separator className="my-1 h-px bg-line" />
            <Menu.Item className={item} onClick={() => set({ runColumns: null })}>
              {text.usualColumns}
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
