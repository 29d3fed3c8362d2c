/**
 * The recipe that the screen edits. `input` is what a person wrote and may be wrong for a moment; `recipe` is the last
 * whole one, so that the rest of the screen always has something to stand on. Kept in this browser between visits.
 */
import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { checkRecipe, defaultRecipe } from '../recipe/defaults';
import type { RecipePath } from '../recipe/fields';
import type { RecipeProblem } from '../recipe/schema';
import type { Recipe, RecipeInput } from '../recipe/types';
import type { RecipeNote } from '../recipe/validate';
import { hintsFor } from './hints';

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
    const { [key]: _old, ...rest } = copy[section] ?? {};
    const next: Record<string, unknown> = value === undefined ? rest : { ...rest, [key]: value };
    if (section === 'method') next.type ??= 'lora';
    if (section === 'objective') next.type ??= 'sft';
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

/** Another model brings its hints, and takes away those of the model before that nobody has changed. */
function withHints(input: RecipeInput, before: string, after: string): RecipeInput {
  const old = Object.entries(hintsFor(before)).filter(([path, value]) => writtenAt(input, path) === value);
  const cleared = withChanges(input, Object.fromEntries(old.map(([path]) => [path, undefined])));
  const fresh = Object.entries(hintsFor(after)).filter(([path]) => writtenAt(cleared, path) === undefined);
  return withChanges(cleared, Object.fromEntries(fresh));
}

function writtenAt(input: RecipeInput, path: string): unknown {
  const [section, key] = path.split('.') as [string, string];
  return (input as unknown as Sections)[section]?.[key];
}

const first = withChanges({ version: 1 }, hintsFor(defaultRecipe().model.source));

export const useRecipe = create<RecipeState>()(
  persist(
    (set) => ({
      ...checked(first, defaultRecipe()),
      replace: (input) => set((state) => checked(input, state.recipe)),
      set: (changes) =>
        set((state) => {
          const input = withChanges(state.input, changes);
          if (!('model.source' in changes)) return checked(input, state.recipe);
          const source = input.model?.source ?? defaultRecipe().model.source;
          return checked(withHints(input, state.recipe.model.source, source), state.recipe);
        }),
      reset: () =>
        set((state) => {
          // What is trained on what stays; how it is trained goes back to the defaults.
          const { version, name, model, dataset } = state.input;
          const kept = dataset?.source
            ? { source: dataset.source, format: dataset.format, columns: dataset.columns }
            : undefined;
          return checked(
            withChanges(
              JSON.parse(JSON.stringify({ version, name, model, dataset: kept })) as RecipeInput,
              hintsFor(state.recipe.model.source),
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
