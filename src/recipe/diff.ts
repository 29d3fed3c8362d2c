/** What differs between two recipes, or between a recipe and the defaults. */
import { defaultOf, nameOfSource } from './defaults';
import { fields, type RecipePath } from './fields';
import type { Recipe, RecipeInput } from './types';

export interface RecipeDifference {
  path: RecipePath;
  a: unknown;
  b: unknown;
}

/** The value at `training.learning_rate` and the like; undefined where this recipe has no such field. */
export function valueAt(recipe: Recipe, path: RecipePath): unknown {
  const [section, key] = path.split('.');
  const value = (recipe as unknown as Record<string, unknown>)[section!];
  return key === undefined ? value : (value as Record<string, unknown> | undefined)?.[key];
}

/** A changed copy. The value is not checked; checkRecipe does that. */
export function withValue(recipe: Recipe, path: RecipePath, value: unknown): Recipe {
  const copy = structuredClone(recipe) as unknown as Record<string, Record<string, unknown>>;
  const [section, key] = path.split('.');
  if (key === undefined) copy[section!] = value as Record<string, unknown>;
  else copy[section!] = { ...copy[section!], [key]: value };
  return copy as unknown as Recipe;
}

/** As JSON, with the names of maps in order, so that equal values compare equal. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, child) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([x], [y]) => (x < y ? -1 : 1)))
      : child,
  );
}

const same = (a: unknown, b: unknown) => canonical(a) === canonical(b);

/** The fields in which two recipes differ, in the screen's order. */
export function diffRecipes(a: Recipe, b: Recipe): RecipeDifference[] {
  return fields
    .map(({ path }) => ({ path, a: valueAt(a, path), b: valueAt(b, path) }))
    .filter((difference) => !same(difference.a, difference.b));
}

/** The fields that a person chose: `a` is the default, `b` what the recipe has. */
export function nonDefaults(recipe: Recipe): RecipeDifference[] {
  return fields
    .map(({ path }) => ({
      path,
      a: path === 'name' ? nameOfSource(recipe.dataset.source) : defaultOf(path),
      b: valueAt(recipe, path),
    }))
    .filter(({ a, b }) => !same(a, b));
}

/** The shortest input that resolves to this recipe, for links and small files. */
export function minimalInput(recipe: Recipe): RecipeInput {
  const input: Record<string, unknown> = { version: 1 };
  for (const { path, b } of nonDefaults(recipe)) {
    const [section, key] = path.split('.');
    if (key === undefined) input[section!] = b;
    else input[section!] = { ...(input[section!] as object | undefined), [key]: b };
  }
  // A section of several kinds is written with its kind, even when that is the default.
  for (const section of ['method', 'objective'] as const) {
    if (input[section]) input[section] = { type: recipe[section].type, ...(input[section] as object) };
  }
  return input as unknown as RecipeInput;
}
