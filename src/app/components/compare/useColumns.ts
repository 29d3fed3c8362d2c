/** The columns of the page, with what each is called. */
import { useMemo } from 'react';
import { methodOf } from '../../../methods';
import { type OpenAdapter, useCompare } from '../../../stores/compare';
import { judges, type KnownModel, modelOf, taskOf, usualColumns } from '../../../stores/compared';
import { columnsOf, useComparing } from '../../../stores/comparing';
import { useModel } from '../../../stores/model';
import { useRuns } from '../../../stores/runs';
import { useFields } from '../../../stores/select';
import { compareText, shotsText } from '../../text/comparing';
import { formatWhen } from '../../util/format';

export interface ShownColumn extends KnownModel {
  title: string;
  fewShot: boolean;
  /** Its place among the models; the column with examples has none. */
  place: number | null;
}

interface Columns {
  columns: ShownColumn[];
  models: KnownModel[];
  task: ReturnType<typeof taskOf>;
  virtual: boolean;
  /** They score answers. */
  judging: boolean;
}

/** Several runs of one name are told apart by their times. */
function titleOf(model: KnownModel, all: readonly KnownModel[]): string {
  if (model.name === null) return compareText.base;
  const tuned = all.filter(({ name }) => name !== null);
  if (tuned.length === 1) return compareText.tuned;
  const slot = /@(\w+)$/.exec(model.id)?.[1];
  const same = tuned.filter(({ name, id }) => name === model.name && id !== model.id && !slot);
  const when = same.length > 0 && model.run ? `, ${formatWhen(model.run.createdAt)}` : '';
  return `${model.name}${when}${slot ? ` (${slot})` : ''}`;
}

export function useColumns(): Columns {
  const { chosen, shots } = useComparing(useFields('chosen', 'shots'));
  const adapter: OpenAdapter | null = useCompare((state) => state.adapter);
  const adapters = useCompare((state) => state.adapters);
  const runs = useRuns((state) => state.runs);
  const encoder = useModel((state) => state.info?.kind === 'encoder');
  return useMemo(() => {
    const known = { runs, adapters };
    const ids = chosen ?? usualColumns(adapter);
    const models = ids.map((id) => modelOf(id, known));
    const task = taskOf(models);
    const columns = columnsOf({ chosen: ids, shots: encoder ? 0 : shots });
    let place = 0;
    return {
      models,
      task,
      judging: task === 'sorts' && judges(models),
      columns: columns.map(({ model: id, fewShot }) => {
        const model = modelOf(id, known);
        return {
          ...model,
          fewShot,
          title: fewShot ? shotsText.column(shots) : titleOf(model, models),
          place: fewShot ? null : place++,
        };
      }),
      virtual: models.some((model) => {
        const method = model.run?.recipe.method.type ?? model.adapter?.method;
        return method !== undefined && methodOf({ type: method }).virtualTokens;
      }),
    };
  }, [chosen, shots, adapter, adapters, runs, encoder]);
}
