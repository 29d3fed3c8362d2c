/** The fine-tuning methods. Adding one adds a file and a line here, and the same in src/engine/methods. */
import type { MethodTraits } from '../recipe/spec';
import { bottleneck } from './bottleneck';
import { full } from './full';
import { gradualUnfreezing } from './gradual-unfreezing';
import { head } from './head';
import { ia3 } from './ia3';
import { lora } from './lora';
import type { MethodDescriptor } from './method';
import { pTuning } from './p-tuning';
import { prefixTuning } from './prefix-tuning';
import { promptTuning } from './prompt-tuning';

const all = [lora, ia3, bottleneck, prefixTuning, promptTuning, pTuning, full, head, gradualUnfreezing] as const;

type SectionOf<D> = D extends MethodDescriptor<infer S> ? S : never;
/** The `method` section of a recipe, resolved. */
export type MethodSection = SectionOf<(typeof all)[number]>;
export type MethodType = MethodSection['type'];
/** A descriptor whose method is not known: it takes any section, and is only ever given its own. */
export type AnyMethod = MethodDescriptor<MethodSection>;

/** In the order of the screen; the first is the default. */
export const methods = all as unknown as readonly AnyMethod[];

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
