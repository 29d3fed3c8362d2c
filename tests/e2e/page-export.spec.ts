/**
 * A page of one's own: what was trained answers on a bare static host, and again with the network cut, as it does in Compare, token
 * for token; a classifier gives the same probabilities; and what goes wrong there says what to do.
 */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import type { ExportSource } from '../../src/exports/export';
import type { PageManifest } from '../../src/exports/page/manifest';
import type { PageOptions } from '../../src/exports/page/options';
import type { OwnFile } from '../../src/exports/page/site';
import { writePageWith } from '../../src/exports/page/write';
import { resolveRecipe } from '../../src/recipe/defaults';
import { axeFindings } from './page';
import {
  askPage,
  comparedTokens,
  hosted,
  listen,
  openPage,
  type SiteFile,
  untilOpen,
  unzipped,
} from './support/exported-page';
import { expectFinished, openStudio, PATIENCE, start, tiny } from './support/studio';

test.use({ serviceWorkers: 'allow' });
test.beforeEach(({ context }) => listen(context));

const STEPS = 8;
const PROMPTS = 3;

interface Compared {
  prompt: string;
  ids: number[];
  text: string;
  /** The base's answer. */
  untrained: number[];
}

/** Asks Compare some held-out prompts; what the tuned column answered to each. */
async function comparedAnswers(page: Page): Promise<Compared[]> {
  const list = page.getByRole('list', { name: 'Prompts from the data' }).getByRole('button');
  const answers: Compared[] = [];
  for (let i = 0; i < PROMPTS; i++) {
    await list.nth(i).click();
    const ask = page.getByRole('button', { name: 'Ask both' });
    await expect(ask).toBeVisible({ timeout: PATIENCE });
    const tuned = page.getByRole('article', { name: 'Tuned' }).getByRole('paragraph');
    await expect(tuned).toHaveText(/\w{3}/);
    const [untrained, ids] = await comparedTokens(page);
    answers.push({
      prompt: await page.getByRole('textbox', { name: 'Prompt', exact: true }).inputValue(),
      ids: ids!,
      text: (await tuned.textContent())!,
      untrained: untrained!,
    });
  }
  return answers;
}

async function downloadedPage(page: Page): Promise<Uint8Array> {
  await page.getByRole('radio', { name: /^Website/ }).check();
  const download = page.waitForEvent('download', { timeout: PATIENCE });
  await page.getByRole('button', { name: 'Export website' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('tiny-page.zip');
  return new Uint8Array(readFileSync(await file.path()));
}

test('a run exported as a page answers as Compare does, token for token, and again without a network', async ({
  page,
  context,
}) => {
  test.setTimeout(4 * PATIENCE);
  // A download in place of the browser's own dialog.
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'));
  const training = { ...tiny.training, learning_rate: 1e-2 };
  await openStudio(page, { ...tiny, training, dataset: { ...tiny.dataset, validation_split: 0.02 } });
  await start(page);
  await expectFinished(page, STEPS);
  await page.getByRole('link', { name: 'Compare & Export' }).click();
  const compared = await comparedAnswers(page);
  // Otherwise a page without the adapter would pass.
  expect(compared.some(({ ids, untrained }) => ids.join() !== untrained.join())).toBe(true);
  const site = await hosted(unzipped(await downloadedPage(page)));
  try {
    const visit = await context.newPage();
    const elsewhere: string[] = [];
    visit.on('request', (request) => {
      const { protocol, href } = new URL(request.url());
      if (protocol.startsWith('http') && !href.startsWith(site.address)) elsewhere.push(href);
    });
    await openPage(visit, site.address);
    await expect(visit).toHaveTitle('tiny');
    expect(await axeFindings(visit)).toEqual([]);
    const longest = async () => {
      await visit.getByRole('button', { name: 'About' }).click();
      const dialog = visit.getByRole('dialog');
      await expect(dialog).toContainText('A LoRA adapter');
      // As long as Compare's.
      await dialog.getByRole('spinbutton', { name: 'Longest answer, in tokens' }).fill('64');
      expect(await axeFindings(visit)).toEqual([]);
      await dialog.getByRole('button', { name: 'Close' }).click();
    };
    const askAll = async () => {
      await longest();
      for (const { prompt, ids, text } of compared) expect(await askPage(visit, prompt)).toEqual({ ids, text });
    };
    await askAll();
    expect(await axeFindings(visit)).toEqual([]);
    expect(elsewhere).toEqual([]);

    await visit.evaluate(() => navigator.serviceWorker.ready);
    site.cut();
    await visit.reload();
    await untilOpen(visit);
    await askAll();
  } finally {
    site.remove();
  }
});

/** A page of the built-in model as it is, written in Node from the build. */
async function storiesPage(given: Partial<PageOptions> = {}): Promise<SiteFile[]> {
  const place = 'public/models/stories';
  const read = (name: string) => readFileSync(path.join(place, name));
  const sizes = new Map(readdirSync(place).map((name) => [name, statSync(path.join(place, name)).size]));
  const recipe = resolveRecipe({ version: 1 });
  const unused = () => Promise.reject(new Error('not needed'));
  const source: ExportSource = {
    exported: { method: recipe.method, objective: recipe.objective.type, family: 'llama' },
    ...{ name: 'stories', fileName: 'stories', hasAdapter: false, recipe: null, card: null },
    model: {
      info: {} as ExportSource['model']['info'],
      folder: {
        ...{ source: 'builtin:stories', files: [...sizes.keys()], has: (name) => sizes.has(name) },
        ...{ size: (name) => sizes.get(name), text: async (name) => read(name).toString() },
        bytes: async (name, start, end) => new Uint8Array(read(name).subarray(start, end)).buffer,
      },
      ...{
        config: {},
        base: { name: 'stories', revision: null },
        licence: 'mit',
        padTokenId: null,
        endTokenIds: [],
        quantization: 'none',
      },
    },
    promptStyle: async () => ({ plainChat: false, separator: '\n' }),
    ...{
      tensors: unused,
      ggufTokenizer: unused,
      adapter: unused,
      writeModel: unused,
      proveModel: unused,
      proveAdapter: unused,
    },
  };
  const own: OwnFile = async (name) => new Uint8Array(readFileSync(path.join('dist', name))).buffer;
  const { files } = await writePageWith(source, { onProgress: () => {}, page: given }, own);
  return Promise.all(
    files.map(async (file) => ({ path: file.path, bytes: new Uint8Array(await file.blob.arrayBuffer()) })),
  );
}

test('a page that lacks a file, or is opened where no model can run, says what to do', async ({ page }) => {
  const site = await hosted(await storiesPage());
  const fault = page.getByRole('alert');
  const change = (name: string, changed: (text: string) => string) => {
    const file = path.join(site.folder, name);
    const before = readFileSync(file);
    writeFileSync(file, changed(before.toString()));
    return () => writeFileSync(file, before);
  };
  try {
    await page.goto(`file://${site.folder}/index.html`);
    await expect(fault).toContainText('opened as a file');
    await expect(fault).toContainText('python3 -m http.server 8000');

    // No GPU: said before anything of the model is fetched.
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    let restore = change(
      'engine.js',
      (code) => `Object.defineProperty(navigator, 'gpu', { value: undefined });${code}`,
    );
    await page.goto(site.address);
    await expect(fault).toContainText('This browser does not support WebGPU.');
    expect(asked.filter((url) => url.includes('/model/'))).toEqual([]);
    restore();

    const tokenizer = path.join(site.folder, 'model/tokenizer.json');
    const kept = readFileSync(tokenizer);
    rmSync(tokenizer);
    await page.reload();
    await expect(fault).toContainText('The server has no file model/tokenizer.json.');
    await expect(fault).toContainText('upload all files of its zip');
    writeFileSync(tokenizer, kept.toString().replace('"', "'"));
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect(fault).toContainText('What the server sent is not the file model/tokenizer.json of this page.');
    expect(await axeFindings(page)).toEqual([]);
    writeFileSync(tokenizer, kept);
    // Asked before the model is there; answered once it is.
    await page.getByRole('textbox', { name: 'Your message' }).fill('Who are you?');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Try again' }).click();
    const answer = page.getByRole('article', { name: 'The model' });
    await expect(answer).toHaveAttribute('aria-busy', 'false', { timeout: PATIENCE });
    await expect(answer.getByRole('paragraph').first()).toHaveText(/\w{3}/);

    restore = change('page.json', () => '<!doctype html>');
    await page.evaluate(async () => (await navigator.serviceWorker.ready).unregister());
    await page.reload();
    await expect(fault).toContainText('The page.json of this page is damaged.');
    restore();
  } finally {
    site.remove();
  }
});

test('a large model is fetched after a press only', async ({ page }) => {
  const files = await storiesPage();
  const manifest = files.find((file) => file.path === 'page.json')!;
  const json = JSON.parse(new TextDecoder().decode(manifest.bytes)) as PageManifest;
  const weights = json.files.find((file) => file.path === 'model/model.safetensors')!;
  weights.parts[0]!.size = 270_000_000;
  manifest.bytes = new TextEncoder().encode(JSON.stringify(json));
  const site = await hosted(files);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  const weightsAsked = () => asked.some((url) => url.includes('/model/model.safetensors'));
  try {
    await page.goto(site.address);
    const load = page.getByRole('button', { name: 'Load the model (270 MB)' });
    await expect(load).toBeVisible();
    expect(weightsAsked()).toBe(false);
    await load.click();
    await expect.poll(weightsAsked).toBe(true);
  } finally {
    site.remove();
  }
});

test('an answer can be stopped, and a new version of the page is there from the next visit on without fetching the model again', async ({
  page,
}) => {
  const site = await hosted(await storiesPage({ title: 'Before', prompts: ['Tell me a story about a whale.'] }));
  try {
    await page.setViewportSize({ width: 390, height: 844 });
    await openPage(page, site.address);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.getByRole('button', { name: 'Tell me a story about a whale.' }).click();
    const answer = page.getByRole('article', { name: 'The model' });
    await expect(answer.getByRole('paragraph').first()).toHaveText(/\w{3}/, { timeout: PATIENCE });
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect(answer).toHaveAttribute('aria-busy', 'false', { timeout: PATIENCE });
    await expect(answer).toContainText('Stopped.');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.evaluate(() => navigator.serviceWorker.ready);

    for (const { path: name, bytes } of await storiesPage({ title: 'After' })) {
      writeFileSync(path.join(site.folder, name), bytes);
    }
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.reload();
    await untilOpen(page);
    await expect(page).toHaveTitle('Before');
    await expect(page.getByText('There is a new version of this page.')).toBeVisible();
    await page.getByRole('button', { name: 'Reload' }).click();
    await expect(page).toHaveTitle('After');
    await untilOpen(page);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('After');
    expect(asked.filter((url) => url.includes('/model/'))).toEqual([]);
  } finally {
    site.remove();
  }
});
