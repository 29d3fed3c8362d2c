/** What the other trainer does otherwise, or not at all: said at the top of the script, in the README and on the screen. */
import type { TrainingData } from '../training-data';
import { optimizerOf } from './optimizers';
import type { TrlMethod, TrlObjective } from './part';

interface Parts {
  data: TrainingData;
  objective: TrlObjective<{ type: string }>;
  method: TrlMethod<{ type: string }>;
}

export function differencesOf({ data, objective, method }: Parts): string[] {
  const { recipe } = data;
  const { training } = recipe;
  return [
    ...(objective.differences?.(recipe.objective, data) ?? []),
    ...(method.differences?.(recipe.method, data) ?? []),
    ...optimizerOf(training).differences,
  ];
}
