/**
 * mlx-lm's folder of an adapter: `adapter_config.json` and `adapters.safetensors` (ml-explore/mlx-lm 0.32, tuner/utils.py,
 * `load_adapters`). What it has for LoRA and DoRA, with PEFT's names for the same:
 *
 * - `<path>.lora_a` [in, r] and `.lora_b` [r, out]: A and B transposed, without PEFT's prefix; with DoRA, `.m` [out].
 * - One `rank` and one `scale` for all modules: the scale multiplies B·A as it is (PEFT's alpha / r).
 * - `keys`: paths inside a block, of the last `num_layers` blocks, or a whole path for a module outside. A module that they name
 *   and the file lacks stays at lora_b = 0, which changes nothing; a tensor that they do not name is an error.
 */
import { parseUntrusted, utf8Text } from '../base/json';
import { CONFIG_LIMIT } from '../base/limits';
import { patternValue } from '../base/module-names';
import { type AdapterFiles, fileNamed, jsonNamed } from './adapter-format';
import { readFloatTensors } from './float-tensors';
import { type PeftAdapter, type PeftTensors, peftFolder, writePeftAs } from './peft';
import { loraKind, type PeftLoraConfig } from './peft/lora';
import { refuse } from './peft/refuse';
import { writeSafetensors } from './safetensors';

const CONFIG = 'adapter_config.json';
export const MLX_WEIGHTS = 'adapters.safetensors';

const AGAIN = 'Save the adapter again with mlx_lm.lora, and open the whole folder.';
const FUSE = 'Fuse it with mlx_lm.fuse, and open the result as a model.';

const KINDS = { plain: 'lora', magnitudes: 'dora' } as const;

/** Whether a folder is mlx-lm's; PEFT's config has the same name. */
export const isMlx = (files: AdapterFiles): boolean =>
  fileNamed(files, MLX_WEIGHTS) !== undefined && jsonNamed(files, CONFIG).peft_type === undefined;

/** `model.layers.3.self_attn.q_proj`: the number of the block, and the path in it; null for a module outside. */
function placeOf(path: string): { block: number; inside: string } | null {
  const [, block, inside] = /^(?:.+\.)?(?:layers|h)\.(\d+)\.(.+)$/.exec(path) ?? [];
  return block === undefined || inside === undefined ? null : { block: Number(block), inside };
}

const transposed = (data: Float32Array, rows: number, columns: number): Float32Array => {
  const result = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j]!;
  return result;
};

interface Module {
  path: string;
  rank: number;
  scale: number;
}

/** The modules of a LoRA adapter of PEFT's, with the rank and the scale of each. */
function modulesOf({ config, tensors }: PeftAdapter<PeftLoraConfig>): Module[] {
  const suffix = '.lora_A.weight';
  return [...tensors].flatMap(([name, { shape }]) => {
    if (!name.endsWith(suffix)) return [];
    const path = name.slice(0, -suffix.length);
    const rank = shape[0]!;
    const alpha = patternValue(config.alpha_pattern, path, config.lora_alpha);
    return { path, rank, scale: alpha / (config.use_rslora ? Math.sqrt(rank) : rank) };
  });
}

/** The value that most have; the first of those that are equally frequent. */
function usual(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}

export interface MlxAdapter {
  files: AdapterFiles;
  /** What had to be changed for mlx-lm, a sentence each. */
  notes: string[];
}

/** A LoRA adapter of PEFT's as mlx-lm's folder; `layers` is the number of the model's blocks, `base` its name. */
export function writeMlx(adapter: PeftAdapter<PeftLoraConfig>, layers: number, base: string): MlxAdapter {
  const { config, tensors } = adapter;
  const modules = modulesOf(adapter);
  const ranks = modules.map(({ rank }) => rank);
  const rank = Math.max(...ranks);
  const scale = usual(modules.map((module) => module.scale)) || 1;
  const written = modules.flatMap((module) => {
    const { path } = module;
    const a = tensors.get(`${path}.lora_A.weight`)!;
    const b = tensors.get(`${path}.lora_B.weight`)!;
    const magnitude = tensors.get(`${path}.lora_magnitude_vector`);
    const [width, out] = [a.shape[1]!, b.shape[0]!];
    const [wideA, wideB] = [new Float32Array(width * rank), new Float32Array(rank * out)];
    const factor = module.scale / scale;
    for (let k = 0; k < module.rank; k++) {
      for (let i = 0; i < width; i++) wideA[i * rank + k] = a.data[k * width + i]!;
      for (let o = 0; o < out; o++) wideB[k * out + o] = b.data[o * module.rank + k]! * factor;
    }
    return [
      { name: `${path}.lora_a`, dtype: 'F32' as const, shape: [width, rank], data: wideA },
      { name: `${path}.lora_b`, dtype: 'F32' as const, shape: [rank, out], data: wideB },
      ...(magnitude ? [{ name: `${path}.m`, dtype: 'F32' as const, shape: [out], data: magnitude.data }] : []),
    ];
  });
  const places = modules.map(({ path }) => placeOf(path));
  const first = Math.min(layers, ...places.map((place) => place?.block ?? layers));
  const keys = [...new Set(modules.map(({ path }, i) => places[i]?.inside ?? path))].sort();
  const json = {
    fine_tune_type: config.use_dora ? KINDS.magnitudes : KINDS.plain,
    lora_parameters: { dropout: config.lora_dropout, keys, rank, scale },
    model: base,
    num_layers: layers - first,
  };
  return {
    files: [
      { path: CONFIG, bytes: new TextEncoder().encode(`${JSON.stringify(json, null, 4)}\n`) },
      { path: MLX_WEIGHTS, bytes: writeSafetensors(written, {}) },
    ],
    notes: notesOf(modules, { rank, scale, covered: keys.length * (layers - first) }),
  };
}

function notesOf(
  modules: readonly Module[],
  { rank, scale, covered }: { rank: number; scale: number; covered: number },
): string[] {
  const smallest = Math.min(...modules.map((module) => module.rank));
  return [
    ...(smallest < rank
      ? [
          `mlx-lm has one rank for all modules, so those of lower rank (from ${smallest}) are filled up with zeros to ${rank}.`,
        ]
      : []),
    ...(modules.some((module) => module.scale !== scale)
      ? [`mlx-lm has one scale for all modules (here ${scale}); where a module’s differs, it is multiplied into B.`]
      : []),
    ...(modules.length < covered
      ? [
          'mlx-lm adds matrices to the same modules in each layer; those that were not trained stay zero and change nothing.',
        ]
      : []),
  ];
}

type Json = Record<string, unknown>;

/** The same adapter as PEFT's folder, which everything else here reads. Throws `bad_adapter`. */
export function peftFromMlx(files: AdapterFiles): AdapterFiles {
  const config = configOf(files);
  const { fine_tune_type: kind = KINDS.plain } = config;
  if (kind !== KINDS.plain && kind !== KINDS.magnitudes) {
    const message = `This is no adapter: mlx-lm trained the model itself (fine_tune_type ${JSON.stringify(kind)?.slice(0, 40)}).`;
    refuse(`${CONFIG}, fine_tune_type`, message, FUSE);
  }
  const { rank, scale, dropout, keys } = parametersOf(config);
  const tensors: PeftTensors = new Map();
  const parts = new Map<string, Set<string>>();
  const use_dora = kind === KINDS.magnitudes;
  for (const [name, { shape, data }] of readFloatTensors(fileNamed(files, MLX_WEIGHTS)!.bytes, MLX_WEIGHTS)) {
    const where = `${MLX_WEIGHTS}, tensor ${name.slice(0, 120)}`;
    const [, path, part] = /^(.+)\.(lora_a|lora_b|m)$/.exec(name) ?? [];
    if (path === undefined || part === undefined || (part === 'm' && !use_dora)) {
      refuse(where, 'This tensor is not part of an adapter.', FUSE);
    }
    if (keys && !keys.has(placeOf(path)?.inside ?? path) && !keys.has(path)) {
      refuse(where, 'lora_parameters.keys does not name this module, so mlx-lm refuses the folder.', AGAIN);
    }
    const at = part === 'lora_a' ? shape[1] : part === 'lora_b' ? shape[0] : rank;
    if (shape.length !== (part === 'm' ? 1 : 2) || at !== rank) {
      refuse(where, `Its shape [${shape}] does not match the rank in the config, ${rank}.`, AGAIN);
    }
    parts.set(path, (parts.get(path) ?? new Set()).add(part));
    if (part === 'm') tensors.set(`${path}.lora_magnitude_vector`, { shape, data });
    else {
      const [rows, columns] = shape as [number, number];
      const own = part === 'lora_a' ? 'lora_A' : 'lora_B';
      tensors.set(`${path}.${own}.weight`, { shape: [columns, rows], data: transposed(data, rows, columns) });
    }
  }
  if (parts.size === 0) refuse(MLX_WEIGHTS, 'The file contains no weights.', AGAIN);
  for (const [path, found] of parts) {
    const missing = ['lora_a', 'lora_b', ...(use_dora ? ['m'] : [])].find((part) => !found.has(part));
    if (missing) refuse(`${MLX_WEIGHTS}, ${path.slice(0, 120)}`, `A module lacks its ${missing}.`, AGAIN);
  }
  const written: PeftLoraConfig = {
    base_model_name_or_path: typeof config.model === 'string' ? config.model : null,
    ...{ task_type: 'CAUSAL_LM', modules_to_save: null },
    ...{ r: rank, lora_alpha: scale * rank, lora_dropout: dropout, target_modules: lastNames(parts.keys()) },
    ...{ use_rslora: false, use_dora, rank_pattern: {}, alpha_pattern: {}, fan_in_fan_out: false },
  };
  return peftFolder(writePeftAs({ config: written, tensors }, loraKind));
}

/** The tensors say which of them; a list of all paths would be compared with all paths. */
const lastNames = (paths: Iterable<string>) => [
  ...new Set([...paths].map((path) => path.slice(path.lastIndexOf('.') + 1))),
];

function configOf(files: AdapterFiles): Json {
  const file = fileNamed(files, CONFIG);
  if (!file) refuse(CONFIG, 'The folder has no adapter_config.json, which says how mlx-lm scales the adapter.', AGAIN);
  if (file.bytes.length > CONFIG_LIMIT) refuse(CONFIG, `The file has ${file.bytes.length} bytes, far too many.`, AGAIN);
  let value: unknown;
  try {
    value = parseUntrusted(utf8Text(file.bytes));
  } catch (cause) {
    refuse(CONFIG, 'The file is not valid JSON.', AGAIN, String(cause));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(CONFIG, 'The file is not a JSON object.', AGAIN);
  }
  return value as Json;
}

/** Ranks above this are no adapter's. */
const LARGEST_RANK = 65_536;

function parametersOf({ lora_parameters: value }: Json) {
  const given: Json = typeof value === 'object' && value !== null ? { ...value } : {};
  const number = (key: string, valid: (n: number) => boolean, fallback?: number): number => {
    const n = given[key] ?? fallback;
    if (typeof n === 'number' && valid(n)) return n;
    const what = n === undefined ? 'is missing' : `is ${JSON.stringify(n)?.slice(0, 40)}, which is not valid`;
    return refuse(`${CONFIG}, lora_parameters`, `The ${key} ${what}.`, AGAIN);
  };
  const { keys } = given;
  const listed = Array.isArray(keys) && keys.every((key) => typeof key === 'string') ? new Set<string>(keys) : null;
  return {
    rank: number('rank', (n) => Number.isInteger(n) && n >= 1 && n <= LARGEST_RANK),
    scale: number('scale', Number.isFinite),
    dropout: number('dropout', (n) => n >= 0 && n < 1, 0),
    keys: listed,
  };
}
