/** Numbers of parameters as people count them. */
import type { LanguageModel } from '../models/model';
import type { Method } from './method';

export interface ParameterCount {
  trainable: number;
  /** The model's with what the method and the head add; what stands in for a tensor of the model is no new one. */
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
