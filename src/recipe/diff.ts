/** Differences between two recipes, or between a recipe and the defaults. */
import { defaultOf, fill, nameOfSource } from './defaults';
import { deciding, fields, type RecipePath, valueAt } from './fields';
import type { Recipe, RecipeInput } from './types';

export interface RecipeDifference {
  path: RecipePath;
  a: unknown;
  b: unknown;
}

export { valueAt } from './fields';

/**
 * A changed copy. The value is not checked; checkRecipe does that. Defaults of other fields follow: a new type brings its own
 * fields, and a learning rate that nobody chose becomes the method's.
 */
export function withValue(recipe: Recipe, path: RecipePath, value: unknown): Recipe {
  const [section, key] = path.split('.');
  const changed = <T extends object>(of: T): T => {
    const copy = structuredClone(of) as Record<string, unknown>;
    if (key === undefined) copy[section!] = value;
    else if (key === 'type' && copy[section!] !== undefined) copy[section!] = { type: value };
    else copy[section!] = { ...(copy[section!] as object | undefined), [key]: value };
    return copy as T;
  };
  if (!deciding.has(path)) return changed(recipe);
  const input = changed(minimalInput(recipe)) as unknown as Record<string, unknown>;
  // A section with only defaults is absent from the shortest input, so its type is added here.
  for (const name of ['method', 'objective'] as const) {
    if (input[name]) input[name] = { type: recipe[name].type, ...(input[name] as object) };
  }
  return fill(input as unknown as RecipeInput);
}

/** As JSON with sorted keys, so that equal values compare equal. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, child) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([x], [y]) => (x < y ? -1 : 1)))
      : child,
  );
}

export const sameValue = (a: unknown, b: unknown) => canonical(a) === canonical(b);

/** The fields in which two recipes differ, in the order of the screen; undefined if a recipe has no such field. */
export function diffRecipes(a: Recipe, b: Recipe): RecipeDifference[] {
  return fields
    .map(({ path }) => ({ path, a: valueAt(a, path), b: valueAt(b, path) }))
    .filter((difference) => !sameValue(difference.a, difference.b));
}

/** The fields that differ from their defaults: `a` is the default, `b` the recipe's value. */
export function nonDefaults(recipe: Recipe): RecipeDifference[] {
  return fields
    .map(({ path }) => ({
      path,
      a: path === 'name' ? nameOfSource(recipe.dataset.source) : defaultOf(path, recipe),
      b: valueAt(recipe, path),
    }))
    .filter(({ a, b }) => b !== undefined && !sameValue(a, b));
}

/** The shortest input that resolves to this recipe, for links and small files. */
export function minimalInput(recipe: Recipe): RecipeInput {
  const input: Record<string, unknown> = { version: 1 };
  for (const { path, b } of nonDefaults(recipe)) {
    const [section, key] = path.split('.');
    if (key === undefined) input[section!] = b;
    else input[section!] = { ...(input[section!] as object | undefined), [key]: b };
  }
  // A typed section always states its type, even the default one.
  for (const section of ['method', 'objective'] as const) {
    if (input[section]) input[section] = { type: recipe[section].type, ...(input[section] as object) };
  }
  return input as unknown as RecipeInput;
}
