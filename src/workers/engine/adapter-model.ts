/** What adapters' files have to know of an open model. */
import type { LanguageModel } from '../../engine/models/model';
import { familyNamed } from '../../families';
import type { AdapterModel } from '../../formats/adapter-format';
import { modelClass } from '../../formats/adapterhub';

/** A bare encoder's tensors have names without the prefix that transformers' class with a head puts before them. */
export function barePrefix(model: LanguageModel): string {
  const { prefix = '' } = familyNamed(model.family);
  return model.blockPaths[0]!.startsWith(prefix) ? '' : prefix;
}

/** What the formats of adapters have to know of a model. */
export function adapterModel(model: LanguageModel): AdapterModel {
  const { family, hiddenSize, layers, attentionHeads, keyValueWidth, blockPaths, parallel, heads } = model;
  return {
    ...{ family, hiddenSize, layers, heads: attentionHeads, keyValueWidth, blockPaths },
    parallel: parallel ?? false,
    headPrefix: barePrefix(model),
    modelClass: modelClass(family, heads.classification?.kind ?? 'language_model'),
    headModules: heads.classification?.modules ?? [],
  };
}
