import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ExportedFile } from '../../../src/exports/export';
import { axolotl } from '../../../src/exports/trainers/axolotl';
import { llamafactory } from '../../../src/exports/trainers/llamafactory';
import { type MethodType, methods } from '../../../src/methods';
import { type ObjectiveType, objectives } from '../../../src/objectives';
import { importConfig } from '../../../src/recipe/conversion/import';
import { typesIn } from '../../../src/recipe/conversion/registry';
import { fill } from '../../../src/recipe/defaults';
import { CONFIG_CASES, type ConfigCase } from '../../interop/trainer-cases';
import { sourceOf, writtenFor } from '../../interop/trainer-configs';

type Trainer = ConfigCase['trainers'][number];

const FILES: Record<Trainer, string> = { axolotl: 'axolotl.yml', llamafactory: 'llamafactory.yaml' };

const textOf = async (files: readonly ExportedFile[], path: string): Promise<string> => {
  const file = files.find((one) => one.path === path);
  if (!file) throw new Error(`${path} is not among ${files.map((one) => one.path).join(', ')}`);
  return file.blob.text();
};
const linesOf = async (files: readonly ExportedFile[], path: string) =>
  (await textOf(files, path)).trimEnd().split('\n');

const caseNamed = (name: string) => CONFIG_CASES.find((one) => one.name === name)!;

async function exported(trainer: Trainer, name: string, changes: Partial<ConfigCase> = {}) {
  const made = await sourceOf({ ...caseNamed(name), ...changes });
  const result = await writtenFor(trainer, made.source);
  return { ...made, ...result, text: await textOf(result.files, FILES[trainer]) };
}

/** What these cases set and the trainer has not: it is among the notes. */
const LOST: Record<Trainer, string[]> = {
  // Rewards come back as names of Python functions, which are not read.
  axolotl: ['ld_alpha', 'rewards'],
  llamafactory: ['center_rewards_coefficient'],
};

const all = CONFIG_CASES.flatMap(({ name, trainers }) => trainers.map((trainer) => [trainer, name] as const));

test.each(all)('%s, %s: opened here, the config is the recipe again', async (trainer, name) => {
  const { text, recipe } = await exported(trainer, name);
  const back = importConfig(text, FILES[trainer]);
  expect(back.trainer).toBe(trainer);
  const { method, objective, model, training } = fill(back.input);
  expect(method).toEqual({ ...recipe.method });
  const without = (section: object) =>
    Object.fromEntries(Object.entries(section).filter(([key]) => !LOST[trainer].includes(key)));
  expect(without(objective)).toEqual(without(recipe.objective));
  expect(model).toEqual(recipe.model);
  expect(training.learning_rate).toBe(recipe.training.learning_rate);
  expect(training.optim).toBe(recipe.training.optim);
  expect(training.lr_scheduler_type).toBe(recipe.training.lr_scheduler_type);
});

test.each(all)('%s, %s: every row of the split goes along, and the folder has what it names', async (trainer, name) => {
  const { files, tokenized, recipe } = await exported(trainer, name);
  // KTO counts the two answers of a pair.
  const { train, validation } = tokenized.rows;
  const own = await linesOf(files, 'data/train.jsonl');
  const held = await linesOf(files, 'data/validation.jsonl');
  expect([own.length, held.length]).toEqual([train.length, validation.length]);
  expect(JSON.parse(await textOf(files, 'recipe.json'))).toEqual(recipe);
  const paths = files.map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
  const text = await textOf(files, FILES[trainer]);
  const readme = await textOf(files, 'README.md');
  const info = paths.includes('data/dataset_info.json') ? await textOf(files, 'data/dataset_info.json') : '';
  for (const path of paths.filter((one) => /^data\/.*\.jsonl$/.test(one))) {
    expect(text + readme + info, path).toContain(info === '' ? path : path.slice('data/'.length));
  }
  for (const named of text.match(/\.\/(?:data\/\w+\.jsonl|init_adapter)/g) ?? []) {
    expect(paths.some((path) => path.startsWith(named.slice(2)))).toBe(true);
  }
});

test('what differs is said in the config, in the README and on the screen alike', async () => {
  const { notes, files, text } = await exported('axolotl', 'full', {
    recipe: {
      ...caseNamed('full').recipe,
      dataset: { ...caseNamed('full').recipe.dataset, base_text: 'file:base.txt' },
      training: { max_steps: 40, ewc_lambda: 10, replay_ratio: 0.2, ema_decay: 0.99, label_smoothing_factor: 0.1 },
    },
  });
  for (const word of ['EWC', 'replay', 'moving average', 'label smoothing']) {
    expect(notes.filter((note) => note.includes(word))).toHaveLength(1);
  }
  const readme = await textOf(files, 'README.md');
  const comments = text
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .map((line) => line.replace(/^#\s*/, ''))
    .join(' ');
  for (const note of notes) {
    expect(readme).toContain(`- ${note}`);
    expect(comments).toContain(`- ${note}`);
  }
});

test.each(['axolotl', 'llamafactory'] as const)('%s has 16-bit products where the recipe has', async (trainer) => {
  const { recipe } = caseNamed('full');
  for (const fp16 of [true, false]) {
    const changed = { ...recipe, training: { ...recipe.training, fp16 } };
    const { text, notes } = await exported(trainer, 'full', { recipe: changed });
    expect(parse(text)).toMatchObject({ bf16: false, fp16 });
    expect(notes.some((note) => note.startsWith('With fp16,'))).toBe(fp16);
    expect(fill(importConfig(text, FILES[trainer]).input).training.fp16).toBe(fp16);
  }
});

describe('Axolotl', () => {
  test('numbers are written so that PyYAML takes none of them for text', async () => {
    const { text } = await exported('axolotl', 'pretraining-packed');
    // PyYAML's own pattern of floats with an exponent.
    for (const number of text.match(/(?<=: )\S*\de\S+$/gm) ?? []) {
      expect(number).toMatch(/^[-+]?\d[\d_]*\.[\d_]*[eE][-+]\d+$/);
    }
    expect(text).toContain('learning_rate: 1.0e-7');
  });

  test('SimPO gets its warm-up in steps, because it refuses a share', async () => {
    const { text } = await exported('axolotl', 'simpo');
    expect(parse(text)).toMatchObject({ rl: 'simpo', warmup_steps: 4 });
    expect(text).not.toContain('warmup_ratio');
  });

  test('DPO and KTO begin with an adapter of their own, so none goes along', async () => {
    const { files, text } = await exported('axolotl', 'dpo');
    expect(text).not.toContain('lora_model_dir');
    expect(files.some(({ path }) => path.startsWith('init_adapter'))).toBe(false);
    expect((await exported('axolotl', 'orpo')).text).toContain('lora_model_dir: ./init_adapter');
  });

  test('rewards go along as Python, each with its name and weight', async () => {
    const { text, files } = await exported('axolotl', 'grpo');
    const { reward_funcs, reward_weights } = parse(text).trl;
    const code = await textOf(files, 'rewards.py');
    expect(reward_funcs).toHaveLength(reward_weights.length);
    for (const name of reward_funcs) expect(code).toContain(`\n${name.replace('rewards.', '')} = function(`);
    expect(reward_funcs.slice(0, 2)).toEqual(['rewards.reward_exact_answer', 'rewards.reward_same_words']);
    expect(reward_weights.slice(0, 2)).toEqual([1, 0.5]);
  });

  test('a reward in JavaScript has no place there', async () => {
    const { recipe, ...rest } = caseNamed('grpo');
    const rewards = [{ type: 'javascript', code: 'const reward = () => 1;', name: 'mine' }];
    const one = await sourceOf({ ...rest, recipe: { ...recipe, objective: { type: 'grpo', rewards } as never } });
    await expect(writtenFor('axolotl', one.source)).rejects.toMatchObject({
      ...{ code: 'bad_recipe', message: expect.stringMatching(/“mine” is JavaScript/) },
    });
  });

  test('an alpha that is not whole is rounded, and said to be', async () => {
    const { recipe } = caseNamed('chat-lora');
    const { text, notes } = await exported('axolotl', 'chat-lora', {
      recipe: { ...recipe, method: { type: 'lora', lora_alpha: 22.6 } },
    });
    expect(parse(text)).toMatchObject({ lora_alpha: 23 });
    expect(notes.join(' ')).toMatch(/lora_alpha: it is 23 and not 22.6/);
  });
});

describe('LLaMA-Factory', () => {
  test('dataset_info.json describes the files that the config names', async () => {
    const { files, text } = await exported('llamafactory', 'chat-lora');
    const info = JSON.parse(await textOf(files, 'data/dataset_info.json'));
    const config = parse(text);
    for (const name of [config.dataset, config.eval_dataset]) {
      expect(files.some(({ path }) => path === `data/${info[name].file_name}`)).toBe(true);
    }
    expect(config).toMatchObject({ template: 'empty', dataset_dir: './data' });
  });

  test('a packed row keeps its length: one token is taken off there', async () => {
    expect(parse((await exported('llamafactory', 'packed')).text)).toMatchObject({
      ...{ cutoff_len: 257, packing: true, neat_packing: true },
    });
  });

  test('a loss that it has not is refused with what to do', async () => {
    const one = await sourceOf(caseNamed('dpo-mpo'));
    await expect(writtenFor('llamafactory', one.source)).rejects.toMatchObject({
      ...{ code: 'bad_recipe', message: expect.stringMatching(/one loss of sigmoid, hinge, ipo/) },
    });
  });
});

describe('what cannot go at all', () => {
  test('what methods and objectives say of themselves is what the tables have', () => {
    for (const trainer of ['axolotl', 'llamafactory'] as const) {
      const said = (all: readonly { type: string; trainers?: readonly string[] }[]) =>
        all.filter(({ trainers }) => trainers?.includes(trainer)).map(({ type }) => type);
      const listed = (section: 'method' | 'objective') => typesIn(trainer, section).map(({ type }) => type);
      expect(said(methods).sort()).toEqual([...new Set(listed('method'))].sort());
      expect(said(objectives).sort()).toEqual([...new Set(listed('objective'))].sort());
    }
  });

  test.each(['dpo', 'kto'] as const)(
    'PiSSA with %s: LLaMA-Factory measures from the model that PiSSA changed',
    async (name) => {
      const { recipe, ...rest } = caseNamed(name);
      const method = { type: 'lora', init_lora_weights: 'pissa' } as const;
      const one = await sourceOf({ ...rest, recipe: { ...recipe, method } });
      await expect(writtenFor('llamafactory', one.source)).rejects.toMatchObject({
        ...{ code: 'bad_recipe', message: expect.stringMatching(/PiSSA/) },
      });
    },
  );

  const base = { objective: 'sft' as ObjectiveType, family: 'llama' };
  const lora = methods.find(({ type }) => type === 'lora')!;
  const section = (type: MethodType) => fill({ version: 1, method: { type } } as never).method;

  test.each(methods.filter(({ type }) => type !== 'lora' && type !== 'full').map(({ type }) => type))(
    '%s is refused by both, with what they have',
    (type) => {
      for (const one of [axolotl, llamafactory]) {
        expect(one.refusal({ ...base, method: section(type) })).toMatch(/has no .*; it has LoRA or full fine-tuning/i);
      }
    },
  );

  test('LoRA on answers is not refused', () => {
    for (const one of [axolotl, llamafactory]) {
      expect(one.refusal({ ...base, method: section(lora.type as MethodType) })).toBeNull();
    }
  });

  test.each(objectives.map(({ type }) => type))('%s: only what a trainer has is taken', (objective) => {
    const method = section('lora');
    const here: Record<string, Trainer[]> = {
      ...{ sft: ['axolotl', 'llamafactory'], pretraining: ['axolotl', 'llamafactory'] },
      ...{ dpo: ['axolotl', 'llamafactory'], kto: ['axolotl', 'llamafactory'], orpo: ['axolotl', 'llamafactory'] },
      ...{ cpo: ['axolotl', 'llamafactory'], reward: ['axolotl', 'llamafactory'], grpo: ['axolotl'] },
    };
    const taken = [axolotl, llamafactory].filter((one) => one.refusal({ ...base, method, objective }) === null);
    expect(taken.map(({ id }) => id)).toEqual(here[objective] ?? []);
  });
});
