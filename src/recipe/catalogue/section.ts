/** What the files of the catalogue share. */
import type { FieldSpec, RecipePath, SectionName } from '../fields';

/** Every field of a section; '' is the recipe itself. Typed by path, so that a field added to Recipe does not compile before it stands in the catalogue. */
export type SectionFields<S extends SectionName | ''> = Record<
  S extends '' ? Extract<RecipePath, 'version' | 'name'> : Extract<RecipePath, `${S}.${string}`>,
  FieldSpec
>;

export const options = (labels: Record<string, string>) =>
  Object.entries(labels).map(([value, label]) => ({ value, label }));
