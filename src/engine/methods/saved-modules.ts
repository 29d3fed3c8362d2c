/** The tensors that `modules_to_save` trains in full, by PEFT's rule (base/saved-modules.ts). */
import { TabtuneError } from '../../base/errors';
import { moduleOf, namesPeftModule } from '../../base/saved-modules';
import { isSavedIn } from '../../methods/peft-saved';
import type { LanguageModel, ModelTensor } from '../models/model';
import type { LinearModule } from '../types';

const WHERE = 'method.modules_to_save';

/** `targets` are the linears that get an adapter: PEFT cannot save a module in full that also has one. */
export function savedTensorsOf(
  model: LanguageModel,
  names: readonly string[],
  targets: () => readonly LinearModule[],
): ModelTensor[] {
  if (names.length === 0) return [];
  const whole = names.find(namesPeftModule);
  if (whole !== undefined) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: `${whole} also stands for modules of PEFT's own, so PEFT could not open the adapter.`,
      where: WHERE,
      action: 'Write the path of the module that you mean, or use full fine-tuning.',
    });
  }
  const missing = names.filter((name) => !model.tensors.some((tensor) => isSavedIn(model, tensor.name, [name])));
  if (missing.length > 0) {
    const ends = model.tensors.map(({ name }) => moduleOf(name).split('.').at(-1));
    throw new TabtuneError({
      code: 'bad_recipe',
      message: `This model has no module named ${missing.join(', ')}.`,
      where: WHERE,
      action: `Its modules end in: ${[...new Set(ends)].join(', ')}.`,
    });
  }
  const saved = model.tensors.filter(({ name }) => isSavedIn(model, name, names));
  const both = targets().find(({ path }) => saved.some(({ name }) => name === `${path}.weight`));
  if (both) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: `${both.path} is trained in full (modules_to_save) and cannot have an adapter as well.`,
      where: WHERE,
      action: 'List the other modules in method.target_modules, or take this one out of modules_to_save.',
    });
  }
  return saved;
}
