/** The fields of a recipe: what kinds there are, and how to find one. The table itself is catalogue.ts. */
import { catalogue } from './catalogue';
import type { Recipe } from './types';

export const sectionNames = ['model', 'dataset', 'method', 'objective', 'training'] as const;
export type SectionName = (typeof sectionNames)[number];

type KeysOf<T> = T extends unknown ? keyof T & string : never;
/** `name`, `training.learning_rate`, … */
export type RecipePath = 'version' | 'name' | { [S in SectionName]: `${S}.${KeysOf<Recipe[S]>}` }[SectionName];

interface Common<T> {
  /** For people who do not know the field's own name, which is the last part of its path. */
  label: string;
  /** One line. */
  help: string;
  default: T;
  /** Where the default comes from. */
  source: string;
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
/** A whole number or `auto`. */
export interface LengthField extends Common<number | 'auto'> {
  kind: 'length';
  min: number;
  max: number;
  step: number;
  usual?: [number, number];
}
/** `all-linear` or a list of module names. */
export interface ModulesField extends Common<'all-linear' | string[]> {
  kind: 'modules';
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
  | ColumnsField;
export type Field = FieldSpec & { path: RecipePath };

export const fields: Field[] = (Object.keys(catalogue) as RecipePath[]).map((path) => ({ ...catalogue[path], path }));

export function field(path: RecipePath): Field {
  return { ...catalogue[path], path };
}

export function isRecipePath(path: string): path is RecipePath {
  return Object.hasOwn(catalogue, path);
}

/** The fields of a section in the order in which the screen shows them; '' is the recipe itself. */
export function fieldsOf(section: SectionName | ''): { key: string; field: Field }[] {
  return fields
    .filter(({ path }) => (section === '' ? !path.includes('.') : path.startsWith(`${section}.`)))
    .map((spec) => ({ key: spec.path.slice(section === '' ? 0 : section.length + 1), field: spec }));
}
