/**
 * AdapterHub's folder for a bottleneck adapter: `adapter_config.json` and `adapter.safetensors`, with a head also
 * `head_config.json` and `model_head.safetensors`, and for some families `adapter_interface.json` (adapter-hub/adapters
 * 1.3.0, src/adapters/loading.py and configuration/adapter_config.py). The library opens it with
 * `model.load_adapter(folder, use_safetensors=True)`.
 *
 * Its keys contain the adapter's name, `….adapters.NAME.adapter_up.weight`; names of tensors here do not.
 */
import { show } from '../base/bad-model';
import { parseUntrusted, utf8Text } from '../base/json';
import { CONFIG_LIMIT } from '../base/limits';
import { familyNamed, findFamily } from '../families';
import type { AdapterInterface } from '../families/adapterhub';
import type { TaskKind } from '../families/heads';
import { headClass } from '../families/task-heads';
import { bf16ToF32, f16ToF32 } from './half';
import { refuse } from './peft/refuse';
import { parseSafetensorsHeader, type SafetensorsEntry, safetensorsHeaderSize, writeSafetensors } from './safetensors';

export const HUB_CONFIG = 'adapter_config.json';
export const HUB_WEIGHTS = 'adapter.safetensors';
export const HUB_HEAD_CONFIG = 'head_config.json';
export const HUB_HEAD_WEIGHTS = 'model_head.safetensors';
export const HUB_INTERFACE = 'adapter_interface.json';

const VERSION = 'adapters.1.3.0';
const EXPORT_AGAIN =
  'Save the adapter again with save_adapter(folder, name, use_safetensors=True) and drop the whole folder.';
const OTHER_KIND = 'Tabtune continues from seq_bn and double_seq_bn adapters; train a new one instead.';

/** Row-major float32. */
export type HubTensors = Map<string, { shape: number[]; data: Float32Array }>;

export interface HubHead {
  /** In the order of their numbers. */
  labels: string[];
  /** By the model's own names: `classifier.weight`. */
  tensors: HubTensors;
}

export interface BottleneckSettings {
  /** The library's names: two adapters per layer, or one. */
  config: 'double_seq_bn' | 'seq_bn';
  /** Width of the model divided by the width of the bottleneck. */
  reduction_factor: number;
  non_linearity: 'relu' | 'gelu' | 'swish' | 'tanh';
}

export interface BottleneckAdapter {
  name: string;
  model_name: string | null;
  model_type: string;
  /** transformers' class: `BertForSequenceClassification`. */
  model_class: string;
  hidden_size: number;
  /** Attention and feed-forward of a block run in parallel (most GPT-NeoX models). */
  parallel: boolean;
  settings: BottleneckSettings;
  tensors: HubTensors;
  head: HubHead | null;
}

/** A number that Python must read as a float, since the library checks its type. */
const float = (n: number) => `float ${Number.isInteger(n) ? n.toFixed(1) : n}`;

/** Fields of BnConfig that are the same in both kinds, with the values that the library writes. */
const COMMON: Record<string, unknown> = {
  adapter_residual_before_ln: false,
  cross_adapter: false,
  dropout: float(0),
  factorized_phm_W: true,
  factorized_phm_rule: false,
  hypercomplex_nonlinearity: 'glorot-uniform',
  init_weights: 'bert',
  init_weights_seed: null,
  inv_adapter: null,
  inv_adapter_reduction_factor: null,
  is_parallel: false,
  learn_phm: true,
  leave_out: [],
  ln_after: false,
  ln_before: false,
  original_ln_after: true,
  output_adapter: true,
  phm_bias: true,
  phm_c_init: 'normal',
  phm_dim: 4,
  phm_init_range: float(0.0001),
  phm_layer: false,
  phm_rank: 1,
  residual_before_ln: true,
  scaling: float(1),
  shared_W_phm: false,
  shared_phm_rule: true,
  stochastic_depth: float(0),
  use_gating: false,
};

/** Those that change the arithmetic or where adapters are; adapters with other values are refused. */
const MUST_BE: Record<string, unknown> = {
  cross_adapter: false,
  inv_adapter: null,
  is_parallel: false,
  ln_after: false,
  ln_before: false,
  original_ln_after: true,
  output_adapter: true,
  phm_layer: false,
  residual_before_ln: true,
  scaling: 1,
  stochastic_depth: 0,
  use_gating: false,
};

/** The folder's files, ready for a zip or a directory. The same adapter always gives the same bytes. */
export function writeAdapterHub(adapter: BottleneckAdapter): { path: string; bytes: Uint8Array }[] {
  const { name, settings, head } = adapter;
  const double = settings.config === 'double_seq_bn';
  const about = {
    hidden_size: adapter.hidden_size,
    model_class: adapter.model_class,
    model_name: adapter.model_name,
    model_type: adapter.model_type,
    version: VERSION,
  };
  const config = {
    ...COMMON,
    mh_adapter: double,
    non_linearity: settings.non_linearity,
    original_ln_before: !double,
    reduction_factor: settings.reduction_factor,
  };
  const files = [
    { path: HUB_CONFIG, bytes: python({ ...about, config, name }) },
    {
      path: HUB_WEIGHTS,
      bytes: written(adapter.tensors, (key) =>
        key.replace(/\.adapters\.(?=adapter_(down|up)\.)/, `.adapters.${name}.`),
      ),
    },
  ];
  const places = adapterInterface(adapter);
  if (places) {
    const { model_type } = adapter;
    files.push({ path: HUB_INTERFACE, bytes: python({ interface: places, model_type, version: VERSION }) });
  }
  if (!head) return files;
  const label2id = Object.fromEntries(head.labels.map((label, i) => [label, i]));
  const aboutHead = { ...about, config: null, label2id, name: null, num_labels: head.labels.length };
  return [
    ...files,
    { path: HUB_HEAD_CONFIG, bytes: python(aboutHead) },
    { path: HUB_HEAD_WEIGHTS, bytes: written(head.tensors, (key) => key) },
  ];
}

/** Null for a family that AdapterHub has code for. */
function adapterInterface({ model_type, parallel }: BottleneckAdapter): AdapterInterface | null {
  const own = findFamily(model_type)?.adapterHub.interface ?? null;
  return own && parallel ? { ...own, layer_pre_ffn: null } : own;
}

const written = (tensors: HubTensors, rename: (key: string) => string) =>
  writeSafetensors(
    [...tensors].map(([key, { shape, data }]) => ({ name: rename(key), dtype: 'F32', shape, data })),
    {},
  );

/** As Python's json.dump(…, indent=2, sort_keys=True) prints it. */
function python(value: Record<string, unknown>): Uint8Array {
  const sorted = (v: unknown): unknown =>
    typeof v !== 'object' || v === null || Array.isArray(v)
      ? v
      : Object.fromEntries(
          Object.entries(v)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, inner]) => [key, sorted(inner)]),
        );
  const text = JSON.stringify(sorted(value), null, 2)
    .replace(/"float ([^"]+)"/g, '$1')
    .replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return new TextEncoder().encode(text);
}

/** Whether a dropped folder is one of these. */
export const isAdapterHub = (files: readonly { path: string }[]): boolean =>
  files.some(({ path }) => named(path, HUB_WEIGHTS) || named(path, 'pytorch_adapter.bin'));

const named = (path: string, name: string) => path === name || path.endsWith(`/${name}`);

/** Decodes and checks a folder; the caller checks that it fits the model. Throws bad_adapter. */
export function readAdapterHub(files: readonly { path: string; bytes: Uint8Array }[]): BottleneckAdapter {
  const find = (name: string) => {
    const found = files.filter(({ path }) => named(path, name));
    if (found.length > 1)
      refuse(name, `The folder contains ${found.length} adapters.`, 'Drop the folder of one adapter.');
    return found[0]?.bytes;
  };
  const configBytes = find(HUB_CONFIG);
  if (!configBytes) refuse(HUB_CONFIG, 'The folder has no adapter_config.json.', EXPORT_AGAIN);
  const weights = find(HUB_WEIGHTS);
  if (!weights) {
    const pickled = find('pytorch_adapter.bin') !== undefined;
    refuse(
      HUB_WEIGHTS,
      pickled
        ? 'The adapter is saved as a pickled pytorch_adapter.bin, which can run code when it is opened.'
        : 'The folder has no adapter.safetensors.',
      EXPORT_AGAIN,
    );
  }
  const json = parse(configBytes, HUB_CONFIG);
  const name = text(json, 'name', HUB_CONFIG);
  const headWeights = find(HUB_HEAD_WEIGHTS);
  const headConfig = find(HUB_HEAD_CONFIG);
  const places = find(HUB_INTERFACE);
  return {
    name,
    model_name: typeof json.model_name === 'string' ? json.model_name : null,
    model_type: text(json, 'model_type', HUB_CONFIG),
    model_class: text(json, 'model_class', HUB_CONFIG),
    hidden_size: positive(json, 'hidden_size', HUB_CONFIG),
    parallel: places !== undefined && isParallel(parse(places, HUB_INTERFACE)),
    settings: readSettings(json),
    tensors: readTensors(weights, HUB_WEIGHTS, (key) => {
      const own = `.adapters.${name}.`;
      const at = key.indexOf(own);
      const rest = key.slice(at + own.length);
      if (at < 0 || !/^adapter_(down\.0|up)\.(weight|bias)$/.test(rest)) {
        refuse(`${HUB_WEIGHTS}, tensor ${key.slice(0, 120)}`, 'This is not part of a bottleneck.', OTHER_KIND);
      }
      return `${key.slice(0, at)}.adapters.${rest}`;
    }),
    head: headWeights && headConfig ? readHead(parse(headConfig, HUB_HEAD_CONFIG), headWeights) : null,
  };
}

/** Whether attention and feed-forward run in parallel: nothing is named before the feed-forward. */
function isParallel({ interface: places }: Record<string, unknown>): boolean {
  if (typeof places !== 'object' || places === null) {
    refuse(HUB_INTERFACE, 'The file does not say where adapters are.', EXPORT_AGAIN);
  }
  return ((places as Record<string, unknown>).layer_pre_ffn ?? null) === null;
}

function readSettings(json: Record<string, unknown>): BottleneckAdapter['settings'] {
  const { config } = json;
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    refuse(`${HUB_CONFIG}, config`, 'The config does not say what kind of adapter this is.', EXPORT_AGAIN);
  }
  const c = config as Record<string, unknown>;
  const architecture = c.architecture ?? null;
  if (architecture !== null) {
    const kind = typeof architecture === 'string' ? architecture.slice(0, 40) : show(architecture);
    refuse(`${HUB_CONFIG}, architecture`, `Adapters of the kind ${kind} cannot be opened.`, OTHER_KIND);
  }
  for (const [key, wanted] of Object.entries(MUST_BE)) {
    if ((c[key] ?? wanted) === wanted) continue;
    refuse(`${HUB_CONFIG}, ${key}`, `This adapter sets ${key}, which cannot be opened.`, OTHER_KIND);
  }
  if (Array.isArray(c.leave_out) && c.leave_out.length > 0) {
    refuse(`${HUB_CONFIG}, leave_out`, 'This adapter leaves some layers out, which cannot be opened.', OTHER_KIND);
  }
  const double = c.mh_adapter === true;
  if ((c.original_ln_before === true) === double) {
    refuse(`${HUB_CONFIG}, original_ln_before`, 'This is neither a seq_bn nor a double_seq_bn adapter.', OTHER_KIND);
  }
  return {
    config: double ? 'double_seq_bn' : 'seq_bn',
    reduction_factor: positive(c, 'reduction_factor', HUB_CONFIG),
    non_linearity: nonLinearity(c.non_linearity, 'version' in json),
  };
}

/** Older versions of the library called the exact GELU gelu_orig, and the one with tanh gelu. */
function nonLinearity(value: unknown, versioned: boolean): BottleneckSettings['non_linearity'] {
  const name = typeof value === 'string' ? value.toLowerCase() : '';
  if (name === 'relu' || name === 'swish' || name === 'tanh') return name;
  if (name === 'silu') return 'swish';
  if (name === (versioned ? 'gelu' : 'gelu_orig')) return 'gelu';
  return refuse(
    `${HUB_CONFIG}, non_linearity`,
    `The activation ${JSON.stringify(value)?.slice(0, 40)} cannot be computed.`,
    'Use an adapter with relu, gelu, swish or tanh.',
  );
}

function readHead(json: Record<string, unknown>, weights: Uint8Array): HubHead {
  if ((json.config ?? null) !== null) {
    refuse(
      HUB_HEAD_CONFIG,
      "The head is one of AdapterHub's flexible heads, which transformers does not have.",
      'Save the adapter from a model class of transformers, or without its head (with_head=False).',
    );
  }
  const ids = json.label2id;
  const pairs = typeof ids === 'object' && ids !== null ? Object.entries(ids) : [];
  const labels: string[] = [];
  for (const [label, id] of pairs) {
    if (Number.isInteger(id) && id >= 0 && id < pairs.length) labels[id as number] = label;
  }
  if (labels.length === 0 || labels.length !== pairs.length || labels.includes(undefined as never)) {
    refuse(`${HUB_HEAD_CONFIG}, label2id`, 'The labels are not numbered from 0 on.', EXPORT_AGAIN);
  }
  return { labels, tensors: readTensors(weights, HUB_HEAD_WEIGHTS, (key) => key) };
}

function readTensors(file: Uint8Array, where: string, rename: (key: string) => string): HubTensors {
  const context = { where, code: 'bad_adapter' as const };
  const headerSize = safetensorsHeaderSize(file, file.length, context);
  const { tensors } = parseSafetensorsHeader(file.subarray(0, headerSize), file.length, context);
  if (tensors.size === 0) refuse(where, 'The file holds no tensors.', EXPORT_AGAIN);
  return new Map(
    [...tensors].map(([key, entry]) => [rename(key), { shape: entry.shape, data: read(file, entry, key) }]),
  );
}

function read(file: Uint8Array, { dtype, start, end }: SafetensorsEntry, key: string): Float32Array {
  // A copy, since a tensor's offset in the file need not be a multiple of its element size.
  const { buffer } = file.slice(start, end);
  if (dtype === 'F32') return new Float32Array(buffer);
  if (dtype === 'F16') return f16ToF32(new Uint16Array(buffer));
  if (dtype === 'BF16') return bf16ToF32(new Uint16Array(buffer));
  return refuse(`tensor ${key.slice(0, 120)}`, `The number format ${dtype} cannot be read.`, EXPORT_AGAIN);
}

/**
 * The tensors under the paths of this model's blocks. A bare encoder has no prefix such as `bert.`, and neither has an
 * adapter saved from one. A head has the same names either way.
 */
export function underBlocks(tensors: HubTensors, blockPaths: readonly string[]): HubTensors {
  const first = blockPaths[0] ?? '';
  const fits = (name: string) => name.startsWith(first.slice(0, first.lastIndexOf('.') + 1));
  if ([...tensors.keys()].some(fits)) return tensors;
  const root = first.slice(0, first.indexOf('.') + 1);
  const changes = [(name: string) => root + name, (name: string) => name.slice(name.indexOf('.') + 1)];
  const change = changes.find((c) => [...tensors.keys()].some((name) => fits(c(name))));
  if (!change) return tensors;
  return new Map([...tensors].map(([name, tensor]) => [name.includes('.adapters.') ? change(name) : name, tensor]));
}

/** transformers' class of a family with a head. */
export function modelClass(modelType: string, head: TaskKind | 'language_model'): string {
  const family = familyNamed(modelType);
  return head === 'language_model' ? family.architectures[0]! : headClass(family, head);
}

function parse(bytes: Uint8Array, where: string): Record<string, unknown> {
  if (bytes.length > CONFIG_LIMIT) refuse(where, `The file has ${bytes.length} bytes, far too many.`, EXPORT_AGAIN);
  let value: unknown;
  try {
    value = parseUntrusted(utf8Text(bytes));
  } catch (cause) {
    refuse(where, 'The file is not valid JSON.', EXPORT_AGAIN, String(cause));
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  return refuse(where, 'The file is not a JSON object.', EXPORT_AGAIN);
}

function text(json: Record<string, unknown>, key: string, where: string): string {
  const value = json[key];
  if (typeof value === 'string' && value !== '') return value;
  return refuse(`${where}, ${key}`, 'The config lacks this.', EXPORT_AGAIN);
}

function positive(json: Record<string, unknown>, key: string, where: string): number {
  const value = json[key];
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  return refuse(`${where}, ${key}`, `${JSON.stringify(value)} is not a possible value.`, EXPORT_AGAIN);
}
