/** The fine-tuning methods. To add one, add a file and a line in all.ts, both here and in src/engine/methods. */
import type { MethodTraits } from '../recipe/spec';
import * as all from './all';
import type { MethodDescriptor } from './method';

type SectionOf<D> = D extends MethodDescriptor<infer S> ? S : never;
/** The resolved `method` section of a recipe. */
export type MethodSection = SectionOf<(typeof all)[keyof typeof all]>;
export type MethodType = MethodSection['type'];
/** A descriptor of some method. It is typed to take any section, but must only be given its own. */
export type AnyMethod = MethodDescriptor<MethodSection>;

/** In the order of the screen; the first is the default. */
export const methods: readonly AnyMethod[] = (Object.values(all) as unknown as AnyMethod[]).sort(
  (a, b) => a.order - b.order,
);

const byType = new Map<string, AnyMethod>(methods.map((method) => [method.type, method]));

/** The descriptor of a recipe's method. */
export function methodOf(section: { type: MethodType }): AnyMethod {
  return byType.get(section.type)!;
}

export const defaultMethod: MethodType = methods[0]!.type;

/** Whether the method produces a whole model rather than an adapter. */
export const leavesModel = ({ trains }: Pick<MethodTraits, 'trains'>): boolean => trains !== 'adapter';

/** The types of the methods that satisfy a predicate. */
export const methodTypes = (which: (method: MethodTraits) => boolean): MethodType[] =>
  methods.filter(which).map(({ type }) => type);
