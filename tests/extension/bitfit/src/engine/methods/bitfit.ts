/** BitFit: the checkpoint's biases are opened. */
import { TabtuneError } from '../../base/errors';
import type { BitFitMethod } from '../../methods/bitfit';
import type { MethodTwin } from './method';
import { headTensors, openedMethod, openTensors } from './opened-tensors';

export const bitfit: MethodTwin<BitFitMethod> = {
  type: 'bitfit',
  opens: true,
  create(model, _section, { values }) {
    const biases = model.tensors.filter(({ name }) => name.endsWith('.bias'));
    if (biases.length === 0) {
      throw new TabtuneError({
        code: 'bad_recipe',
        message: `This ${model.family} model has no biases.`,
        where: 'method.type',
        action: 'Choose a model with biases, or another method.',
      });
    }
    const own = headTensors(model).filter((tensor) => !biases.includes(tensor));
    return openedMethod(openTensors([...biases, ...own], values));
  },
};
