// Shoots every page, wide and narrow, light and dark, and runs axe on each:
//   node scripts/screenshots.mjs [--real] [--out DIR] [--part pages|run|compare|shell|runs|models|methods] [--only NAME]
//     [--theme light|dark] [--size wide|narrow]
// By default over a scripted engine (tests/e2e/scripted), which needs no GPU; --real trains the built-in model.
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { browserArgs, findBrowser } from './browser.mjs';
import { serveScripted } from './scripted.mjs';

const { values } = parseArgs({
  options: {
    real: { type: 'boolean', default: false },
    out: { type: 'string' },
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '' },
    theme: { type: 'string', default: '' },
    size: { type: 'string', default: '' },
  },
});
const out = values.out ?? mkdtempSync(path.join(tmpdir(), 'tabtune-screens-'));
mkdirSync(out, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const server = await serveScripted();
const browser = await chromium.launch({ executablePath: await findBrowser({ log: () => {} }), args: browserArgs() });

const sizes = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };
const start = values.real ? server.real : server.scripted;
const wanted = (part) => values.part === '' || values.part === part;
let violations = 0;
let checked = 0;

async function shoot(page, name) {
  if (!name.includes(values.only)) return;
  await page.waitForTimeout(350);
  await page.screenshot({ path: path.join(out, `${name}.png`) });
  await page.screenshot({ path: path.join(out, `${name}-full.png`), fullPage: true });
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  checked++;
  violations += found.violations.length;
  console.log(`${name}: ${found.violations.length} violations, ${found.passes.length} rules passed`);
  for (const { id, help, nodes } of found.violations) {
    console.log(`  ${id}: ${help}`);
    for (const { target, failureSummary } of nodes.slice(0, 3)) {
      console.log(`    ${target.join(' ')}\n      ${failureSummary?.split('\n').slice(1, 3).join(' ').trim()}`);
    }
  }
}

const open = async (page, hash, query = '') => {
  await page.goto(`${start}${query}#/${hash}`);
  if (query.includes('device=none')) await page.getByRole('alert').first().waitFor();
  else
    await page
      .getByRole('button', { name: 'Start training' })
      .and(page.locator(':not([aria-disabled])'))
      .waitFor({ timeout: 60_000 });
};

const otherConfig = `
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
datasets: [{ path: mlabonne/FineTome-100k, type: chat_template, split: train[:20%] }]
val_set_size: 0.1
sequence_len: 2048
sample_packing: true
adapter: qlora
load_in_4bit: true
lora_r: 32
lora_alpha: 16
lora_dropout: 0.05
lora_target_linear: true
gradient_accumulation_steps: 4
micro_batch_size: 2
num_epochs: 1
optimizer: paged_adamw_8bit
lr_scheduler: cosine
learning_rate: 2e-4
bf16: auto
flash_attention: true
deepspeed: deepspeed_configs/zero2.json
wandb_project: mine
special_tokens: { pad_token: <|finetune_right_pad_id|> }
`;

async function shootPages(page, name) {
  await open(page, 'model');
  for (const hash of ['model', 'data', 'recipe', 'recipe/advanced', 'train', 'compare', 'runs']) {
    await page.evaluate((to) => {
      window.location.hash = to;
      window.scrollTo(0, 0);
    }, `#/${hash}`);
    await shoot(page, name(hash.replace('/', '-')));
  }
  await open(page, 'recipe');
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open recipe' }).click();
  await (await choosing).setFiles({ name: 'lora.yml', mimeType: 'text/plain', buffer: Buffer.from(otherConfig) });
  await page.getByRole('dialog').waitFor();
  await shoot(page, name('recipe-imported'));
}

async function shootRun(page, name) {
  await open(page, 'model');
  await page.getByRole('button', { name: 'Answer like a pirate', exact: true }).click();
  await open(page, 'model');
  await page.getByRole('button', { name: 'Start training' }).click();
  await page
    .getByText(/Step (2[5-9]|[3-9]\d) of/)
    .first()
    .waitFor({ timeout: 600_000 });
  await shoot(page, name('training'));
  await page.getByRole('button', { name: 'Compare with the base' }).waitFor({ timeout: 600_000 });
  await shoot(page, name('trained'));
  await page.getByRole('button', { name: 'Compare with the base' }).click();
  await page.getByRole('list', { name: 'Prompts from the data' }).getByRole('button').first().click();
  await page.getByRole('button', { name: 'Ask both' }).waitFor({ timeout: 120_000 });
  await shoot(page, name('compared'));
  // The browser's own file dialog cannot be pressed from here; without it the archive is a download.
  await page.evaluate(() => delete window.showSaveFilePicker);
  await page.getByRole('radio', { name: /^Merged Hugging Face model/ }).check();
  await page.getByRole('button', { name: 'Export merged model' }).click();
  await page.getByRole('progressbar', { name: 'Export' }).waitFor();
  await shoot(page, name('merging'));
  await page.getByText(/is saved:/).waitFor({ timeout: 120_000 });
  await shoot(page, name('merged'));
}

/** Several models side by side, a whole set of prompts, and what is measured of them. */
async function shootCompare(page, name) {
  await open(page, 'compare', '?history');
  const article = page.getByRole('article');
  await article.nth(1).waitFor();
  await shoot(page, name('compare-before'));
  await page.getByLabel('Add a column').selectOption({ index: 1 });
  await page.getByLabel('Base with examples in its prompt').selectOption('2');
  await page.getByRole('list', { name: 'Prompts from the data' }).getByRole('button').first().click();
  await page.getByRole('button', { name: 'Ask all 4' }).waitFor({ timeout: 120_000 });
  await page.getByRole('button', { name: 'Measure: Held-out examples' }).click();
  await page.getByRole('region', { name: 'Loss of each example' }).waitFor({ timeout: 120_000 });
  await page.getByRole('button', { name: 'Measure: Change per layer' }).click();
  await page.getByRole('figure', { name: 'Change per layer' }).waitFor({ timeout: 120_000 });
  await page
    .getByText(/The loss on base text went/)
    .first()
    .waitFor({ timeout: 120_000 });
  await page.getByRole('button', { name: /^Ask \d+ prompts/ }).click();
  await page.getByRole('region', { name: 'Answers to the set' }).waitFor({ timeout: 120_000 });
  await page.getByRole('button', { name: /^Ask \d+ prompts/ }).waitFor({ timeout: 120_000 });
  await shoot(page, name('compare-measured'));
  await page.getByRole('button', { name: 'New set' }).click();
  await page.getByRole('dialog').waitFor();
  await shoot(page, name('compare-new-set'));
}

/** Other methods and objectives: their fields, a classifier's metrics and its answers. */
async function shootMethods(page, name) {
  const go = (hash) => page.evaluate((to) => (window.location.hash = to), `#/${hash}`);
  const card = (title) => page.getByRole('button', { name: title, exact: true });
  await open(page, 'recipe');
  await card('Full fine-tuning').click();
  await shoot(page, name('method-full'));
  await card('Prompt tuning').click();
  await go('recipe/advanced');
  await shoot(page, name('method-prompt-advanced'));
  await page.getByRole('searchbox', { name: 'Find a field' }).fill('momentum');
  await shoot(page, name('field-elsewhere'));
  await go('data');
  await card('Customer feedback').click();
  await go('recipe');
  await card('LoRA').click();
  await card('Sort texts into classes').click();
  await shoot(page, name('goal-classes'));
  const train = async () => {
    await page
      .getByRole('button', { name: 'Start training' })
      .and(page.locator(':not([aria-disabled])'))
      .click({ timeout: 30_000 });
    await page.getByRole('button', { name: 'Compare with the base' }).waitFor({ timeout: 120_000 });
  };
  await train();
  await shoot(page, name('classifier-trained'));
  await page.getByRole('button', { name: 'Compare with the base' }).click();
  await page.getByRole('textbox', { name: 'Text' }).fill('The lamp I bought last week is broken.');
  await page.getByRole('button', { name: 'Ask both' }).click();
  await page.getByRole('article', { name: 'Tuned' }).getByText('complaint').waitFor();
  await shoot(page, name('classifier-compared'));
  await go('data');
  await card('Names on the coast').click();
  await go('recipe');
  await card('Mark words in texts').click();
  await card('Bottleneck adapters').click();
  await go('data');
  await page.getByText('Labels').first().waitFor();
  await shoot(page, name('tagged-data'));
  await train();
  await page.getByRole('button', { name: 'Compare with the base' }).click();
  await page.getByRole('textbox', { name: 'Text' }).fill('A ship left Lumen Bay for Port Hollis at dawn.');
  await page.getByRole('button', { name: 'Ask both' }).click();
  await page.getByRole('article', { name: 'Tuned' }).getByText('B-LOC').first().waitFor();
  await shoot(page, name('tagger-compared'));
}

/** Opens a dialog from the rail, or from the menu of a narrow screen. */
async function openDialog(page, dialog) {
  const menu = page.getByRole('button', { name: 'Menu' });
  if (await menu.isVisible()) {
    await menu.click();
    await page.getByRole('menuitem', { name: dialog }).click();
  } else await page.getByRole('button', { name: dialog, exact: true }).click();
  await page.getByRole('dialog').waitFor();
}

async function shootShell(page, name, narrow) {
  await open(page, 'train', '?history&device=software');
  await page
    .getByRole('checkbox', { name: /^Overlay/ })
    .nth(0)
    .check();
  await page
    .getByRole('checkbox', { name: /^Overlay/ })
    .nth(1)
    .check();
  await shoot(page, name('history'));
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog').waitFor();
  await shoot(page, name('commands'));
  await page.keyboard.press('Escape');
  for (const dialog of ['Storage', 'Nothing leaves this device', 'Keyboard shortcuts']) {
    await openDialog(page, dialog);
    await shoot(page, name(`dialog-${dialog.split(' ')[0].toLowerCase()}`));
    await page.keyboard.press('Escape');
  }
  if (narrow) {
    await page.getByRole('button', { name: 'Run details' }).click();
    await shoot(page, name('sheet'));
    await page.keyboard.press('Escape');
  }
  await open(page, 'model', '?device=none');
  await shoot(page, name('no-webgpu'));
}

/** The table of runs, some of them selected, and what can be done with one. */
async function shootRuns(page, name) {
  await open(page, 'runs', '?history=12');
  const runs = page.getByRole('grid', { name: 'Runs' });
  await runs.getByRole('row').nth(2).waitFor();
  await shoot(page, name('runs-table'));
  const actions = (at) => runs.getByRole('button', { name: /^Actions for/ }).nth(at);
  await actions(0).click();
  await page.getByRole('menuitem', { name: 'Tags and note' }).click();
  await page.getByRole('textbox', { name: 'Tags' }).fill('baseline, keep');
  await page.getByRole('textbox', { name: 'Note' }).fill('Answers in the right voice, but short.');
  await shoot(page, name('runs-labels'));
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  for (const at of [0, 1, 2, 3])
    await runs
      .getByRole('checkbox', { name: /^Select (?!all)/ })
      .nth(at)
      .check();
  await page.getByRole('combobox', { name: 'Colour by' }).selectOption({ label: 'Learning rate' });
  await shoot(page, name('runs-compared'));
}

/** From the Hub's search to a model that is open, with everything that can happen on the way. */
async function shootModels(page, name) {
  const search = page.getByRole('searchbox', { name: 'Name or address' });
  const find = async (words) => {
    await search.fill(words);
    await search.press('Enter');
  };
  await open(page, 'model', '?unfinished&downloadMs=6000');
  await find('slow');
  await search.scrollIntoViewIfNeeded();
  await shoot(page, name('hub-searching'));
  await find('all');
  await page.getByText(/models for “all”/).waitFor();
  await shoot(page, name('hub-results'));
  await find('no such model');
  await page.getByText(/Nothing on the Hub/).waitFor();
  await shoot(page, name('hub-nothing'));
  await find('offline');
  await page.getByRole('button', { name: 'Search again' }).waitFor();
  await shoot(page, name('hub-offline'));
  const look = async (model, picture, ready, close = true) => {
    await find(model);
    await page.getByRole('dialog').getByText(ready).first().waitFor();
    await shoot(page, name(picture));
    if (!close) return;
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  };
  await look('HuggingFaceTB/SmolLM2-135M-Instruct', 'hub-details', 'Precision on the GPU');
  await look('microsoft/Phi-4-mini-instruct', 'hub-too-big', 'Precision on the GPU');
  await look('google/gemma-3-1b-it', 'hub-gated', 'Access token');
  await look('state-spaces/mamba-130m-hf', 'hub-unsupported', 'cannot be opened');
  await look('nobody/nothing', 'hub-missing', 'has no model');
  await page.getByRole('button', { name: 'Address and token' }).click();
  await page.getByRole('dialog').waitFor();
  await shoot(page, name('hub-settings'));
  await page.keyboard.press('Escape');
  await open(page, 'model', '?unfinished&failing&downloadMs=6000');
  await shoot(page, name('download-offered'));
  const start = async () => {
    await page.getByRole('button', { name: 'SmolLM2 135M Instruct' }).click();
    await page.getByRole('button', { name: /^Download and open/ }).click();
  };
  await start();
  await page.getByText(/\d s left/).waitFor();
  await shoot(page, name('downloading'));
  await page.getByRole('button', { name: 'Pause the download of HuggingFaceTB/SmolLM2-135M-Instruct' }).click();
  await shoot(page, name('download-paused'));
  await page.getByRole('button', { name: 'Resume the download of HuggingFaceTB/SmolLM2-135M-Instruct' }).click();
  await page.getByRole('button', { name: /^Retry/ }).waitFor({ timeout: 20_000 });
  await shoot(page, name('download-failed'));
  await page.getByRole('button', { name: /^Retry/ }).click();
  await page.getByText('comes with Tabtune').waitFor({ timeout: 20_000, state: 'hidden' });
  await page.getByText('commit 12fd25f7').waitFor({ timeout: 20_000 });
  await shoot(page, name('hub-model-open'));
  await look('microsoft/Phi-4-mini-instruct', 'hub-again', 'Precision on the GPU', false);
  await page.getByRole('radio', { name: /^As published/ }).check();
  await page.getByRole('button', { name: /^Download and open/ }).click();
  const narrow = page.getByRole('button', { name: 'Run details' });
  await page.getByText('Phi-4 mini ·').first().waitFor({ timeout: 30_000, state: 'attached' });
  await page.waitForTimeout(800);
  if (await narrow.isVisible()) await narrow.click();
  await page.getByText('Too big for this GPU', { exact: true }).waitFor();
  await shoot(page, name('too-big'));
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await page.evaluate(() => (window.location.hash = '#/recipe'));
  await shoot(page, name('recipe-memory'));
  await openDialog(page, 'Storage');
  await shoot(page, name('storage-models'));
  await page.getByRole('button', { name: /^Delete HuggingFaceTB/ }).click();
  await shoot(page, name('storage-delete'));
}

for (const theme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries(sizes)) {
    if (![theme, ''].includes(values.theme) || ![size, ''].includes(values.size)) continue;
    const context = await browser.newContext({ viewport, colorScheme: theme });
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    page.on('pageerror', (error) => console.log(`  page error: ${error.stack}`));
    page.on('console', (message) => message.type() === 'error' && console.log(`  console: ${message.text()}`));
    const name = (what) => `${what}-${size}-${theme}`;
    const narrow = size === 'narrow';
    if (wanted('pages')) await shootPages(page, name);
    if (wanted('run')) await shootRun(page, name);
    if (!values.real && wanted('compare')) await shootCompare(page, name);
    if (!values.real && wanted('shell')) await shootShell(page, name, narrow);
    if (!values.real && wanted('runs')) await shootRuns(page, name);
    if (!values.real && wanted('methods')) await shootMethods(page, name);
    if (!values.real && wanted('models')) await shootModels(page, name);
    await context.close();
  }
}
await browser.close();
await server.close();
console.log(`${checked} screens, ${violations} axe violations. Pictures: ${out}`);
process.exitCode = violations === 0 ? 0 : 1;
