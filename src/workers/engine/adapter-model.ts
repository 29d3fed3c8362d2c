/** What an adapter's files need to know about an open model. */
import type { LanguageModel } from '../../engine/models/model';
import { prefixOf } from '../../engine/models/task-head';
import { familyNamed } from '../../families';
import type { AdapterModel } from '../../formats/adapter-format';
import { modelClass } from '../../formats/adapterhub';

/** A bare encoder's tensors have names without the prefix that transformers' class with a head puts before them. */
export function barePrefix(model: LanguageModel): string {
  return prefixOf(model) === '' ? (familyNamed(model.family).prefix ?? '') : '';
}

/** What adapter formats need to know about a model. */
export function adapterModel(model: LanguageModel): AdapterModel {
  const { family, hiddenSize, layers, attentionHeads, keyValueWidth, blockPaths, parallel, heads, ties } = model;
  const linears = model.linears.map(({ path, weight }) => ({ path, out: weight.shape[0]!, width: weight.shape[1]! }));
  return {
    ...{ family, hiddenSize, layers, heads: attentionHeads, keyValueWidth, blockPaths, linears },
    parallel: parallel ?? false,
    headPrefix: barePrefix(model),
    modelClass: modelClass(family, heads.classification?.kind ?? 'language_model'),
    headModules: heads.classification?.modules ?? [],
    tensorNames: model.tensors.map(({ name }) => name),
    idleTensors: model.idle.map(({ name }) => name),
    ties,
  };
}
