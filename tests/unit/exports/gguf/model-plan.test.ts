import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { planModel } from '../../../../src/exports/gguf/model-plan';
import { readFamilyConfig } from '../../../../src/families';
import { ggufOf } from '../../../../src/families/gguf';
import type { GgufEntry } from '../../../../src/formats/gguf-write';
import { type PlainModel, plainModel, plannedValues } from './plain-model';

interface Converted {
  keys: Record<string, { type: string[]; value: unknown }>;
  tensors: Record<string, { shape: number[]; sha256: string; values?: number[] }>;
}

/** What llama.cpp's converter makes of the same folders (tests/oracle/make_gguf_model_fixtures.py). */
const converted = JSON.parse(readFileSync('tests/fixtures/gguf/converted.json', 'utf8')) as Record<string, Converted>;

/** Settings of the tiny models that llama.cpp's architectures do not have, whatever the converter says: refused, field by field. */
const unwritable: Record<
  string,
  { changes: Record<string, unknown>; refused: Record<string, string>; without?: RegExp }
> = {
  'families/qwen3': {
    changes: { attention_bias: false },
    refused: { attention_bias: 'no bias' },
    without: /self_attn\.\w_proj\.bias$/,
  },
  'families/gemma2': {
    changes: { query_pre_attn_scalar: 16 },
    refused: { query_pre_attn_scalar: 'the root of 16, and this one by that of' },
  },
  'families/gemma3_text': {
    changes: { query_pre_attn_scalar: 16 },
    refused: { query_pre_attn_scalar: 'the root of 16' },
  },
  'families/smollm3': {
    changes: { no_rope_layers: null, no_rope_layer_interval: 4 },
    refused: { no_rope_layers: 'every fourth layer' },
  },
  'families/gpt2': {
    changes: { scale_attn_by_inverse_layer_idx: false },
    refused: { scale_attn_by_inverse_layer_idx: 'divides the scores of all layers' },
  },
};

/** Beyond the converter's. */
const extraKeys: Record<string, string[]> = {
  'families/mistral': ['llama.attention.sliding_window'],
  'families/qwen2': ['qwen2.attention.key_length', 'qwen2.attention.value_length', 'qwen2.rope.dimension_count'],
  'families/qwen3': [
    'qwen3.rope.dimension_count',
    'qwen3.rope.scaling.yarn_beta_fast',
    'qwen3.rope.scaling.yarn_beta_slow',
  ],
  'families/gemma2': ['gemma2.rope.dimension_count', 'gemma2.rope.freq_base'],
  'families/gemma3_text': ['gemma3.attention.sliding_window_pattern', 'gemma3.rope.dimension_count'],
  'families/phi3': ['phi3.attention.key_length', 'phi3.attention.value_length'],
  'families/phi3-longrope': ['phi3.attention.key_length', 'phi3.attention.value_length'],
  'families/smollm3': ['smollm3.attention.key_length', 'smollm3.attention.value_length'],
  'families/gpt_neox': ['gptneox.rope.freq_base'],
  'families/gpt_neox-serial': ['gptneox.rope.freq_base'],
};

/** What the converter gets wrong: it multiplies GPT-2's width by four, and overlooks what transformers 5 calls a field of GPT-NeoX. */
const mistaken: Record<string, Record<string, unknown>> = {
  'families/gpt2': { 'gpt2.feed_forward_length': ['UINT32', 28] },
  'families/gpt_neox-serial': { 'gptneox.rope.dimension_count': ['UINT32', 10] },
};

const biases = [0, 1].flatMap((i) => [`blk.${i}.attn_qkv.bias`, `blk.${i}.attn_output.bias`]);
const extraTensors: Record<string, string[]> = {
  // llama.cpp wants what the converter leaves out.
  'families/gpt_neox-serial': ['output.weight', ...biases],
};

const plain = (entry: GgufEntry) => {
  if (entry.type === 'raw' || typeof entry.value === 'object') throw new Error('a list');
  return entry.type === 'float32' ? Math.fround(entry.value) : entry.value;
};

const sha256 = (values: Float32Array) =>
  createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');

describe.each(Object.entries(converted))('the plan of %s', (folder, theirs) => {
  const { changes, refused, without } = unwritable[folder] ?? { changes: {}, refused: {} };
  const model = plainModel(folder, changes, without);
  const plan = model.then(({ json, tensors }) => planModel(json, tensors, 'f32'));

  it('has the keys that the converter writes', async () => {
    const { architecture, pairs } = await plan;
    expect(architecture).toBe(theirs.keys['general.architecture']!.value);
    const ours = Object.fromEntries(pairs.map(([key, entry]) => [key, [entry.type.toUpperCase(), plain(entry)]]));
    const own = Object.entries(theirs.keys).filter(([key]) => !key.startsWith('general.'));
    const wanted = Object.fromEntries(own.map(([key, { type, value }]) => [key, [type[0], value]]));
    Object.assign(wanted, mistaken[folder]);
    const added = (extraKeys[folder] ?? []).map((key) => [key, ours[key]]);
    expect(ours).toEqual({ ...wanted, ...Object.fromEntries(added) });
    expect(Object.fromEntries(added)).not.toHaveProperty('undefined');
  });

  it('has the tensors that the converter writes, row by row', async () => {
    const wanted = Object.fromEntries(
      Object.entries(theirs.tensors).filter(([name]) => !without || !/attn_(q|k|v|output)\.bias/.test(name)),
    );
    const extra = extraTensors[folder] ?? [];
    const { tensors } = await plan;
    expect(tensors.map(({ name }) => name).sort()).toEqual([...Object.keys(wanted), ...extra].sort());
    for (const tensor of tensors) {
      if (extra.includes(tensor.name)) continue;
      const { shape, sha256: hash, values: table } = wanted[tensor.name]!;
      expect(tensor.shape, tensor.name).toEqual(shape);
      const values = await plannedValues(tensor, await model);
      // Tables are computed, by PyTorch in float32.
      if (table) values.forEach((value, i) => void expect(value / table[i]!).toBeCloseTo(1, 6));
      else expect(sha256(values), tensor.name).toBe(hash);
    }
  });

  it.each(Object.entries(refused))('is refused with a %s that llama.cpp does not have', async (field, message) => {
    const { json, tensors } = await plainModel(folder);
    const before = { ...json, ...changes, [field]: json[field] ?? null };
    const where = `config.json, ${field}`;
    expect(() => planModel(before, tensors, 'f32')).toThrow(expect.objectContaining({ where, code: 'bad_model' }));
    expect(() => planModel(before, tensors, 'f32')).toThrow(message);
  });
});

const planOf = ({ json, tensors }: PlainModel, changes: Record<string, unknown>) =>
  planModel({ ...json, ...changes }, tensors, 'f32');

const qwen2 = await plainModel('families/qwen2');
const llama = await plainModel('llama/gqa-tied');
const gemma2 = await plainModel('families/gemma2', { query_pre_attn_scalar: 16 });
const gemma3 = await plainModel('families/gemma3_text', { query_pre_attn_scalar: 16 });
const neox = await plainModel('families/gpt_neox');

describe('what llama.cpp computes otherwise', () => {
  it('is a note where only long texts differ', async () => {
    const mistral = await plainModel('families/mistral');
    expect(planOf(mistral, { sliding_window: 5 }).notes).toEqual([
      'llama.cpp computes this model without its sliding window of 5 tokens, so longer texts come out a little differently there.',
    ]);
    expect(planOf(mistral, { sliding_window: 64 }).notes).toEqual([]);
    expect(planOf(mistral, { sliding_window: null }).notes).toEqual([]);
    expect(planOf(await plainModel('families/phi3'), {}).notes).toHaveLength(1);
    const windowed = { use_sliding_window: true, sliding_window: 6, max_window_layers: 1, layer_types: null };
    expect(planOf(qwen2, windowed).notes).toHaveLength(1);
    expect(planOf(qwen2, { ...windowed, use_sliding_window: false }).notes).toEqual([]);
  });

  it.each([
    [
      'scaling as in Llama 3, for another family',
      qwen2,
      { rope_scaling: { ...llama3(), rope_type: 'llama3' } },
      'for Llama only',
    ],
    [
      'YaRN with an attention_factor of its own',
      llama,
      { rope_scaling: { rope_type: 'yarn', factor: 4, attention_factor: 2 } },
      'attention_factor',
    ],
    [
      'YaRN that is not rounded',
      llama,
      { rope_scaling: { rope_type: 'yarn', factor: 4, truncate: false } },
      'truncate',
    ],
    ['heads that do not share the hidden width', qwen2, { head_dim: 16 }, '4 heads of 16'],
    ['a Gemma 2 without bounds', gemma2, { final_logit_softcapping: null }, 'no bound'],
    [
      'a Gemma 2 with windows in other layers',
      gemma2,
      { layer_types: ['full_attention', 'sliding_attention'] },
      'every second layer',
    ],
    ['scaled positions in layers with a window', gemma3, gemmaRopes(), 'layers with a window'],
    ['another activation', neox, { hidden_act: 'relu' }, 'not relu'],
  ])('is refused: %s', (_, model, changes, message) => {
    expect(() => planOf(model, changes)).toThrow(message);
  });

  function llama3() {
    return { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 16 };
  }
  function gemmaRopes() {
    const linear = { rope_type: 'linear', factor: 2, rope_theta: 10_000 };
    return { rope_scaling: null, rope_parameters: { full_attention: {}, sliding_attention: linear } };
  }

  it('is written where llama.cpp has a key for it', () => {
    const pattern = (changes: Record<string, unknown>) =>
      new Map(planOf(gemma3, changes).pairs).get('gemma3.attention.sliding_window_pattern');
    const layers = (...sliding: boolean[]) => ({
      num_hidden_layers: sliding.length,
      layer_types: sliding.map((is) => (is ? 'sliding_attention' : 'full_attention')),
    });
    expect(pattern({})).toEqual({ type: 'uint32', value: 2 });
    expect(pattern(layers(true, true, true, true, true, false))).toBeUndefined();
    expect(pattern(layers(true, false, true, false))).toEqual({ type: 'uint32', value: 2 });
    expect(pattern(layers(false, true))).toEqual({ type: 'bools', value: [false, true] });
    const all = new Map(planOf(gemma3, layers(false, false)).pairs);
    expect(all.has('gemma3.attention.sliding_window')).toBe(false);
  });

  it('reads as the same config again', () => {
    for (const [model, changes] of [
      [llama, { rope_scaling: { rope_type: 'linear', factor: 2 } }],
      [llama, { rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 16, beta_fast: 16 } }],
      [gemma3, { final_logit_softcapping: 20 }],
    ] as const) {
      const json: Record<string, unknown> = { ...model.json, ...changes };
      const { family, config } = readFamilyConfig(json);
      const { modelType } = family;
      const gguf = ggufOf(modelType)!;
      const { pairs } = planOf(model, changes);
      const values = new Map(pairs.map(([key, entry]) => [key.slice(gguf.architecture.length + 1), plain(entry)]));
      const read = gguf.config(
        {
          where: 'x.gguf',
          at: (name) => name,
          text: (name) => (values.get(name) as string) ?? null,
          flag: (name, fallback) => (values.get(name) as boolean) ?? fallback,
          number: (name) => (values.get(name) as number) ?? null,
          list: () => null,
          need: (name) => values.get(name) as number,
          has: () => false,
        },
        { freqs: null, long: null, short: null },
      );
      const { model_type, vocab_size, tie_word_embeddings } = json;
      const again = readFamilyConfig({ ...read, model_type: model_type ?? modelType, vocab_size, tie_word_embeddings });
      const rounded = JSON.parse(JSON.stringify(again.config), (_, v) => (typeof v === 'number' ? Math.fround(v) : v));
      const wanted = JSON.parse(JSON.stringify(config), (_, v) => (typeof v === 'number' ? Math.fround(v) : v));
      expect(rounded).toEqual(wanted);
    }
  });
});

describe('the output projection', () => {
  const withOutput = ({ tensors, ...model }: PlainModel): PlainModel => ({
    ...model,
    tensors: [...tensors, { name: 'lm_head.weight', shape: tensors[0]!.shape }],
  });
  const names = (model: PlainModel) => planOf(model, {}).tensors.map(({ name }) => name);

  it('is in the file where it is a tensor of its own', async () => {
    const tied = await plainModel('llama/gqa-tied');
    expect(names(tied)).not.toContain('output.weight');
    expect(names(withOutput(tied))).toContain('output.weight');
  });

  it('is the embedding once more where llama.cpp must have one', async () => {
    const serial = await plainModel('families/gpt_neox-serial');
    const { tensors, vocabulary } = planOf(serial, {});
    const output = tensors.find(({ name }) => name === 'output.weight');
    expect(output).toMatchObject({ shape: [vocabulary, 20], from: { tensor: 'gpt_neox.embed_in.weight' } });
  });

  it('of Gemma 2 that is none of the embedding is refused', async () => {
    const gemma2 = await plainModel('families/gemma2', { query_pre_attn_scalar: 16 });
    expect(() => planOf(withOutput(gemma2), {})).toThrow('here the two differ');
  });
});
