/** The models of the columns: what each is, and what can stand beside it. */
import { objectiveOf } from '../objectives';
import type { ObjectiveType } from '../recipe/types';
import type { LoadedAdapter } from '../session/api';
import type { DataOf, ModelId } from '../session/comparison-types';
import type { RunRecord } from '../storage/types';
import { type OpenAdapter, useCompare } from './compare';
import { useRecipe } from './recipe';
import { useRuns } from './runs';

/** More columns would be too narrow to read. */
export const MOST_COLUMNS = 3;

export const idOfAdapter = (adapter: OpenAdapter): ModelId =>
  adapter.kind === 'run' ? `run:${adapter.run.id}` : `file:${adapter.name}`;

/** The run that a model comes from; null for the base and for files. */
export const runIdOf = (id: ModelId): string | null =>
  id.startsWith('run:') ? id.slice('run:'.length).split('@')[0]! : null;

export interface KnownModel {
  id: ModelId;
  /** Null for the base. */
  name: string | null;
  run: RunRecord | null;
  adapter: LoadedAdapter | null;
  objective: ObjectiveType | null;
}

interface Known {
  runs: readonly RunRecord[];
  adapters: readonly LoadedAdapter[];
}

export function modelOf(id: ModelId, { runs, adapters }: Known): KnownModel {
  const runId = runIdOf(id);
  const run = runs.find((one) => one.id === runId) ?? null;
  const adapter = adapters.find((one) => one.id === id) ?? null;
  return {
    id,
    name: id === 'base' ? null : (run?.name ?? adapter?.name ?? id.replace(/^\w+:/, '')),
    run,
    adapter,
    objective: run?.recipe.objective.type ?? adapter?.objective ?? null,
  };
}

export const knownModels = (): Known => ({ runs: useRuns.getState().runs, adapters: useCompare.getState().adapters });

const learns = (objective: ObjectiveType | null) =>
  objective === null ? null : objectiveOf({ type: objective }).learns;

/** Whether the columns sort texts or words instead of writing. Throws nothing: a mixture is `mixed`. */
export function taskOf(models: readonly KnownModel[]): 'writes' | 'sorts' | 'mixed' {
  const kinds = new Set(
    models.flatMap(({ objective }) => (objective === null ? [] : [learns(objective) === 'labels'])),
  );
  if (kinds.size > 1) return 'mixed';
  return kinds.has(true) ? 'sorts' : 'writes';
}

/** Whether the columns score answers, as reward models do. */
export const judges = (models: readonly KnownModel[]): boolean =>
  models.some(({ objective }) => objective !== null && objectiveOf({ type: objective }).task !== undefined);

/** The columns where nobody has chosen any: the base, and the active adapter beside it. */
export function usualColumns(adapter: OpenAdapter | null): ModelId[] {
  return adapter ? ['base', idOfAdapter(adapter)] : ['base'];
}

/** Whose data are asked about: those of the first run among the columns; the recipe's where there is only an adapter from files. */
export function subjectOf(columns: readonly ModelId[]): { of: DataOf; others: string[] } | null {
  const runs = [...new Set(columns.flatMap((id) => runIdOf(id) ?? []))];
  const [first, ...others] = runs;
  if (first !== undefined) return { of: { runId: first }, others };
  return columns.some((id) => id !== 'base') ? { of: { recipe: useRecipe.getState().recipe }, others } : null;
}
