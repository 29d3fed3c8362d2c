/** Whether a trainer has a method and an objective at all. Light: the list of exports is part of the page's first load. */
import { type MethodSection, methodOf, methods } from '../../methods';
import { type ObjectiveType, objectiveOf, objectives } from '../../objectives';
import type { ConfigTrainer, MethodTraits, ObjectiveTraits } from '../spec';
import { alternatives } from '../suggest';

const NAMES: Record<ConfigTrainer, string> = { axolotl: 'Axolotl', llamafactory: 'LLaMA-Factory', trl: 'The script' };

/** In the middle of a sentence: `Full fine-tuning` is not a name, `LoRA` is. */
const plain = (label: string) =>
  /^[A-Z][a-z]+(?![A-Za-z])/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label;

type Traits = Pick<MethodTraits | ObjectiveTraits, 'label' | 'trainers' | 'order'>;

function missing(trainer: ConfigTrainer, wanted: Traits, all: readonly Traits[]): string | null {
  const has = ({ trainers }: Traits) => trainers?.includes(trainer) === true;
  if (has(wanted)) return null;
  const labels = all.filter(has).sort((a, b) => a.order - b.order);
  return `${NAMES[trainer]} has no ${plain(wanted.label)}; it has ${alternatives(labels.map(({ label }) => plain(label)))}.`;
}

/** A sentence with what the trainer has instead; null if it has both. */
export const typeRefusal = (
  trainer: ConfigTrainer,
  method: Pick<MethodSection, 'type'>,
  objective: ObjectiveType,
): string | null =>
  missing(trainer, methodOf(method as MethodSection), methods) ??
  missing(trainer, objectiveOf({ type: objective }), objectives);
