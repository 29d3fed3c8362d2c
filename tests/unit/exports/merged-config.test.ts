/** config.json of an exported model, as read by transformers 5.23. */
import { describe, expect, test } from 'vitest';
import { configText, mergedConfig, mergedTokenizerConfig } from '../../../src/exports/merged-config';

/** With the fields that families need. */
const size = {
  ...{ vocab_size: 96, hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 8, max_position_embeddings: 64 },
};
const gemma2 = {
  ...size,
  architectures: ['Gemma2ForCausalLM'],
  model_type: 'gemma2',
  final_logit_softcapping: 30.0,
  attn_logit_softcapping: 50.0,
  query_pre_attn_scalar: 224,
  rms_norm_eps: 1e-6,
  quantization_config: { bits: 4 },
  _name_or_path: '/tmp',
  torch_dtype: 'bfloat16',
};

test('a language model keeps its class and gets the dtype of the file, without quantisation', () => {
  const config = mergedConfig(gemma2, 'F16', null);
  expect(config).toMatchObject({ architectures: ['Gemma2ForCausalLM'], dtype: 'float16', torch_dtype: 'float16' });
  expect(config).not.toHaveProperty('quantization_config');
  expect(config).not.toHaveProperty('_name_or_path');
  expect(config).not.toHaveProperty('id2label');
});

test('float fields keep a decimal point, and integers get none', () => {
  const text = configText(mergedConfig(gemma2, 'BF16', { problemType: 'regression', labels: ['"rms_norm_eps": 3'] }));
  expect(text).toContain('"final_logit_softcapping": 30.0,');
  expect(text).toContain('"attn_logit_softcapping": 50.0,');
  expect(text).toContain('"query_pre_attn_scalar": 224,');
  expect(text).toContain('"rms_norm_eps": 0.000001,');
  expect(JSON.parse(text)).toEqual(
    mergedConfig(gemma2, 'BF16', { problemType: 'regression', labels: ['"rms_norm_eps": 3'] }),
  );
});

test('a classifier gets its class, labels and problem type, replacing those of the base', () => {
  const old = {
    ...size,
    architectures: ['BertForMaskedLM'],
    model_type: 'bert',
    num_labels: 9,
    problem_type: 'regression',
  };
  const tagger = mergedConfig(old, 'F32', { problemType: 'token_classification', labels: ['O', 'B-LOC'] });
  expect(tagger).toMatchObject({
    architectures: ['BertForTokenClassification'],
    id2label: { 0: 'O', 1: 'B-LOC' },
    label2id: { O: 0, 'B-LOC': 1 },
  });
  expect(tagger).not.toHaveProperty('problem_type');
  expect(tagger).not.toHaveProperty('num_labels');
  const sorter = mergedConfig(old, 'F32', { problemType: 'multi_label_classification', labels: ['a', 'b'] });
  expect(sorter).toMatchObject({
    architectures: ['BertForSequenceClassification'],
    problem_type: 'multi_label_classification',
  });
});

const phi3 = { ...size, architectures: ['Phi3ForCausalLM'], model_type: 'phi3' };

test('code that the source names is not in the folder, so neither is its name', () => {
  const auto_map = {
    AutoConfig: 'configuration_phi3.Phi3Config',
    AutoModelForCausalLM: 'modeling_phi3.Phi3ForCausalLM',
  };
  expect(mergedConfig({ ...phi3, auto_map }, 'F32', null)).not.toHaveProperty('auto_map');
  const tokenizer = JSON.stringify({ tokenizer_class: 'LlamaTokenizer', auto_map: { AutoTokenizer: ['x.X', null] } });
  expect(JSON.parse(mergedTokenizerConfig(tokenizer, false))).toEqual({ tokenizer_class: 'LlamaTokenizer' });
  // What has none stays as it is, byte for byte; so does what cannot be read.
  for (const text of ['{"a":1 }', '[1]', 'no json']) expect(mergedTokenizerConfig(text, false)).toBe(text);
});

describe('the padding token', () => {
  const classes = { problemType: 'single_label_classification' as const, labels: ['a', 'b'] };
  const llama = { ...size, architectures: ['LlamaForCausalLM'], model_type: 'llama' };

  test('is written where a head reads a text’s last token and the base has none', () => {
    expect(mergedConfig(llama, 'F32', classes, { padTokenId: 7 })).toMatchObject({ pad_token_id: 7 });
    expect(mergedConfig({ ...llama, pad_token_id: null }, 'F32', classes, { padTokenId: 7 })).toMatchObject({
      pad_token_id: 7,
    });
    // Some published configs have -1 for none.
    expect(mergedConfig({ ...llama, pad_token_id: -1 }, 'F32', classes, { padTokenId: 7 })).toMatchObject({
      pad_token_id: 7,
    });
    expect(mergedConfig({ ...llama, pad_token_id: 0 }, 'F32', classes, { padTokenId: 7 })).toMatchObject({
      pad_token_id: 0,
    });
  });

  test('is not written where nothing reads it', () => {
    expect(mergedConfig(llama, 'F32', null, { padTokenId: 7 })).not.toHaveProperty('pad_token_id');
    const words = { problemType: 'token_classification' as const, labels: ['a', 'b'] };
    expect(mergedConfig(llama, 'F32', words, { padTokenId: 7 })).not.toHaveProperty('pad_token_id');
    const bert = { ...size, architectures: ['BertForMaskedLM'], model_type: 'bert' };
    expect(mergedConfig(bert, 'F32', classes, { padTokenId: 7 })).not.toHaveProperty('pad_token_id');
  });

  test('of the tokenizer is that of the end of text where it has none of its own', () => {
    const without = JSON.stringify({ eos_token: '</s>' });
    expect(JSON.parse(mergedTokenizerConfig(without, true))).toEqual({ eos_token: '</s>', pad_token: '</s>' });
    expect(mergedTokenizerConfig(without, false)).toBe(without);
    const own = JSON.stringify({ eos_token: '</s>', pad_token: '<pad>' });
    expect(mergedTokenizerConfig(own, true)).toBe(own);
  });
});

/** Pairs as transformers 4.57.6 and 5.23.0 save the same model. */
describe('positions are spelled for transformers 4 and 5', () => {
  const llama3 = {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 16,
  };
  const long = { short_factor: [1, 1], long_factor: [2, 4] };
  const names: Record<string, string> = {
    llama: 'Llama',
    qwen2: 'Qwen2',
    gemma3_text: 'Gemma3',
    phi3: 'Phi3',
    gpt_neox: 'GPTNeoX',
  };
  test.each<[string, string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'no scaling',
      'qwen2',
      { rope_theta: 1e6, rope_scaling: null },
      { rope_parameters: { rope_theta: 1e6, rope_type: 'default' } },
    ],
    [
      'Llama 3’s',
      'llama',
      { rope_theta: 5e5, rope_scaling: llama3 },
      { rope_parameters: { ...llama3, rope_theta: 5e5 } },
    ],
    [
      'Phi-3’s',
      'phi3',
      {
        rope_theta: 1e4,
        rope_scaling: { type: 'longrope', ...long },
        original_max_position_embeddings: 32,
        partial_rotary_factor: 0.5,
      },
      {
        original_max_position_embeddings: 32,
        rope_parameters: {
          ...long,
          rope_type: 'longrope',
          rope_theta: 1e4,
          partial_rotary_factor: 0.5,
          original_max_position_embeddings: 32,
        },
      },
    ],
    [
      'Gemma 3’s',
      'gemma3_text',
      {
        rope_theta: 1e6,
        rope_local_base_freq: 50,
        rope_scaling: { rope_type: 'linear', factor: 8 },
        sliding_window_pattern: 2,
      },
      {
        layer_types: ['sliding_attention', 'full_attention'],
        rope_parameters: {
          full_attention: { rope_type: 'linear', factor: 8, rope_theta: 1e6 },
          sliding_attention: { rope_type: 'default', rope_theta: 50 },
        },
      },
    ],
    [
      'GPT-NeoX’s',
      'gpt_neox',
      { rotary_emb_base: 1e4, rotary_pct: 0.25 },
      { rope_parameters: { rope_theta: 1e4, rope_type: 'default', partial_rotary_factor: 0.25 } },
    ],
  ])('%s', (_name, model_type, older, newer) => {
    const base = { ...size, model_type, architectures: [`${names[model_type]}ForCausalLM`], sliding_window: 8 };
    const own = model_type === 'gpt_neox' ? { ...base, head_dim: undefined } : base;
    const fromOlder = mergedConfig({ ...own, ...older }, 'F32', null);
    const fromNewer = mergedConfig({ ...own, ...newer }, 'F32', null);
    const { layer_types: _types, ...spelled } = { ...older, ...newer };
    for (const [key, value] of Object.entries(spelled)) {
      // The context before the scaling stands beside it in the older spelling, and may stand within in the newer.
      const { original_max_position_embeddings: _before, ...rest } = (fromOlder[key] ?? {}) as Record<string, unknown>;
      if (model_type === 'phi3' && key === 'rope_parameters')
        expect({ ...rest, original_max_position_embeddings: 32 }).toEqual(value);
      else expect(fromOlder[key], `${key} of the older`).toEqual(value);
      expect(fromNewer[key], `${key} of the newer`).toEqual(value);
    }
    // Numbers that transformers takes as floats only keep their point.
    expect(configText(fromNewer)).not.toMatch(/"(rope_theta|factor|rotary_emb_base)": \d+(,|\n)/);
  });

  test('GPT-2’s context has its older name too', () => {
    const gpt2 = { architectures: ['GPT2LMHeadModel'], model_type: 'gpt2', n_positions: 48 };
    expect(mergedConfig(gpt2, 'F32', null)).toMatchObject({ n_ctx: 48 });
  });
});
