/**
 * The recipe that the screen edits. `input` is what a person wrote and may be wrong for a moment; `recipe` is the last
 * whole one, so that the rest of the screen always has something to stand on. `draft` is JSON that is not in the recipe yet.
 * Kept in this browser between visits.
 */
import { create } from 'zustand';
import { persist } from 'zustand/middleware';
import { parseUntrusted } from '../base/json';
import { defaultMethod } from '../methods';
import { defaultObjective } from '../objectives';
import { checkRecipe, defaultRecipe } from '../recipe/defaults';
import { minimalInput } from '../recipe/diff';
import type { RecipePath } from '../recipe/fields';
import type { RecipeProblem } from '../recipe/schema';
import { readingOf } from '../recipe/sections';
import type { Recipe, RecipeInput } from '../recipe/types';
import type { RecipeNote } from '../recipe/validate';
import { changesFor, demos } from './demos';
import { type Hints, hintsFor } from './hints';

/** JSON that a person has typed and that the recipe does not follow: it is broken, or the recipe has changed elsewhere since. */
export interface JsonDraft {
  text: string;
  /** Why it is not JSON; null if it is, and waits for the person's decision. */
  broken: string | null;
  /** What the recipe was when the edit began. */
  before: RecipeInput;
}

interface RecipeState {
  input: RecipeInput;
  recipe: Recipe;
  /** Whether `recipe` is what `input` says, and not the last one that could be read. */
  whole: boolean;
  problems: RecipeProblem[];
  notes: RecipeNote[];
  /** The dataset whose goal a person chose; for any other the goal follows the data. */
  goalChosenFor: string | null;
  draft: JsonDraft | null;
  /** What the last preset or shared recipe replaced, until the next change. */
  undoable: { what: string; input: RecipeInput; goalChosenFor: string | null } | null;
  replace: (input: RecipeInput) => void;
  /** Replaces the recipe as one step that `undo` takes back. */
  apply: (what: string, input: RecipeInput) => void;
  undo: () => void;
  /** Takes over what was typed as JSON if it is an object, and keeps it as a draft otherwise. */
  writeJson: (text: string) => void;
  /** Takes over a draft although the recipe has changed since. */
  useDraft: () => void;
  discardDraft: () => void;
  /** Sets fields by path; undefined goes back to the default. */
  set: (changes: Partial<Record<RecipePath, unknown>>) => void;
  /** Sets what the data ask for, unless a person has chosen a goal for them. */
  follow: (changes: Partial<Record<RecipePath, unknown>>) => void;
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

/** A recipe and what is wrong with it. Any change ends the time in which a preset can be taken back. */
function checked(
  input: RecipeInput,
  before: Recipe,
): Pick<RecipeState, 'input' | 'recipe' | 'whole' | 'problems' | 'notes' | 'undoable'> {
  const { recipe, problems, notes } = checkRecipe(input);
  return { input, recipe: recipe ?? before, whole: recipe !== null, problems, notes, undoable: null };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The recipe as a person should see it written: every field, with what they wrote on top, right or wrong. A section of another
 * type than the last whole recipe's stands as it was written.
 */
export function asWritten({ input, recipe, whole }: Pick<RecipeState, 'input' | 'recipe' | 'whole'>): object {
  if (whole) return recipe;
  const all = recipe as unknown as Record<string, unknown>;
  const shown: Record<string, unknown> = { ...all };
  for (const [section, value] of Object.entries(input)) {
    const last = all[section];
    const other = isObject(value) && isObject(last) && 'type' in last && value.type !== last.type;
    shown[section] = isObject(value) && isObject(last) && !other ? { ...last, ...value } : value;
  }
  return shown;
}

/** Why a text is not a recipe in JSON, or the object that it is. */
function readJson(text: string): { broken: string } | { value: RecipeInput } {
  try {
    const value: unknown = parseUntrusted(text);
    return isObject(value) ? { value: value as unknown as RecipeInput } : { broken: 'a recipe is an object in braces' };
  } catch (cause) {
    return { broken: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** JSON with every field becomes the shortest input; one with something wrong stays as it was typed. */
function inputOf(value: RecipeInput): RecipeInput {
  const { recipe, problems } = checkRecipe(value);
  return recipe && problems.length === 0 ? minimalInput(recipe) : value;
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

const chosen = <S extends Pick<RecipeState, 'recipe'>>(state: S) => ({
  ...state,
  goalChosenFor: state.recipe.dataset.source,
});

function changed(state: RecipeState, changes: Partial<Record<RecipePath, unknown>>) {
  const method = 'method.type' in changes && changes['method.type'] !== state.recipe.method.type;
  const input = withChanges(state.input, method ? { ...chosenForMethod, ...changes } : changes);
  // Learning from comparisons takes other rates than copying answers does.
  const goal = 'objective.type' in changes && changes['objective.type'] !== state.recipe.objective.type;
  if (!('model.source' in changes) && !method && !goal) return checked(input, state.recipe);
  const { recipe } = checkRecipe(input);
  if (!recipe) return checked(input, state.recipe);
  return checked(withHints(input, hintsFor(state.recipe), hintsFor(recipe)), state.recipe);
}

function writtenAt(input: RecipeInput, path: string): unknown {
  const [section, key] = path.split('.') as [string, string];
  return (input as unknown as Sections)[section]?.[key];
}

const sameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** What a first visitor finds: texts to sort, since that succeeds within seconds on any machine. */
const first = withChanges(
  withChanges({ version: 1 }, changesFor(demos[0], defaultRecipe())),
  hintsFor(defaultRecipe()),
);

export const useRecipe = create<RecipeState>()(
  persist(
    (set) => ({
      ...checked(first, defaultRecipe()),
      goalChosenFor: null,
      draft: null,
      // A recipe that is written out says its goal, by leaving it out too.
      replace: (input) => set((state) => ({ ...chosen(checked(input, state.recipe)), draft: null })),
      apply: (what, input) =>
        set((state) => ({
          ...chosen(checked(input, state.recipe)),
          draft: null,
          undoable: { what, input: state.input, goalChosenFor: state.goalChosenFor },
        })),
      undo: () =>
        set(({ undoable, recipe }) =>
          undoable ? { ...checked(undoable.input, recipe), goalChosenFor: undoable.goalChosenFor } : {},
        ),
      writeJson: (text) =>
        set((state) => {
          const read = readJson(text);
          const before = state.draft?.before ?? state.input;
          if ('broken' in read) return { draft: { text, broken: read.broken, before } };
          if (!sameJson(before, state.input)) return { draft: { text, broken: null, before } };
          return { ...chosen(checked(inputOf(read.value), state.recipe)), draft: null };
        }),
      useDraft: () =>
        set((state) => {
          const read = state.draft && readJson(state.draft.text);
          return read && 'value' in read ? { ...chosen(checked(inputOf(read.value), state.recipe)), draft: null } : {};
        }),
      discardDraft: () => set({ draft: null }),
      set: (changes) =>
        set((state) => {
          const next = changed(state, changes);
          return 'objective.type' in changes ? chosen(next) : next;
        }),
      follow: (changes) => set((state) => changed(state, changes)),
      reset: () =>
        set((state) => {
          // What is trained on what stays; how it is trained goes back to the defaults.
          const { version, name, model, dataset } = state.input;
          const kept = dataset?.source ? { source: dataset.source, ...readingOf(dataset) } : undefined;
          const left = withChanges(
            JSON.parse(JSON.stringify({ version, name, model, dataset: kept })) as RecipeInput,
            hintsFor({ model: state.recipe.model, method: defaultRecipe().method }),
          );
          return { ...checked(left, state.recipe), goalChosenFor: null };
        }),
    }),
    {
      name: 'tabtune.recipe',
      version: 1,
      partialize: ({ input, draft, goalChosenFor }) => ({ input, draft, goalChosenFor }),
      merge: (kept, state) => {
        const { input, draft, goalChosenFor } = (kept ?? {}) as Partial<
          Pick<RecipeState, 'input' | 'draft' | 'goalChosenFor'>
        >;
        const waiting = { ...state, draft: draft ?? null };
        // A recipe of another version, or one that somebody's hand broke, must not stand in the way of a start.
        const usable = input && checkRecipe(input).recipe !== null;
        if (!usable) return waiting;
        const next = checked(input, state.recipe);
        // Kept before goals followed the data: its goal stands.
        return { ...waiting, ...(goalChosenFor === undefined ? chosen(next) : { ...next, goalChosenFor }) };
      },
    },
  ),
);
