import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { Bench } from './support/headless';
import { PATIENCE } from './support/studio';

let bench: Bench;
test.beforeEach(() => {
  bench = new Bench();
});
test.afterEach(() => bench.remove());

/** Runs `npm run headless` on a recipe, to `results` in the test's folder. */
function headless(recipe: unknown) {
  bench.write('recipe.json', recipe);
  return bench.start('recipe.json', 'results');
}

/** A run that is at work for as long as a test wants it to be. */
const long = { version: 1, training: { max_steps: 100_000, eval_steps: 0 } };

test('a recipe gives metrics, a summary and an adapter', async () => {
  const lines = ['What is the sea?', 'Who are you?', 'Where is the gold?', 'Sing me a song.'].map((prompt) =>
    JSON.stringify({ prompt, completion: 'Arr, matey!' }),
  );
  mkdirSync(bench.path('data'));
  bench.write('data/pirate.jsonl', lines.join('\n'));
  const { code, stderr } = await headless({
    version: 1,
    name: 'headless',
    // Relative to the recipe.
    dataset: { source: 'file:data/pirate.jsonl', validation_split: 0.25, max_length: 32 },
    method: { type: 'lora', r: 4, lora_alpha: 8 },
    training: { max_steps: 2, eval_steps: 0, gradient_accumulation_steps: 1, early_stopping_patience: 0 },
  }).ended;
  expect(stderr.join('\n')).not.toContain('rror');
  expect(code).toBe(0);

  const read = (name: string) => readFileSync(bench.path('results', name), 'utf8');
  const rows = read('metrics.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const steps = rows.filter((row) => 'loss' in row);
  expect(steps.map((row) => row.step)).toEqual([1, 2]);
  const figures = ['step', 'epoch', 'loss', 'grad_norm', 'learning_rate', 'tokens', 'seconds', 'gpu_bytes'];
  expect(Object.keys(steps[0])).toEqual(expect.arrayContaining(figures));
  expect(Object.keys(rows.at(-1))).toEqual(expect.arrayContaining(['eval_loss', 'perplexity']));

  const summary = JSON.parse(read('summary.json'));
  expect(summary).toMatchObject({ steps: 2, reason: 'completed', versions: { tfjs: '4.22.0' } });
  expect(summary.recipe.dataset.source).toBe('file:data/pirate.jsonl');
  expect(summary.recipe.training.seed).toBe(42);
  const sha256 = createHash('sha256').update(lines.join('\n')).digest('hex');
  expect(summary.inputs.dataset).toEqual({ sha256, bytes: lines.join('\n').length });
  // What is in the folder, by content: a later run to the same place replaces this and nothing else.
  const hashed = Object.entries(summary.written as Record<string, string>);
  expect(hashed.map(([name]) => name)).toContain('adapter/adapter_model.safetensors');
  for (const [name, hash] of hashed) {
    expect(
      createHash('sha256')
        .update(readFileSync(bench.path('results', name)))
        .digest('hex'),
      name,
    ).toBe(hash);
  }

  const config = JSON.parse(read('adapter/adapter_config.json'));
  expect(config).toMatchObject({ peft_type: 'LORA', r: 4, lora_alpha: 8 });
  expect(readFileSync(bench.path('results', 'adapter', 'adapter_model.safetensors')).byteLength).toBeGreaterThan(1000);
  expect(bench.list()).toEqual(['data', 'recipe.json', 'results']);
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
    'builtin:none: There is no built-in model with this name. Choose one of: stories.',
  ],
];
for (const [name, recipe, line] of bad) {
  test(`${name} ends with one line and leaves nothing behind`, async () => {
    const { code, stderr } = await headless(recipe).ended;
    expect(stderr).toEqual([line]);
    expect(code).toBe(1);
    expect(bench.list()).toEqual(['recipe.json']);
  });
}

const leftovers = () => bench.list().filter((name) => name.startsWith('.results'));
test('a killed run leaves no results, and the next one cleans up after it', async () => {
  const { child, ended } = headless(long);
  await expect.poll(leftovers).toHaveLength(1);
  child.kill('SIGKILL');
  await ended;
  await bench.untilLeft();
  expect(existsSync(bench.path('results'))).toBe(false);
  expect(leftovers()).toHaveLength(1);
  const { code } = await headless({ version: 1, training: { learning_rte: 1 } }).ended;
  expect(code).toBe(1);
  expect(leftovers()).toEqual([]);
});

/** Neither results nor temporary files nor processes. */
async function expectNothingLeft() {
  await bench.untilLeft();
  await expect.poll(() => readdirSync(bench.temporary)).toEqual([]);
  expect(bench.list()).toEqual(['recipe.json']);
}

/** A run is at work, its browser too. */
async function untilBrowser() {
  await expect.poll(() => bench.processes().length, { timeout: PATIENCE }).toBeGreaterThan(3);
  await expect.poll(leftovers).toHaveLength(1);
}

test('SIGTERM to npm ends the run with it and leaves nothing behind', async () => {
  bench.write('recipe.json', long);
  const { child, ended } = bench.start('recipe.json', 'results', { npm: true });
  await untilBrowser();
  child.kill('SIGTERM');
  await ended;
  await expectNothingLeft();
});

test('a second Ctrl+C ends a run whose browser does not answer, and leaves nothing behind', async () => {
  const { child, ended } = headless(long);
  await untilBrowser();
  const browser = bench.processes().filter((pid) => pid !== child.pid);
  for (const pid of browser) process.kill(pid, 'SIGSTOP');
  child.kill('SIGINT');
  // Less than half a second apart they are one, as npm passes on what a terminal has sent already.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(child.exitCode).toBe(null);
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect(stderr.join('\n')).toContain('Stopped by Ctrl+C');
  expect(code).toBe(130);
  await expectNothingLeft();
});

test('a folder that another run is writing is refused, and that run goes on', async () => {
  const { child, ended } = headless(long);
  await untilBrowser();
  const second = await headless(long).ended;
  expect(second.stderr).toEqual([
    `--out: another run (process ${child.pid}) is writing ${bench.path('results')}. Wait until it has ended, or name another folder.`,
  ]);
  expect(second.code).toBe(1);
  expect(child.exitCode).toBe(null);
  expect(leftovers()).toHaveLength(1);
  child.kill('SIGINT');
  await ended;
  await expectNothingLeft();
});

test('Ctrl+C ends a run and leaves nothing behind', async () => {
  const { child, ended } = headless(long);
  await expect.poll(leftovers).toHaveLength(1);
  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect(stderr.join('\n')).toContain('Stopped by Ctrl+C');
  expect(code).toBe(130);
  expect(bench.list()).toEqual(['recipe.json']);
});
