/** A tied model whose output projection is trained apart from its embedding, as PEFT does when it saves one of them. */
import type { Weight } from '../types';
import type { LanguageModel, LmHead, ModelTensor } from './model';

/**
 * The model with its ties undone: the same values in the same buffers under two names, so that methods can open either. Shares
 * everything with `model`; disposing it frees nothing of that.
 */
export function withOwnOutput(model: LanguageModel): LanguageModel {
  const { lm } = model.heads;
  if (!lm) throw new Error('Only a language-modelling head can be tied.');
  const byName = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  const owned: { dispose(): void }[] = [];
  const added: ModelTensor[] = [];
  let head: LmHead = lm;
  let parameters = 0;
  for (const { name, of } of model.ties) {
    const { value } = byName.get(of)!;
    if (value.kind === 'matrix') {
      // Another object for the same buffers: methods tell weights apart by identity.
      const weight: Weight = { ...value.weight };
      head = { ...head, weight };
      added.push({ name, value: { ...value, weight } });
      parameters += weight.shape.reduce((product, n) => product * n, 1);
    } else {
      const bias = value.tensor.clone();
      owned.push(bias);
      head = { ...head, bias };
      added.push({ name, value: { ...value, tensor: bias } });
      parameters += bias.size;
    }
  }
  return {
    ...model,
    parameters: model.parameters + parameters,
    ties: [],
    tensors: [...model.tensors, ...added],
    heads: { ...model.heads, lm: head },
    dispose: () => {
      for (const tensor of owned) tensor.dispose();
    },
  };
}
