/** A model whose files hold an output projection that differs from the embedding, although config.json ties the two (ties.ts). */
import { checkpointTensors, tiesOf } from '../families';
import type { CheckedModel, ModelTensor } from './check';

/** The same folder with its output projection and its embedding as two tensors. */
export function apart(checked: CheckedModel): CheckedModel {
  const { family, head } = checked;
  const json = { ...checked.json, tie_word_embeddings: false };
  const config = family.readConfig(json);
  const ties = new Map(tiesOf(family, checked.config).map(({ name, of }) => [name, of]));
  const tensors = new Map<string, ModelTensor>();
  // What is tied to a tensor and not stored itself is still that tensor: an encoder's bias beside a head of its own.
  for (const { name } of checkpointTensors(family, config, head)) {
    const tensor = checked.tensors.get(name) ?? checked.tensors.get(ties.get(name) ?? '');
    if (tensor) tensors.set(name, tensor);
  }
  return { ...checked, json, config, tensors, headApart: true };
}
