/**
 * Values that suit a model better than the defaults, which are made for models a hundred times larger than the built-in
 * one. Applied when the model or the method is chosen, marked as suggestions, and editable like any other field.
 */
import { methodOf } from '../methods';
import { objectiveOf } from '../objectives';
import type { RecipePath } from '../recipe/fields';
import type { Recipe } from '../recipe/types';

export type Hints = Partial<Record<RecipePath, unknown>>;

/** Models of a few million parameters, which the descriptors' `tinyModelRate` was measured on. */
const tinyModels = new Set(['builtin:stories']);

/** One pass over eight rows: to so small a model, four passes over two only cost time, and the step is the same. */
const tinyBatches: Hints = { 'training.per_device_train_batch_size': 8, 'training.gradient_accumulation_steps': 1 };

/** Of the rate that copying answers takes: pirate-dpo's is 1e-4 where pirate-chat's is 2e-3. */
const SHARE_TO_COMPARE = 0.05;

export function hintsFor({
  model,
  method,
  objective,
}: Pick<Recipe, 'model' | 'method'> & Partial<Pick<Recipe, 'objective'>>): Hints {
  if (!tinyModels.has(model.source)) return {};
  const { tinyModelRate } = methodOf(method);
  if (tinyModelRate === undefined) return tinyBatches;
  const rate = objective && objectiveOf(objective).compares ? SHARE_TO_COMPARE * tinyModelRate : tinyModelRate;
  return { 'training.learning_rate': rate, ...tinyBatches };
}
