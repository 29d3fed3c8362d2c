/** The method cards of the Recipe page, in groups, with what each method costs on the open model. */
import { type AnyMethod, methods } from '../../../methods';
import type { Cost, MethodCard } from '../../../methods/method';
import type { ModelInfo } from '../../../session/api';
import { methodText } from '../../text/recipe';
import { formatBytes } from '../../util/format';

const titles: Record<MethodCard['group'], string> = methodText.groups;

export const methodGroups: { title: string; methods: AnyMethod[] }[] = Object.entries(titles).map(([group, title]) => ({
  title,
  methods: methods.filter(({ card }) => card.group === group),
}));

/** A cost in words. */
export function costWords(cost: Cost, model: Pick<ModelInfo, 'parameters' | 'bytes'> | null): string {
  if (typeof cost === 'string') return cost;
  return model ? cost.words(formatBytes(cost.bytes(model))) : cost.unknown;
}
