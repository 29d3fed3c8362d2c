/**
 * Reads a LoRA in llama.cpp's format (src/llama-adapter.cpp): `blk.0.attn_q.weight.lora_a` [r, in] and `.lora_b` [out, r], with
 * one alpha for all. It comes out as PEFT's files, so that everything else treats it like any other adapter.
 */
import { TabtuneError } from '../base/errors';
import { familyNamed, transformersName } from '../families';
import { ggufOf } from '../families/gguf';
import { hfTensor } from '../families/gguf/names';
import type { AdapterFiles, AdapterModel, AdapterTensors } from './adapter-format';
import { dequantize } from './ggml';
import { type GgufFile, type GgufValue, parseGgufHeader } from './gguf';
import { peftFolder, writePeftAs } from './peft';
import { loraKind } from './peft/lora';

/** `adapter.type`, the only one that llama.cpp knows. */
export const ADAPTER_TYPE = 'lora';
/** The matrices of a tensor's pair. */
export const PARTS = ['lora_a', 'lora_b'] as const;

const SAVE_AGAIN = 'Open the adapter in the format that it was trained in: a PEFT folder.';

function refuse(where: string, message: string, action: string, details?: string): never {
  throw new TabtuneError({ code: 'bad_adapter', message, where, action, details });
}

/** A file's header, if it says that it holds an adapter; null for a model. Throws `bad_adapter` for what is no GGUF file. */
export function ggufAdapterHeader(bytes: Uint8Array, where: string): GgufFile | null {
  let file: GgufFile | number;
  try {
    file = parseGgufHeader(bytes, bytes.length, where);
  } catch (cause) {
    if (!(cause instanceof TabtuneError)) throw cause;
    refuse(cause.where ?? where, cause.message, 'Get a fresh copy of the file.', cause.details);
  }
  if (typeof file === 'number')
    refuse(where, 'The file is cut off inside its header.', 'Get a fresh copy of the file.');
  return file.metadata.get('general.type') === 'adapter' ? file : null;
}

interface Pair {
  a?: { shape: number[]; data: Float32Array };
  b?: { shape: number[]; data: Float32Array };
}

/** The adapter for a model, as a PEFT folder. Throws `bad_adapter`. */
export function readGgufAdapter(
  { path: where, bytes }: { path: string; bytes: Uint8Array },
  model: Pick<AdapterModel, 'family' | 'heads'>,
): AdapterFiles {
  const file =
    ggufAdapterHeader(bytes, where) ??
    refuse(`${where}, general.type`, 'This GGUF file holds a model, not an adapter.', 'Open it as a model.');
  checkKind(file, where, model.family);
  const pairs = readPairs(file, bytes, where, model);
  const ranks = new Map([...pairs].map(([path, { a }]) => [path, a.shape[0]!]));
  const r = mostCommon([...ranks.values()]);
  const alpha = file.metadata.get('adapter.lora.alpha') as number;
  // llama.cpp scales by alpha / r, or by 1 if alpha is 0.
  const others = [...ranks].filter(([, rank]) => rank !== r);
  const tensors: AdapterTensors = new Map();
  for (const [path, { a, b }] of pairs) {
    tensors.set(`${path}.lora_A.weight`, a);
    tensors.set(`${path}.lora_B.weight`, b);
  }
  const config = {
    base_model_name_or_path: baseOf(file),
    task_type: 'CAUSAL_LM' as const,
    modules_to_save: null,
    r,
    lora_alpha: alpha === 0 ? r : alpha,
    lora_dropout: 0,
    target_modules: [...pairs.keys()],
    use_rslora: false,
    use_dora: false,
    rank_pattern: Object.fromEntries(others),
    alpha_pattern: alpha === 0 ? Object.fromEntries(others) : {},
    // As PEFT sets it for Conv1D; A and B have the same layout either way.
    fan_in_fan_out: ggufOf(model.family)!.tensors.transposed !== undefined,
  };
  return peftFolder(writePeftAs({ config, tensors }, loraKind));
}

function checkKind({ metadata }: GgufFile, where: string, family: string): void {
  const type = metadata.get('adapter.type');
  if (type !== ADAPTER_TYPE) {
    refuse(`${where}, adapter.type`, `Adapters of the type ${shown(type)} cannot be read.`, SAVE_AGAIN);
  }
  const architecture = metadata.get('general.architecture');
  const own = ggufOf(family)?.architecture;
  if (own === undefined || architecture !== own) {
    refuse(
      `${where}, general.architecture`,
      `The adapter was made for a model of the architecture ${shown(architecture)}; this one is ${own ?? family}.`,
      'Open the model that it was made for.',
    );
  }
  const alpha = metadata.get('adapter.lora.alpha');
  if (typeof alpha !== 'number' || !Number.isFinite(alpha)) {
    refuse(`${where}, adapter.lora.alpha`, 'The file does not give the adapter’s alpha.', SAVE_AGAIN);
  }
  if (metadata.has('adapter.alora.invocation_tokens')) {
    refuse(
      `${where}, adapter.alora.invocation_tokens`,
      'This adapter is active only after certain tokens (aLoRA), which is not supported.',
      'Open another adapter.',
    );
  }
}

const shown = (value: GgufValue | undefined): string =>
  typeof value === 'string' ? `“${value.slice(0, 40)}”` : 'that is not named';

/** The matrices by the modules' names in transformers, rows of B in the order that PEFT has. */
function readPairs(
  file: GgufFile,
  bytes: Uint8Array,
  where: string,
  { family: modelType, heads }: Pick<AdapterModel, 'family' | 'heads'>,
): Map<string, Required<Pair>> {
  const family = familyNamed(modelType);
  const counts = { heads: heads.query, kvHeads: heads.keyValue };
  const pairs = new Map<string, Pair>();
  for (const [name, { type, shape, start, end }] of file.tensors) {
    const at = `${where}, tensor ${name.slice(0, 120)}`;
    const part = PARTS.find((suffix) => name.endsWith(`.${suffix}`));
    if (!part) {
      refuse(at, 'This tensor is not part of a LoRA, and llama.cpp leaves it out or refuses it.', SAVE_AGAIN);
    }
    const hf = hfTensor(ggufOf(modelType)!.tensors, name.slice(0, -part.length - 1));
    if (!hf?.name.endsWith('.weight')) {
      refuse(at, `A ${modelType} has no such layer.`, 'Open the model that the adapter was made for.');
    }
    if (shape.length !== 2) refuse(at, `Its shape [${shape}] is not that of a matrix.`, SAVE_AGAIN);
    const path = transformersName(family, hf.name).slice(0, -'.weight'.length);
    const pair = pairs.get(path) ?? {};
    pairs.set(path, pair);
    const data = dequantize(type, bytes.subarray(start, end));
    if (part === 'lora_a') pair.a = { shape, data };
    else {
      const order = hf.rows?.(shape[0]!, counts);
      if (order === null) {
        refuse(
          at,
          `Its ${shape[0]} rows cannot be divided among the model’s attention heads, so their order is unknown.`,
          'Open the model that the adapter was made for.',
        );
      }
      pair.b = { shape, data: order ? rowsInOrder(data, shape[1]!, order) : data };
    }
  }
  if (pairs.size === 0) refuse(where, 'The file contains no LoRA weights.', SAVE_AGAIN);
  for (const [path, { a, b }] of pairs) {
    if (!a || !b) refuse(`${where}, ${path}`, `The layer lacks its ${a ? 'lora_b' : 'lora_a'}.`, SAVE_AGAIN);
    if (a.shape[0] !== b.shape[1]) {
      refuse(`${where}, ${path}`, `Its matrices [${a.shape}] and [${b.shape}] differ in rank.`, SAVE_AGAIN);
    }
  }
  return pairs as Map<string, Required<Pair>>;
}

/** Row i of each group of `order.length` rows becomes row `order[i]` of that group. */
export function rowsInOrder(data: Float32Array, width: number, order: Uint32Array): Float32Array {
  const out = new Float32Array(data.length);
  for (let row = 0; row * width < data.length; row++) {
    const from = Math.floor(row / order.length) * order.length + order[row % order.length]!;
    out.set(data.subarray(from * width, (from + 1) * width), row * width);
  }
  return out;
}

function mostCommon(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]![0];
}

/** The Hub's model, or the name that the file gives. */
function baseOf({ metadata }: GgufFile): string | null {
  const text = (key: string) => {
    const value = metadata.get(`general.base_model.0.${key}`);
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const repository = /^https?:\/\/(?:www\.)?huggingface\.co\/([\w.-]+\/[\w.-]+)\/?$/.exec(text('repo_url') ?? '')?.[1];
  return repository ?? text('name');
}
