import { useId, useState } from 'react';
import type { ColumnUse } from '../../../data/types';
import type { RecipeProblem } from '../../../recipe/schema';
import type { FieldSpec } from '../../../recipe/spec';
import { completeRewards, isRewardType, type RewardInput, type RewardType, rewards } from '../../../rewards';
import { useData } from '../../../stores/data';
import { rewardsText as text } from '../../text/rewards';
import { Select } from '../../ui/Field';
import { RewardCard, type WrittenReward } from './RewardCard';
import { TryRewards } from './TryRewards';

/** What of a list can be shown as rewards; the rest is wrong, and stands in the JSON. */
function writtenRewards(value: unknown): { at: number; written: WrittenReward }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown, at) =>
    typeof one === 'object' && one !== null && 'type' in one && isRewardType(one.type)
      ? [{ at, written: one as WrittenReward }]
      : [],
  );
}

/** The names that metrics will have. */
function namesOf(shown: { written: WrittenReward }[]): string[] {
  const given = shown.map(({ written: { type, name } }) => (typeof name === 'string' ? { type, name } : { type }));
  return completeRewards(given as RewardInput[]).map(({ name }) => name);
}

/** Whether a column is what the model is asked. */
const isPrompt = (part: ColumnUse['part']) => part === 'prompt' || part === 'messages' || part === 'system';

/** A new reward, which reads the only column beside the prompt where there is none under the usual name. */
function added(type: RewardType): RewardInput {
  const uses = useData.getState().dataset?.uses ?? [];
  const { column } = rewards.find((one) => one.type === type)!.fields as { column?: FieldSpec };
  const beside = uses.filter(({ part, filled }) => !isPrompt(part) && filled > 0);
  const only = beside.length === 1 ? beside[0]!.column : null;
  const fits = only === null || column === undefined || column.default === null || column.default === only;
  return (fits ? { type } : { type, column: only }) as RewardInput;
}

/** The rewards of a recipe: added, changed, removed, and tried on examples. */
export function RewardsControl({
  value,
  problems,
  onChange,
}: {
  value: unknown;
  problems: RecipeProblem[];
  onChange: (value: unknown) => void;
}) {
  const id = useId();
  // A reward that is added takes its column from the data.
  const reading = useData(({ status }) => status === 'idle' || status === 'opening');
  // Cards keep their state while those before them come and go.
  const [keys, setKeys] = useState<number[]>([]);
  const shown = writtenRewards(value);
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  const names = namesOf(shown);
  const keyOf = (at: number) => keys[at] ?? at;
  const root = (where: string) => /^objective\.rewards\.(\d+)\.?(.*)$/.exec(where);
  return (
    <div className="@container/reward space-y-3">
      {shown.map(({ at, written }, i) => (
        <RewardCard
          key={`${keyOf(at)} ${written.type}`}
          written={written}
          name={names[i]!}
          problems={problems.flatMap(({ where, message, action }) => {
            const place = root(where);
            if (!place || Number(place[1]) !== at) return [];
            return [{ key: place[2]!, text: [place[2], message, action].filter(Boolean).join(' ') }];
          })}
          onChange={(next) => onChange(list.map((one, j) => (j === at ? next : one)))}
          onRemove={() => {
            setKeys(list.map((_, j) => keyOf(j)).filter((_, j) => j !== at));
            onChange(list.filter((_, j) => j !== at));
          }}
        />
      ))}
      <div>
        <label htmlFor={id} className="mb-1 block text-[0.8125rem] font-medium">
          {text.add}
        </label>
        <Select
          id={id}
          value=""
          disabled={reading}
          options={[
            { value: '', label: reading ? text.readingData : text.choose },
            ...rewards.map(({ type, label }) => ({ value: type as string, label })),
          ]}
          onChange={({ target }) => {
            if (!isRewardType(target.value)) return;
            const fresh = Math.max(-1, ...list.map((_, j) => keyOf(j))) + 1;
            setKeys([...list.map((_, j) => keyOf(j)), fresh]);
            onChange([...list, added(target.value)]);
          }}
        />
      </div>
      {problems
        .filter(({ where }) => where === 'objective.rewards')
        .map(({ message, action }) => (
          <p key={message} className="font-medium text-danger">
            rewards {message} {action}
          </p>
        ))}
      {shown.length > 0 && <TryRewards />}
    </div>
  );
}
