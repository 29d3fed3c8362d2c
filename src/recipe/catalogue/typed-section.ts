/**
 * The fields of a section of several types (`method`, `objective`), gathered from the descriptors: a field that several types
 * have is one field, whose differences between types are variants.
 */
import type { FieldSpec, OtherDefault, Variant } from '../spec';

/** What the catalogue reads of a descriptor of a method or objective. */
export interface FieldOwner {
  type: string;
  label: string;
  fields: Record<string, FieldSpec>;
}

/** What may differ between the types that share a field. */
const VARYING = ['default', 'help', 'source', 'usual', 'word'] as const;

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

export function sectionFields(
  section: 'method' | 'objective',
  owners: readonly FieldOwner[],
): Record<string, FieldSpec> {
  const fields: Record<string, FieldSpec> = {};
  for (const { type, fields: own } of owners) {
    for (const [key, spec] of Object.entries(own)) {
      const path = `${section}.${key}`;
      const first = fields[path];
      const when = { [`${section}.type`]: [type] };
      const ownVariants = (spec.variants ?? []).map((variant) => ({ ...variant, when: { ...variant.when, ...when } }));
      if (!first) {
        fields[path] = { ...spec, for: [type], variants: ownVariants } as FieldSpec;
        continue;
      }
      if (first.kind !== spec.kind) throw new Error(`${path} is ${first.kind} and ${spec.kind}.`);
      const changes = VARYING.flatMap((name) => {
        const value = (spec as unknown as Record<string, unknown>)[name];
        return same(value, (first as unknown as Record<string, unknown>)[name]) ? [] : [[name, value] as const];
      });
      const differs = changes.length > 0 ? [{ when, ...Object.fromEntries(changes) }] : [];
      const variants = [...(first.variants ?? []), ...ownVariants, ...differs];
      fields[path] = { ...first, for: [...(first.for ?? []), type], variants } as FieldSpec;
    }
  }
  return fields;
}

/** `method.type` and `objective.type`: the first is the default. */
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

/** Other defaults that descriptors give to a field of another section. */
export interface DefaultsOwner<Other> {
  type: string;
  defaults?: Record<string, readonly (OtherDefault & { when?(other: Other): boolean })[]>;
}

/**
 * The variants of all fields that follow from the defaults of `owners`; a condition on the other axis becomes the list of its
 * types that meet it.
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
