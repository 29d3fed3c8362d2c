/** Which models an objective works with; asked before anything long begins. */
import { TabtuneError } from '../base/errors';
import type { Recipe } from './types';

/** Throws with a sentence where this objective cannot be trained on such a model. */
export function checkCombination(
  { objective }: Pick<Recipe, 'objective'>,
  model: { title: string; kind: 'decoder' | 'encoder' },
): void {
  if (objective.type !== 'sft' || model.kind === 'decoder') return;
  throw new TabtuneError({
    code: 'bad_model',
    message: `${model.title} reads text and does not write any, so it cannot learn from examples of answers.`,
    where: 'objective.type',
    action: 'Choose a model that generates text.',
  });
}
