/** The rows of all fields, and the types that each trainer has. */
import type { RecipePath } from '../fields';
import { datasetRows, modelRows, nameRow } from './data-fields';
import { all as methodList } from './methods/all';
import { all as objectiveList } from './objectives/all';
import { trainingRows } from './training-fields';
import type { Entry, Row, TrainerId, TypeConversion } from './types';

/** Every field but those of methods and objectives, in the order of a config. */
export const commonRows = Object.entries({
  name: nameRow,
  ...modelRows,
  ...datasetRows,
  ...trainingRows,
}) as readonly (readonly [RecipePath, Row])[];

/** Each as one that takes any section: callers find it by the section's own type. */
type AnyType = Omit<NonNullable<TypeConversion<{ type: string }>['in'][TrainerId]>, 'fields'> & {
  fields: Readonly<Record<string, Entry>>;
};
interface AnyConversion {
  type: string;
  in: { readonly [T in TrainerId]?: AnyType };
}

export type TypedSection = 'method' | 'objective';

const conversions = { method: methodList, objective: objectiveList } as unknown as Record<
  TypedSection,
  readonly AnyConversion[]
>;

/** How a trainer writes a method or an objective; undefined if it has none of that type. */
export const typeIn = (trainer: TrainerId, section: TypedSection, type: string): AnyType | undefined =>
  conversions[section].find((one) => one.type === type)?.in[trainer];

/** Those that a trainer has, in the order in which a config is asked. */
export const typesIn = (trainer: TrainerId, section: TypedSection): { type: string; how: AnyType }[] =>
  conversions[section].flatMap(({ type, in: { [trainer]: how } }) => (how ? [{ type, how }] : []));
