/**
 * Checks a model folder before anything heavy happens: config.json, a tokenizer, and weights whose headers hold every
 * tensor that the config implies, in its shape and a float format, in files of the length they should have. Reads
 * configs and headers only, never weights.
 */
import { openSafetensors } from '../formats/safetensors';
import { type ModelConfig, readJson, readModelConfig } from './config';
import { COMPLETE_FOLDER, OTHER_MODEL, refuse, show } from './errors';
import { type ExpectedTensor, expectedTensors, IGNORED_TENSORS } from './expected-tensors';
import type { ModelFolder } from './types';

export type WeightDtype = 'F32' | 'F16' | 'BF16';

/** A tensor at bytes [start, end) of a file. */
export interface ModelTensor {
  file: string;
  dtype: WeightDtype;
  shape: number[];
  start: number;
  end: number;
}

export interface CheckedModel {
  folder: ModelFolder;
  /** config.json as it is. */
  json: Record<string, unknown>;
  config: ModelConfig;
  /** By name, in the order of the forward pass. */
  tensors: Map<string, ModelTensor>;
}

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const INDEX_LIMIT = 25_000_000;
const MAX_SHARDS = 1000;
const TOKENIZER = 'tokenizer.json';
const TOKENIZER_LIMIT = 64 * 2 ** 20;
const FLOATS: readonly string[] = ['F32', 'F16', 'BF16'] satisfies WeightDtype[];

/** Throws `bad_model` with the file (and field or tensor) and what to do; `network` or `storage` when reading fails. */
export async function checkModelFolder(folder: ModelFolder): Promise<CheckedModel> {
  const { json, config } = await readModelConfig(folder);
  checkTokenizer(folder);
  const found = await readHeaders(folder);
  return { folder, json, config, tensors: matchTensors(config, found) };
}

function checkTokenizer(folder: ModelFolder): void {
  if (!folder.has(TOKENIZER)) {
    const old = folder.has('tokenizer.model') || folder.has('vocab.json');
    refuse(
      TOKENIZER,
      'The model folder has no tokenizer.json.',
      old ? 'Save the tokenizer again with AutoTokenizer (use_fast=True) in transformers.' : COMPLETE_FOLDER,
    );
  }
  const size = folder.size(TOKENIZER);
  if (size === 0) refuse(TOKENIZER, 'tokenizer.json is empty.', COMPLETE_FOLDER);
  if (size !== undefined && size > TOKENIZER_LIMIT) {
    refuse(TOKENIZER, `tokenizer.json has ${size} bytes; up to ${TOKENIZER_LIMIT} are read.`, OTHER_MODEL);
  }
}

type Found = Map<string, Omit<ModelTensor, 'dtype'> & { dtype: string }>;

async function readHeaders(folder: ModelFolder): Promise<Found> {
  const shards = folder.has(SINGLE) ? [SINGLE] : await readIndex(folder);
  const found: Found = new Map();
  for (const file of shards) {
    // A folder that does not know a file's size would leave truncation unseen.
    const size = folder.size(file) ?? refuse(file, 'The size of this file is not known.', COMPLETE_FOLDER);
    const { tensors } = await openSafetensors((start, end) => folder.bytes(file, start, end), size, { where: file });
    for (const [name, { dtype, shape, start, end }] of tensors) {
      const other = found.get(name);
      if (other) refuse(`${file}, tensor ${show(name)}`, `${other.file} holds this tensor too.`, COMPLETE_FOLDER);
      found.set(name, { file, dtype, shape, start, end });
    }
  }
  return found;
}

/** The shards that the index names, all of them present. */
async function readIndex(folder: ModelFolder): Promise<string[]> {
  if (!folder.has(INDEX)) {
    const other = folder.files.find((name) => /\.(bin|pt|pth|gguf|safetensors|ckpt)$/i.test(name));
    refuse(
      SINGLE,
      'The model folder has no model.safetensors.',
      other ? `${show(other)} cannot be opened; save the model with save_pretrained in transformers.` : COMPLETE_FOLDER,
    );
  }
  const { weight_map: map } = await readJson(folder, INDEX, INDEX_LIMIT);
  if (typeof map !== 'object' || map === null || Array.isArray(map) || Object.keys(map).length === 0) {
    refuse(`${INDEX}, weight_map`, 'The index does not say which file holds which tensor.', COMPLETE_FOLDER);
  }
  const shards = new Set<string>();
  for (const name of Object.values(map)) {
    if (typeof name !== 'string' || !/^[\w.-]+\.safetensors$/.test(name) || name.includes('..')) {
      refuse(`${INDEX}, weight_map`, `${show(name)} is not the name of a file in the folder.`, COMPLETE_FOLDER);
    }
    shards.add(name);
    if (shards.size > MAX_SHARDS) {
      refuse(`${INDEX}, weight_map`, `The index names more than ${MAX_SHARDS} files.`, OTHER_MODEL);
    }
  }
  for (const name of shards) {
    if (!folder.has(name)) refuse(name, `The weights are incomplete: ${name} is missing.`, COMPLETE_FOLDER);
  }
  return [...shards].sort();
}

function matchTensors(config: ModelConfig, found: Found): Map<string, ModelTensor> {
  const expected = expectedTensors(config);
  const tensors = new Map<string, ModelTensor>();
  for (const [name, { shape, optional }] of expected) {
    const tensor = found.get(name);
    if (tensor) tensors.set(name, matchTensor(name, shape, tensor));
    else if (!optional) missing(name, expected, found);
  }
  for (const [name, { file }] of found) {
    if (expected.has(name) || IGNORED_TENSORS.test(name)) continue;
    refuse(
      `${file}, tensor ${show(name)}`,
      'config.json does not account for this tensor, so results without it would be wrong.',
      'Use the config.json that belongs to these weights, or another model.',
    );
  }
  return tensors;
}

function matchTensor(
  name: string,
  shape: number[],
  tensor: Omit<ModelTensor, 'dtype'> & { dtype: string },
): ModelTensor {
  const where = `${tensor.file}, tensor ${name}`;
  if (tensor.shape.join() !== shape.join()) {
    refuse(
      where,
      `The tensor has the shape [${tensor.shape}], but config.json implies [${shape}].`,
      'Use the config.json that belongs to these weights.',
    );
  }
  if (!FLOATS.includes(tensor.dtype)) {
    refuse(
      where,
      `The tensor is stored as ${tensor.dtype}, which cannot be opened.`,
      'Choose the model in bfloat16, float16 or float32.',
    );
  }
  return tensor as ModelTensor;
}

function missing(name: string, expected: Map<string, ExpectedTensor>, found: Found): never {
  const all = [...expected].filter(([, { optional }]) => !optional).map(([key]) => key);
  const gone = all.filter((key) => !found.has(key));
  const file = found.values().next().value?.file ?? SINGLE;
  refuse(
    `${file}, tensor ${name}`,
    `The weights lack ${gone.length} of the ${all.length} tensors that config.json implies.`,
    name === 'lm_head.weight'
      ? 'Set tie_word_embeddings to true in config.json if the model shares its embedding with its output.'
      : 'Use the config.json that belongs to these weights, or download the folder again.',
    `missing: ${gone.slice(0, 5).join(', ')}`,
  );
}
