/** The Runs page: over a scripted session what can be done with runs, over the real one what stays after a reload. */
import { readFileSync } from 'node:fs';
import type { BrowserContext, Locator, Page } from '@playwright/test';
import { resolveRecipe } from '../../src/recipe/defaults';
import { DATABASE } from '../../src/storage/database';
import type { RunRecord } from '../../src/storage/types';
import { axeFindings } from './page';
import { expect, test } from './support/scripted';

const grid = (page: Page): Locator => page.getByRole('grid', { name: 'Runs' });
/** Without the header. */
const rows = (page: Page): Locator => grid(page).locator('tbody tr[data-run]');
const row = (page: Page, name: string): Locator =>
  rows(page).filter({ has: page.getByRole('link', { name, exact: true }) });
const actions = (page: Page, name: string): Locator =>
  grid(page).getByRole('button', { name: `Actions for ${name}`, exact: true });

async function choose(page: Page, run: string, action: string): Promise<void> {
  await actions(page, run).click();
  await page.getByRole('menuitem', { name: action, exact: true }).click();
}

async function openRuns(page: Page, address: string, query = 'history'): Promise<void> {
  await page.goto(`${address}?${query}#/runs`);
  await expect(rows(page).first()).toBeVisible();
}

// The names of the scripted history, newest first.
const [NEWEST, MIDDLE, OLDEST] = ['pirate-chat LoRA r16 · 2', 'pirate-chat LoRA r16', 'pirate-chat LoRA r64'] as const;

test('without runs the page says what it is for', async ({ page, scripted }) => {
  await page.goto(`${scripted}#/runs`);
  await expect(page.getByRole('heading', { name: 'A notebook of your runs' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Runs', exact: true })).toHaveAccessibleDescription('None yet');
  expect(await axeFindings(page)).toEqual([]);
});

test('runs are sorted, filtered and marked, and the columns and the order are kept', async ({ page, scripted }) => {
  await openRuns(page, scripted);
  const names = () => rows(page).getByRole('link').allTextContents();
  expect(await names()).toEqual([NEWEST, MIDDLE, OLDEST]);
  // Of the three, the one in the middle has the lowest loss: the newest was interrupted.
  await expect(rows(page).filter({ hasText: /best/ })).toHaveCount(1);
  // Beside its loss; under the name only where there are no columns.
  await expect(row(page, MIDDLE).getByText('best', { exact: true }).filter({ visible: true })).toHaveCount(1);
  await expect(page.getByRole('link', { name: 'Runs', exact: true })).toHaveAccessibleDescription(/^3, best \d\.\d+$/);

  await page.getByRole('button', { name: 'Sort by Name' }).click();
  await expect.poll(names).toEqual([MIDDLE, NEWEST, OLDEST]);
  await expect(grid(page).getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending');
  await page.getByRole('searchbox', { name: 'Find a run' }).fill('r64 finished');
  await expect.poll(names).toEqual([OLDEST]);
  await expect(page.getByRole('heading', { name: '1 of 3 runs' })).toBeVisible();
  await page.getByRole('searchbox', { name: 'Find a run' }).fill('nothing like it');
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.getByRole('combobox', { name: 'Status' }).selectOption('interrupted');
  await expect.poll(names).toEqual([NEWEST]);

  await expect(grid(page).getByRole('columnheader', { name: 'Size' })).toBeHidden();
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Size' }).click();
  await page.keyboard.press('Escape');
  await expect(row(page, NEWEST)).toContainText('4.9 MB');
  await page.reload();
  await expect(row(page, NEWEST)).toContainText('4.9 MB');
  expect(await names()).toEqual([MIDDLE, NEWEST, OLDEST]);
});

test('selected runs are laid over one another, grouped, and their recipes are compared', async ({ page, scripted }) => {
  await openRuns(page, scripted);
  await page.getByRole('checkbox', { name: 'Select all runs shown' }).check();
  await expect(page.getByText('3 runs selected')).toBeVisible();
  const training = page.getByRole('figure', { name: 'Training loss of the selected runs' });
  const validation = page.getByRole('figure', { name: 'Validation loss of the selected runs' });
  // Where each of them has got to: the interrupted one ended at step 40.
  await expect(training.getByRole('slider')).toHaveAttribute('aria-valuetext', new RegExp(`Step 86, .*${OLDEST} \\d`));
  await expect(validation.getByRole('slider')).toHaveAttribute('aria-valuetext', new RegExp(`${MIDDLE} \\d`));
  await training.getByText('Values as a table').click();
  await expect(training.getByRole('columnheader', { name: NEWEST })).toBeVisible();

  await page.getByRole('combobox', { name: 'Colour by' }).selectOption({ label: 'Learning rate' });
  await expect(page.getByText('Learning rate: 2e-4 (2)')).toBeVisible();
  await expect(page.getByText('Learning rate: 1e-3 (1)')).toBeVisible();

  const table = page.getByRole('table', { name: 'Fields in which the recipes of the selected runs differ' });
  await expect(table.getByRole('rowheader', { name: /method\.r$/ })).toBeVisible();
  await expect(table.getByRole('rowheader', { name: /training\.learning_rate$/ })).toBeVisible();
  // Those two fields and the result.
  await expect(table.getByRole('rowheader')).toHaveCount(3);
  expect(await axeFindings(page)).toEqual([]);
  await page.getByRole('button', { name: 'Clear the selection' }).click();
  await expect(training).toBeHidden();
});

test('metrics leave as CSV, JSONL and trainer_state.json', async ({ page, scripted }) => {
  await openRuns(page, scripted);
  const saved = async (action: string) => {
    const download = page.waitForEvent('download');
    await choose(page, OLDEST, action);
    const file = await download;
    return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
  };
  const csv = await saved('Metrics as CSV');
  expect(csv.name).toBe('pirate-chat-LoRA-r64.metrics.csv');
  const lines = csv.text.trimEnd().split('\n');
  // A header, the evaluation before training, and 86 steps.
  expect(lines).toHaveLength(88);
  expect(lines[0]).toMatch(/^step,epoch,eval_loss,/);
  const jsonl = await saved('Metrics as JSONL');
  // Evaluations at steps 0, 20, 40, 60 and 80 have lines of their own.
  expect(jsonl.text.trimEnd().split('\n')).toHaveLength(86 + 5);
  const state = JSON.parse((await saved('trainer_state.json')).text);
  expect(state).toMatchObject({ global_step: 86, max_steps: 86, best_model_checkpoint: 'checkpoint-86' });
  expect(state.log_history.at(-1)).toHaveProperty('train_loss');
});

test('a recipe is used again, under its own name or as a copy', async ({ page, scripted }) => {
  await openRuns(page, scripted);
  await choose(page, OLDEST, 'Use this recipe');
  await expect(page.getByRole('region', { name: 'Recipe', exact: true })).toBeVisible();
  const goTo = (hash: string) => page.goto(`${page.url().split('#')[0]}#/${hash}`);
  await goTo('recipe/advanced');
  await expect(page.getByLabel('r', { exact: true })).toHaveValue('64');
  await page.getByLabel('max_steps', { exact: true }).fill('7');

  // What nobody has trained with is not thrown away without a word.
  await goTo('runs');
  await choose(page, NEWEST, 'Duplicate the recipe');
  const question = page.getByRole('alertdialog');
  await expect(question).toContainText('Replace the recipe that you have edited?');
  await question.getByRole('button', { name: 'Cancel' }).click();
  await choose(page, NEWEST, 'Duplicate the recipe');
  await question.getByRole('button', { name: 'Replace it' }).click();
  await goTo('recipe/advanced');
  await expect(page.getByLabel('r', { exact: true })).toHaveValue('16');
  await expect(page.getByLabel('max_steps', { exact: true })).toHaveValue('-1');
  await expect(page.getByLabel('name', { exact: true })).toHaveValue(`${NEWEST} copy`);
});

test('the keyboard alone walks through hundreds of runs', async ({ page, scripted }) => {
  await openRuns(page, scripted, 'history=300');
  await expect(page.getByRole('heading', { name: '300 runs' })).toBeVisible();
  // Only those in view are in the page.
  expect(await rows(page).count()).toBeLessThan(40);
  await rows(page).first().focus();
  await page.keyboard.press('End');
  await expect(page.locator('tr[aria-rowindex="301"]')).toBeFocused();
  await page.keyboard.press('Home');
  await expect(page.locator('tr[aria-rowindex="2"]')).toBeFocused();
  await page.keyboard.press('Space');
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('tr[aria-rowindex="3"]')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('tr[aria-rowindex="4"]')).toBeFocused();
  await page.keyboard.press('Shift+Space');
  await expect(page.getByText('3 runs selected')).toBeVisible();

  await page.keyboard.press('F2');
  await page.keyboard.type('the third');
  await page.keyboard.press('Enter');
  await expect(page.locator('tr[aria-rowindex="4"]')).toBeFocused();
  await expect(row(page, 'the third')).toBeVisible();
  await page.keyboard.press('F2');
  await page.keyboard.type('never mind');
  await page.keyboard.press('Escape');
  await expect(row(page, 'the third')).toBeVisible();
  await expect(page.locator('tr[aria-rowindex="4"]')).toBeFocused();
  await page.keyboard.press('Delete');
  await expect(page.getByRole('alertdialog', { name: 'Delete “the third”?' })).toBeVisible();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: '299 runs' })).toBeVisible();
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 } });
  test('the runs are a list that needs no sideways scrolling', async ({ page, scripted }) => {
    await openRuns(page, scripted);
    await expect(grid(page).getByRole('columnheader', { name: 'Method' })).toBeHidden();
    await expect(row(page, OLDEST)).toContainText('LoRA r64');
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption('name');
    await page.getByRole('button', { name: 'Descending' }).click();
    await expect.poll(() => rows(page).getByRole('link').allTextContents()).toEqual([MIDDLE, NEWEST, OLDEST]);
    await page.getByRole('checkbox', { name: 'Select all runs shown' }).check();
    await expect(page.getByRole('figure', { name: 'Training loss of the selected runs' })).toBeVisible();
    const over = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await over()).toBeLessThanOrEqual(0);
    const table = await grid(page).evaluate(
      (element) => element.parentElement!.scrollWidth - element.parentElement!.clientWidth,
    );
    expect(table).toBeLessThanOrEqual(0);
    expect(await axeFindings(page)).toEqual([]);
  });
});

/** A finished run as an older version stored it. */
const stored = (id: string, change: Partial<RunRecord>): RunRecord => ({
  ...{ id, name: 'pirate-chat', createdAt: 1, updatedAt: 1, status: 'completed', error: null },
  recipe: resolveRecipe({ version: 1 }),
  ...{ step: 3, totalSteps: 3, trainableParameters: 10, totalParameters: 100 },
  ...{ initialEvalLoss: 3, bestEvalLoss: 2, bestStep: 3, finalLoss: 1.9 },
  ...change,
});

/** Puts records into the database of the page's origin, as an earlier visit would have. */
async function store(context: BrowserContext, records: RunRecord[]): Promise<void> {
  const page = await context.newPage();
  await page.goto('/');
  // Made by the app: opened before, it would have no stores.
  const made = () => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  await expect.poll(made).toContain(DATABASE);
  await page.evaluate(
    ([name, runs]) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open(name);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const writing = opening.result.transaction('runs', 'readwrite');
          for (const run of runs) writing.objectStore('runs').put(run, run.id);
          writing.onabort = () => reject(writing.error);
          writing.oncomplete = () => {
            opening.result.close();
            resolve();
          };
        };
      }),
    [DATABASE, records] as const,
  );
  await page.close();
}

test('names, tags, pins and notes are kept over a reload, and seen and changed from two tabs', async ({
  page,
  context,
}) => {
  await store(context, [stored('a', { name: 'first', createdAt: 2 }), stored('b', { name: 'second', createdAt: 1 })]);
  await page.goto('/#/runs');
  await expect(rows(page)).toHaveCount(2);
  await choose(page, 'second', 'Rename');
  await page.getByRole('textbox', { name: 'Name of second' }).fill('baseline');
  await page.keyboard.press('Enter');
  await grid(page).getByRole('button', { name: 'Pin baseline' }).click();
  await choose(page, 'baseline', 'Tags and note');
  await page.getByRole('textbox', { name: 'Tags' }).fill('keep, voice');
  await page.getByRole('textbox', { name: 'Note' }).fill('To compare with.');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('dialog')).toBeHidden();

  await page.reload();
  // Pinned: before the newer one.
  await expect(rows(page).first()).toContainText('baseline');
  await expect(rows(page).first()).toContainText('voice');
  await expect(rows(page).first()).toContainText('To compare with.');
  await page.getByRole('combobox', { name: 'Tag' }).selectOption('keep');
  await expect(rows(page)).toHaveCount(1);

  const other = await context.newPage();
  await other.goto('/#/runs');
  await choose(other, 'first', 'Delete');
  await other.getByRole('button', { name: 'Delete run' }).click();
  await expect(rows(other)).toHaveCount(1);
  await other.close();
  await page.bringToFront();
  await page.getByRole('combobox', { name: 'Tag' }).selectOption('');
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await expect(page.getByRole('heading', { name: '1 run', exact: true })).toBeVisible();
});
