import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import type { TaskData } from '../../../src/data/types';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { loadModel } from '../../../src/engine/models';
import type { LanguageModel, ModelTensor, WeightSource } from '../../../src/engine/models/model';
import { createTaskHead } from '../../../src/engine/models/task-head';
import type { Hooks } from '../../../src/engine/types';
import { fixtureJson, fixtureTensors } from '../../fixture-files';

const open = async (folder: string) =>
  loadModel(await fixtureJson(`${folder}/config.json`), (await fixtureTensors(`${folder}/model.safetensors`)).source);
const sequence: TaskData = { problemType: 'single_label_classification', labels: ['a', 'b', 'c'] };
const tokens: TaskData = { problemType: 'token_classification', labels: ['O', 'B', 'I', 'X'] };

beforeAll(() => tf.setBackend('cpu').then(() => {}));

const described = (tensors: ModelTensor[]) =>
  tensors.map(({ name, value, task }) => [
    name,
    (value.kind === 'matrix' ? value.weight.shape : value.tensor.shape).join('×'),
    task ?? false,
  ]);
const valuesOf = ({ value }: ModelTensor) =>
  (value.kind === 'matrix' ? value.weight.parts[0]!.tensor : value.tensor).dataSync();

// Names and shapes as in the state dicts of transformers' classes; tests/fixtures/tasks checks the numbers.
test.each([
  ['qwen2', [['score.weight', '3×32', true]], ['score.weight', 'score.bias'], ['score']],
  ['gemma3_text', [['score.weight', '3×32', true]], ['score.weight', 'score.bias'], ['score']],
  ['gpt2', [['score.weight', '3×20', true]], ['classifier.weight', 'classifier.bias'], ['score']],
  ['gpt_neox', [['score.weight', '3×32', true]], ['classifier.weight', 'classifier.bias'], ['score']],
  [
    'bert',
    [
      ['bert.pooler.dense.weight', '24×24', true],
      ['bert.pooler.dense.bias', '24', true],
      ['classifier.weight', '3×24', true],
      ['classifier.bias', '3', true],
    ],
    ['classifier.weight', 'classifier.bias'],
    ['pooler', 'classifier'],
  ],
  [
    'roberta',
    [
      ['classifier.dense.weight', '24×24', true],
      ['classifier.dense.bias', '24', true],
      ['classifier.out_proj.weight', '3×24', true],
      ['classifier.out_proj.bias', '3', true],
    ],
    ['classifier.weight', 'classifier.bias'],
    ['classifier'],
  ],
  [
    'distilbert',
    [
      ['pre_classifier.weight', '24×24', true],
      ['pre_classifier.bias', '24', true],
      ['classifier.weight', '3×24', true],
      ['classifier.bias', '3', true],
    ],
    ['classifier.weight', 'classifier.bias'],
    ['pre_classifier', 'classifier'],
  ],
])('head of %s: names, shapes, modules to save', async (family, forTexts, forTokens, modules) => {
  const model = await open(`families/${family}`);
  const text = await createTaskHead(model, sequence, { seed: 1 });
  expect(described(text.tensors)).toEqual(forTexts);
  expect(text.head).toMatchObject({ kind: 'texts', labels: sequence.labels, modules });
  expect(text.linears).toEqual([]);
  const token = await createTaskHead(model, tokens, { seed: 1 });
  expect(token.tensors.map(({ name }) => name)).toEqual(forTokens);
  expect(token.head.kind).toBe('words');
  for (const created of [text, token]) created.dispose();
  model.dispose();
});

test('new weights are normal with the model’s initializer_range, by seed, and new biases are 0', async () => {
  const model: LanguageModel = { ...(await open('families/roberta')), hiddenSize: 200, initializerRange: 0.05 };
  const make = (seed: number) => createTaskHead(model, sequence, { seed });
  const head = await make(1);
  const [dense, bias, out] = head.tensors.map(valuesOf) as [Float32Array, Float32Array, Float32Array];
  const n = dense.length;
  expect(n).toBe(40_000);
  const mean = dense.reduce((s, v) => s + v, 0) / n;
  const std = Math.sqrt(dense.reduce((s, v) => s + v * v, 0) / n);
  expect(Math.abs(mean)).toBeLessThan(4 * (0.05 / Math.sqrt(n)));
  expect(Math.abs(std / 0.05 - 1)).toBeLessThan(4 / Math.sqrt(2 * n));
  // For a normal distribution: 68.3 % within one deviation, 0.27 % beyond three.
  expect(Math.abs(dense.filter((v) => Math.abs(v) < 0.05).length / n - 0.6827)).toBeLessThan(0.01);
  expect(Math.abs(dense.filter((v) => Math.abs(v) > 0.15).length / n - 0.0027)).toBeLessThan(0.0012);
  expect(bias.every((v) => v === 0)).toBe(true);
  expect([...out.slice(0, 3)]).not.toEqual([...dense.slice(0, 3)]);
  const [same, other] = [await make(1), await make(2)];
  expect(valuesOf(same.tensors[0]!)).toEqual(dense);
  expect(valuesOf(other.tensors[0]!)).not.toEqual(dense);
  for (const created of [head, same, other]) created.dispose();
  model.dispose();
});

/** The fixture's checkpoint with a pooler, which BertForMaskedLM lacks. */
async function withPooler(prefix: string): Promise<{ source: WeightSource; weight: Float32Array }> {
  const { source } = await fixtureTensors('families/bert/model.safetensors');
  const weight = Float32Array.from({ length: 24 * 24 }, (_, i) => Math.sin(i));
  const own = new Map([
    [`${prefix}pooler.dense.weight`, { shape: [24, 24], data: weight }],
    [`${prefix}pooler.dense.bias`, { shape: [24], data: weight.slice(0, 24) }],
  ]);
  return {
    weight,
    source: {
      info: (name) => (own.has(name) ? { dtype: 'F32', shape: own.get(name)!.shape } : source.info(name)),
      read: async (name, from = 0, to) => {
        const found = own.get(name);
        if (!found) return source.read(name, from, to);
        const row = found.data.length / found.shape[0]!;
        return found.data.slice(from * row, to === undefined ? undefined : to * row).buffer as ArrayBuffer;
      },
    },
  };
}

test('BERT’s pooler from the checkpoint belongs to the base, can be wrapped, and is replaced by a trained one', async () => {
  const model = await open('families/bert');
  const { source, weight } = await withPooler('bert.');
  const before = tf.memory().numTensors;
  const head = await createTaskHead(model, sequence, { seed: 1, source });
  expect(described(head.tensors)).toEqual([
    ['bert.pooler.dense.weight', '24×24', false],
    ['bert.pooler.dense.bias', '24', false],
    ['classifier.weight', '3×24', true],
    ['classifier.bias', '3', true],
  ]);
  expect(valuesOf(head.tensors[0]!)).toEqual(weight);
  expect(head.linears.map(({ path }) => path)).toEqual(['bert.pooler.dense']);
  expect(head.head.modules).toEqual(['classifier']);
  const values = new Map([
    ['bert.pooler.dense.weight', { shape: [24, 24], data: new Float32Array(576).fill(2) }],
    ['classifier.weight', { shape: [3, 24], data: new Float32Array(72).fill(3) }],
  ]);
  const trained = await createTaskHead(model, sequence, { seed: 1, source, values });
  expect(described(trained.tensors)[0]).toEqual(['bert.pooler.dense.weight', '24×24', true]);
  expect(valuesOf(trained.tensors[0]!).every((v) => v === 2)).toBe(true);
  expect(trained.head.modules).toEqual(['pooler', 'classifier']);
  head.dispose();
  trained.dispose();
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});

test('a trained head of another size is rejected and leaves nothing behind', async () => {
  const model = await open('families/distilbert');
  const before = tf.memory().numTensors;
  const values = new Map([['classifier.weight', { shape: [5, 24], data: new Float32Array(120) }]]);
  await expect(createTaskHead(model, sequence, { seed: 1, values })).rejects.toThrow(
    'classifier.weight has shape [5,24], but this model and its 3 labels need [3,24]',
  );
  expect(tf.memory().numTensors).toBe(before);
  model.dispose();
});

test('the classifier’s dropout: the rates of the two tasks, at separate sites; linear layers go through the hook', async () => {
  const model = await open('families/roberta');
  const rates = { ...model.dropout, classifier: 0.25, tokenClassifier: 0.5 };
  const dropped: [number, number][] = [];
  const linears: string[] = [];
  const hooks: Hooks = {
    dropout(x, p, site) {
      dropped.push([p, site]);
      return x;
    },
    linear(module) {
      linears.push(module.path);
      return null;
    },
  };
  const input = { batch: 2, length: 3, lengths: Int32Array.of(3, 1) };
  for (const task of [sequence, tokens]) {
    const created = await createTaskHead({ ...model, dropout: rates }, task, { seed: 1 });
    tf.tidy(() => {
      const scores = created.head.scores(tf.ones([6, 24]), input, hooks);
      expect(scores.shape).toEqual(task === sequence ? [2, 3] : [6, 4]);
    });
    created.dispose();
  }
  // Three sites per block for two blocks; these are the first free ones.
  expect(dropped).toEqual([
    [0.25, 6],
    [0.25, 7],
    [0.5, 6],
  ]);
  expect(linears).toEqual(['classifier.dense', 'classifier.out_proj', 'classifier']);
  model.dispose();
  disposeInputs();
});
