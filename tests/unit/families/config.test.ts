/** What each family's config.json may say, and what is refused, by field. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { readFamilyConfig, supportedFamilies } from '../../../src/families';
import { gemma2 } from '../../../src/families/gemma2';
import { gemma3 } from '../../../src/families/gemma3';
import { mistral } from '../../../src/families/mistral';
import { phi3 } from '../../../src/families/phi3';
import { qwen2 } from '../../../src/families/qwen2';
import { qwen3 } from '../../../src/families/qwen3';
import { smollm3 } from '../../../src/families/smollm3';
import { openSafetensors } from '../../../src/formats/safetensors';
import { checkModelFolder } from '../../../src/hub/check';
import { folderOf } from '../hub/helpers';

type Json = Record<string, unknown>;

/** Configs that transformers wrote (tests/oracle). */
const DECODERS = ['mistral', 'qwen2', 'qwen3', 'gemma2', 'gemma3_text', 'phi3', 'phi3-longrope', 'smollm3'];
const pathOf = (name: string) => `tests/fixtures/${name === 'llama' ? 'llama/gqa-tied' : `families/${name}`}`;
const bytesOf = (name: string, file: string) => new Uint8Array(readFileSync(`${pathOf(name)}/${file}`));
const configOf = (name: string, change: Json = {}): Json => {
  const json = { ...JSON.parse(new TextDecoder().decode(bytesOf(name, 'config.json'))), ...change };
  for (const [field, value] of Object.entries(json)) if (value === undefined) delete json[field];
  return json;
};

function refusal(json: Json): TabtuneError {
  try {
    readFamilyConfig(json);
  } catch (error) {
    if (error instanceof TabtuneError) return error;
    throw error;
  }
  throw new Error('The config was taken.');
}

function expectRefused(json: Json, field: string, says: RegExp): void {
  const { code, where, message, action } = refusal(json);
  expect({ code, where }).toEqual({ code: 'bad_model', where: `config.json, ${field}` });
  expect(message).toMatch(says);
  expect(action).toBeTruthy();
}

describe.each(DECODERS)('%s', (name) => {
  it('names every tensor of the checkpoint, and no other', async () => {
    const bytes = bytesOf(name, 'model.safetensors');
    const { tensors } = await openSafetensors(async (a, b) => bytes.slice(a, b).buffer as ArrayBuffer, bytes.length, {
      where: 'model.safetensors',
    });
    const { family, config } = readFamilyConfig(configOf(name));
    const shapes = (entries: Iterable<[string, { shape: number[] }]>) =>
      Object.fromEntries([...entries].map(([tensor, { shape }]) => [tensor, shape]));
    const expected = family.tensors(config).filter(({ optional }) => !optional);
    expect(shapes(expected.map((spec) => [spec.name, spec]))).toEqual(shapes(tensors));
  });

  it('opens as a folder, and not when the vocabulary is another or the output is not tied as said', async () => {
    const folder = (change: Json) =>
      folderOf({
        'config.json': JSON.stringify(configOf(name, change)),
        'model.safetensors': bytesOf(name, 'model.safetensors'),
      });
    const { config } = await checkModelFolder(folder({}));
    await expect(checkModelFolder(folder({ vocab_size: 97 }))).rejects.toMatchObject({
      where: 'model.safetensors, tensor model.embed_tokens.weight',
    });
    const untied = checkModelFolder(folder({ tie_word_embeddings: false }));
    if (config.tie_word_embeddings) await expect(untied).rejects.toMatchObject({ where: /lm_head\.weight/ });
    else await untied;
    // A stored output of a tied model is a copy, which is not read.
    await checkModelFolder(folder({ tie_word_embeddings: true }));
  });
});

const ALL = ['llama', ...DECODERS];

/** Fields that every decoder has, with values that none may have. */
const common: [change: Json, field: string, says: RegExp][] = [
  [{ hidden_size: undefined }, 'hidden_size', /no hidden_size/],
  [{ hidden_size: -32 }, 'hidden_size', /-32/],
  [{ hidden_size: '32' }, 'hidden_size', /"32"/],
  [{ hidden_size: Number.NaN }, 'hidden_size', /null, not a positive/],
  [{ hidden_size: Number.POSITIVE_INFINITY }, 'hidden_size', /not a positive/],
  [{ hidden_size: [32] }, 'hidden_size', /\[32\]/],
  [{ vocab_size: 0 }, 'vocab_size', /0/],
  [{ vocab_size: 1e9 }, 'vocab_size', /more than any/],
  [{ intermediate_size: 40.5 }, 'intermediate_size', /40\.5/],
  [{ intermediate_size: true }, 'intermediate_size', /true/],
  [{ num_hidden_layers: 1e6 }, 'num_hidden_layers', /more than any/],
  [{ num_attention_heads: {} }, 'num_attention_heads', /\{\}/],
  [{ num_attention_heads: 3, num_key_value_heads: 1, head_dim: null }, 'num_attention_heads', /do not divide/],
  [{ num_key_value_heads: 3 }, 'num_key_value_heads', /3 key-value heads do not divide 4/],
  [{ head_dim: 7 }, 'head_dim', /even/],
  [{ head_dim: -2 }, 'head_dim', /-2/],
  [{ max_position_embeddings: 0 }, 'max_position_embeddings', /0/],
  [{ max_position_embeddings: '2k' }, 'max_position_embeddings', /"2k"/],
  [{ rms_norm_eps: -1e-6 }, 'rms_norm_eps', /-0\.000001/],
  [{ rms_norm_eps: Number.NaN }, 'rms_norm_eps', /small positive/],
  [{ rms_norm_eps: 'tiny' }, 'rms_norm_eps', /"tiny"/],
  [{ tie_word_embeddings: 1 }, 'tie_word_embeddings', /not true or false/],
  [{ architectures: ['SomethingForSequenceClassification'] }, 'architectures', /saved as/],
  [{ quantization_config: { quant_method: 'gptq' } }, 'quantization_config', /quantised/],
  [{ rope_scaling: 'linear', rope_parameters: undefined }, 'rope_scaling', /not an object/],
  [{ rope_scaling: { type: 'spiral', factor: 2 } }, 'rope_scaling', /"spiral"/],
  [{ rope_scaling: { rope_type: ['linear'] } }, 'rope_scaling', /\["linear"\]/],
];
describe.each(ALL)('%s refuses', (name) => {
  it.each(common)('%j', (change, field, says) => expectRefused(configOf(name, change), field, says));
});

/** What only some families have. */
const own: [name: string, change: Json, field: string, says: RegExp][] = [
  ...['llama', 'mistral', 'qwen2', 'qwen3', 'phi3', 'smollm3'].map((name): (typeof own)[number] => [
    name,
    { hidden_act: 'relu' },
    'hidden_act',
    /"relu"; only silu/,
  ]),
  ...['llama', 'mistral', 'qwen2', 'qwen3', 'gemma2', 'phi3', 'smollm3'].flatMap((name): typeof own => [
    [name, { rope_theta: -1, rope_parameters: undefined }, 'rope_theta', /-1/],
    [name, { rope_theta: 'big', rope_parameters: undefined }, 'rope_theta', /"big"/],
    [name, { rope_scaling: null, rope_parameters: { rope_theta: 0 } }, 'rope_parameters.rope_theta', /0/],
  ]),
  ...['llama', 'mistral', 'qwen2', 'qwen3', 'gemma2', 'gemma3_text', 'smollm3'].flatMap((name): typeof own => [
    [name, { rope_scaling: { type: 'longrope' } }, 'rope_scaling', /"longrope"/],
    [name, { rope_scaling: { type: 'linear' } }, 'rope_scaling.factor', /no factor/],
    [name, { rope_scaling: { type: 'linear', factor: -2 } }, 'rope_scaling.factor', /-2/],
    [name, { rope_scaling: { rope_type: 'dynamic', factor: 'x' } }, 'rope_scaling.factor', /"x"/],
    [name, { rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'rope_scaling.low_freq_factor', /no low_freq_factor/],
    [name, { rope_scaling: { rope_type: 'yarn', factor: 4, beta_fast: 0 } }, 'rope_scaling.beta_fast', /0/],
    [name, { rope_scaling: { rope_type: 'yarn', factor: 4, truncate: 'no' } }, 'rope_scaling.truncate', /"no"/],
    [
      name,
      { rope_scaling: { rope_type: 'yarn', factor: 4, attention_factor: [] } },
      'rope_scaling.attention_factor',
      /\[\]/,
    ],
  ]),
  ['llama', { partial_rotary_factor: 0.5 }, 'partial_rotary_factor', /0\.5 of a head/],
  ['llama', { attention_bias: 'yes' }, 'attention_bias', /"yes"/],
  ['llama', { mlp_bias: 0 }, 'mlp_bias', /0/],
  ['mistral', { sliding_window: 0 }, 'sliding_window', /0/],
  ['mistral', { sliding_window: '4096' }, 'sliding_window', /"4096"/],
  // The class has 8 key-value heads where the config has no number.
  ['mistral', { num_key_value_heads: undefined }, 'num_key_value_heads', /8 key-value heads do not divide 4/],
  ['qwen2', { use_sliding_window: 'no' }, 'use_sliding_window', /"no"/],
  ['qwen2', { sliding_window: -1 }, 'sliding_window', /-1/],
  ['qwen2', { max_window_layers: 1.5 }, 'max_window_layers', /1\.5/],
  ['qwen2', { layer_types: ['full_attention'] }, 'layer_types', /1 types for 2 layers/],
  ['qwen2', { layer_types: 'full_attention' }, 'layer_types', /"full_attention" for 2 layers/],
  ['qwen2', { layer_types: ['full_attention', 'chunked_attention'] }, 'layer_types', /"chunked_attention"/],
  [
    'qwen2',
    { use_sliding_window: false, layer_types: ['full_attention', 'sliding_attention'] },
    'sliding_window',
    /no width/,
  ],
  ['qwen3', { attention_bias: null, use_sliding_window: 1 }, 'use_sliding_window', /1/],
  ['qwen3', { layer_types: [1, 2] }, 'layer_types', /type 1/],
  ['gemma2', { hidden_activation: 'gelu' }, 'hidden_activation', /"gelu"; only gelu_pytorch_tanh/],
  ['gemma2', { use_bidirectional_attention: true }, 'use_bidirectional_attention', /later/],
  ['gemma2', { query_pre_attn_scalar: 0 }, 'query_pre_attn_scalar', /0/],
  ['gemma2', { attn_logit_softcapping: -50 }, 'attn_logit_softcapping', /-50/],
  ['gemma2', { attn_logit_softcapping: 'none' }, 'attn_logit_softcapping', /"none"/],
  ['gemma2', { final_logit_softcapping: 0 }, 'final_logit_softcapping', /0/],
  ['gemma2', { sliding_window: null }, 'sliding_window', /no width/],
  ['gemma3_text', { hidden_activation: 'silu' }, 'hidden_activation', /"silu"/],
  ['gemma3_text', { attn_logit_softcapping: 50 }, 'attn_logit_softcapping', /does not have/],
  ['gemma3_text', { use_bidirectional_attention: true }, 'use_bidirectional_attention', /later/],
  ['gemma3_text', { sliding_window_pattern: 0 }, 'sliding_window_pattern', /0/],
  ['gemma3_text', { rope_local_base_freq: -1 }, 'rope_local_base_freq', /-1/],
  ['gemma3_text', { rope_theta: 'x' }, 'rope_theta', /"x"/],
  [
    'gemma3_text',
    { rope_parameters: { sliding_attention: 5 } },
    'rope_parameters.sliding_attention',
    /sliding_attention is 5/,
  ],
  [
    'gemma3_text',
    { rope_parameters: { sliding_attention: { rope_type: 'axial' } } },
    'rope_parameters.sliding_attention',
    /"axial"/,
  ],
  ['phi3', { partial_rotary_factor: 0 }, 'partial_rotary_factor', /0/],
  ['phi3', { partial_rotary_factor: 1.5 }, 'partial_rotary_factor', /1\.5/],
  ['phi3', { partial_rotary_factor: 0.4 }, 'partial_rotary_factor', /0\.4 of a head of 8/],
  ['phi3', { rope_scaling: { type: 'linear', factor: 2 } }, 'rope_scaling', /"linear"/],
  ['phi3', { original_max_position_embeddings: 'all' }, 'original_max_position_embeddings', /"all"/],
  ['phi3-longrope', { rope_scaling: { type: 'longrope' } }, 'rope_scaling.short_factor', /4 positive numbers/],
  [
    'phi3-longrope',
    { rope_scaling: { type: 'su', short_factor: [1, 1, 1, 1], long_factor: [1, 1, 1] } },
    'rope_scaling.long_factor',
    /\[1,1,1\]/,
  ],
  [
    'phi3-longrope',
    { rope_scaling: { type: 'su', short_factor: [1, 1, 1, '1'], long_factor: [1, 1, 1, 1] } },
    'rope_scaling.short_factor',
    /"1"/,
  ],
  ['smollm3', { no_rope_layers: [1] }, 'no_rope_layers', /each of 2 layers/],
  ['smollm3', { no_rope_layers: [1, 2] }, 'no_rope_layers', /\[1,2\]/],
  ['smollm3', { no_rope_layers: 'none' }, 'no_rope_layers', /"none"/],
  ['smollm3', { no_rope_layer_interval: 0 }, 'no_rope_layer_interval', /0/],
  ['smollm3', { sliding_window: null }, 'sliding_window', /no width/],
];
it.each(own)('%s refuses %j', (name, change, field, says) => expectRefused(configOf(name, change), field, says));

describe('other models', () => {
  it.each(['mamba', 'mixtral', 'qwen2_moe', 'constructor'])(
    '%s is refused with the list of those that work',
    (type) => {
      const { where, message, action } = refusal({ model_type: type });
      expect(where).toBe('config.json, model_type');
      expect(message).toContain(`"${type}"`);
      for (const name of supportedFamilies) expect(action).toContain(name);
    },
  );

  it('Gemma 3 with images is refused as such', () => {
    const { where, message, action } = refusal({ model_type: 'gemma3', text_config: { model_type: 'gemma3_text' } });
    expect(where).toBe('config.json, model_type');
    expect(message).toMatch(/images/);
    expect(action).toContain('gemma3_text');
  });
});

/** Defaults of transformers' configuration classes, and older spellings. */
describe('what a config leaves out', () => {
  it('rope_parameters of transformers 5 and what they replace mean the same', () => {
    const v5 = (change: Json, parameters: Json) =>
      mistral.readConfig(configOf('mistral', { ...change, rope_theta: undefined, rope_parameters: parameters })).rope;
    const v4 = (change: Json) => mistral.readConfig(configOf('mistral', change)).rope;
    expect(v5({}, { rope_type: 'default', rope_theta: 1e6 })).toEqual(v4({}));
    const scaling = { rope_type: 'linear', factor: 2 };
    expect(v5({}, { ...scaling, rope_theta: 1e6 })).toEqual(v4({ rope_scaling: scaling }));
    // The inner field wins, as in transformers.
    expect(v4({ rope_parameters: { rope_theta: 5e4 } }).theta).toBe(5e4);
    expect(v4({ rope_theta: undefined }).theta).toBe(10_000);
  });

  it('Llama 3: the original context is the whole one unless said', () => {
    const scaling = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    const { rope } = mistral.readConfig(configOf('mistral', { rope_scaling: scaling }));
    expect(rope.scaling).toEqual({ ...scaling, original_max_position_embeddings: 64 });
  });

  it('mistral: a window of 4096, and none for null', () => {
    const window = (value: unknown) =>
      mistral.readConfig(configOf('mistral', { sliding_window: value })).sliding_window;
    expect([window(undefined), window(null), window(5)]).toEqual([4096, null, 5]);
  });

  it('qwen: no windows unless they are switched on, then from layer 28 on', () => {
    const windows = (change: Json) => qwen2.readConfig(configOf('qwen2', change)).windows;
    expect(windows({})).toEqual([null, 4]);
    expect(windows({ max_window_layers: undefined })).toEqual([null, null]);
    expect(windows({ max_window_layers: 0 })).toEqual([4, 4]);
    expect(windows({ use_sliding_window: undefined })).toEqual([null, null]);
    expect(windows({ sliding_window: undefined })).toEqual([null, 4096]);
    expect(qwen3.readConfig(configOf('qwen3', { head_dim: undefined })).head_dim).toBe(128);
  });

  it('gemma2: caps of 50 and 30, null for none; a window in every second layer, the first among them', () => {
    const read = (change: Json) => gemma2.readConfig(configOf('gemma2', change));
    const bare = read({
      attn_logit_softcapping: undefined,
      final_logit_softcapping: undefined,
      query_pre_attn_scalar: undefined,
      tie_word_embeddings: undefined,
      sliding_window: undefined,
    });
    expect(bare).toMatchObject({
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
      query_pre_attn_scalar: 256,
      tie_word_embeddings: true,
      windows: [4096, null],
    });
    expect(read({ attn_logit_softcapping: null }).attn_logit_softcapping).toBeNull();
  });

  it('gemma3: full attention in every sixth layer; the frequencies of either kind', () => {
    const read = (change: Json) => gemma3.readConfig(configOf('gemma3_text', change));
    const bare = read({
      num_hidden_layers: 12,
      sliding_window_pattern: undefined,
      rope_theta: undefined,
      rope_scaling: undefined,
      rope_local_base_freq: undefined,
    });
    expect(bare.windows.flatMap((window, layer) => (window === null ? [layer] : []))).toEqual([5, 11]);
    expect(bare.rope).toMatchObject({ full: { theta: 1e6, scaling: null }, sliding: { theta: 1e4, scaling: null } });
    expect(bare.final_logit_softcapping).toBeNull();
    const v5 = read({
      rope_theta: undefined,
      rope_scaling: undefined,
      rope_local_base_freq: undefined,
      rope_parameters: {
        full_attention: { rope_type: 'linear', factor: 8, rope_theta: 1e6 },
        sliding_attention: { rope_type: 'default', rope_theta: 50 },
      },
    });
    expect(v5.rope).toEqual(read({}).rope);
  });

  it('phi3: LongRoPE is held to its original context', () => {
    const read = (name: string, change: Json) => phi3.readConfig(configOf(name, change));
    expect(read('phi3-longrope', {}).max_position_embeddings).toBe(32);
    expect(read('phi3-longrope', { original_max_position_embeddings: undefined }).max_position_embeddings).toBe(128);
    expect(read('phi3', {}).max_position_embeddings).toBe(64);
    expect(read('phi3', { sliding_window: undefined }).sliding_window).toBeNull();
    expect(read('phi3', {}).rope.dims).toBe(4);
  });

  it('smollm3: every fourth layer without positions; windows there only, and only when switched on', () => {
    const read = (change: Json) => smollm3.readConfig(configOf('smollm3', { layer_types: undefined, ...change }));
    const bare = read({
      num_hidden_layers: 8,
      no_rope_layers: undefined,
      no_rope_layer_interval: undefined,
      use_sliding_window: undefined,
      rope_parameters: undefined,
    });
    expect(bare.rotary_layers).toEqual([true, true, true, false, true, true, true, false]);
    expect(bare.windows).toEqual(Array(8).fill(null));
    expect(bare.rope.theta).toBe(2_000_000);
    expect(read({}).windows).toEqual([null, 5]);
  });
});
