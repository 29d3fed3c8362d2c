/**
 * config.json of a model in the Hugging Face layout: read, and checked for everything that decides the shapes of the
 * weights or the arithmetic. Defaults are those of transformers' LlamaConfig.
 */
import { COMPLETE_FOLDER, OTHER_MODEL, refuse, show } from './errors';
import type { ModelFolder } from './types';

const CONFIG = 'config.json';
const CONFIG_LIMIT = 1_000_000;
const RESTORE = 'Use the config.json that belongs to these weights.';

/** Model types (config.json's `model_type`) and the class each must be saved from. */
const FAMILIES: Record<string, string> = { llama: 'LlamaForCausalLM' };
const ROPE_TYPES = ['default', 'linear', 'llama3'];

/** Far above any model that fits into a tab; keeps damaged numbers from becoming endless loops. */
const LIMITS = {
  vocab_size: 2 ** 22,
  hidden_size: 2 ** 17,
  intermediate_size: 2 ** 19,
  num_hidden_layers: 512,
  num_attention_heads: 1024,
  num_key_value_heads: 1024,
  head_dim: 4096,
  max_position_embeddings: 2 ** 26,
} as const;
type Dimension = keyof typeof LIMITS;

/** The fields of config.json that decide shapes, every default filled in. */
export type ModelConfig = Record<Dimension, number> & {
  model_type: string;
  tie_word_embeddings: boolean;
  attention_bias: boolean;
  mlp_bias: boolean;
};

/** Parses a JSON object of a model folder. Throws `bad_model`. */
export async function readJson(folder: ModelFolder, file: string, limit: number): Promise<Record<string, unknown>> {
  if (!folder.has(file)) refuse(file, `The model folder has no ${file}.`, COMPLETE_FOLDER);
  const size = folder.size(file) ?? 0;
  if (size > limit) refuse(file, `${file} has ${size} bytes, far more than it should.`, COMPLETE_FOLDER);
  const text = await folder.text(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    refuse(file, `${file} is not valid JSON.`, COMPLETE_FOLDER, String(cause).slice(0, 300));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(file, `${file} is not a JSON object.`, COMPLETE_FOLDER);
  }
  return value as Record<string, unknown>;
}

/** Reads config.json; returns it as it is and as far as it is understood. Throws `bad_model`. */
export async function readModelConfig(
  folder: ModelFolder,
): Promise<{ json: Record<string, unknown>; config: ModelConfig }> {
  const json = await readJson(folder, CONFIG, CONFIG_LIMIT);
  return { json, config: checkConfig(json) };
}

function checkConfig(json: Record<string, unknown>): ModelConfig {
  const model_type = checkFamily(json);

  const dimension = (name: Dimension, fallback?: number): number => {
    const value = json[name] ?? fallback;
    const where = `${CONFIG}, ${name}`;
    if (value === undefined) refuse(where, `config.json has no ${name}.`, RESTORE);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
      refuse(where, `${name} is ${show(value)}, not a positive whole number.`, RESTORE);
    }
    if (value > LIMITS[name])
      refuse(where, `${name} is ${value}, more than any model that could run here.`, OTHER_MODEL);
    return value;
  };
  const flag = (name: string): boolean => {
    const value = json[name] ?? false;
    if (typeof value !== 'boolean')
      refuse(`${CONFIG}, ${name}`, `${name} is ${show(value)}, not true or false.`, RESTORE);
    return value;
  };

  const hidden_size = dimension('hidden_size');
  const num_attention_heads = dimension('num_attention_heads');
  const num_key_value_heads = dimension('num_key_value_heads', num_attention_heads);
  if (num_attention_heads % num_key_value_heads !== 0) {
    refuse(
      `${CONFIG}, num_key_value_heads`,
      `${num_key_value_heads} key-value heads do not divide ${num_attention_heads} attention heads.`,
      RESTORE,
    );
  }
  const given = json.head_dim !== undefined && json.head_dim !== null;
  if (!given && hidden_size % num_attention_heads !== 0) {
    refuse(
      `${CONFIG}, num_attention_heads`,
      `${num_attention_heads} heads do not divide the hidden size ${hidden_size}.`,
      RESTORE,
    );
  }
  const head_dim = dimension('head_dim', hidden_size / num_attention_heads);
  if (head_dim % 2 !== 0) {
    refuse(`${CONFIG}, head_dim`, `head_dim is ${head_dim}; rotary positions need an even number.`, RESTORE);
  }
  checkArithmetic(json);
  return {
    model_type,
    vocab_size: dimension('vocab_size'),
    hidden_size,
    intermediate_size: dimension('intermediate_size'),
    num_hidden_layers: dimension('num_hidden_layers'),
    num_attention_heads,
    num_key_value_heads,
    head_dim,
    max_position_embeddings: dimension('max_position_embeddings', 2048),
    tie_word_embeddings: flag('tie_word_embeddings'),
    attention_bias: flag('attention_bias'),
    mlp_bias: flag('mlp_bias'),
  };
}

function checkFamily(json: Record<string, unknown>): string {
  const { model_type, architectures } = json;
  const supported = Object.keys(FAMILIES).join(', ');
  const other = `Choose a model of one of these types: ${supported}.`;
  if (typeof model_type !== 'string') {
    refuse(`${CONFIG}, model_type`, 'config.json does not say what type of model this is.', RESTORE);
  }
  if (!Object.hasOwn(FAMILIES, model_type)) {
    refuse(`${CONFIG}, model_type`, `Models of the type ${show(model_type)} cannot be opened yet.`, other);
  }
  const expected = FAMILIES[model_type];
  if (architectures !== undefined && architectures !== null) {
    if (!Array.isArray(architectures) || !architectures.includes(expected)) {
      refuse(
        `${CONFIG}, architectures`,
        `The model is saved as ${show(architectures)}, not as ${expected}, which writes text.`,
        other,
      );
    }
  }
  if (json.quantization_config !== undefined && json.quantization_config !== null) {
    refuse(
      `${CONFIG}, quantization_config`,
      'The weights are stored quantised, which cannot be opened yet.',
      'Choose the model in its original precision (bfloat16, float16 or float32).',
    );
  }
  return model_type;
}

/** Fields that change no shape but every result. */
function checkArithmetic(json: Record<string, unknown>): void {
  const { hidden_act = 'silu', rms_norm_eps = 1e-6 } = json;
  if (hidden_act !== 'silu') {
    refuse(`${CONFIG}, hidden_act`, `The activation ${show(hidden_act)} is not that of a Llama model.`, OTHER_MODEL);
  }
  if (typeof rms_norm_eps !== 'number' || !(rms_norm_eps > 0 && rms_norm_eps < 1)) {
    refuse(`${CONFIG}, rms_norm_eps`, `rms_norm_eps is ${show(rms_norm_eps)}, not a small positive number.`, RESTORE);
  }

  // transformers 5 writes rope_parameters for what were rope_theta and rope_scaling.
  for (const field of ['rope_scaling', 'rope_parameters']) {
    const rope = json[field] ?? {};
    if (typeof rope !== 'object' || Array.isArray(rope)) {
      refuse(`${CONFIG}, ${field}`, `${field} is ${show(rope)}, not an object.`, RESTORE);
    }
    const { rope_type, type, factor = 1, rope_theta = 10_000 } = rope as Record<string, unknown>;
    const kind = rope_type ?? type ?? 'default';
    if (typeof kind !== 'string' || !ROPE_TYPES.includes(kind)) {
      refuse(`${CONFIG}, ${field}`, `The position scaling ${show(kind)} is not supported.`, OTHER_MODEL);
    }
    for (const [name, value] of Object.entries({ factor, rope_theta })) {
      if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
        refuse(`${CONFIG}, ${field}.${name}`, `${name} is ${show(value)}, not a positive number.`, RESTORE);
      }
    }
  }
  const theta = json.rope_theta ?? 10_000;
  if (typeof theta !== 'number' || !Number.isFinite(theta) || theta <= 0) {
    refuse(`${CONFIG}, rope_theta`, `rope_theta is ${show(theta)}, not a positive number.`, RESTORE);
  }
}
