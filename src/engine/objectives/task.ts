/** The head that a classification needs. */
import { TabtuneError } from '../../base/errors';
import type { LanguageModel, TaskHead } from '../models/model';

export function requireTask(model: Pick<LanguageModel, 'task' | 'family'>, kind: TaskHead['kind']): TaskHead {
  if (model.task?.kind === kind) return model.task;
  throw new TabtuneError({
    code: 'bad_recipe',
    message: `This ${model.family} model has no head for ${kind.replace('_', ' ')}.`,
    where: 'objective.type',
    action: 'Load the data with its labels first; the head is made for them.',
  });
}
