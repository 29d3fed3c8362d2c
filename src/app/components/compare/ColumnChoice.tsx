import { useEffect } from 'react';
import type { ModelId } from '../../../session/comparison-types';
import { useCompare } from '../../../stores/compare';
import { idOfAdapter, MOST_COLUMNS } from '../../../stores/compared';
import { useComparing } from '../../../stores/comparing';
import { earnsRewards, shownLoss } from '../../../stores/evaluations';
import { useRecipe } from '../../../stores/recipe';
import { useRuns } from '../../../stores/runs';
import { useFields } from '../../../stores/select';
import { columnText as text } from '../../text/comparing';
import { Labelled, Select } from '../../ui/Field';
import { formatMetric, formatWhen } from '../../util/format';
import { useColumns } from './useColumns';

export interface Choice {
  value: ModelId;
  label: string;
}

/** Everything that can stand in a column: what belongs to the open model, and has something saved. */
export function useChoices(): Choice[] {
  const source = useRecipe((state) => state.recipe.model.source);
  const runs = useRuns((state) => state.runs);
  const adapters = useCompare((state) => state.adapters);
  const { kept, loadKept } = useComparing(useFields('kept', 'loadKept'));
  const own = runs.filter((run) => run.recipe.model.source === source && run.step > 0);
  const key = own.map(({ id, step }) => `${id}/${step}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says which runs they are.
  useEffect(() => void loadKept(own), [key, loadKept]);
  const choices: Choice[] = [{ value: 'base', label: text.base }];
  for (const run of own) {
    const [best, latest] = kept[run.id] ?? [];
    const when = formatWhen(run.createdAt);
    const loss =
      run.bestEvalLoss === null
        ? ''
        : (earnsRewards(run) ? text.reward : text.loss)(formatMetric(shownLoss(run, run.bestEvalLoss)));
    const note = latest && best ? text.bestOf(best.step) : '';
    choices.push({ value: `run:${run.id}`, label: text.run(run.name, when, `${note}${loss}`) });
    if (latest) {
      choices.push({ value: `run:${run.id}@latest`, label: text.run(run.name, when, text.latestOf(latest.step)) });
    }
  }
  for (const { id, name } of adapters) {
    if (id.startsWith('file:')) choices.push({ value: id as ModelId, label: text.file(name) });
  }
  return choices;
}

/** What stands in a column. */
export function ColumnChoice({ place, model }: { place: number; model: ModelId }) {
  const choose = useComparing((state) => state.choose);
  const { models } = useColumns();
  const choices = useChoices();
  const taken = new Set(models.map(({ id }) => id).filter((id) => id !== model));
  const known = choices.some(({ value }) => value === model);
  return (
    <Select
      aria-label={text.model(place + 1)}
      value={model}
      options={[
        // A run that was deleted meanwhile, or of another model.
        ...(known ? [] : [{ value: model, label: models[place]?.name ?? model }]),
        ...choices.filter(({ value }) => !taken.has(value)),
      ]}
      onChange={({ target }) => choose(place, target.value as ModelId)}
    />
  );
}

/** A further column; nothing where none is possible. */
export function AddColumn() {
  const choose = useComparing((state) => state.choose);
  const { models } = useColumns();
  const choices = useChoices();
  const active = useCompare((state) => state.adapter);
  const taken = new Set(models.map(({ id }) => id));
  const left = choices.filter(({ value }) => !taken.has(value));
  const full = models.length >= MOST_COLUMNS;
  if (left.length === 0 && !active) return null;
  const activeId = active && idOfAdapter(active);
  return (
    <Labelled
      label={text.add}
      hint={full ? text.mostColumns : left.length === 0 ? text.nothingToAdd : text.addHint}
      className="min-w-0 flex-1"
    >
      <Select
        value=""
        disabled={full || left.length === 0}
        options={[
          { value: '', label: text.choose },
          ...left.map(({ value, label }) => ({
            value,
            label: value === activeId ? `${label} (${text.activeNote})` : label,
          })),
        ]}
        onChange={({ target }) => {
          if (target.value !== '') choose(models.length, target.value as ModelId);
        }}
      />
    </Labelled>
  );
}
