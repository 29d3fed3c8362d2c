/** A model with a classification head: a new one for a task, or its checkpoint's. */
import type { TaskData } from '../../data/types';
import { familyNamed } from '../../families';
import { headTensors, type StoredHead } from '../../families/task-heads';
import { withHead } from './heads';
import { isTokenHead, type LanguageModel, type WeightSource } from './model';
import { createTaskHead, prefixOf, type TaskHeadOptions } from './task-head';
import { widenBytes } from './upload';

/**
 * Shares its other tensors with `model`; disposing the result frees only the head. As in transformers' classes, the
 * tensors of the language-modelling head are not among its own.
 */
export async function withTaskHead(
  model: LanguageModel,
  task: TaskData,
  options: TaskHeadOptions,
): Promise<LanguageModel> {
  const created = await createTaskHead(model, task, options);
  return withHead(withoutLmTensors(model), 'classification', created);
}

/** The language-modelling head still works, but is neither trained nor saved. */
const withoutLmTensors = (model: LanguageModel): LanguageModel => ({
  ...model,
  ties: [],
  tensors: model.tensors.filter(({ name }) => !isTokenHead(model, name)),
  linears: model.linears.filter(({ path }) => !isTokenHead(model, `${path}.`)),
});

/** The head's tensors in a checkpoint, as float32. */
export async function readHead(
  model: Pick<LanguageModel, 'family' | 'hiddenSize' | 'blockPaths'>,
  stored: StoredHead,
  source: WeightSource,
): Promise<Map<string, { shape: number[]; data: Float32Array }>> {
  const config = { hidden_size: model.hiddenSize, prefix: prefixOf(model) };
  const values = new Map<string, { shape: number[]; data: Float32Array }>();
  for (const { name, shape, spare } of headTensors(familyNamed(model.family), config, stored)) {
    const info = source.info(name);
    // BERT's pooler belongs to the base, wherever it was saved.
    if (!info || spare) continue;
    const size = shape.reduce((product, n) => product * n, 1);
    values.set(name, { shape, data: widenBytes(info.dtype, new Uint8Array(await source.read(name)), size) });
  }
  return values;
}
