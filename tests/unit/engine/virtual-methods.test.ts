/** How methods with virtual tokens and bottlenecks start, save and reject values; parity tests cover the arithmetic. */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generate } from '../../../src/engine/generation/generate';
import { fullVisible } from '../../../src/engine/kernels/attention/visible';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { createMethod } from '../../../src/engine/methods';
import { createBottleneck } from '../../../src/engine/methods/bottleneck';
import { inference, type Method } from '../../../src/engine/methods/method';
import { createPTuning } from '../../../src/engine/methods/p-tuning';
import { createPrefixTuning } from '../../../src/engine/methods/prefix-tuning';
import { createPromptTuning, PROMPT_EMBEDDINGS } from '../../../src/engine/methods/prompt-tuning';
import type { NamedTensors } from '../../../src/engine/methods/tensors';
import { loadModel } from '../../../src/engine/models';
import type { LanguageModel, TextInput } from '../../../src/engine/models/model';
import { withTaskHead } from '../../../src/engine/models/with-head';
import { fixtureJson, fixtureTensors } from '../../fixture-files';
import { tinyModel } from '../../parity/tiny-run';

let llama: LanguageModel;
let bert: LanguageModel;
beforeAll(async () => {
  await tf.setBackend('cpu');
  llama = await tinyModel('gqa-untied-odd');
  const { source } = await fixtureTensors('families/bert/model.safetensors');
  bert = await loadModel(await fixtureJson('families/bert/config.json'), source);
});
afterAll(() => {
  llama.dispose();
  bert.dispose();
  disposeInputs();
});

const values = (method: Method, name: string) => method.trainable.get(name)!.dataSync() as Float32Array;
const spread = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);
async function savedTensors(method: Method): Promise<NamedTensors> {
  const saved = method.saved!();
  const tensors = [...saved].map(
    ([name, t]) => [name, { shape: t.shape, data: t.dataSync() as Float32Array }] as const,
  );
  const own = copy(new Map(tensors));
  tf.dispose([...saved.values()]);
  return own;
}

/** Copies, because the CPU backend keeps the arrays it is given. */
const copy = (tensors: NamedTensors): NamedTensors =>
  new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]));

test('a random prompt is drawn from N(0, 1) by seed', () => {
  const settings = { num_virtual_tokens: 40, prompt_tuning_init: 'RANDOM' } as const;
  const [a, b, other] = [7, 7, 8].map((seed) => createPromptTuning(llama, settings, seed));
  const own = values(a!, PROMPT_EMBEDDINGS);
  expect(own.length).toBe(40 * 20);
  expect(Math.abs(spread(own) - 1)).toBeLessThan(0.1);
  expect(values(b!, PROMPT_EMBEDDINGS)).toEqual(own);
  expect(values(other!, PROMPT_EMBEDDINGS)).not.toEqual(own);
  for (const method of [a, b, other]) method!.dispose();
});

test('a prompt from the vocabulary consists of rows of the table', () => {
  const method = createPromptTuning(llama, { num_virtual_tokens: 5, prompt_tuning_init: 'SAMPLE_VOCAB' }, 3);
  const own = values(method, PROMPT_EMBEDDINGS);
  const table = tf.tidy(() => llama.wordEmbeddings(tf.range(0, llama.vocabSize, 1, 'int32')).dataSync());
  const rows = Array.from({ length: llama.vocabSize }, (_, i) => table.slice(i * 20, (i + 1) * 20).join());
  const found = Array.from({ length: 5 }, (_, i) => rows.indexOf(own.slice(i * 20, (i + 1) * 20).join()));
  expect(found.every((row) => row >= 0)).toBe(true);
  expect(new Set(found).size).toBeGreaterThan(2);
  method.dispose();
});

test('a text without tokens cannot initialise a prompt', () => {
  const settings = { num_virtual_tokens: 5, prompt_tuning_init: 'TEXT' } as const;
  const before = tf.memory().numTensors;
  expect(() => createPromptTuning(llama, settings, 3, undefined, { initIds: [] })).toThrow('has no tokens');
  expect(tf.memory().numTensors).toBe(before);
});

test('P-tuning continues from its saved prompt as plain embeddings, and from a checkpoint with its network', async () => {
  const settings = { num_virtual_tokens: 3, encoder_hidden_size: null };
  const method = createPTuning(llama, settings, 5);
  expect([...method.trainable].map(([name, { shape }]) => [name, shape])).toEqual([
    ['prompt_encoder.embedding.weight', [3, 20]],
    ['prompt_encoder.mlp_head.0.weight', [20, 20]],
    ['prompt_encoder.mlp_head.0.bias', [20]],
    ['prompt_encoder.mlp_head.2.weight', [20, 20]],
    ['prompt_encoder.mlp_head.2.bias', [20]],
    ['prompt_encoder.mlp_head.4.weight', [20, 20]],
    ['prompt_encoder.mlp_head.4.bias', [20]],
  ]);
  const bound = 1 / Math.sqrt(20);
  for (const leaf of ['0.weight', '0.bias', '4.weight']) {
    const own = values(method, `prompt_encoder.mlp_head.${leaf}`);
    expect(Math.max(...own.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(spread(own)).toBeGreaterThan(bound / 3);
  }
  const saved = await savedTensors(method);
  expect([...saved.keys()]).toEqual([PROMPT_EMBEDDINGS]);
  const again = createPTuning(llama, settings, 5, copy(saved));
  expect([...again.trainable.keys()]).toEqual([PROMPT_EMBEDDINGS]);
  expect(values(again, PROMPT_EMBEDDINGS)).toEqual(saved.get(PROMPT_EMBEDDINGS)!.data);
  const checkpoint: NamedTensors = new Map(
    [...method.trainable].map(([name, t]) => [name, { shape: t.shape, data: (t.dataSync() as Float32Array).slice() }]),
  );
  const resumed = createPTuning(llama, settings, 6, checkpoint);
  expect([...resumed.trainable.keys()]).toEqual([...method.trainable.keys()]);
  for (const own of [method, again, resumed]) own.dispose();
});

test('values of the wrong shape are rejected by name and leave nothing behind', () => {
  const before = tf.memory().numTensors;
  const wrong: NamedTensors = new Map([[PROMPT_EMBEDDINGS, { shape: [4, 20], data: new Float32Array(80) }]]);
  const settings = { num_virtual_tokens: 3, prompt_tuning_init: 'RANDOM' } as const;
  expect(() => createPromptTuning(llama, settings, 0, wrong)).toThrow('needs [3,20]');
  const prefix = { num_virtual_tokens: 4, prefix_projection: false, encoder_hidden_size: null };
  expect(() => createPrefixTuning(llama, prefix, 0, wrong)).toThrow('needs [4,40]');
  const bottleneck = { config: 'seq_bn', reduction_factor: 4, non_linearity: 'relu' } as const;
  expect(() => createBottleneck(llama, bottleneck, 0, wrong)).toThrow('lacks the tensor');
  expect(tf.memory().numTensors).toBe(before);
});

test('a head for whole texts reads the first virtual token, and a head for tokens reads the tokens', async () => {
  const settings = { num_virtual_tokens: 3, prompt_tuning_init: 'RANDOM' } as const;
  const method = createPromptTuning(bert, settings, 0);
  const input = (states: TextInput['states']): TextInput => ({
    kind: 'text',
    types: null,
    states,
    ids: tf.tensor1d([5, 9, 4], 'int32'),
    positions: tf.tensor1d([0, 1, 2], 'int32'),
    visible: tf.tensor(fullVisible([3], 3), [3, 2], 'int32'),
    batch: 1,
    length: 3,
  });
  const labels = ['a', 'b'];
  const rows = async (model: LanguageModel) =>
    tf.tidy(
      () =>
        model
          .hidden(input(model.heads.classification?.states ?? 'text'), method.hooks(inference()))
          .dataSync() as Float32Array,
    );
  const plain = await rows(bert);
  const whole = await withTaskHead(bert, { problemType: 'single_label_classification', labels }, { seed: 0 });
  const words = await withTaskHead(bert, { problemType: 'token_classification', labels }, { seed: 0 });
  expect(await rows(words)).toEqual(plain);
  expect((await rows(whole)).slice(0, 24)).not.toEqual(plain.slice(0, 24));
  for (const model of [whole, words]) model.dispose();
  method.dispose();
});

test('an encoder cannot take a prefix', () => {
  const settings = { num_virtual_tokens: 4, prefix_projection: false, encoder_hidden_size: null };
  expect(() => createPrefixTuning(bert, settings, 0)).toThrow('keeps no keys and values');
});

test('a new bottleneck changes little: N(0, 0.02²), no biases, and a width of at least one', () => {
  const method = createBottleneck(llama, { config: 'double_seq_bn', reduction_factor: 64, non_linearity: 'swish' }, 1);
  expect([...method.trainable].slice(0, 4).map(([name, { shape }]) => [name, shape])).toEqual([
    ['model.layers.0.attention_adapters.adapters.adapter_down.0.weight', [1, 20]],
    ['model.layers.0.attention_adapters.adapters.adapter_down.0.bias', [1]],
    ['model.layers.0.attention_adapters.adapters.adapter_up.weight', [20, 1]],
    ['model.layers.0.attention_adapters.adapters.adapter_up.bias', [20]],
  ]);
  expect(method.trainable.size).toBe(2 * 2 * 4);
  const weights = [...method.trainable].filter(([name]) => name.endsWith('weight'));
  const all = Float32Array.from(weights.flatMap(([, t]) => [...t.dataSync()]));
  expect(Math.abs(spread(all) - 0.02)).toBeLessThan(0.005);
  for (const [name, t] of method.trainable) if (name.endsWith('bias')) expect(Math.max(...t.dataSync())).toBe(0);
  method.dispose();
});

test('virtual tokens take up room in the context', async () => {
  const method = createPromptTuning(llama, { num_virtual_tokens: 10, prompt_tuning_init: 'RANDOM' }, 0);
  const hooks = method.hooks(inference());
  const options = { temperature: 0, topP: 1, seed: 0, maxNewTokens: 100, stopTokenIds: [] };
  const room = llama.contextLength - 10;
  const long = Int32Array.from({ length: room - 2 }, (_, i) => 3 + (i % 50));
  expect((await generate(llama, hooks, long, options)).length).toBe(2);
  const full = new Int32Array(room).fill(3);
  await expect(generate(llama, hooks, full, options)).rejects.toThrow(`holds ${room} besides the 10 virtual tokens`);
  method.dispose();
});

test('methods are created by their recipe names; a prefix starts from its text, or from saved values alone', async () => {
  const prefix = {
    type: 'prefix_tuning',
    init_adapter: null,
    num_virtual_tokens: 4,
    prefix_projection: false,
    encoder_hidden_size: null,
    prefix_tuning_init_text: 'a text',
  } as const;
  const method = await createMethod(llama, prefix, { seed: 0, initText: Int32Array.of(5, 9) });
  const longer = await createMethod(llama, prefix, { seed: 0, initText: Int32Array.of(5, 9, 5, 9, 7) });
  expect(values(longer, PROMPT_EMBEDDINGS)).toEqual(values(method, PROMPT_EMBEDDINGS));
  const saved = await savedTensors(method);
  const again = await createMethod(llama, prefix, { seed: 0, values: copy(saved) });
  expect(values(again, PROMPT_EMBEDDINGS)).toEqual(saved.get(PROMPT_EMBEDDINGS)!.data);
  for (const own of [method, longer, again]) own.dispose();
  const others = [
    {
      type: 'prompt_tuning',
      init_adapter: null,
      num_virtual_tokens: 2,
      prompt_tuning_init: 'TEXT',
      prompt_tuning_init_text: 'x',
    },
    { type: 'p_tuning', init_adapter: null, num_virtual_tokens: 2, encoder_hidden_size: 5 },
    { type: 'bottleneck', init_adapter: null, config: 'seq_bn', reduction_factor: 4, non_linearity: 'gelu' },
  ] as const;
  for (const section of others) {
    const own = await createMethod(llama, section, { seed: 0, initText: Int32Array.of(4) });
    expect(own.trainable.size).toBeGreaterThan(0);
    own.dispose();
  }
});
