/** GPT-2, GPT-NeoX and the encoders: their config.json, field by field, and the names their checkpoints are known under. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { readFamilyConfig, tiesOf } from '../../../src/families';
import type { Family, FamilyConfig } from '../../../src/families/family';
import { type SafetensorsTensor, writeSafetensors } from '../../../src/formats/safetensors';
import { checkModelFolder } from '../../../src/hub/check';
import { summarizeModel } from '../../../src/hub/summary';
import { fixtureTensors } from '../../fixture-files';
import { folderOf, tensor } from '../hub/helpers';

type Json = Record<string, unknown>;

/** Fixtures that transformers wrote (tests/oracle/make_family_fixtures.py). */
const ALL = ['gpt2', 'gpt_neox', 'gpt_neox-serial', 'bert', 'roberta', 'distilbert'] as const;

const configOf = (name: string, change: Json = {}): Json => {
  const json = { ...JSON.parse(readFileSync(`tests/fixtures/families/${name}/config.json`, 'utf8')), ...change };
  for (const [field, value] of Object.entries(json)) if (value === undefined) delete json[field];
  return json;
};

/** The fixture's checkpoint with its tensors renamed (null leaves one out), more of them, and another config. */
async function folderWith(
  name: string,
  {
    rename = (n) => n,
    more = [],
    change = {},
  }: { rename?: (n: string) => string | null; more?: SafetensorsTensor[]; change?: Json },
) {
  const { names, source } = await fixtureTensors(`families/${name}/model.safetensors`);
  const kept = names.flatMap((n) => {
    const stored = rename(n);
    return stored === null ? [] : [tensor(stored, source.info(n)!.shape)];
  });
  return folderOf({
    'config.json': JSON.stringify(configOf(name, change)),
    'model.safetensors': writeSafetensors([...kept, ...more]),
  });
}

/** Those that a checkpoint must have. */
function ownTensors(family: Family, config: FamilyConfig) {
  const tied = new Set(tiesOf(family, config).map(({ name }) => name));
  return family.tensors(config).filter(({ name, spare }) => !tied.has(name) && !spare);
}

describe.each(ALL)('%s', (name) => {
  it('names every tensor of the checkpoint, and no other but copies', async () => {
    const { names, source } = await fixtureTensors(`families/${name}/model.safetensors`);
    const { family, config } = readFamilyConfig(configOf(name));
    const specs = ownTensors(family, config);
    expect(specs.map((spec) => spec.name).sort()).toEqual([...names].sort());
    for (const { name: tensorName, shape } of specs) expect(source.info(tensorName)?.shape, tensorName).toEqual(shape);
  });

  it('opens as a folder; a stored copy of the table is not counted', async () => {
    const folder = await folderWith(name, {});
    const checked = await checkModelFolder(folder);
    const { parameters } = await summarizeModel(checked);
    const [tie] = tiesOf(checked.family, checked.config);
    if (!tie) return;
    const withCopy = await folderWith(name, { more: [tensor(tie.name, checked.tensors.get(tie.of)!.shape)] });
    expect((await summarizeModel(await checkModelFolder(withCopy))).parameters).toBe(parameters);
  });
});

// Counted from transformers' classes with their default configs.
it.each([
  ['gpt2', 124_439_808],
  ['bert', 109_514_298],
  ['distilbert', 66_985_530],
  ['roberta', 124_696_665],
  ['gpt_neox', 20_554_567_680],
])('%s: fields that are left out have the defaults of transformers', (model_type, parameters) => {
  const { family, config } = readFamilyConfig({ model_type });
  const specs = ownTensors(family, config);
  expect(specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(parameters);
});

it('a head as transformers has it is the default for the classes with one, none for the bare ones', async () => {
  const bare = (n: string) => (n.startsWith('bert.') ? n.slice(5) : null);
  const folder = await folderWith('bert', {
    rename: bare,
    // sentence-transformers saves these too; a classification reads them.
    more: [tensor('pooler.dense.weight', [24, 24]), tensor('pooler.dense.bias', [24])],
    change: { architectures: ['BertModel'] },
  });
  const { tensors, config } = await checkModelFolder(folder);
  expect(config.model_type).toBe('bert');
  expect([...tensors.keys()][0]).toBe('embeddings.word_embeddings.weight');
  expect([...tensors.keys()].some((n) => n.startsWith('cls.'))).toBe(false);
  expect(tensors.get('pooler.dense.weight')?.shape).toEqual([24, 24]);
});

it('a class with a head whose weights are the bare encoder opens under the names of its class', async () => {
  const rename = (n: string) => (n.startsWith('roberta.') ? n.slice(8) : null);
  const { tensors } = await checkModelFolder(await folderWith('roberta', { rename }));
  expect(tensors.has('roberta.encoder.layer.1.output.dense.weight')).toBe(true);
});

it('bert: gamma and beta of checkpoints from TensorFlow, with what BertForPreTraining has besides', async () => {
  const folder = await folderWith('bert', {
    rename: (n) => n.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
    more: [
      tensor('bert.pooler.dense.weight', [24, 24]),
      tensor('bert.pooler.dense.bias', [24]),
      tensor('cls.seq_relationship.weight', [2, 24]),
      tensor('cls.seq_relationship.bias', [2]),
      tensor('bert.embeddings.position_ids', [1, 32]),
    ],
    change: { architectures: ['BertForPreTraining'] },
  });
  const { tensors } = await checkModelFolder(folder);
  expect(tensors.has('bert.embeddings.LayerNorm.weight')).toBe(true);
  expect(tensors.has('cls.predictions.transform.LayerNorm.bias')).toBe(true);
  // The fixture's 42, and the pooler.
  expect(tensors.size).toBe(44);
  expect(tensors.has('bert.pooler.dense.bias')).toBe(true);
});

it('gpt2: OpenAI’s own checkpoints have no prefix, and buffers of the causal mask', async () => {
  const folder = await folderWith('gpt2', {
    rename: (n) => n.replace('transformer.', ''),
    more: [tensor('h.0.attn.bias', [1, 1, 32, 32]), tensor('h.1.attn.masked_bias', [1])],
  });
  const { tensors } = await checkModelFolder(folder);
  expect([...tensors.keys()].every((n) => n.startsWith('transformer.'))).toBe(true);
});

it('gpt_neox: the output under its new name, and old buffers', async () => {
  const folder = await folderWith('gpt_neox', {
    rename: (n) => n.replace('embed_out', 'lm_head'),
    more: [
      tensor('gpt_neox.layers.0.attention.bias', [1, 1, 32, 32]),
      tensor('gpt_neox.layers.0.attention.masked_bias', [1]),
      tensor('gpt_neox.layers.0.attention.rotary_emb.inv_freq', [2]),
    ],
  });
  expect((await checkModelFolder(folder)).tensors.has('embed_out.weight')).toBe(true);
});

it('a tensor that nothing accounts for, and one that is missing, are refused by name', async () => {
  const unknown = await folderWith('bert', { more: [tensor('classifier.weight', [2, 24])] });
  await expect(checkModelFolder(unknown)).rejects.toMatchObject({
    code: 'bad_model',
    where: 'model.safetensors, tensor "classifier.weight"',
  });
  const gone = 'distilbert.transformer.layer.1.ffn.lin1.weight';
  const missing = await folderWith('distilbert', { rename: (n) => (n === gone ? null : n) });
  await expect(checkModelFolder(missing)).rejects.toMatchObject({
    code: 'bad_model',
    where: `model.safetensors, tensor ${gone}`,
    message: expect.stringContaining('lack 1 of'),
  });
});

describe('what a config says', () => {
  it('reads rotary settings of Pythia and of transformers 5', () => {
    const rope = (change: Json) => (readFamilyConfig(configOf('gpt_neox', change)).config as unknown as Json).rope;
    expect(rope({})).toEqual({ theta: 10_000, dims: 4, scaling: null });
    const newer = { rotary_emb_base: undefined, rotary_pct: undefined };
    expect(rope({ ...newer, rope_parameters: { rope_theta: 500, partial_rotary_factor: 0.5 } })).toEqual({
      theta: 500,
      dims: 8,
      scaling: null,
    });
    expect(rope({ ...newer })).toEqual({ theta: 10_000, dims: 4, scaling: null });
    expect(rope({ rope_scaling: { type: 'linear', factor: 2 } })).toMatchObject({ dims: 4, scaling: { factor: 2 } });
  });

  it('takes RoBERTa’s padding and what is before it off the positions', () => {
    const { config } = readFamilyConfig(configOf('roberta'));
    expect(config).toMatchObject({ max_position_embeddings: 30, position_offset: 2 });
  });
});

const refusals: [name: string, change: Json, field: string, says: RegExp][] = [
  ['gpt2', { n_embd: 21 }, 'n_head', /2 heads do not divide the hidden size 21/],
  ['gpt2', { n_embd: 0 }, 'n_embd', /0/],
  ['gpt2', { n_layer: '12' }, 'n_layer', /"12"/],
  ['gpt2', { n_layer: 1e6 }, 'n_layer', /more than any/],
  ['gpt2', { n_inner: -1 }, 'n_inner', /-1/],
  ['gpt2', { n_positions: 1.5 }, 'n_positions', /1\.5/],
  ['gpt2', { activation_function: 'tanh' }, 'activation_function', /"tanh"/],
  ['gpt2', { layer_norm_epsilon: 0 }, 'layer_norm_epsilon', /0/],
  ['gpt2', { add_cross_attention: true }, 'add_cross_attention', /another model/],
  ['gpt2', { scale_attn_weights: 'yes' }, 'scale_attn_weights', /"yes"/],
  ['gpt2', { tie_word_embeddings: 1 }, 'tie_word_embeddings', /1/],
  ['gpt2', { architectures: ['GPT2ForQuestionAnswering'] }, 'architectures', /saved as/],
  ['gpt_neox', { num_attention_heads: 3 }, 'num_attention_heads', /do not divide/],
  ['gpt_neox', { rotary_pct: -1 }, 'rotary_pct', /-1/],
  ['gpt_neox', { rotary_pct: 0.2 }, 'partial_rotary_factor', /0\.2 of a head of 16/],
  ['gpt_neox', { rotary_emb_base: 'x' }, 'rotary_emb_base', /"x"/],
  ['gpt_neox', { rope_scaling: { type: 'yarn', factor: 2 } }, 'rope_scaling', /"yarn"/],
  ['gpt_neox', { use_parallel_residual: 'both' }, 'use_parallel_residual', /"both"/],
  ['gpt_neox', { hidden_act: 'gelu_10' }, 'hidden_act', /"gelu_10"/],
  ['bert', { hidden_size: 25 }, 'num_attention_heads', /do not divide/],
  ['bert', { position_embedding_type: 'relative_key' }, 'position_embedding_type', /"relative_key"; only absolute/],
  ['bert', { is_decoder: true }, 'is_decoder', /decoder/],
  ['bert', { hidden_act: 'mish' }, 'hidden_act', /"mish"/],
  ['bert', { type_vocab_size: 0 }, 'type_vocab_size', /0/],
  ['bert', { layer_norm_eps: 2 }, 'layer_norm_eps', /2/],
  ['bert', { vocab_size: null, hidden_size: [] }, 'hidden_size', /\[\]/],
  ['roberta', { pad_token_id: -1 }, 'pad_token_id', /-1/],
  ['roberta', { pad_token_id: '1' }, 'pad_token_id', /"1"/],
  ['roberta', { max_position_embeddings: 2 }, 'max_position_embeddings', /no position/],
  ['distilbert', { dim: 'wide' }, 'dim', /"wide"/],
  ['distilbert', { n_heads: 5 }, 'n_heads', /5 heads do not divide/],
  ['distilbert', { hidden_dim: 0 }, 'hidden_dim', /0/],
  ['distilbert', { activation: 'celu' }, 'activation', /"celu"/],
];

it.each(refusals)('%s refuses %j', (name, change, field, says) => {
  let refusal: unknown;
  try {
    readFamilyConfig(configOf(name, change));
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(TabtuneError);
  const { code, where, message, action } = refusal as TabtuneError;
  expect({ code, where }).toEqual({ code: 'bad_model', where: `config.json, ${field}` });
  expect(message).toMatch(says);
  expect(action).toBeTruthy();
});
