/** config.json from a GGUF file's metadata: llama.cpp's keys in Hugging Face's names, one family at a time. */
import { refuse } from '../../base/bad-model';
import { type GgufFile, isStrings, stringAt } from '../../formats/gguf';
import { ggufArchitectures } from './names';
import { llama3Scaling, scalingFromKeys } from './rope';

type Json = Record<string, unknown>;

/** Small tables of float32 values, where the file has them. */
export interface RopeTables {
  freqs: Float32Array | null;
  long: Float32Array | null;
  short: Float32Array | null;
}

const DAMAGED = 'Convert the model again with a current llama.cpp, or download a newer file of it.';

/** The metadata of one architecture: `key.number('block_count')` is `llama.block_count`. */
class Keys {
  constructor(
    private readonly file: GgufFile,
    private readonly prefix: string,
    readonly where: string,
  ) {}

  at(name: string): string {
    return `${this.where}, ${this.prefix}.${name}`;
  }

  text(name: string): string | null {
    const value = this.file.metadata.get(`${this.prefix}.${name}`);
    return typeof value === 'string' ? value : null;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.file.metadata.get(`${this.prefix}.${name}`);
    return typeof value === 'boolean' ? value : fallback;
  }

  /** Null where there is none. A list of equal numbers, one a layer, counts as one. */
  number(name: string): number | null {
    let value = this.file.metadata.get(`${this.prefix}.${name}`);
    if (value === undefined) return null;
    if (typeof value === 'object' && !isStrings(value)) {
      const [first] = value;
      if (!Array.from<unknown>(value).every((other) => other === first)) {
        refuse(this.at(name), 'The layers of this model differ in size, which cannot be computed.', OTHER_MODEL);
      }
      value = first;
    }
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      refuse(this.at(name), `The file gives no number for ${name}.`, DAMAGED);
    }
    return shortest(value);
  }

  /** A list, one entry a layer. */
  list(name: string): unknown[] | null {
    const value = this.file.metadata.get(`${this.prefix}.${name}`);
    return typeof value === 'object' && !isStrings(value) ? Array.from<unknown>(value) : null;
  }

  need(name: string): number {
    return this.number(name) ?? refuse(this.at(name), `The file does not give ${name}.`, DAMAGED);
  }

  has(tensor: string): boolean {
    return this.file.tensors.has(tensor);
  }
}

const OTHER_MODEL = 'Choose another model.';

/** 0.00001 where a float32 holds 0.000009999999747378752: what was written before it became one. */
function shortest(value: number): number {
  if (Number.isInteger(value) || Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

/** Width of a head; keys and values must agree. */
function headDim(keys: Keys): number {
  const width =
    keys.number('attention.key_length') ?? keys.need('embedding_length') / keys.need('attention.head_count');
  const values = keys.number('attention.value_length') ?? width;
  if (values !== width) refuse(keys.at('attention.value_length'), 'Keys and values differ in width.', OTHER_MODEL);
  return width;
}

/** What all decoders with RMS norms and rotary positions say alike. */
function decoder(keys: Keys, theta: number): Json {
  const heads = keys.need('attention.head_count');
  return {
    hidden_size: keys.need('embedding_length'),
    intermediate_size: keys.need('feed_forward_length'),
    num_hidden_layers: keys.need('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: keys.number('attention.head_count_kv') ?? heads,
    head_dim: headDim(keys),
    max_position_embeddings: keys.need('context_length'),
    rms_norm_eps: keys.need('attention.layer_norm_rms_epsilon'),
    rope_theta: keys.number('rope.freq_base') ?? theta,
  };
}

function scaling(keys: Keys, tables: RopeTables, json: Json): Json {
  if (!tables.freqs) return scalingFromKeys(keys, keys.at('rope.scaling.type'));
  return llama3Scaling(
    tables.freqs,
    json.rope_theta as number,
    json.head_dim as number,
    `${keys.where}, rope_freqs.weight`,
  );
}

/** The width of a window; null where there is none, which files also write as 0. */
const window = (keys: Keys): number | null => keys.number('attention.sliding_window') || null;

/** Llama's, and Mistral's, which GGUF does not tell apart: a window makes the difference. */
function llama(keys: Keys, tables: RopeTables): Json {
  const json = decoder(keys, 10_000);
  if (json.head_dim !== (keys.number('rope.dimension_count') ?? json.head_dim)) {
    refuse(keys.at('rope.dimension_count'), 'Only a part of each head turns, which Llama does not have.', OTHER_MODEL);
  }
  const width = window(keys);
  const mistral = width !== null ? { model_type: 'mistral', sliding_window: width } : { model_type: 'llama' };
  const biases =
    width !== null ? {} : { attention_bias: keys.has('blk.0.attn_q.bias'), mlp_bias: keys.has('blk.0.ffn_gate.bias') };
  return {
    architectures: [width !== null ? 'MistralForCausalLM' : 'LlamaForCausalLM'],
    ...mistral,
    ...json,
    ...biases,
    ...scaling(keys, tables, json),
  };
}

function gemma(keys: Keys, widestLayers: number): Json {
  const json = decoder(keys, 10_000);
  // The largest of each generation divides by another width; no file says so, and llama.cpp goes by the layers too.
  const whole = (json.hidden_size as number) / (json.num_attention_heads as number);
  return {
    ...json,
    query_pre_attn_scalar: json.num_hidden_layers === widestLayers ? whole : json.head_dim,
    hidden_activation: 'gelu_pytorch_tanh',
  };
}

const BUILDERS: Record<string, (keys: Keys, tables: RopeTables) => Json> = {
  llama,
  smollm3(keys, tables) {
    const json = decoder(keys, 10_000);
    return {
      architectures: ['SmolLM3ForCausalLM'],
      model_type: 'smollm3',
      ...json,
      no_rope_layer_interval: 4,
      attention_bias: keys.has('blk.0.attn_q.bias'),
      mlp_bias: keys.has('blk.0.ffn_gate.bias'),
      ...scaling(keys, tables, json),
    };
  },
  qwen2(keys, tables) {
    const json = decoder(keys, 10_000);
    return { architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', ...json, ...scaling(keys, tables, json) };
  },
  qwen3(keys, tables) {
    const json = decoder(keys, 10_000);
    return {
      architectures: ['Qwen3ForCausalLM'],
      model_type: 'qwen3',
      ...json,
      attention_bias: keys.has('blk.0.attn_q.bias'),
      ...scaling(keys, tables, json),
    };
  },
  gemma2(keys, tables) {
    const json = gemma(keys, 46);
    return {
      architectures: ['Gemma2ForCausalLM'],
      model_type: 'gemma2',
      ...json,
      sliding_window: window(keys) ?? 4096,
      attn_logit_softcapping: keys.number('attn_logit_softcapping') ?? 50,
      final_logit_softcapping: keys.number('final_logit_softcapping') ?? 30,
      ...scaling(keys, tables, json),
    };
  },
  gemma3(keys, tables) {
    const json = gemma(keys, 62);
    const width = window(keys);
    const listed = keys.list('attention.sliding_window_pattern');
    const pattern = width === null ? 1 : listed ? undefined : (keys.number('attention.sliding_window_pattern') ?? 6);
    return {
      architectures: ['Gemma3ForCausalLM'],
      model_type: 'gemma3_text',
      ...json,
      rope_theta: keys.number('rope.freq_base') ?? 1_000_000,
      rope_local_base_freq: keys.number('rope.freq_base_swa') ?? 10_000,
      // Without a window every layer sees everything.
      sliding_window: width ?? json.max_position_embeddings,
      sliding_window_pattern: pattern,
      layer_types: listed?.map((sliding) => (sliding ? 'sliding_attention' : 'full_attention')),
      final_logit_softcapping: keys.number('final_logit_softcapping'),
      ...scaling(keys, tables, json),
    };
  },
  phi3(keys, tables) {
    const json = decoder(keys, 10_000);
    const turning = keys.number('rope.dimension_count') ?? (json.head_dim as number);
    const original = keys.number('rope.scaling.original_context_length') ?? json.max_position_embeddings;
    const scaled = tables.long !== null && tables.short !== null;
    return {
      architectures: ['Phi3ForCausalLM'],
      model_type: 'phi3',
      ...json,
      partial_rotary_factor: turning / (json.head_dim as number),
      original_max_position_embeddings: original,
      sliding_window: window(keys),
      ...(scaled && {
        rope_scaling: {
          rope_type: 'longrope',
          short_factor: Array.from(tables.short!, shortest),
          long_factor: Array.from(tables.long!, shortest),
        },
      }),
    };
  },
  gpt2(keys) {
    return {
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      n_embd: keys.need('embedding_length'),
      n_layer: keys.need('block_count'),
      n_head: keys.need('attention.head_count'),
      n_positions: keys.need('context_length'),
      n_inner: keys.need('feed_forward_length'),
      layer_norm_epsilon: keys.need('attention.layer_norm_epsilon'),
      activation_function: 'gelu_new',
    };
  },
  gptneox(keys) {
    const [hidden, heads] = [keys.need('embedding_length'), keys.need('attention.head_count')];
    return {
      architectures: ['GPTNeoXForCausalLM'],
      model_type: 'gpt_neox',
      hidden_size: hidden,
      intermediate_size: keys.need('feed_forward_length'),
      num_hidden_layers: keys.need('block_count'),
      num_attention_heads: heads,
      max_position_embeddings: keys.need('context_length'),
      layer_norm_eps: keys.need('attention.layer_norm_epsilon'),
      rotary_pct: (keys.number('rope.dimension_count') ?? hidden / heads) / (hidden / heads),
      rotary_emb_base: keys.number('rope.freq_base') ?? 10_000,
      use_parallel_residual: keys.flag('use_parallel_residual', true),
      hidden_act: 'gelu',
    };
  },
};

/** What relatives of these families multiply by; 0 and 1 stand for nothing. */
const SCALES = ['logit_scale', 'residual_scale', 'embedding_scale', 'attention.scale', 'attention.clamp_kqv'];

/** Throws `bad_model` for an architecture that cannot be read, or metadata that lacks what it needs. */
export function configOf(file: GgufFile, tables: RopeTables, where: string): Json {
  const { metadata, tensors } = file;
  const architecture = metadata.get('general.architecture');
  if (typeof architecture !== 'string') {
    refuse(`${where}, general.architecture`, 'The file does not say what kind of model it holds.', DAMAGED);
  }
  const build = Object.hasOwn(BUILDERS, architecture) ? BUILDERS[architecture] : undefined;
  if (!build) {
    refuse(
      `${where}, general.architecture`,
      `GGUF files of the architecture “${architecture.slice(0, 40)}” cannot be opened.`,
      `Choose a model of one of these: ${ggufArchitectures.join(', ')}.`,
    );
  }
  const keys = new Keys(file, architecture, where);
  if ((keys.number('expert_count') ?? 0) > 0) {
    refuse(keys.at('expert_count'), 'This is a mixture of experts, which cannot be computed.', OTHER_MODEL);
  }
  if (!keys.flag('attention.causal', true)) {
    refuse(
      keys.at('attention.causal'),
      'Its attention sees tokens that come later, which cannot be computed.',
      OTHER_MODEL,
    );
  }
  for (const name of SCALES) {
    const scale = keys.number(name) ?? 0;
    if (scale !== 0 && scale !== 1) {
      refuse(keys.at(name), `The model has a ${name} of ${scale}, which cannot be computed.`, OTHER_MODEL);
    }
  }
  const table = tensors.get('token_embd.weight');
  if (!table) refuse(`${where}, tensor token_embd.weight`, 'The file has no embedding.', DAMAGED);
  const id = (name: string) => {
    const value = metadata.get(`tokenizer.ggml.${name}_token_id`);
    const tokens = metadata.get('tokenizer.ggml.tokens');
    const known = typeof value === 'number' && isStrings(tokens) && stringAt(tokens, value) !== undefined;
    return known ? { [`${name === 'padding' ? 'pad' : name}_token_id`]: value } : {};
  };
  return {
    ...build(keys, tables),
    vocab_size: table.shape[0],
    tie_word_embeddings: !tensors.has('output.weight'),
    ...id('bos'),
    ...id('eos'),
    ...id('padding'),
  };
}
