/**
 * Pages of every kind: each method, a model without a chat template, classifiers of texts and words, and scores of answers. What the
 * exported page says is what Compare says of the same run, to the last token and the last bit.
 */
import { readFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { serveScripted } from '../../scripts/scripted.mjs';
import type { PageOptions } from '../../src/exports/page/options';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { Recipe, RecipeInput } from '../../src/recipe/types';
import type { JudgedText } from '../../src/session/comparison-types';
import type {} from './bare/main';
import { axeFindings } from './page';
import {
  askPage,
  classifyOnPage,
  comparedTokens,
  hosted,
  listen,
  openPage,
  type SiteFile,
} from './support/exported-page';
import { PATIENCE } from './support/studio';

// Every page is of another host; what a service worker does is tried in page-export.spec.ts.
const TOKENS = 24;
let server: Awaited<ReturnType<typeof serveScripted>>;
test.beforeAll(async () => {
  server = await serveScripted('bare');
});
test.afterAll(() => server.close());
test.beforeEach(async ({ context, page }) => {
  test.setTimeout(4 * PATIENCE);
  page.setDefaultTimeout(PATIENCE);
  await listen(context);
  await page.goto(server.scripted);
});

const recipeOf = (
  given: Pick<RecipeInput, 'dataset' | 'method' | 'objective' | 'model'>,
  learning_rate = 2e-2,
): Recipe =>
  resolveRecipe({
    version: 1,
    name: 'kinds',
    ...given,
    dataset: { max_length: 48, validation_split: 0, ...given.dataset },
    training: {
      ...{ max_steps: 3, eval_steps: 0, save_steps: 3, per_device_train_batch_size: 2 },
      ...{ gradient_accumulation_steps: 1, learning_rate },
    },
  });

/** Trains; gives the run as Compare names it. */
const trained = (page: Page, recipe: Recipe): Promise<`run:${string}`> =>
  page.evaluate(async (given) => {
    const { id, status, error } = await window.bare.session.train(given);
    if (status !== 'completed') throw new Error(`${status}: ${error?.message} ${error?.details}`);
    return `run:${id}` as const;
  }, recipe);

const addData = (page: Page, name: string, text: string) =>
  page.evaluate(([fileName, content]) => window.bare.session.importDataset(new File([content], fileName)), [
    name,
    text,
  ] as const);

/** The files of the page, and what was said about them. */
async function exported(
  page: Page,
  options: Partial<PageOptions> = {},
): Promise<{ files: SiteFile[]; notes: string[] }> {
  const { files, notes } = await page.evaluate(async (given) => {
    const done = await window.bare.session.exportAs('page', { onProgress: () => {}, page: given });
    const encoded = await Promise.all(
      done.files.map(async ({ path, blob }) => {
        const bytes = new Uint8Array(await blob.arrayBuffer());
        let text = '';
        for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
        return { path, base64: btoa(text) };
      }),
    );
    return { files: encoded, notes: done.notes };
  }, options);
  return {
    notes,
    files: files.map(({ path, base64 }) => ({ path, bytes: new Uint8Array(Buffer.from(base64, 'base64')) })),
  };
}

async function compared(page: Page, model: string, text: string): Promise<{ tokens: number[]; base: number[] }> {
  await page.evaluate(
    async ([id, prompt, maxNewTokens]) => {
      const comparison = await window.bare.session.comparison();
      const columns = ['base', id].map((one) => ({ model: one as 'base', strength: 1 }));
      await comparison.answer(columns, { text: prompt }, { maxNewTokens, temperature: 0, topP: 1, seed: 0 }, () => {});
    },
    [model, text, TOKENS] as const,
  );
  const [base, tokens] = await comparedTokens(page);
  return { tokens: tokens!, base: base! };
}

const judged = (page: Page, model: string, text: string | JudgedText) =>
  page.evaluate(
    async ([id, given]) => {
      const comparison = await window.bare.session.comparison();
      const { answers } = await comparison.classify([{ model: id as 'base', strength: 1 }], given);
      return answers[0]!.scores!;
    },
    [model, text] as const,
  );

/** Visits the page on a host of its own. */
async function visiting(
  page: Page,
  options: Partial<PageOptions>,
  visit: (there: Page) => Promise<void>,
): Promise<void> {
  const { files } = await exported(page, options);
  const site = await hosted(files);
  const there = await page.context().newPage();
  try {
    await openPage(there, site.address);
    await visit(there);
    expect(await axeFindings(there)).toEqual([]);
  } finally {
    await there.close();
    site.remove();
  }
}

const generation = { maxNewTokens: TOKENS, topP: 1 };
const QUESTION = 'What is a whale?';

const methods: Record<string, RecipeInput['method']> = {
  'DoRA with PiSSA and the embedding': {
    ...{ type: 'lora', r: 4, use_dora: true, init_lora_weights: 'pissa', modules_to_save: ['embed_tokens'] },
  },
  'rsLoRA with patterns': {
    type: 'lora',
    r: 4,
    use_rslora: true,
    rank_pattern: { q_proj: 2 },
    alpha_pattern: { q_proj: 8 },
  },
  '(IA)³': { type: 'ia3' },
  bottleneck: { type: 'bottleneck' },
  'prefix tuning': { type: 'prefix_tuning', num_virtual_tokens: 4 },
  'prompt tuning': { type: 'prompt_tuning', num_virtual_tokens: 4 },
  'P-tuning': { type: 'p_tuning', num_virtual_tokens: 20 },
  'full fine-tuning': { type: 'full' },
};

/** Few steps have to change an answer. */
const rates: Record<string, number> = {
  ...{ '(IA)³': 1, bottleneck: 0.1, 'prefix tuning': 1, 'prompt tuning': 1, 'P-tuning': 1 },
};

for (const [name, method] of Object.entries(methods)) {
  test(`${name}: the page writes what Compare does`, async ({ page }) => {
    const run = await trained(page, recipeOf({ dataset: { source: 'builtin:pirate-chat' }, method }, rates[name]));
    const { tokens, base } = await compared(page, run, QUESTION);
    expect(tokens).not.toEqual(base);
    await visiting(page, { generation }, async (there) => {
      expect((await askPage(there, QUESTION)).ids).toEqual(tokens);
    });
  });
}

/** A tiny model without a chat template, with a token for each row of its embedding. */
async function addTemplateless(page: Page): Promise<void> {
  const special = ['<pad>', '<s>', '</s>', '<unk>'];
  const all = [...special, 'User', 'Assistant', ':', ...Array.from({ length: 121 }, (_, i) => `w${i}`)];
  const tokenizer = JSON.stringify({
    added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'Isolated' }],
    },
    model: {
      ...{ type: 'WordPiece', unk_token: '<unk>', continuing_subword_prefix: '##' },
      vocab: Object.fromEntries(all.map((token, id) => [token, id])),
    },
  });
  const fixture = (name: string) => readFileSync(`tests/fixtures/llama/gqa-tied/${name}`).toString('base64');
  const files = {
    'config.json': fixture('config.json'),
    'model.safetensors': fixture('model.safetensors'),
    'tokenizer.json': btoa(tokenizer),
  };
  await page.evaluate(async (given) => {
    const made = Object.entries(given).map(([name, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      return { path: `tiny/${name}`, file: new File([bytes], name) };
    });
    await window.bare.session.importModel(made);
  }, files);
}

const turns = (question: string, answer: string) => ({
  messages: [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ],
});
const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');

test('without a chat template, a page writes prompts as its run’s data are written, whatever was opened since', async ({
  page,
}) => {
  await addTemplateless(page);
  await addData(page, 'chats.jsonl', lines([turns('w1 w2', 'w3 w4'), turns('w5', 'w6'), turns('w7 w8', 'w9')]));
  await addData(
    page,
    'plain.jsonl',
    lines([
      { prompt: 'w1 w2 ', completion: 'w3' },
      { prompt: 'w4 ', completion: 'w5' },
    ]),
  );
  const model = { source: 'file:tiny' };
  const method = { type: 'lora', r: 4 } as const;
  const chats = recipeOf({ model, method, dataset: { source: 'file:chats.jsonl' } });
  const run = await trained(page, chats);
  const { tokens } = await compared(page, run, 'w1 w2');
  // Other data, which are no chats.
  await page.evaluate(
    (recipe) => window.bare.session.tokenize(recipe),
    recipeOf({ model, method, dataset: { source: 'file:plain.jsonl' } }),
  );
  const { tokens: otherwise } = await compared(page, run, 'w1 w2');
  expect(otherwise).not.toEqual(tokens);
  await visiting(page, { generation }, async (there) => {
    expect((await askPage(there, 'w1 w2')).ids).toEqual(tokens);
  });
});

test('a GGUF file goes along as it is, and base weights are rounded to four bits in the page as in training', async ({
  page,
}) => {
  const gguf = readFileSync('tests/fixtures/gguf/gqa-tied.gguf').toString('base64');
  await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    await window.bare.session.importModel([{ path: 'gqa-tied.gguf', file: new File([bytes], 'gqa-tied.gguf') }]);
  }, gguf);
  await addData(
    page,
    'plain.txt',
    'one two three four five six seven eight nine ten\n\nthe cat sat on the mat and slept',
  );
  const method = { type: 'lora', r: 4 } as const;
  const models = [
    { model: { source: 'file:gqa-tied' }, dataset: { source: 'file:plain.txt' } },
    { model: { source: 'builtin:stories', quantization: 'nf4' }, dataset: { source: 'builtin:stories' } },
  ] as const;
  for (const given of models) {
    const run = await trained(page, recipeOf({ ...given, method, objective: { type: 'pretraining' } }));
    const { tokens } = await compared(page, run, 'the cat');
    await visiting(page, { generation }, async (there) => {
      expect((await askPage(there, 'the cat')).ids).toEqual(tokens);
    });
  }
});

const sorted = lines([
  { text: 'it rains today', label: 'Weather' },
  { text: 'the sun is warm', label: 'Weather' },
  { text: 'the soup is hot', label: 'Food' },
  { text: 'bread and cheese', label: 'Food' },
]);

test('a classifier’s page gives the probabilities that Compare gives', async ({ page }) => {
  await addData(page, 'sorted.jsonl', sorted);
  const run = await trained(
    page,
    recipeOf({
      ...{ dataset: { source: 'file:sorted.jsonl' }, objective: { type: 'sequence_classification' } },
      method: { type: 'lora', r: 4 },
    }),
  );
  const text = 'the rain is warm and the bread is wet';
  const scores = await judged(page, run, text);
  await visiting(page, { title: 'Weather or food?', prompts: [text] }, async (there) => {
    await expect(there).toHaveTitle('Weather or food?');
    expect(await classifyOnPage(there, text)).toEqual(scores);
    const bars = there.getByRole('region', { name: 'Result' }).getByRole('listitem');
    await expect(bars).toHaveCount(2);
    await expect(bars.first()).toHaveText(`${scores[0]!.label}${(100 * scores[0]!.probability).toFixed(1)} %`);
    await there.getByRole('textbox').fill('');
    await there.getByRole('button', { name: text }).click();
    await expect(there.getByRole('textbox')).toHaveValue(text);
  });
});

test('a page labels words as Compare does', async ({ page }) => {
  const rows = [
    { tokens: ['Anna', 'lives', 'in', 'Rome'], tags: ['B-PER', 'O', 'O', 'B-LOC'] },
    { tokens: ['Tom', 'likes', 'Paris'], tags: ['B-PER', 'O', 'B-LOC'] },
  ];
  await addData(page, 'tagged.jsonl', lines(rows));
  const run = await trained(
    page,
    recipeOf({
      dataset: { source: 'file:tagged.jsonl' },
      objective: { type: 'token_classification' },
      method: { type: 'head' },
    }),
  );
  const text = 'Anna likes Rome and Tom lives in Paris';
  const scores = await judged(page, run, text);
  expect(scores).toHaveLength(8);
  await visiting(page, {}, async (there) => {
    expect(await classifyOnPage(there, text)).toEqual(scores);
    const marked = scores.filter(({ label }) => label !== 'O');
    await expect(there.getByRole('region', { name: 'Result' }).locator('mark')).toHaveCount(marked.length);
  });
});

test('a reward model’s page scores an answer as Compare does', async ({ page }) => {
  const run = await trained(
    page,
    recipeOf({
      dataset: { source: 'builtin:pirate-pairs' },
      objective: { type: 'reward' },
      method: { type: 'lora', r: 4 },
    }),
  );
  const given = { prompt: QUESTION, answer: 'Arr, a whale be a big fish, matey!' };
  const [score] = await judged(page, run, given);
  await visiting(page, {}, async (there) => {
    await there.getByRole('textbox', { name: 'Prompt' }).fill(given.prompt);
    await there.getByRole('textbox', { name: 'Answer' }).fill(given.answer);
    await there.getByRole('button', { name: 'Score' }).click();
    const result = there.getByRole('region', { name: 'Result' });
    await expect(result).toHaveText(score!.probability.toPrecision(4), { timeout: PATIENCE });
  });
});
