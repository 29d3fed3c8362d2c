/** Turns the recipe of a file, a link or the screen into a complete one: every omitted field gets its default. */
import { completeRewards, type RewardInput } from '../rewards';
import { field, fieldsOf, isRecipePath, sectionNames } from './fields';
import { lookupIn, problem, type RecipeProblem, recipeError, schemaProblems } from './schema';
import type { Recipe, RecipeInput } from './types';
import { impossible, notes, type RecipeNote } from './validate';

type Sections = Record<string, Record<string, unknown> | undefined>;

/** `builtin:pirate-chat` and `file:data/pirate-chat.jsonl` are both called pirate-chat. */
export function nameOfSource(source: string): string {
  const last = source
    .replace(/^[a-z]+:/, '')
    .replace(/[\\/]+$/, '')
    .split(/[\\/]/)
    .at(-1);
  return last?.replace(/\.[a-z0-9]{1,6}$/i, '').slice(0, 100) || 'run';
}

/**
 * Fills in defaults; a typed section gets the fields of its type. `input` must be free of schema problems. It is not changed, and
 * the result shares no objects with it.
 */
export function fill(input: RecipeInput): Recipe {
  const given = input as unknown as Sections;
  const at = lookupIn(input);
  const recipe: Record<string, unknown> = { version: 1, name: input.name };
  for (const section of sectionNames) {
    const type = section === 'method' || section === 'objective' ? String(at(`${section}.type`)) : undefined;
    const values: Record<string, unknown> = {};
    for (const { key, field: spec } of fieldsOf(section, type)) {
      const value = structuredClone(given[section]?.[key] ?? field(spec.path, at).default);
      values[key] = spec.kind === 'rewards' ? completeRewards(value as RewardInput[]) : value;
    }
    recipe[section] = values;
  }
  const whole = recipe as unknown as Recipe;
  whole.name = input.name?.trim() || nameOfSource(whole.dataset.source);
  return whole;
}

/** Whether the input itself holds a value at a path such as `training.seed`. */
function holds(input: RecipeInput, path: string): boolean {
  const [section, key] = path.split('.');
  return (input as unknown as Sections)[section!]?.[key!] !== undefined;
}

export interface CheckedRecipe {
  /** Null if a field is unknown or has the wrong type; otherwise complete, even if it cannot run. */
  recipe: Recipe | null;
  /** Why it cannot run; empty when it can. */
  problems: RecipeProblem[];
  /** What has no effect or is unusual; never prevents a run. */
  notes: RecipeNote[];
}

/** Checks a recipe for the screen. Never throws. */
export function checkRecipe(input: unknown): CheckedRecipe {
  try {
    const problems = schemaProblems(input);
    if (problems.length > 0) return { recipe: null, problems, notes: [] };
    const valid = input as RecipeInput;
    const recipe = fill(valid);
    return { recipe, problems: impossible(recipe), notes: notes(recipe, (path) => holds(valid, path)) };
  } catch (cause) {
    // Only reached by values that JSON cannot hold, such as a getter that throws.
    return { recipe: null, problems: [problem('recipe', `cannot be read (${cause}).`)], notes: [] };
  }
}

/** The complete recipe. Throws bad_recipe, with all problems in `details`, if it cannot run. */
export function resolveRecipe(input: unknown): Recipe {
  const { recipe, problems } = checkRecipe(input);
  if (problems.length > 0) throw recipeError(problems);
  return recipe!;
}

/** The recipe with only defaults, which a first visitor sees. */
export function defaultRecipe(): Recipe {
  return resolveRecipe({ version: 1 });
}

/** Default of a field, e.g. for a reset button. It may depend on the other fields of `recipe`. */
export function defaultOf(path: string, recipe?: Recipe): unknown {
  return isRecipePath(path) ? structuredClone(field(path, recipe).default) : undefined;
}
