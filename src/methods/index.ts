/** The fine-tuning methods, in the order of the screen. Adding one adds a file and a line in all.ts, here and in src/engine/methods. */
import type { MethodTraits } from '../recipe/spec';
import * as all from './all';
import type { MethodDescriptor } from './method';

type SectionOf<D> = D extends MethodDescriptor<infer S> ? S : never;
/** The `method` section of a recipe, resolved. */
export type MethodSection = SectionOf<(typeof all)[keyof typeof all]>;
export type MethodType = MethodSection['type'];
/** A descriptor whose method is not known: it takes any section, and is only ever given its own. */
export type AnyMethod = MethodDescriptor<MethodSection>;

/** The first is the default. */
export const methods: readonly AnyMethod[] = (Object.values(all) as unknown as AnyMethod[]).sort(
  (a, b) => a.order - b.order,
);

const byType = new Map<string, AnyMethod>(methods.map((method) => [method.type, method]));

/** The descriptor of a recipe's method. */
export function methodOf(section: { type: MethodType }): AnyMethod {
  return byType.get(section.type)!;
}

export const defaultMethod: MethodType = methods[0]!.type;

/** Whether it leaves a model, and nothing separate from it. */
export const leavesModel = ({ trains }: Pick<MethodTraits, 'trains'>): boolean => trains !== 'adapter';

/** The types of methods with a trait. */
export const methodTypes = (which: (method: MethodTraits) => boolean): MethodType[] =>
  methods.filter(which).map(({ type }) => type);
