/**
 * A GGUF file as a model folder: config.json, generation_config.json, tokenizer.json and tokenizer_config.json are made from
 * its metadata, and its tensors get Hugging Face's names. The weights stay as stored.
 */
import { CONVERT_AGAIN, OTHER_FOLDER, refuse } from '../../base/bad-model';
import { ggufOf } from '../../families/gguf';
import type { RopeTables } from '../../families/gguf/family';
import { hfTensor, isRopeTable } from '../../families/gguf/names';
import { dequantize, ggmlFileType } from '../../formats/ggml';
import { type GgufFile, openGguf, stringAt } from '../../formats/gguf';
import { tokenizerJson } from '../../formats/gguf-tokenizer';
import { type GgufVocabulary, vocabularyOf } from '../../formats/gguf-vocabulary';
import type { FolderTensor, ModelFolder } from '../types';
import { configOf } from './config';
import { outputIsCopy } from './copied-output';
import { keysOf } from './keys';
import { baseModel, textOf, titleOf } from './origin';

/** No model has more frequencies than this. */
const MAX_TABLE = 4096;

/** A model folder made from a GGUF file. Reads only the file's header. Throws `bad_model`. */
export async function openGgufFolder(folder: ModelFolder, name: string): Promise<ModelFolder> {
  const size = folder.size(name) ?? refuse(name, 'The size of this file is not known.', 'Get the file again.');
  const read = (start: number, end: number) => folder.bytes(name, start, end);
  const file = await openGguf(read, size, name);
  refuseOthers(file, name);
  const config = configOf(file, await ropeTables(file, folder, name), name);
  if (await outputIsCopy(file, ggufOf(config.model_type as string)!, read)) {
    file.tensors.delete('output.weight');
    config.tie_word_embeddings = true;
  }
  const vocabulary = vocabularyOf(file.metadata) ?? refuse(name, 'The file has no tokenizer.', OTHER_FOLDER);
  checkVocabulary(vocabulary, config.vocab_size as number, name);

  let tokenizer: string | null = null;
  const made = new Map<string, () => string>([
    ['config.json', () => json(config)],
    ['generation_config.json', () => json(generationConfig(file))],
    ['tokenizer_config.json', () => json(tokenizerConfig(file, vocabulary))],
    ['tokenizer.json', () => (tokenizer ??= tokenizerJson(vocabulary))],
  ]);
  return {
    source: folder.source,
    title: titleOf(name),
    licence: folder.licence ?? textOf(file, 'general.license') ?? undefined,
    commit: folder.commit,
    baseModel: baseModel(file, name) ?? undefined,
    quantization: quantization(file),
    files: [...made.keys(), name],
    has: (wanted) => made.has(wanted) || wanted === name,
    // The other files are made when they are read, and are small.
    size: (wanted) => (wanted === name ? size : undefined),
    text: async (wanted) => made.get(wanted)?.() ?? folder.text(wanted),
    async bytes(wanted, start, end) {
      const text = made.get(wanted)?.();
      if (text === undefined) return folder.bytes(wanted, start, end);
      return new TextEncoder().encode(text).slice(start, end).buffer;
    },
    hash: async (wanted) => (wanted === name ? folder.hash?.(name) : undefined),
    tensors: tensorTable(file, config, name),
    vocabulary,
    rawMetadata: {
      keys: [...file.places.keys()],
      async bytes(key) {
        const place = file.places.get(key) ?? refuse(`${name}, ${key}`, 'The file has no such value.', CONVERT_AGAIN);
        return new Uint8Array(await folder.bytes(name, place.start, place.end));
      },
    },
  };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Adapters, image projectors and parts of a model are GGUF files too. */
function refuseOthers(file: GgufFile, where: string): void {
  const type = textOf(file, 'general.type') ?? 'model';
  if (type !== 'model') {
    refuse(
      `${where}, general.type`,
      `The file holds a part of the kind “${type.slice(0, 40)}”, not a model.`,
      type === 'adapter' ? 'Open its base model, then open this file on the Compare page.' : OTHER_FOLDER,
    );
  }
  const parts = file.metadata.get('split.count');
  if (typeof parts === 'number' && parts > 1) {
    refuse(where, `This is one of ${parts} parts of a model.`, 'Join them with llama-gguf-split --merge.');
  }
}

function checkVocabulary({ tokens }: GgufVocabulary, rows: number, where: string): void {
  const count = tokens.ends.length;
  if (count > rows) {
    refuse(
      `${where}, tokenizer.ggml.tokens`,
      `The tokenizer has ${count} tokens, but the embedding only ${rows} rows.`,
      CONVERT_AGAIN,
    );
  }
}

async function ropeTables(file: GgufFile, folder: ModelFolder, where: string): Promise<RopeTables> {
  const read = async (name: string): Promise<Float32Array | null> => {
    const tensor = file.tensors.get(name) ?? file.tensors.get(`blk.0.${name}`);
    if (!tensor) return null;
    const { type, shape, start, end } = tensor;
    if (shape.length !== 1 || shape[0]! > MAX_TABLE) {
      refuse(`${where}, tensor ${name}`, `The table has the shape [${shape}].`, CONVERT_AGAIN);
    }
    return dequantize(type, new Uint8Array(await folder.bytes(where, start, end)));
  };
  return {
    freqs: await read('rope_freqs.weight'),
    long: await read('rope_factors_long.weight'),
    short: await read('rope_factors_short.weight'),
  };
}

/** Every tensor by its Hugging Face name. */
function tensorTable(file: GgufFile, config: Record<string, unknown>, where: string): Map<string, FolderTensor> {
  const { architecture, tensors } = ggufOf(config.model_type as string)!;
  const keys = keysOf(file, architecture, where);
  const heads = keys.need('attention.head_count');
  const counts = { heads, kvHeads: keys.number('attention.head_count_kv') ?? heads };
  const table = new Map<string, FolderTensor>();
  for (const [name, { type, shape, start, end }] of file.tensors) {
    if (isRopeTable(name)) continue;
    // A tensor that the family does not have keeps its name, and is refused because of it.
    const hf = hfTensor(tensors, name) ?? { name, rows: null, transposed: false, plusOne: false };
    if (hf.plusOne && type !== 'F32') {
      refuse(`${where}, tensor ${name}`, `The norm is stored as ${type}, not as F32.`, CONVERT_AGAIN);
    }
    const order = hf.rows?.(shape[0] ?? 1, counts);
    table.set(hf.name, {
      file: where,
      dtype: type,
      shape,
      start,
      end,
      ...(hf.transposed && { transposed: true }),
      ...(order && { order }),
      ...(hf.plusOne && { add: -1 }),
    });
  }
  return table;
}

/** Tokens that end an answer: end of text, of a turn, of a message. */
function generationConfig({ metadata }: GgufFile): Record<string, unknown> {
  const id = (name: string) => {
    const value = metadata.get(`tokenizer.ggml.${name}_token_id`);
    return typeof value === 'number' ? value : null;
  };
  const ends = [...new Set(['eos', 'eot', 'eom'].map(id))].filter((value) => value !== null);
  return {
    bos_token_id: id('bos') ?? undefined,
    eos_token_id: ends.length === 0 ? undefined : ends,
    pad_token_id: id('padding') ?? undefined,
  };
}

function tokenizerConfig(file: GgufFile, vocabulary: GgufVocabulary): Record<string, unknown> {
  const token = (id: number | null) => (id === null ? undefined : stringAt(vocabulary.tokens, id));
  return {
    add_bos_token: vocabulary.addBos,
    add_eos_token: vocabulary.addEos,
    bos_token: token(vocabulary.bos),
    eos_token: token(vocabulary.eos),
    unk_token: token(vocabulary.unk),
    pad_token: token(vocabulary.pad),
    clean_up_tokenization_spaces: false,
    tokenizer_class: 'PreTrainedTokenizerFast',
    chat_template: textOf(file, 'tokenizer.chat_template') ?? undefined,
  };
}

/** `Q4_K_M`: the type that the file gives, or else the type of most of its bytes. */
function quantization(file: GgufFile): string {
  const type = file.metadata.get('general.file_type');
  const named = typeof type === 'number' ? ggmlFileType(type) : undefined;
  if (named) return named;
  const bytes = new Map<string, number>();
  for (const tensor of file.tensors.values()) {
    bytes.set(tensor.type, (bytes.get(tensor.type) ?? 0) + tensor.end - tensor.start);
  }
  return [...bytes].sort(([, a], [, b]) => b - a)[0]?.[0] ?? 'F32';
}
