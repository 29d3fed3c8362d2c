/** What differs between the recipes of several runs, and the groups that a field makes of them. */

import { sameValue } from '../../../recipe/diff';
import { fields, type RecipePath, selectLabel, valueAt } from '../../../recipe/fields';
import type { Recipe } from '../../../recipe/types';
import { differenceText as text } from '../../text/runs';
import { formatRate } from '../../util/format';

export interface Difference {
  path: RecipePath;
  label: string;
  /** One for each recipe; undefined where a recipe has no such field. */
  values: unknown[];
}

/** The fields in which not all of the recipes agree, in the order of the screen. The name of a recipe changes nothing. */
export function differencesOf(recipes: readonly Recipe[]): Difference[] {
  return fields
    .filter(({ path }) => path !== 'name' && path !== 'version')
    .map(({ path, label }) => ({ path, label, values: recipes.map((recipe) => valueAt(recipe, path)) }))
    .filter(({ values }) => values.some((value) => !sameValue(value, values[0])));
}

/** A value as people read it. */
export function shownValue(path: RecipePath, value: unknown): string {
  if (value === undefined) return text.absent;
  if (typeof value === 'string') return selectLabel(path, value);
  if (typeof value === 'number') return Math.abs(value) < 0.01 ? formatRate(value) : String(value);
  return JSON.stringify(value);
}

/** For a message or a notebook: each field with its label, and a line for each run. */
export function differencesAsText(names: readonly string[], differences: readonly Difference[]): string {
  return differences
    .map(({ path, label, values }) =>
      [`${path} (${label})`, ...values.map((value, i) => `  ${names[i]}: ${shownValue(path, value)}`)].join('\n'),
    )
    .join('\n');
}
