/** Which files of a repository are needed for a model, and why a repository without weights cannot be used. */
import { OTHER_MODEL } from '../base/bad-model';
import { TabtuneError } from '../base/errors';
import type { RepositoryFile } from './hub-info';

export const SINGLE = 'model.safetensors';
export const INDEX = 'model.safetensors.index.json';

/** Besides the weights: files needed to open the model, files copied into an export, and the model card. */
const SMALL = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer.model',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'modules.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
  'README.md',
]);
const LICENCE = /^(licen[cs]e|notice)(\.(md|txt))?$/i;
/** Larger than any of these files in a model that can run here. */
const SMALL_LIMIT = 64 * 2 ** 20;

export const smallFiles = (files: readonly RepositoryFile[]): RepositoryFile[] =>
  files.filter(({ name, size }) => (SMALL.has(name) || LICENCE.test(name)) && size <= SMALL_LIMIT);

/** Only the README and the licence: a GGUF file contains everything else. */
export const cardFiles = (files: readonly RepositoryFile[]): RepositoryFile[] =>
  files.filter(({ name, size }) => (name === 'README.md' || LICENCE.test(name)) && size <= SMALL_LIMIT);

/** GGUF files that hold a whole language model in one file. */
export function ggufFiles(files: readonly RepositoryFile[]): RepositoryFile[] {
  const models = files.filter(({ name }) => /\.gguf$/i.test(name) && !/mmproj|imatrix/i.test(name));
  return models.filter(({ name }) => !/-\d{5}-of-\d{5}\.gguf$/i.test(name));
}

/** The quantisation in a GGUF file's name, e.g. `Q4_K_M`; empty if there is none. */
export function ggufLabel(name: string): string {
  const found = name.match(/(?<![a-z0-9])(i?q\d(_[0-9a-z]+)*|bf16|f16|f32|fp16|fp32|mxfp4)(?![a-z0-9])/gi);
  return found?.at(-1)?.toUpperCase() ?? '';
}

/** Why a repository without safetensors or GGUF files cannot be opened, depending on what it has instead. */
export function noWeights(id: string, files: readonly RepositoryFile[]): TabtuneError {
  const has = (pattern: RegExp) => files.find(({ name }) => pattern.test(name))?.name;
  const words = (where: string, message: string, action: string) =>
    new TabtuneError({ code: 'bad_model', where, message, action });
  const adapter = has(/^adapter_config\.json$/);
  if (adapter) {
    return words(adapter, `${id} is an adapter, not a whole model.`, 'Choose the base model named on its page.');
  }
  const split = has(/-\d{5}-of-\d{5}\.gguf$/i);
  if (split)
    return words(
      split,
      'The GGUF file is split into several parts, which is not supported.',
      'Choose a single-file one.',
    );
  const pickle = has(/^pytorch_model.*\.bin$|\.(pt|pth|ckpt)$/);
  if (pickle) {
    return words(
      pickle,
      `${id} has only pickled weights. Tabtune does not open pickles, because they can run someone else’s code.`,
      'Look for a safetensors conversion in the discussions on its page and enter it as ORG/NAME@refs/pr/NUMBER, or choose another model.',
    );
  }
  const pipeline = has(/^model_index\.json$/);
  if (pipeline) return words(pipeline, `${id} generates images, sound or video, not text.`, OTHER_MODEL);
  const other = has(/\.(onnx|tflite|h5|msgpack|mlmodel|ot|npz|safetensors)$/);
  return words(
    other ?? SINGLE,
    `${id} has no ${SINGLE} and no GGUF file.`,
    'Choose a model saved by transformers, or a GGUF file.',
  );
}
