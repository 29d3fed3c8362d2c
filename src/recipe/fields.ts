/** The fields of a recipe: what kinds there are, which apply, and how to find one. The table itself is catalogue.ts. */
import { catalogue } from './catalogue';
import type { Recipe } from './types';

export const sectionNames = ['model', 'dataset', 'method', 'objective', 'training'] as const;
export type SectionName = (typeof sectionNames)[number];

type KeysOf<T> = T extends unknown ? keyof T & string : never;
/** `name`, `training.learning_rate`, … */
export type RecipePath = 'version' | 'name' | { [S in SectionName]: `${S}.${KeysOf<Recipe[S]>}` }[SectionName];

/** What stands at a path of the recipe that is asked about. */
export type Lookup = (path: RecipePath) => unknown;

/** Another default (or help, or range) where other fields have certain values. The first that fits counts. */
export interface Variant<T> {
  /** Every one of these paths has one of its values. */
  when: Partial<Record<RecipePath, readonly unknown[]>>;
  default?: T;
  help?: string;
  source?: string;
  usual?: [number, number];
  word?: ModulesField['word'];
}

interface Common<T> {
  /** For people who do not know the field's own name, which is the last part of its path. */
  label: string;
  /** One line. */
  help: string;
  default: T;
  /** Where the default comes from. */
  source: string;
  /**
   * Only for these: types of the method or the objective, in whose sections no other field may stand; in `training`,
   * optimisers or schedules, under which alone the field has an effect. For all where left out.
   */
  for?: readonly string[];
  variants?: readonly Variant<T>[];
  /** Shown among what keeps a model from overfitting and from forgetting. */
  group?: 'regularisation';
}

export interface NumberField extends Common<number> {
  kind: 'number' | 'int';
  min: number;
  max: number;
  /** The bound itself is not allowed. */
  above?: true;
  below?: true;
  /** What an arrow key adds in the form. */
  step: number;
  /** What people usually choose; outside of it is allowed, and said. */
  usual?: [number, number];
}
export interface SelectField extends Common<string> {
  kind: 'select';
  options: { value: string; label: string }[];
}
export interface BoolField extends Common<boolean> {
  kind: 'bool';
}
/** true, false, or `auto`, which leaves it to what the run needs. */
export interface AutoBoolField extends Common<boolean | 'auto'> {
  kind: 'auto_bool';
  /** What each choice does, in a few words. */
  options: { auto: string; true: string; false: string };
}
/** A line of text; `null` is allowed where the default is null. */
export interface TextField extends Common<string | null> {
  kind: 'text';
  placeholder?: string;
}
/** A whole number, or a word that leaves it to Tabtune: `auto` or null, whichever the default is. */
export interface LengthField extends Common<number | 'auto' | null> {
  kind: 'length';
  min: number;
  max: number;
  step: number;
  usual?: [number, number];
  placeholder?: string;
}
/** A list of module names, or the word that stands for those that suit the model; null: a list only. */
export interface ModulesField extends Common<'all-linear' | 'auto' | string[]> {
  kind: 'modules';
  word: 'all-linear' | 'auto' | null;
}
/** Module name -> number. */
export interface PatternField extends Common<Record<string, number>> {
  kind: 'pattern';
  whole: boolean;
  min: number;
  max: number;
  above?: true;
}
/** Part of an example -> column of the file, or null. */
export interface ColumnsField extends Common<Record<string, string> | null> {
  kind: 'columns';
}
export type FieldSpec =
  | NumberField
  | SelectField
  | BoolField
  | AutoBoolField
  | TextField
  | LengthField
  | ModulesField
  | PatternField
  | ColumnsField;
export type Field = FieldSpec & { path: RecipePath };

export const fields: Field[] = (Object.keys(catalogue) as RecipePath[]).map((path) => ({ ...catalogue[path], path }));

/** Paths whose values decide defaults of other fields. */
export const deciding: ReadonlySet<RecipePath> = new Set(
  fields.flatMap(({ variants }) => variants?.flatMap(({ when }) => Object.keys(when) as RecipePath[]) ?? []),
);

/** The value at `training.learning_rate` and the like; undefined where this recipe has no such field. */
export function valueAt(recipe: Recipe, path: RecipePath): unknown {
  const [section, key] = path.split('.');
  const value = (recipe as unknown as Record<string, unknown>)[section!];
  return key === undefined ? value : (value as Record<string, unknown> | undefined)?.[key];
}

/** A field as it is in a recipe; without one, in a recipe of defaults. */
export function field(path: RecipePath, recipe?: Recipe | Lookup): Field {
  const spec = catalogue[path];
  const at: Lookup =
    typeof recipe === 'function'
      ? recipe
      : (other) => (recipe ? valueAt(recipe, other) : undefined) ?? catalogue[other].default;
  const variant = spec.variants?.find(({ when }) =>
    Object.entries(when).every(([other, values]) => values?.includes(at(other as RecipePath))),
  );
  if (!variant) return { ...spec, path };
  const { when: _, ...changes } = variant;
  return { ...spec, ...changes, path } as Field;
}

/** What a choice is called, for people. */
export function selectLabel(path: RecipePath, value: string): string {
  const spec = catalogue[path];
  return (spec.kind === 'select' && spec.options.find((option) => option.value === value)?.label) || value;
}

export function isRecipePath(path: string): path is RecipePath {
  return Object.hasOwn(catalogue, path);
}

/** Sections whose fields depend on the section's `type`. */
const typed: readonly string[] = ['method', 'objective'];

/**
 * The fields of a section in the order in which the screen shows them; '' is the recipe itself. Of a section of several
 * types, those of one type alone when it is named.
 */
export function fieldsOf(section: SectionName | '', type?: string): { key: string; field: Field }[] {
  return fields
    .filter(({ path }) => (section === '' ? !path.includes('.') : path.startsWith(`${section}.`)))
    .filter((spec) => type === undefined || !typed.includes(section) || !spec.for || spec.for.includes(type))
    .map((spec) => ({ key: spec.path.slice(section === '' ? 0 : section.length + 1), field: spec }));
}

/** Whether a field has an effect under the types, the optimiser and the schedule of a recipe. */
export function applies(path: RecipePath, recipe: Recipe): boolean {
  const { for: only } = catalogue[path];
  if (!only) return true;
  const { optim, lr_scheduler_type } = recipe.training;
  return [recipe.method.type, recipe.objective.type, optim, lr_scheduler_type].some((name) => only.includes(name));
}

/** The fields of a section that have an effect in this recipe, each as it is there. */
export function fieldsIn(section: SectionName | '', recipe: Recipe): { key: string; field: Field }[] {
  return fieldsOf(section)
    .filter(({ field: { path } }) => applies(path, recipe))
    .map(({ key, field: { path } }) => ({ key, field: field(path, recipe) }));
}
