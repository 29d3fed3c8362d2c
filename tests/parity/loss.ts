/** An objective's loss outside a run. */
import type { Batch } from '../../src/data/types';
import type { LanguageModel } from '../../src/engine/models/model';
import type { LossResult, Objective } from '../../src/engine/objectives/objective';
import { createPass, type PassOptions } from '../../src/engine/run/pass';
import type { Hooks } from '../../src/engine/types';

export const resultOf = (
  objective: Objective,
  model: LanguageModel,
  hooks: Hooks,
  batch: Batch,
  options: Omit<PassOptions, 'hooks'>,
): LossResult => objective.loss(createPass({ model, method: null, objective }, { hooks, ...options }), batch);

export const lossOf = (...given: Parameters<typeof resultOf>) => resultOf(...given).loss;
