/** A recipe as another trainer's config. */
import { applies, type RecipePath, type SectionName, sectionNames, valueAt } from '../fields';
import type { Recipe } from '../types';
import { commonRows, typeIn } from './registry';
import { typeRefusal } from './type-refusal';
import type { Config, Entry, Run, RunFacts, TrainerId } from './types';

export interface WrittenConfig {
  /** What each section of the recipe became; `trl.beta` stands for `beta` inside `trl`. */
  sections: Record<SectionName, Config>;
  /** What the trainer cannot do, a sentence each. */
  lost: string[];
}

/** Why a trainer cannot make this run, and what to do; null if it can. */
export function recipeRefusal(trainer: TrainerId, recipe: Recipe): string | null {
  const { method, objective } = recipe;
  if (trainer === 'axolotl' || trainer === 'llamafactory') {
    const refusal = typeRefusal(trainer, method, objective.type);
    if (refusal !== null) return refusal;
  }
  return typeIn(trainer, 'objective', objective.type)?.refusal?.(objective, recipe) ?? null;
}

/** Whether the trainer begins with an adapter that is given to it. */
export const takesAdapter = (trainer: TrainerId, { objective }: Pick<Recipe, 'objective'>): boolean =>
  typeIn(trainer, 'objective', objective.type)?.newAdapter !== true;

/** Every field is written out, because trainers have other defaults. The recipe must not be refused. */
export function writeConfig(trainer: TrainerId, recipe: Recipe, facts: RunFacts): WrittenConfig {
  const method = typeIn(trainer, 'method', recipe.method.type)!;
  const objective = typeIn(trainer, 'objective', recipe.objective.type)!;
  const run: Run = { recipe, facts, warmupInSteps: objective.warmupInSteps === true };
  const sections = Object.fromEntries(sectionNames.map((name) => [name, {}])) as WrittenConfig['sections'];
  const lost: string[] = [];
  const put = (path: RecipePath, entry: Entry | undefined) => {
    // A field without effect in this recipe says nothing there either.
    if (!entry || !applies(path, recipe)) return;
    const value = valueAt(recipe, path);
    const section = path === 'name' ? 'training' : (path.split('.')[0] as SectionName);
    Object.assign(sections[section], entry.write?.(value, run));
    const why = entry.lost?.(value, run);
    if (why) lost.push(why);
  };
  for (const [section, how] of [
    ['method', method],
    ['objective', objective],
  ] as const) {
    Object.assign(sections[section], how.marks(recipe[section], run));
    for (const [key, entry] of Object.entries(how.fields)) put(`${section}.${key}` as RecipePath, entry);
  }
  for (const [path, row] of commonRows) put(path, row[trainer]);
  return { sections, lost: [...new Set(lost)] };
}

/** `{'trl.beta': 0.1}` as `{trl: {beta: 0.1}}`. Patterns of module names have dots too, but those are keys inside a value. */
export function nested(config: Config): Record<string, unknown> {
  const whole: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(config)) {
    const path = key.split('.');
    let at = whole;
    for (const part of path.slice(0, -1)) {
      at[part] ??= {};
      at = at[part] as Record<string, unknown>;
    }
    at[path.at(-1)!] = value;
  }
  return whole;
}
