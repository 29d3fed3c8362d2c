/** Feature extraction: the model is frozen and only the objective's head is trained. */
import type { HeadMethod } from '../../methods/head';
import type { MethodTwin } from './method';
import { headTensors, openedMethod, openTensors } from './opened-tensors';

export const head: MethodTwin<HeadMethod> = {
  type: 'head',
  opens: true,
  create: (model, _section, { values }) => openedMethod(openTensors(headTensors(model), values)),
};
