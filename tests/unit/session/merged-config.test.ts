/** config.json of an exported model, as read by transformers 5.23. */
import { expect, test } from 'vitest';
import { configText, mergedConfig } from '../../../src/session/merged-config';

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
