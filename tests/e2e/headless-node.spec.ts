/** The same run in a browser and in Node, on two drivers: what is written has to be the same, up to how each rounds. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { findDriver } from '../../scripts/llvmpipe.mjs';
import { Bench } from './support/headless';
import { PATIENCE } from './support/studio';

let bench: Bench;
let env: Record<string, string>;
test.beforeAll(() => {
  env = findDriver({ log: () => {} });
});
test.beforeEach(() => {
  bench = new Bench();
});
test.afterEach(() => bench.remove());
// The driver compiles for most of a minute where its cache is empty and nobody else works.
const compiling = 3 * PATIENCE;
test.describe.configure({ timeout: 6 * PATIENCE });

const read = (...names: string[]) => readFileSync(bench.path(...names), 'utf8');
type Row = Record<string, number>;
const rowsOf = (out: string): Row[] =>
  read(out, 'metrics.jsonl')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const lines = ['What is the sea?', 'Who are you?', 'Where is the gold?', 'Sing me a song.'].map((prompt) =>
  JSON.stringify({ prompt, completion: 'Arr, matey!' }),
);
const recipe = {
  version: 1,
  dataset: { source: 'file:pirate.jsonl', validation_split: 0.25, max_length: 32 },
  method: { type: 'lora', r: 4, lora_alpha: 8 },
  training: { max_steps: 3, eval_steps: 0, gradient_accumulation_steps: 1, early_stopping_patience: 0 },
};
const inNode = ['--runtime', 'node'];

/** Two drivers add in different orders: 1.9e-7 of a loss was the most that was seen. */
const expectSame = (found: number, expected: number, what: string) =>
  expect(Math.abs(found - expected) / Math.abs(expected), what).toBeLessThan(1e-5);

test('a run in Node has the losses of one in a browser, and writes the same files, which open there', async () => {
  bench.write('pirate.jsonl', lines.join('\n'));
  bench.write('recipe.json', recipe);
  const node = await bench.run('recipe.json', 'node', { args: inNode, env, patience: compiling });
  expect(node).toMatchObject({ code: 0, stdout: expect.stringContaining('3 steps in') });
  expect(await bench.run('recipe.json', 'browser')).toMatchObject({ code: 0 });

  const [here, there] = [rowsOf('node'), rowsOf('browser')];
  expect(here.map(({ step }) => step)).toEqual(there.map(({ step }) => step));
  expect(here.filter((row) => 'loss' in row)).toHaveLength(3);
  for (const [i, row] of here.entries()) {
    expect(Object.keys(row)).toEqual(Object.keys(there[i]!));
    for (const name of ['loss', 'eval_loss', 'learning_rate', 'tokens']) {
      if (name in row && there[i]![name] !== 0) expectSame(row[name]!, there[i]![name]!, `${name}, line ${i + 1}`);
    }
  }
  const summaries = ['node', 'browser'].map((out) => JSON.parse(read(out, 'summary.json')));
  const [own, other] = summaries;
  expect(own.adapter.software).toBe(true);
  expect(own.adapter.description).not.toBe(other.adapter.description);
  expect(own.recipe).toEqual(other.recipe);
  expect(own.inputs).toEqual(other.inputs);
  expect(Object.keys(own)).toEqual(Object.keys(other));
  expect(own.files).toEqual(expect.arrayContaining(other.files.filter(({ path }: Row) => !/\.md$/.test(String(path)))));

  // The adapter of Node, continued in the browser: before its first step it is where the other run ended.
  bench.write('more.json', {
    ...recipe,
    method: { type: 'lora', init_adapter: 'file:node/adapter' },
    training: { ...recipe.training, max_steps: 1 },
  });
  expect(await bench.run('more.json', 'more')).toMatchObject({ code: 0 });
  expectSame(rowsOf('more')[0]!.eval_loss!, own.final_eval_loss, 'loss of the opened adapter');
});

test('what Node lacks for a run is said in a line that says what to do, and nothing is left behind', async () => {
  bench.write('recipe.json', { version: 1 });
  const refusals: [args: string[], env: object, line: RegExp][] = [
    [['--adapter', 'Voodoo'], env, /^--adapter Voodoo: There is no such GPU\. There are: .+\.$/],
    [
      [],
      { ...env, VK_DRIVER_FILES: '/none.json', VK_ICD_FILENAMES: '/none.json' },
      /^--runtime node: Dawn finds no GPU .*Install the driver/,
    ],
  ];
  for (const [args, given, line] of refusals) {
    const { code, stderr } = await bench.run('recipe.json', 'results', { args: [...inNode, ...args], env: given });
    expect(stderr).toEqual([expect.stringMatching(line)]);
    expect(code).toBe(1);
    expect(bench.list()).toEqual(['recipe.json']);
  }
});

test('a process that ends in the middle of a run ends it with a sentence', async () => {
  bench.write('recipe.json', { version: 1, training: { max_steps: 100_000, eval_steps: 0 } });
  const { child, ended } = bench.start('recipe.json', 'results', { args: inNode, env });
  const others = () => bench.processes().filter((pid) => pid !== child.pid);
  await expect.poll(others).toHaveLength(1);
  process.kill(others()[0]!, 'SIGSEGV');
  const { code, stderr } = await ended;
  expect(stderr.at(-1)).toMatch(/^The process of the run ended \(SIGSEGV\)\. If it ran out of memory/);
  expect(code).toBe(1);
  expect(bench.list()).toEqual(['recipe.json']);
});
