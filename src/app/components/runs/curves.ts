/** Which curve looks how: a colour for each group, and a dash that tells its runs apart. */
import type { RecipePath } from '../../../recipe/fields';
import type { RunRecord } from '../../../storage/types';
import { curvesText as text } from '../../text/runs';
import { formatWhen } from '../../util/format';
import type { Look } from '../charts/series';
import { type Difference, differencesOf, shownValue } from './differences';

/** More curves than that cannot be told apart. */
export const MOST_CURVES = 12;

/** Colours that differ in brightness too; where they come round again the dash differs. */
const colors = ['--series-1', '--series-2', '--series-3', '--series-4', '--edge', '--ink'];
const dashes: (number[] | undefined)[] = [undefined, [8, 4], [3, 3], [12, 4, 3, 4], [2, 6]];

export interface CurveGroup {
  label: string;
  look: Look;
  runs: RunRecord[];
}

/** `run`, `tags` or a field of the recipe. */
export type GroupBy = 'run' | 'tags' | RecipePath;

/** What the runs can be grouped by: what differs between them. */
export function groupings(runs: readonly RunRecord[]): { value: GroupBy; label: string }[] {
  const differing = differencesOf(runs.map(({ recipe }) => recipe));
  return [
    { value: 'run', label: text.eachRun },
    ...(runs.some(({ tags }) => tags) ? [{ value: 'tags' as const, label: text.tags }] : []),
    ...differing.map(({ path, label }) => ({ value: path, label })),
  ];
}

/** The runs by what they have in common, each group with its colour. */
export function groupsOf(runs: readonly RunRecord[], by: GroupBy): CurveGroup[] {
  const labels = labelsOf(runs, by);
  const groups = new Map<string, RunRecord[]>();
  for (const [i, run] of runs.entries()) groups.set(labels[i]!, [...(groups.get(labels[i]!) ?? []), run]);
  return [...groups].map(([label, of], i) => ({ label, look: lookOf(i, 0), runs: of }));
}

function labelsOf(runs: readonly RunRecord[], by: GroupBy): string[] {
  if (by === 'run') return namesOf(runs);
  if (by === 'tags') return runs.map(({ tags }) => tags?.join(', ') || text.none);
  const field: Difference | undefined = differencesOf(runs.map(({ recipe }) => recipe)).find(({ path }) => path === by);
  // They no longer differ in it.
  if (!field) return namesOf(runs);
  return field.values.map((value) => text.groupOf(field.label, shownValue(field.path, value)));
}

/** The colour of a group, and a dash for the run: its place in the group, or in a group of one the group's. */
export function lookOf(group: number, place: number): Look {
  const dash = dashes[(place + group) % dashes.length];
  return { color: colors[group % colors.length]!, ...(dash && { dash }) };
}

/** The runs' names, with the date of those that share one. */
export function namesOf(runs: readonly RunRecord[]): string[] {
  const shared = (name: string) => runs.filter((run) => run.name === name).length > 1;
  return runs.map(({ name, createdAt }) => (shared(name) ? `${name}, ${formatWhen(createdAt)}` : name));
}
