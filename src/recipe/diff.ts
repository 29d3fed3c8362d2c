/** What differs between two recipes, or between a recipe and the defaults. */
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
 * A changed copy. The value is not checked; checkRecipe does that. What other fields have by default follows: another
 * type has its own fields, and a learning rate that nobody chose becomes that of the method.
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
  // A section of several types that had its defaults only is not in the shortest input.
  for (const name of ['method', 'objective'] as const) {
    if (input[name]) input[name] = { type: recipe[name].type, ...(input[name] as object) };
  }
  return fill(input as unknown as RecipeInput);
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

/** The fields in which two recipes differ, in the screen's order; undefined where a recipe's method has no such field. */
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
      a: path === 'name' ? nameOfSource(recipe.dataset.source) : defaultOf(path, recipe),
      b: valueAt(recipe, path),
    }))
    .filter(({ a, b }) => b !== undefined && !same(a, b));
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
