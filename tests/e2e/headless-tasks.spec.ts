/** The output of `npm run headless` for a classifier, and for methods that train the model itself. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { readPeftFolder } from '../../src/formats/peft';
import { openSafetensors } from '../../src/formats/safetensors';
import { readPeft } from '../../src/methods/read-adapter';
import { Bench } from './support/headless';
import { PATIENCE } from './support/studio';

const bench = new Bench();
test.afterAll(() => bench.remove());
test.describe.configure({ timeout: 2 * PATIENCE });

const words = {
  calm: ['The sea was still.', 'The baby slept.', 'We sat under a tree.', 'Snow fell slowly.'],
  wild: ['The storm broke a mast!', 'The dog ran and ran!', 'Waves hit the boat!', 'They all shouted at once!'],
};
const rows = Object.entries(words).flatMap(([label, texts]) => texts.map((text) => JSON.stringify({ text, label })));

const recipe = (method: object, objective: object, training: object = {}) => ({
  version: 1,
  name: 'moods',
  dataset: { source: 'file:rows.jsonl', validation_split: 0.25, max_length: 16 },
  method,
  objective,
  training: {
    ...{ max_steps: 2, eval_steps: 0, per_device_train_batch_size: 3, gradient_accumulation_steps: 1 },
    ...{ early_stopping_patience: 0, learning_rate: 2e-3, ...training },
  },
});

const bytes = (...names: string[]) => new Uint8Array(readFileSync(bench.path(...names)));
const json = (...names: string[]) => JSON.parse(readFileSync(bench.path(...names), 'utf8'));
const lines = (out: string) =>
  readFileSync(bench.path(out, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

async function run(name: string, content: object) {
  bench.write('rows.jsonl', rows.join('\n'));
  bench.write(`${name}.json`, content);
  const { code, stderr } = await bench.run(`${name}.json`, name);
  expect(stderr.join('\n')).not.toContain('rror');
  expect(code).toBe(0);
  const summary = json(name, 'summary.json');
  for (const { path, bytes: size } of summary.files) expect(bytes(name, path).byteLength, path).toBe(size);
  return summary;
}

test('a classifier writes its metrics, and an adapter with its head and label names', async () => {
  const summary = await run('lora', recipe({ type: 'lora', r: 4 }, { type: 'sequence_classification' }));
  expect(bench.list('lora')).toEqual(['adapter', 'metrics.jsonl', 'summary.json']);
  const [before, ...others] = lines('lora');
  const after = others.at(-1);
  for (const { metrics, report, eval_loss } of [before, after]) {
    expect(eval_loss).toBeGreaterThan(0);
    expect(metrics.accuracy).toBeGreaterThanOrEqual(0);
    expect(metrics.accuracy).toBeLessThanOrEqual(1);
    expect(report.labels).toEqual(['calm', 'wild']);
  }
  expect(after).not.toHaveProperty('perplexity');
  expect(summary.metrics).toEqual(after.metrics);
  expect(summary.dataset).toMatchObject({ train_examples: 6, validation_examples: 2 });

  const files = bench.list('lora', 'adapter').map((path) => ({ path, bytes: bytes('lora', 'adapter', path) }));
  const { config, tensors } = readPeft(readPeftFolder(files));
  expect(config).toMatchObject({ task_type: 'SEQ_CLS', r: 4 });
  expect(tensors.get('score.weight')?.shape).toEqual([2, 192]);
  expect(json('lora', 'adapter', 'labels.json').id2label).toEqual({ 0: 'calm', 1: 'wild' });
});

test('full fine-tuning of a classifier writes a model with its head and no adapter', async () => {
  const summary = await run('full', recipe({ type: 'full' }, { type: 'sequence_classification' }));
  expect(bench.list('full')).toEqual(['metrics.jsonl', 'model', 'summary.json']);
  expect(summary.weight_change).toBeGreaterThan(0);
  expect(json('full', 'model', 'config.json')).toMatchObject({
    architectures: ['LlamaForSequenceClassification'],
    id2label: { 0: 'calm', 1: 'wild' },
    problem_type: 'single_label_classification',
  });
  const weights = bytes('full', 'model', 'model.safetensors');
  const read = async (start: number, end: number) => weights.slice(start, end).buffer;
  const { tensors } = await openSafetensors(read, weights.byteLength, { where: 'model.safetensors' });
  expect(tensors.get('score.weight')).toMatchObject({ dtype: 'F32', shape: [2, 192] });
  expect(tensors.has('lm_head.weight')).toBe(false);
  expect(bench.list('full', 'model')).toEqual(expect.arrayContaining(['tokenizer.json', 'recipe.json', 'README.md']));
});
