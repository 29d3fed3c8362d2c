/** Full fine-tuning: all tensors of the checkpoint are made trainable. */
import type { FullMethod } from '../../methods/full';
import type { LanguageModel } from '../models/model';
import type { Method, MethodTwin } from './method';
import { type NamedTensors, openedMethod, openTensors } from './opened-tensors';

export const createFull = (model: LanguageModel, values?: NamedTensors): Method =>
  openedMethod(openTensors(model.tensors, values));

export const full: MethodTwin<FullMethod> = {
  type: 'full',
  opens: true,
  create: (model, _section, { values }) => createFull(model, values),
};
