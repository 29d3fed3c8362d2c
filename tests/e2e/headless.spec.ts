import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@playwright/test';

let folder: string;
test.beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tabtune-headless-'));
});
test.afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  code: number | null;
  stderr: string;
}

/** Runs `npm run headless` on a recipe, to `results` in the test's folder. */
function headless(recipe: unknown, ...more: string[]) {
  const file = path.join(folder, 'recipe.json');
  writeFileSync(file, typeof recipe === 'string' ? recipe : JSON.stringify(recipe));
  const child = spawn(process.execPath, ['scripts/headless.mjs', file, '--out', path.join(folder, 'results'), ...more]);
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stderr })));
  return { child, ended };
}

test('a recipe becomes metrics, a summary and an adapter', async () => {
  const lines = ['What is the sea?', 'Who are you?', 'Where is the gold?', 'Sing me a song.'].map((prompt) =>
    JSON.stringify({ prompt, completion: 'Arr, matey!' }),
  );
  mkdirSync(path.join(folder, 'data'));
  writeFileSync(path.join(folder, 'data/pirate.jsonl'), lines.join('\n'));
  const { code, stderr } = await headless({
    version: 1,
    name: 'headless',
    // Relative to the recipe.
    dataset: { source: 'file:data/pirate.jsonl', validation_split: 0.25, max_length: 32 },
    method: { type: 'lora', r: 4, lora_alpha: 8 },
    training: { max_steps: 2, eval_steps: 0, gradient_accumulation_steps: 1, early_stopping_patience: 0 },
  }).ended;
  expect(stderr).not.toContain('rror');
  expect(code).toBe(0);

  const results = path.join(folder, 'results');
  const rows = readFileSync(path.join(results, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const steps = rows.filter((row) => 'loss' in row);
  expect(steps.map((row) => row.step)).toEqual([1, 2]);
  const figures = ['step', 'epoch', 'loss', 'grad_norm', 'learning_rate', 'tokens', 'seconds', 'gpu_bytes'];
  expect(Object.keys(steps[0])).toEqual(expect.arrayContaining(figures));
  expect(Object.keys(rows.at(-1))).toEqual(expect.arrayContaining(['eval_loss', 'perplexity']));

  const summary = JSON.parse(readFileSync(path.join(results, 'summary.json'), 'utf8'));
  expect(summary).toMatchObject({ steps: 2, reason: 'completed', versions: { tfjs: '4.22.0' } });
  expect(summary.recipe.dataset.source).toBe('file:data/pirate.jsonl');
  expect(summary.recipe.training.seed).toBe(42);

  const config = JSON.parse(readFileSync(path.join(results, 'adapter/adapter_config.json'), 'utf8'));
  expect(config).toMatchObject({ peft_type: 'LORA', r: 4, lora_alpha: 8 });
  expect(readFileSync(path.join(results, 'adapter/adapter_model.safetensors')).byteLength).toBeGreaterThan(1000);
  expect(readdirSync(folder).sort()).toEqual(['data', 'recipe.json', 'results']);
});

const bad: [name: string, recipe: unknown, line: string][] = [
  [
    'an unknown field',
    { version: 1, training: { learning_rte: 1 } },
    'training.learning_rte: is not a known field. Did you mean learning_rate?',
  ],
  [
    'a missing dataset',
    { version: 1, dataset: { source: 'file:none.jsonl' } },
    'dataset.source: none.jsonl does not exist. Check the path; it may be relative to the recipe.',
  ],
  [
    'an unknown model',
    { version: 1, model: { source: 'builtin:none' } },
    'builtin:none: There is no built-in model of this name. Choose one of: stories.',
  ],
];
for (const [name, recipe, line] of bad) {
  test(`${name} ends with one line and leaves nothing`, async () => {
    const { code, stderr } = await headless(recipe).ended;
    expect(stderr.trim()).toBe(line);
    expect(code).toBe(1);
    expect(readdirSync(folder)).toEqual(['recipe.json']);
  });
}

test('a killed run leaves no results, and the next one tidies up after it', async () => {
  const { child, ended } = headless({ version: 1 });
  const leftovers = () => readdirSync(folder).filter((name) => name.startsWith('.results'));
  await expect.poll(leftovers).toHaveLength(1);
  child.kill('SIGKILL');
  await ended;
  expect(existsSync(path.join(folder, 'results'))).toBe(false);
  await headless({ version: 1, training: { learning_rte: 1 } }).ended;
  expect(leftovers()).toEqual([]);
});

test('Ctrl+C ends a run and leaves nothing', async () => {
  const { child, ended } = headless({ version: 1 });
  await expect.poll(() => readdirSync(folder)).toHaveLength(2);
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect(stderr).toContain('Stopped by Ctrl+C');
  expect(code).toBe(130);
  expect(readdirSync(folder)).toEqual(['recipe.json']);
});
