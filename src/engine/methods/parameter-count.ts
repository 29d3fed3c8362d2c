/** Parameter counts. */
import type { LanguageModel } from '../models/model';
import type { Method } from './method';

export interface ParameterCount {
  trainable: number;
  /** The model's parameters plus those that the method and the head add; tensors that replace the model's own count once. */
  total: number;
}

export function countParameters(model: LanguageModel, { trainable }: Pick<Method, 'trainable'>): ParameterCount {
  const ofModel = new Set(model.tensors.flatMap(({ name, task }) => (task ? [] : [name])));
  let learning = 0;
  let added = 0;
  for (const [name, { size }] of trainable) {
    learning += size;
    if (!ofModel.has(name)) added += size;
  }
  return { trainable: learning, total: model.parameters + added };
}
