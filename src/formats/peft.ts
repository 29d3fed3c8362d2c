/**
 * The folder in which PEFT keeps a LoRA adapter: `adapter_config.json` and `adapter_model.safetensors`
 * (huggingface/peft, src/peft/utils/save_and_load.py and src/peft/tuners/lora/config.py). ΔW = s·B·A with
 * A = `<path>.lora_A.weight` [r, in], B = `<path>.lora_B.weight` [out, r] and s = lora_alpha/r, or lora_alpha/√r with
 * use_rslora.
 */
import { TabtuneError } from '../base/errors';
import { bf16ToF32, f16ToF32 } from './half';
import { parseSafetensorsHeader, type SafetensorsEntry, safetensorsHeaderSize, writeSafetensors } from './safetensors';

export const ADAPTER_CONFIG = 'adapter_config.json';
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';
const CONFIG_LIMIT = 1_000_000;

/** The two files' contents: the config parsed, the weights as they lie. */
export interface PeftFiles {
  config: Record<string, unknown>;
  weights: Uint8Array;
}

/** What LoRA adds to one linear module. Row-major float32. */
export interface LoraPair {
  inFeatures: number;
  outFeatures: number;
  /** lora_A.weight [r, in] */
  a: Float32Array;
  /** lora_B.weight [out, r] */
  b: Float32Array;
}

export interface LoraAdapter {
  base_model_name_or_path: string | null;
  r: number;
  lora_alpha: number;
  lora_dropout: number;
  target_modules: string[];
  use_rslora: boolean;
  /** The targets are Conv1D modules, stored [in, out]. */
  fan_in_fan_out?: boolean;
  /** By the base model's own module path, e.g. `model.layers.0.self_attn.q_proj`. */
  modules: Map<string, LoraPair>;
}

const PREFIX = 'base_model.model.';
const SUFFIX = { A: '.lora_A.weight', B: '.lora_B.weight' } as const;

/** `model.layers.0.self_attn.q_proj` → `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`. */
export function loraKey(path: string, side: 'A' | 'B'): string {
  return `${PREFIX}${path}${SUFFIX[side]}`;
}

/** The way back; null for a key that is not one of a LoRA pair. */
export function parseLoraKey(key: string): { path: string; side: 'A' | 'B' } | null {
  if (!key.startsWith(PREFIX)) return null;
  for (const side of ['A', 'B'] as const) {
    const path = key.slice(PREFIX.length, -SUFFIX[side].length);
    if (key.endsWith(SUFFIX[side]) && path !== '') return { path, side };
  }
  return null;
}

/** Encodes an adapter. The same adapter always gives the same bytes. */
export function writeLoraAdapter(adapter: LoraAdapter): PeftFiles {
  const config = {
    alpha_pattern: {},
    base_model_name_or_path: adapter.base_model_name_or_path,
    bias: 'none',
    // What PEFT itself sets for GPT-2's Conv1D modules; A and B lie the same way for both.
    fan_in_fan_out: adapter.fan_in_fan_out ?? false,
    inference_mode: true,
    init_lora_weights: true,
    // A JSON integer when it is one: Ollama reads this field as uint32 and refuses 16.0.
    lora_alpha: adapter.lora_alpha,
    lora_dropout: adapter.lora_dropout,
    modules_to_save: null,
    peft_type: 'LORA',
    r: adapter.r,
    rank_pattern: {},
    revision: null,
    target_modules: [...adapter.target_modules].sort(),
    task_type: 'CAUSAL_LM',
    use_dora: false,
    use_rslora: adapter.use_rslora,
  };
  const tensors = [...adapter.modules].flatMap(([path, { a, b, inFeatures, outFeatures }]) => [
    { name: loraKey(path, 'A'), dtype: 'F32' as const, shape: [adapter.r, inFeatures], data: a },
    { name: loraKey(path, 'B'), dtype: 'F32' as const, shape: [outFeatures, adapter.r], data: b },
  ]);
  return { config, weights: writeSafetensors(tensors, { format: 'pt' }) };
}

/** `adapter_config.json` as PEFT prints it: two spaces, keys sorted, newline at the end left out. */
export function formatAdapterConfig(config: Record<string, unknown>): string {
  return JSON.stringify(sortKeys(config), null, 2);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}

/** The files of the folder, ready for a zip or a directory. */
export function peftFolder(files: PeftFiles): { path: string; bytes: Uint8Array }[] {
  return [
    { path: ADAPTER_CONFIG, bytes: new TextEncoder().encode(formatAdapterConfig(files.config)) },
    { path: ADAPTER_WEIGHTS, bytes: files.weights },
  ];
}

function refuse(where: string, message: string, action: string, details?: string): never {
  throw new TabtuneError({ code: 'bad_adapter', message, where, action, details });
}

const EXPORT_AGAIN = 'Save the adapter again with PEFT (save_pretrained) and drop the whole folder.';
const PLAIN_LORA =
  'Tabtune continues from plain LoRA adapters; train a new one instead, or merge this one into its model.';

/** Finds the two files of a PEFT folder among `files`, which may lie inside one enclosing directory. */
export function readPeftFolder(files: readonly { path: string; bytes: Uint8Array }[]): PeftFiles {
  const find = (name: string) => {
    const found = files.filter(({ path }) => path === name || path.endsWith(`/${name}`));
    if (found.length > 1) {
      refuse(name, `The folder holds ${found.length} adapters.`, 'Drop the folder of one adapter.');
    }
    return found[0];
  };
  const config = find(ADAPTER_CONFIG);
  if (!config) {
    refuse(ADAPTER_CONFIG, 'The folder has no adapter_config.json, so it is not a PEFT adapter.', EXPORT_AGAIN);
  }
  const weights = find(ADAPTER_WEIGHTS);
  if (!weights) {
    const pickled = find('adapter_model.bin') !== undefined;
    refuse(
      ADAPTER_WEIGHTS,
      pickled
        ? 'The adapter is saved as a pickled adapter_model.bin, which can run code when it is opened.'
        : 'The folder has no adapter_model.safetensors.',
      EXPORT_AGAIN,
    );
  }
  return { config: parseAdapterConfig(config.bytes), weights: weights.bytes };
}

/** Parses the bytes of `adapter_config.json`. */
export function parseAdapterConfig(bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length > CONFIG_LIMIT) {
    refuse(ADAPTER_CONFIG, `The file has ${bytes.length} bytes; a PEFT config has a few hundred.`, EXPORT_AGAIN);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    refuse(ADAPTER_CONFIG, 'The file is not valid JSON.', EXPORT_AGAIN, String(cause));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(ADAPTER_CONFIG, 'The file is not a JSON object.', EXPORT_AGAIN);
  }
  return value as Record<string, unknown>;
}

/** Features of PEFT's LoRA that change the arithmetic or the keys, and that Tabtune does not have. */
const UNSUPPORTED = [
  'use_dora',
  'use_qalora',
  'use_bdlora',
  'lora_bias',
  'modules_to_save',
  'rank_pattern',
  'alpha_pattern',
  'layer_replication',
  'trainable_token_indices',
  'target_parameters',
  'alora_invocation_tokens',
  'arrow_config',
  'kasa_config',
  'monteclora_config',
  'velora_config',
] as const;

/** Initialisations that leave the base weights as they are; PiSSA, OLoRA, LoftQ, CorDA and LoRA-GA change them. */
const PLAIN_INITIALISATIONS: readonly unknown[] = [undefined, true, false, 'gaussian', 'eva', 'orthogonal'];

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function number(config: Record<string, unknown>, key: string, fallback: number, valid: (n: number) => boolean): number {
  const value = config[key] ?? fallback;
  if (typeof value !== 'number' || !valid(value)) {
    refuse(`${ADAPTER_CONFIG}, ${key}`, `${JSON.stringify(value)} is not a possible value.`, EXPORT_AGAIN);
  }
  return value;
}

/**
 * Decodes and checks a PEFT LoRA adapter: type and features, and a complete pair A, B of rank r for every module.
 * Throws bad_adapter. Whether it fits a model is for the caller, who has one.
 */
export function readLoraAdapter(files: PeftFiles): LoraAdapter {
  const { config } = files;
  const type = config.peft_type;
  if (typeof type !== 'string') {
    refuse(`${ADAPTER_CONFIG}, peft_type`, 'The config does not say what kind of adapter this is.', EXPORT_AGAIN);
  }
  if (type !== 'LORA') {
    refuse(`${ADAPTER_CONFIG}, peft_type`, `Adapters of the type ${type.slice(0, 40)} cannot be opened.`, PLAIN_LORA);
  }
  for (const key of UNSUPPORTED) {
    if (isSet(config[key])) {
      refuse(`${ADAPTER_CONFIG}, ${key}`, `This adapter uses ${key}, which cannot be opened.`, PLAIN_LORA);
    }
  }
  if (config.bias !== undefined && config.bias !== 'none') {
    refuse(`${ADAPTER_CONFIG}, bias`, 'This adapter also trains biases, which cannot be opened.', PLAIN_LORA);
  }
  if (!PLAIN_INITIALISATIONS.includes(config.init_lora_weights)) {
    refuse(
      `${ADAPTER_CONFIG}, init_lora_weights`,
      `This adapter's initialisation (${JSON.stringify(config.init_lora_weights).slice(0, 40)}) changed its base model.`,
      'Convert it to plain LoRA with save_pretrained(path_initial_model_for_weight_conversion=…) in PEFT.',
    );
  }
  // The fallbacks are LoraConfig's defaults: a config may leave them out.
  const r = number(config, 'r', 8, (n) => Number.isInteger(n) && n >= 1 && n <= 65_536);
  const lora_alpha = number(config, 'lora_alpha', 8, Number.isFinite);
  const lora_dropout = number(config, 'lora_dropout', 0, (n) => n >= 0 && n < 1);

  const modules = readPairs(files.weights, r);
  const targets = config.target_modules;
  const listed = Array.isArray(targets) && targets.every((name) => typeof name === 'string');
  return {
    base_model_name_or_path: typeof config.base_model_name_or_path === 'string' ? config.base_model_name_or_path : null,
    r,
    lora_alpha,
    lora_dropout,
    // PEFT also takes a regular expression or 'all-linear' here; the weights say what it matched.
    target_modules: listed
      ? [...(targets as string[])].sort()
      : [...new Set([...modules.keys()].map((path) => path.slice(path.lastIndexOf('.') + 1)))].sort(),
    use_rslora: config.use_rslora === true,
    modules,
  };
}

function readPairs(weights: Uint8Array, r: number): Map<string, LoraPair> {
  const context = { where: ADAPTER_WEIGHTS, code: 'bad_adapter' as const };
  const headerSize = safetensorsHeaderSize(weights, weights.length, context);
  const { tensors } = parseSafetensorsHeader(weights.subarray(0, headerSize), weights.length, context);

  const found = new Map<string, { A?: SafetensorsEntry; B?: SafetensorsEntry }>();
  for (const [key, entry] of tensors) {
    const where = `${ADAPTER_WEIGHTS}, tensor ${key.slice(0, 120)}`;
    const parsed = parseLoraKey(key);
    if (!parsed) refuse(where, 'This tensor is not part of a LoRA pair on a linear module.', PLAIN_LORA);
    const rank = parsed.side === 'A' ? entry.shape[0] : entry.shape[1];
    if (entry.shape.length !== 2 || rank !== r) {
      refuse(where, `Its shape [${entry.shape}] does not fit the rank r = ${r} of the config.`, EXPORT_AGAIN);
    }
    const pair = found.get(parsed.path) ?? {};
    pair[parsed.side] = entry;
    found.set(parsed.path, pair);
  }
  if (found.size === 0) refuse(ADAPTER_WEIGHTS, 'The file holds no LoRA weights.', EXPORT_AGAIN);

  const modules = new Map<string, LoraPair>();
  for (const [path, { A, B }] of found) {
    if (!A || !B) {
      const missing = A ? 'B' : 'A';
      refuse(
        `${ADAPTER_WEIGHTS}, tensor ${loraKey(path, missing)}`,
        `lora_${missing} of a pair is missing.`,
        EXPORT_AGAIN,
      );
    }
    modules.set(path, {
      inFeatures: A.shape[1]!,
      outFeatures: B.shape[0]!,
      a: readValues(weights, A, path),
      b: readValues(weights, B, path),
    });
  }
  return modules;
}

function readValues(file: Uint8Array, entry: SafetensorsEntry, path: string): Float32Array {
  // A copy: inside the file a tensor need not lie at a multiple of its element size.
  const { buffer } = file.slice(entry.start, entry.end);
  switch (entry.dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F16':
      return f16ToF32(new Uint16Array(buffer));
    case 'BF16':
      return bf16ToF32(new Uint16Array(buffer));
    default:
      return refuse(
        `${ADAPTER_WEIGHTS}, ${path}`,
        `The number format ${entry.dtype} cannot be read.`,
        'Save the adapter in float32, float16 or bfloat16.',
      );
  }
}
