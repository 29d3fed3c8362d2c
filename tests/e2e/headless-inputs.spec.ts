/** Unusable input quickly ends `npm run headless` with one clear line and leaves nothing behind. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { Bench } from './support/headless';

const STORIES = 'public/models/stories';
const FEW_ROWS = Array.from({ length: 4 }, (_, i) => JSON.stringify({ prompt: `Q${i}?`, completion: `A${i}.` }));

/** A copy of the built-in model with some files changed, or omitted (null). */
function model(bench: Bench, name: string, changes: Record<string, Uint8Array | string | null>): void {
  mkdirSync(bench.path(name));
  for (const file of readdirSync(STORIES)) {
    const change = changes[file];
    if (change === undefined) copyFileSync(path.join(STORIES, file), bench.path(name, file));
    else if (change !== null) bench.write(`${name}/${file}`, change);
  }
}

interface Case {
  recipe: unknown;
  prepare?: (bench: Bench) => void;
  line: RegExp;
}

const dataset = (source: string, more: object = {}) => ({ version: 1, dataset: { source: `file:${source}`, ...more } });
const write = (name: string, content: unknown) => (bench: Bench) => void bench.write(name, content);

const cases: Record<string, Case> = {
  'a recipe that is not JSON': {
    recipe: '{"version": 1,',
    line: /^recipe: is not valid JSON \(.+\)\.$/,
  },
  'a recipe that is a list': {
    recipe: [1, 2],
    line: /^recipe: must be a JSON object, not \[1,2\]\.$/,
  },
  'an unknown field': {
    recipe: { version: 1, training: { learning_rte: 1e-4 } },
    line: /^training\.learning_rte: is not a known field\. Did you mean learning_rate\?$/,
  },
  'an invalid value': {
    recipe: { version: 1, training: { learning_rate: -1 } },
    line: /^training\.learning_rate: must be a number .+, not -1\.$/,
  },
  'a recipe that would train nothing': {
    recipe: { version: 1, training: { max_steps: 0 } },
    line: /^training\.max_steps: is 0, so nothing would be trained\./,
  },
  'a missing dataset': {
    recipe: dataset('none.jsonl'),
    line: /^dataset\.source: none\.jsonl does not exist\./,
  },
  'an empty dataset': {
    recipe: dataset('empty.jsonl'),
    prepare: write('empty.jsonl', ''),
    line: /^empty\.jsonl: .*empty/i,
  },
  'JSON Lines without a valid line': {
    recipe: dataset('broken.jsonl'),
    prepare: write('broken.jsonl', '{"prompt": "a", "completion": \n{"prompt" "b"}\n'),
    line: /^broken\.jsonl, line 1: .*Line 1 is not valid JSON/,
  },
  'a table without a usable column': {
    recipe: dataset('numbers.csv'),
    prepare: write('numbers.csv', 'a,b,c\n1,2,3\n4,5,6\n'),
    line: /^numbers\.csv: .*column/i,
  },
  'prompts that leave no room for an answer': {
    recipe: dataset('long.jsonl', { max_length: 16 }),
    prepare: write(
      'long.jsonl',
      FEW_ROWS.map((row) => row.replace('Q', 'Once upon a time there was a very long question. '.repeat(4))).join('\n'),
    ),
    line: /^long\.jsonl, row 1: No example is left to train on\. .*begins after the limit of 16\. Raise max_length/,
  },
  'a missing model folder': {
    recipe: { version: 1, model: { source: 'file:none' } },
    line: /^model\.source: none does not exist\./,
  },
  'a model folder without a tokenizer': {
    recipe: { version: 1, model: { source: 'file:model' } },
    prepare: (bench) => model(bench, 'model', { 'tokenizer.json': null }),
    line: /^tokenizer\.json: The model folder has no tokenizer\.json\./,
  },
  'a model folder without weights': {
    recipe: { version: 1, model: { source: 'file:model' } },
    prepare: (bench) => model(bench, 'model', { 'model.safetensors': null }),
    line: /^model\.safetensors: The model folder has no model\.safetensors\./,
  },
  'truncated weights': {
    recipe: { version: 1, model: { source: 'file:model' } },
    prepare: (bench) => {
      const whole = readFileSync(path.join(STORIES, 'model.safetensors'));
      model(bench, 'model', { 'model.safetensors': whole.subarray(0, whole.length / 2) });
    },
    line: /^model\.safetensors: .*(incomplete|cut|short|bytes)/i,
  },
  'an adapter folder without weights': {
    recipe: { version: 1, method: { type: 'lora', init_adapter: 'file:adapter' } },
    prepare: (bench) => {
      mkdirSync(bench.path('adapter'));
      bench.write('adapter/adapter_config.json', {
        peft_type: 'LORA',
        r: 4,
        lora_alpha: 8,
        target_modules: ['q_proj'],
      });
    },
    line: /adapter_model\.safetensors/,
  },
};

let bench: Bench;
test.beforeEach(() => {
  bench = new Bench();
});
test.afterEach(() => bench.remove());

for (const [name, { recipe, prepare, line }] of Object.entries(cases)) {
  test(name, async () => {
    prepare?.(bench);
    bench.write('recipe.json', recipe);
    const before = bench.list();
    const { code, stdout, stderr } = await bench.run('recipe.json', 'results');
    expect(stderr).toEqual([expect.stringMatching(line)]);
    expect(stdout).toBe('');
    expect(code).toBe(1);
    expect(bench.list()).toEqual(before);
  });
}

test('a missing recipe file', async () => {
  const { code, stderr } = await bench.run('none.json', 'results');
  expect(stderr).toEqual([expect.stringMatching(/none\.json: There is no such file\.$/)]);
  expect(code).toBe(1);
  expect(bench.list()).toEqual([]);
});

test('a folder with other files is not written to', async () => {
  mkdirSync(bench.path('results'));
  bench.write('results/thesis.txt', 'years of work');
  bench.write('recipe.json', { version: 1 });
  const { code, stderr } = await bench.run('recipe.json', 'results');
  expect(stderr).toEqual([expect.stringMatching(/^--out: .+ holds other files \(thesis\.txt\)\. Name a new or empty/)]);
  expect(code).toBe(1);
  expect(bench.list('results')).toEqual(['thesis.txt']);
});
