/**
 * Checks a model folder before any expensive work: config.json, the tokenizer, and the headers of the weight files.
 * The headers must list every tensor that the config implies, with the right shape and a supported type, and the files
 * must have the right length. Reads only configs and headers, never weights.
 */
import { COMPLETE_FOLDER, OTHER_MODEL, refuse, show } from '../base/bad-model';
import { CONFIG_LIMIT } from '../base/limits';
import { checkpointTensors, readFamilyConfig, type Tie, tiesOf } from '../families';
import { CONFIG } from '../families/config';
import type { Family, FamilyConfig, TensorSpec } from '../families/family';
import type { StoredHead } from '../families/task-heads';
import { isGgmlType } from '../formats/ggml';
import { openSafetensors } from '../formats/safetensors';
import { withGguf } from './gguf/with-gguf';
import { INDEX, SINGLE } from './needed';
import { readJson } from './read-json';
import type { FolderTensor, ModelFolder } from './types';

/** A tensor with the shape that the family expects, or its transpose if `transposed` is set. */
export type ModelTensor = FolderTensor;

export interface CheckedModel {
  folder: ModelFolder;
  /** config.json, unmodified. */
  json: Record<string, unknown>;
  family: Family;
  config: FamilyConfig;
  /** The classification head in the checkpoint; null for a language model or a bare encoder. */
  head: StoredHead | null;
  /** By name, in the order of the forward pass; with any stored copy of a tied tensor, which ties.ts settles. */
  tensors: Map<string, ModelTensor>;
  /** The weights contradict config.json, which ties the output projection to the embedding: the two differ (ties.ts). */
  headApart: boolean;
}

const INDEX_LIMIT = 25_000_000;
const MAX_SHARDS = 1000;
const TOKENIZER = 'tokenizer.json';
export const TOKENIZER_LIMIT = 64 * 2 ** 20;

/** Throws `bad_model` with the file (and field or tensor) and what to do; `network` or `storage` if reading fails. */
export async function checkModelFolder(given: ModelFolder): Promise<CheckedModel> {
  const folder = await withGguf(given);
  const json = await readJson(folder, CONFIG, CONFIG_LIMIT);
  const { family, config, head } = readFamilyConfig(json);
  checkTokenizer(folder);
  const found = folder.tensors ?? (await readHeaders(folder));
  const specs = checkpointTensors(family, config, head);
  const tensors = matchTensors(family, specs, found, tiesOf(family, config));
  return { folder, json, family, config, head, tensors, headApart: false };
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
    refuse(TOKENIZER, `tokenizer.json is ${size} bytes; the limit is ${TOKENIZER_LIMIT}.`, OTHER_MODEL);
  }
}

type Found = Map<string, Omit<ModelTensor, 'dtype'> & { dtype: string }>;

async function readHeaders(folder: ModelFolder): Promise<Found> {
  const shards = folder.has(SINGLE) ? [SINGLE] : await readIndex(folder);
  const found: Found = new Map();
  for (const file of shards) {
    // Without the file's size, a truncated file would go unnoticed.
    const size = folder.size(file) ?? refuse(file, 'The size of this file is unknown.', COMPLETE_FOLDER);
    const { tensors } = await openSafetensors((start, end) => folder.bytes(file, start, end), size, { where: file });
    for (const [name, { dtype, shape, start, end }] of tensors) {
      const other = found.get(name);
      if (other) refuse(`${file}, tensor ${show(name)}`, `${other.file} also contains this tensor.`, COMPLETE_FOLDER);
      found.set(name, { file, dtype, shape, start, end });
    }
  }
  return found;
}

/** The shards listed in the index. Throws `bad_model` if one is missing. */
async function readIndex(folder: ModelFolder): Promise<string[]> {
  if (!folder.has(INDEX)) {
    const other = folder.files.find((name) => /\.(bin|pt|pth|gguf|safetensors|ckpt)$/i.test(name));
    refuse(
      SINGLE,
      'The model folder has no model.safetensors.',
      other ? `${show(other)} cannot be opened. Save the model with save_pretrained in transformers.` : COMPLETE_FOLDER,
    );
  }
  const { weight_map: map } = await readJson(folder, INDEX, INDEX_LIMIT);
  if (typeof map !== 'object' || map === null || Array.isArray(map) || Object.keys(map).length === 0) {
    refuse(`${INDEX}, weight_map`, 'The index does not say which file contains each tensor.', COMPLETE_FOLDER);
  }
  const shards = new Set<string>();
  for (const name of Object.values(map)) {
    if (typeof name !== 'string' || !/^[\w.-]+\.safetensors$/.test(name) || name.includes('..')) {
      refuse(`${INDEX}, weight_map`, `${show(name)} is not a valid name for a file in the folder.`, COMPLETE_FOLDER);
    }
    shards.add(name);
    if (shards.size > MAX_SHARDS) {
      refuse(`${INDEX}, weight_map`, `The index lists more than ${MAX_SHARDS} files.`, OTHER_MODEL);
    }
  }
  for (const name of shards) {
    if (!folder.has(name)) refuse(name, `The weights are incomplete: ${name} is missing.`, COMPLETE_FOLDER);
  }
  return [...shards].sort();
}

function matchTensors(
  family: Family,
  specs: TensorSpec[],
  found: Found,
  ties: readonly Tie[],
): Map<string, ModelTensor> {
  const expected = new Map(specs.map((spec) => [spec.name, spec]));
  const tensors = new Map<string, ModelTensor>();
  const used = new Set<string>();
  let gone: string | undefined;
  const storedName = (name: string) => [name, ...(family.storedAs?.(name) ?? [])].find((other) => found.has(other));
  // Of two tied tensors, a file may hold either.
  const other = new Map(ties.map(({ name, of }) => [of, name]));
  for (const [name, { shape, optional }] of expected) {
    const stored = storedName(name) ?? (other.has(name) ? storedName(other.get(name)!) : undefined);
    if (stored !== undefined) {
      used.add(stored);
      tensors.set(name, matchTensor(stored, shape, found.get(stored)!));
    } else if (!optional) gone ??= name;
  }
  if (gone !== undefined) missing(gone, family, expected, tensors, found);
  for (const { name, of } of ties) if (sameBytes(tensors.get(name), tensors.get(of))) tensors.delete(name);
  for (const [name, { file }] of found) {
    if (used.has(name) || family.ignored?.test(name)) continue;
    refuse(
      `${file}, tensor ${show(name)}`,
      'config.json does not account for this tensor, and ignoring it would give wrong results.',
      'Use the config.json that belongs to these weights, or choose another model.',
    );
  }
  return tensors;
}

/** One tensor under two names. */
const sameBytes = (a?: ModelTensor, b?: ModelTensor): boolean =>
  a !== undefined && a.file === b?.file && a.start === b.start && a.end === b.end;

function matchTensor(
  name: string,
  shape: number[],
  tensor: Omit<ModelTensor, 'dtype'> & { dtype: string },
): ModelTensor {
  const where = `${tensor.file}, tensor ${name}`;
  const stored = tensor.transposed ? shape.toReversed() : shape;
  if (tensor.shape.join() !== stored.join()) {
    refuse(
      where,
      `The tensor has shape [${tensor.shape}], but config.json implies [${stored}].`,
      'Use the config.json that belongs to these weights.',
    );
  }
  if (!isGgmlType(tensor.dtype)) {
    refuse(
      where,
      `The tensor is stored as ${tensor.dtype}, which is not supported.`,
      'Choose a version of the model in bfloat16, float16 or float32.',
    );
  }
  return tensor as ModelTensor;
}

function missing(
  name: string,
  { lmHead }: Family,
  expected: Map<string, TensorSpec>,
  tensors: Map<string, ModelTensor>,
  found: Found,
): never {
  const all = [...expected].filter(([, { optional }]) => !optional).map(([key]) => key);
  const gone = all.filter((key) => !tensors.has(key));
  const file = found.values().next().value?.file ?? SINGLE;
  refuse(
    `${file}, tensor ${name}`,
    `The weights lack ${gone.length} of the ${all.length} tensors that config.json implies.`,
    lmHead.test(name)
      ? 'Set tie_word_embeddings to true in config.json if the model shares its embedding with its output.'
      : 'Use the config.json that belongs to these weights, or download the folder again.',
    `missing: ${gone.slice(0, 5).join(', ')}`,
  );
}
