import { Trash2 } from 'lucide-react';
import { useId } from 'react';
import { methodOf } from '../../../methods';
import { defaultObjective, objectiveOf } from '../../../objectives';
import type { LoadedAdapter } from '../../../session/api';
import { useCompare } from '../../../stores/compare';
import { useRuns } from '../../../stores/runs';
import { useFields } from '../../../stores/select';
import { common } from '../../text/common';
import { adapterText as text } from '../../text/compare';
import { IconButton } from '../../ui/IconButton';
import { cx } from '../../util/cx';
import { formatCompact, formatWhen } from '../../util/format';

/** Every loaded adapter; at most one of them is active. */
export function AdapterList({ why }: { why: string | false }) {
  const { adapters, activate, removeAdapter } = useCompare(useFields('adapters', 'activate', 'removeAdapter'));
  const runs = useRuns((state) => state.runs);
  // Runs of one dataset have the same name; the time tells them apart.
  const whenOf = ({ runId }: LoadedAdapter) => {
    const run = runs.find(({ id }) => id === runId);
    return run ? formatWhen(run.createdAt) : text.whenFromFile;
  };
  const group = useId();
  const active = adapters.find((adapter) => adapter.active);
  return (
    <fieldset>
      <legend className="mb-1.5 text-[0.8125rem] font-medium">{text.active}</legend>
      <ul className="divide-y rounded-lg border">
        {adapters.map((adapter) => (
          <li key={adapter.id} className="flex items-center gap-2 pr-2">
            <Choice
              group={group}
              name={adapter.name}
              note={`${described(adapter)} · ${whenOf(adapter)}`}
              checked={adapter.id === active?.id}
              disabled={Boolean(why)}
              onChoose={() => void activate(adapter.id)}
            />
            <IconButton
              icon={Trash2}
              size="small"
              label={text.remove(adapter.name, whenOf(adapter))}
              why={why}
              onClick={() => void removeAdapter(adapter.id)}
            />
          </li>
        ))}
        <li className="flex">
          <Choice
            group={group}
            name={text.noneActive}
            note={text.noneActiveNote}
            checked={!active}
            disabled={Boolean(why)}
            onChoose={() => void activate(null)}
          />
        </li>
      </ul>
    </fieldset>
  );
}

function described({ method, objective, trainableParameters }: LoadedAdapter): string {
  return [
    methodOf({ type: method }).label,
    objective === defaultObjective ? '' : objectiveOf({ type: objective }).label.toLowerCase(),
    common.parameters(formatCompact(trainableParameters)),
  ]
    .filter(Boolean)
    .join(' · ');
}

function Choice({
  group,
  name,
  note,
  checked,
  disabled,
  onChoose,
}: {
  group: string;
  name: string;
  note: string;
  checked: boolean;
  disabled: boolean;
  onChoose: () => void;
}) {
  return (
    <label
      className={cx(
        'flex min-h-11 min-w-0 flex-1 items-center gap-2.5 px-3 py-1.5',
        disabled ? 'text-muted' : 'cursor-pointer',
      )}
    >
      <input type="radio" name={group} checked={checked} disabled={disabled} onChange={onChoose} className="shrink-0" />
      <span className="min-w-0 flex-1 break-words">
        <span className="font-medium">{name}</span>
        <span className="ml-2 text-[0.8125rem] text-muted">{note}</span>
      </span>
    </label>
  );
}
