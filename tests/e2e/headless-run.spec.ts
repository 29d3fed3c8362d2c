/** The output of `npm run headless`: metrics, a summary and an adapter, identical for the same seed. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { readPeftFolder } from '../../src/formats/peft';
import { readPeft } from '../../src/methods/read-adapter';
import { Bench } from './support/headless';
import { PATIENCE } from './support/studio';

const bench = new Bench();
test.afterAll(() => bench.remove());

const rows = Array.from({ length: 12 }, (_, i) =>
  JSON.stringify({ prompt: `What is ${i} and one?\n`, completion: `It is ${i + 1}, matey.` }),
);
rows[2] = '{"prompt": "broken"';
rows[7] = JSON.stringify({ prompt: 'Tell me more.\n', completion: 'The sea is wide and blue. '.repeat(12) });

const recipe = (training: object, method: object = {}) => ({
  version: 1,
  name: 'sums',
  dataset: { source: 'file:data.jsonl', validation_split: 0.2, max_length: 48 },
  method: { type: 'lora', r: 4, lora_alpha: 8, lora_dropout: 0.1, ...method },
  training: {
    per_device_train_batch_size: 2,
    gradient_accumulation_steps: 1,
    learning_rate: 2e-3,
    early_stopping_patience: 0,
    ...training,
  },
});

const json = (...names: string[]) => JSON.parse(readFileSync(bench.path(...names), 'utf8'));
const metrics = (out: string): Record<string, number>[] =>
  readFileSync(bench.path(out, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

function adapterFiles(out: string) {
  return readdirSync(bench.path(out, 'adapter')).map((name) => ({
    path: name,
    bytes: new Uint8Array(readFileSync(bench.path(out, 'adapter', name))),
  }));
}

test.beforeAll(() => {
  bench.write('data.jsonl', rows.join('\n'));
  bench.write('recipe.json', recipe({ max_steps: 4, eval_steps: 2, save_steps: 2 }));
});

test.describe.configure({ mode: 'serial', timeout: 3 * PATIENCE });

test('a run writes metrics, a summary and a PEFT folder, and reports the rows it left out', async () => {
  const { code, stdout, stderr } = await bench.run('recipe.json', 'first');
  expect(stderr.join('\n')).toContain('Line 3 is not valid JSON');
  expect(stderr.join('\n')).toMatch(/Row 8 has \d+ tokens, \d+ more than the limit of 48/);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^4 steps in [\d.]+ s, best eval loss [\d.]+\. Written to /);
  expect(bench.list()).toEqual(['data.jsonl', 'first', 'recipe.json']);
  expect(bench.list('first')).toEqual(['adapter', 'metrics.jsonl', 'summary.json']);

  const lines = metrics('first');
  const steps = lines.filter((line) => 'loss' in line);
  expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
  for (const line of steps) {
    expect(Object.keys(line).sort()).toEqual(
      ['epoch', 'gpu_bytes', 'grad_norm', 'learning_rate', 'loss', 'seconds', 'step', 'tokens'].sort(),
    );
    for (const figure of Object.values(line)) expect(Number.isFinite(figure)).toBe(true);
  }
  const evaluations = lines.filter((line) => 'eval_loss' in line);
  expect(evaluations.map(({ step }) => step)).toEqual([0, 2, 4]);
  for (const { eval_loss, perplexity } of evaluations) expect(perplexity).toBeCloseTo(Math.exp(eval_loss!), 5);

  const summary = json('first', 'summary.json');
  expect(summary).toMatchObject({
    recipe: { name: 'sums', dataset: { source: 'file:data.jsonl' }, training: { seed: 42, max_steps: 4 } },
    reason: 'completed',
    steps: 4,
    tokens: steps.at(-1)!.tokens,
    initial_eval_loss: evaluations[0]!.eval_loss,
    final_eval_loss: evaluations.at(-1)!.eval_loss,
    dataset: { examples: 11, max_length: 48, truncated: 1 },
    versions: { tfjs: '4.22.0', node: process.versions.node },
  });
  expect(summary.best_eval_loss).toBe(Math.min(...evaluations.slice(1).map(({ eval_loss }) => eval_loss!)));
  expect(summary.best_step).toBe(evaluations.find(({ eval_loss }) => eval_loss === summary.best_eval_loss)!.step);
  for (const name of ['seconds', 'tokens_per_second', 'trainable_parameters', 'dispatches_per_step', 'gpu_bytes']) {
    expect(summary[name], name).toBeGreaterThan(0);
  }
  expect(summary.adapter.vendor).not.toBe('');

  const adapter = readPeft(readPeftFolder(adapterFiles('first')));
  expect(adapter).toMatchObject({ type: 'LORA', config: { r: 4 } });
  for (const { path, bytes } of summary.files) {
    expect(readFileSync(bench.path('first', path)).byteLength, path).toBe(bytes);
  }
});

test('the same seed gives the same adapter, byte for byte', async () => {
  const { code } = await bench.run('recipe.json', 'second');
  expect(code).toBe(0);
  const weights = (out: string) => readFileSync(bench.path(out, 'adapter', 'adapter_model.safetensors'));
  expect(weights('second').equals(weights('first'))).toBe(true);
  const timeless = (out: string) => metrics(out).map(({ seconds: _seconds, ...line }) => line);
  expect(timeless('second')).toEqual(timeless('first'));
});

test('a run that continues from an adapter starts where the first run ended', async () => {
  bench.write('more.json', recipe({ max_steps: 1, eval_steps: 0 }, { init_adapter: 'file:first/adapter' }));
  const { code } = await bench.run('more.json', 'more');
  expect(code).toBe(0);
  const [begin] = metrics('more');
  expect(begin).toMatchObject({ step: 0, eval_loss: json('first', 'summary.json').best_eval_loss });
  expect(json('more', 'summary.json').recipe.method.init_adapter).toBe('file:first/adapter');
});
