/** Looks up the fields of a recipe and which of them apply. The table itself is in catalogue.ts. */
import { methods } from '../methods';
import { objectives } from '../objectives';
import { catalogue } from './catalogue';
import type { FieldSpec } from './spec';
import type { Recipe } from './types';

export const sectionNames = ['model', 'dataset', 'method', 'objective', 'training'] as const;
export type SectionName = (typeof sectionNames)[number];

type KeysOf<T> = T extends unknown ? keyof T & string : never;
/** `name`, `training.learning_rate`, … */
export type RecipePath = 'version' | 'name' | { [S in SectionName]: `${S}.${KeysOf<Recipe[S]>}` }[SectionName];

/** The value at a path of the recipe in question. */
export type Lookup = (path: RecipePath) => unknown;

export type Field = FieldSpec & { path: RecipePath };

const specOf = (path: RecipePath): FieldSpec => catalogue[path]!;

export const fields: Field[] = (Object.keys(catalogue) as RecipePath[]).map((path) => ({ ...specOf(path), path }));

/** Paths whose values determine the defaults of other fields. */
export const deciding: ReadonlySet<RecipePath> = new Set(
  fields.flatMap(({ variants }) => variants?.flatMap(({ when }) => Object.keys(when) as RecipePath[]) ?? []),
);

/** The value at a path such as `training.learning_rate`; undefined if this recipe has no such field. */
export function valueAt(recipe: Recipe, path: RecipePath): unknown {
  const [section, key] = path.split('.');
  const value = (recipe as unknown as Record<string, unknown>)[section!];
  return key === undefined ? value : (value as Record<string, unknown> | undefined)?.[key];
}

/** A field with the variant that applies in a recipe, or in the default recipe if none is given. */
export function field(path: RecipePath, recipe?: Recipe | Lookup): Field {
  const spec = specOf(path);
  const at: Lookup =
    typeof recipe === 'function'
      ? recipe
      : (other) => (recipe ? valueAt(recipe, other) : undefined) ?? specOf(other).default;
  const variant = spec.variants?.find(({ when }) =>
    Object.entries(when).every(([other, values]) => values?.includes(at(other as RecipePath))),
  );
  if (!variant) return { ...spec, path };
  const { when: _, ...changes } = variant;
  return { ...spec, ...changes, path } as Field;
}

/** The readable name of a choice. */
export function selectLabel(path: RecipePath, value: string): string {
  const { variants = [], ...spec } = specOf(path);
  const lists = [spec, ...variants].map((one) => ('options' in one && Array.isArray(one.options) ? one.options : []));
  return lists.flat().find((option) => option.value === value)?.label ?? value;
}

export function isRecipePath(path: string): path is RecipePath {
  return Object.hasOwn(catalogue, path);
}

/** Sections whose fields depend on the section's `type`. */
const typed: readonly string[] = ['method', 'objective'];

/**
 * The fields of a section, in the order of the screen; '' is the recipe itself. With a `type`, only that type's fields, in the
 * order of the recipe file.
 */
export function fieldsOf(section: SectionName | '', type?: string): { key: string; field: Field }[] {
  const own = type !== undefined && typed.includes(section) ? ownersOf(section).find((one) => one.type === type) : null;
  if (own) {
    const keys = ['type', ...Object.keys(own.fields)];
    return keys.map((key) => ({
      key,
      field: { ...specOf(`${section}.${key}` as RecipePath), path: `${section}.${key}` as RecipePath },
    }));
  }
  return fields
    .filter(({ path }) => (section === '' ? !path.includes('.') : path.startsWith(`${section}.`)))
    .map((spec) => ({ key: spec.path.slice(section === '' ? 0 : section.length + 1), field: spec }));
}

const ownersOf = (section: string): readonly { type: string; fields: object }[] =>
  section === 'method' ? methods : objectives;

/** Whether a field has an effect with a recipe's method, objective, optimiser and schedule. */
export function applies(path: RecipePath, recipe: Recipe): boolean {
  const { for: only } = specOf(path);
  if (!only) return true;
  const { optim, lr_scheduler_type } = recipe.training;
  return [recipe.method.type, recipe.objective.type, optim, lr_scheduler_type].some((name) => only.includes(name));
}

/** The fields of a section that have an effect in this recipe, each with the variant that applies. */
export function fieldsIn(section: SectionName | '', recipe: Recipe): { key: string; field: Field }[] {
  return fieldsOf(section)
    .filter(({ field: { path } }) => applies(path, recipe))
    .map(({ key, field: { path } }) => ({ key, field: field(path, recipe) }));
}
