/**
 * Values that suit a model better than the defaults, which are made for models a hundred times larger than the built-in
 * one. Applied when the model or the method is chosen, marked as suggestions, and editable like any other field.
 */
import { methodOf } from '../methods';
import type { RecipePath } from '../recipe/fields';
import type { Recipe } from '../recipe/types';

export type Hints = Partial<Record<RecipePath, unknown>>;

/** Models of a few million parameters, which the descriptors' `tinyModelRate` was measured on. */
const tinyModels = new Set(['builtin:stories']);

export function hintsFor({ model, method }: Pick<Recipe, 'model' | 'method'>): Hints {
  const { tinyModelRate } = methodOf(method);
  return tinyModels.has(model.source) && tinyModelRate !== undefined ? { 'training.learning_rate': tinyModelRate } : {};
}
