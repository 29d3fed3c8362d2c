/**
 * The recipe that the screen edits. `input` is what a person wrote and may be wrong for a moment; `recipe` is the last
 * whole one, so that the rest of the screen always has something to stand on. Kept in this browser between visits.
 */
import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { defaultMethod } from '../methods';
import { defaultObjective } from '../objectives';
import { checkRecipe, defaultRecipe } from '../recipe/defaults';
import type { RecipePath } from '../recipe/fields';
import type { RecipeProblem } from '../recipe/schema';
import { readingOf } from '../recipe/sections';
import type { Recipe, RecipeInput } from '../recipe/types';
import type { RecipeNote } from '../recipe/validate';
import { type Hints, hintsFor } from './hints';

interface RecipeState {
  input: RecipeInput;
  recipe: Recipe;
  /** Whether `recipe` is what `input` says, and not the last one that could be read. */
  whole: boolean;
  problems: RecipeProblem[];
  notes: RecipeNote[];
  replace: (input: RecipeInput) => void;
  /** Sets fields by path; undefined goes back to the default. */
  set: (changes: Partial<Record<RecipePath, unknown>>) => void;
  reset: () => void;
}

type Sections = Record<string, Record<string, unknown> | undefined>;

/** A changed copy of what a person wrote. A section of several kinds keeps its `type`. */
export function withChanges(input: RecipeInput, changes: Partial<Record<RecipePath, unknown>>): RecipeInput {
  const copy = structuredClone(input) as unknown as Sections & Record<string, unknown>;
  for (const [path, value] of Object.entries(changes)) {
    const [section, key] = path.split('.') as [string, string | undefined];
    if (key === undefined) {
      if (value === undefined) delete copy[section];
      else copy[section] = value as Record<string, unknown>;
      continue;
    }
    if (key === 'type') {
      // What was written for another type says nothing here.
      if (value === undefined) delete copy[section];
      else copy[section] = { type: value };
      continue;
    }
    const { [key]: _old, ...rest } = copy[section] ?? {};
    const next: Record<string, unknown> = value === undefined ? rest : { ...rest, [key]: value };
    if (section === 'method') next.type ??= defaultMethod;
    if (section === 'objective') next.type ??= defaultObjective;
    if (Object.keys(next).length === 0) delete copy[section];
    else copy[section] = next;
  }
  return copy as unknown as RecipeInput;
}

function checked(
  input: RecipeInput,
  before: Recipe,
): Pick<RecipeState, 'input' | 'recipe' | 'whole' | 'problems' | 'notes'> {
  const { recipe, problems, notes } = checkRecipe(input);
  return { input, recipe: recipe ?? before, whole: recipe !== null, problems, notes };
}

/** Another model or method brings its hints, and takes away those before it that nobody has changed. */
function withHints(input: RecipeInput, before: Hints, after: Hints): RecipeInput {
  const old = Object.entries(before).filter(([path, value]) => writtenAt(input, path) === value);
  const cleared = withChanges(input, Object.fromEntries(old.map(([path]) => [path, undefined])));
  const fresh = Object.entries(after).filter(([path]) => writtenAt(cleared, path) === undefined);
  return withChanges(cleared, Object.fromEntries(fresh));
}

/** What a change of the method makes of no use: a learning rate is chosen for a method. */
const chosenForMethod: Partial<Record<RecipePath, undefined>> = {
  'training.learning_rate': undefined,
  'training.lr_scheduler_type': undefined,
};

function writtenAt(input: RecipeInput, path: string): unknown {
  const [section, key] = path.split('.') as [string, string];
  return (input as unknown as Sections)[section]?.[key];
}

const first = withChanges({ version: 1 }, hintsFor(defaultRecipe()));

export const useRecipe = create<RecipeState>()(
  persist(
    (set) => ({
      ...checked(first, defaultRecipe()),
      replace: (input) => set((state) => checked(input, state.recipe)),
      set: (changes) =>
        set((state) => {
          const method = 'method.type' in changes && changes['method.type'] !== state.recipe.method.type;
          const input = withChanges(state.input, method ? { ...chosenForMethod, ...changes } : changes);
          if (!('model.source' in changes) && !method) return checked(input, state.recipe);
          const { recipe } = checkRecipe(input);
          if (!recipe) return checked(input, state.recipe);
          return checked(withHints(input, hintsFor(state.recipe), hintsFor(recipe)), state.recipe);
        }),
      reset: () =>
        set((state) => {
          // What is trained on what stays; how it is trained goes back to the defaults.
          const { version, name, model, dataset } = state.input;
          const kept = dataset?.source ? { source: dataset.source, ...readingOf(dataset) } : undefined;
          return checked(
            withChanges(
              JSON.parse(JSON.stringify({ version, name, model, dataset: kept })) as RecipeInput,
              hintsFor({ model: state.recipe.model, method: defaultRecipe().method }),
            ),
            state.recipe,
          );
        }),
    }),
    {
      name: 'tabtune.recipe',
      version: 1,
      partialize: ({ input }) => ({ input }),
      merge: (kept, state) => {
        const input = (kept as { input?: RecipeInput } | undefined)?.input;
        // A recipe of another version, or one that somebody's hand broke, must not stand in the way of a start.
        const usable = input && checkRecipe(input).recipe !== null;
        return usable ? { ...state, ...checked(input, state.recipe) } : state;
      },
    },
  ),
);
