/**
 * Gathers the fields of the typed sections (`method`, `objective`) from the descriptors. A field that several types share is one
 * field; differences between the types become variants.
 */
import type { FieldSpec, OtherDefault, Variant } from '../spec';

/** The part of a method's or objective's descriptor that the catalogue reads. */
export interface FieldOwner {
  type: string;
  label: string;
  fields: Record<string, FieldSpec>;
}

/** Properties that may differ between types sharing a field. */
const VARYING = [
  ...['kind', 'default', 'help', 'source', 'usual', 'word', 'options', 'min', 'max', 'above', 'below', 'step'],
] as const;

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

export function sectionFields(
  section: 'method' | 'objective',
  owners: readonly FieldOwner[],
): Record<string, FieldSpec> {
  const fields: Record<string, FieldSpec> = {};
  const order: string[] = [];
  for (const { type, fields: own } of owners) {
    insertInOrder(
      order,
      Object.keys(own).map((key) => `${section}.${key}`),
    );
    for (const [key, spec] of Object.entries(own)) {
      const path = `${section}.${key}`;
      const first = fields[path];
      const when = { [`${section}.type`]: [type] };
      const ownVariants = (spec.variants ?? []).map((variant) => ({ ...variant, when: { ...variant.when, ...when } }));
      if (!first) {
        fields[path] = { ...spec, for: [type], variants: ownVariants } as FieldSpec;
        continue;
      }
      const changes = VARYING.flatMap((name) => {
        const value = (spec as unknown as Record<string, unknown>)[name];
        return same(value, (first as unknown as Record<string, unknown>)[name]) ? [] : [[name, value] as const];
      });
      const differs = changes.length > 0 ? [{ when, ...Object.fromEntries(changes) }] : [];
      const variants = [...(first.variants ?? []), ...ownVariants, ...differs];
      fields[path] = { ...first, for: [...(first.for ?? []), type], variants } as FieldSpec;
    }
  }
  return Object.fromEntries(order.map((path) => [path, fields[path]!]));
}

/** Adds the paths that are new next to their neighbours, so that each type's fields are read in its own order. */
function insertInOrder(order: string[], paths: readonly string[]): void {
  paths.forEach((path, i) => {
    if (order.includes(path)) return;
    const next = paths.slice(i + 1).find((later) => order.includes(later));
    const at = i > 0 ? order.indexOf(paths[i - 1]!) + 1 : next === undefined ? order.length : order.indexOf(next);
    order.splice(at, 0, path);
  });
}

/** `method.type` or `objective.type`; the first owner is the default. */
export function typeField(
  owners: readonly FieldOwner[],
  words: { label: string; help: string; source: string },
): FieldSpec {
  return {
    kind: 'select',
    ...words,
    default: owners[0]!.type,
    options: owners.map(({ type, label }) => ({ value: type, label })),
  };
}

/** The defaults that descriptors set for fields of other sections. */
export interface DefaultsOwner<Other> {
  type: string;
  defaults?: Record<string, readonly (OtherDefault & { when?(other: Other): boolean })[]>;
}

/**
 * The variants that follow from the defaults of `owners`. A condition on the other axis becomes the list of its types that meet
 * it.
 */
export function defaultVariants<Other extends { type: string }>(
  section: 'method' | 'objective',
  owners: readonly DefaultsOwner<Other>[],
  others: readonly Other[],
): Record<string, Variant<unknown>[]> {
  const other = section === 'method' ? 'objective' : 'method';
  const byPath: Record<string, Variant<unknown>[]> = {};
  for (const { type, defaults = {} } of owners) {
    for (const [path, list] of Object.entries(defaults)) {
      for (const { when: meets, ...changes } of list) {
        const types = meets && others.filter(meets).map((one) => one.type);
        const when = { [`${section}.type`]: [type], ...(types ? { [`${other}.type`]: types } : {}) };
        byPath[path] = [...(byPath[path] ?? []), { when, ...changes }];
      }
    }
  }
  return byPath;
}
