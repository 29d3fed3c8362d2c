/** The recipe's page: its size, JSON that is not lost, presets, and sharing by link. */
import { expect, type Page, test } from '@playwright/test';
import { axeFindings, expectReady } from './page';

const start = (page: Page) => page.getByRole('button', { name: 'Start training' });
const json = (page: Page) => page.getByRole('textbox', { name: 'Recipe as JSON' });

async function showJson(page: Page): Promise<void> {
  await page.getByRole('radio', { name: 'Fields and JSON' }).check({ force: true });
  await expect(json(page)).toBeVisible();
}

test.describe('on a screen of 1440 × 900', () => {
  test.use({ viewport: { width: 1440, height: 900 } });

  test('all of Advanced fits two screens, and each field says what it does', async ({ page }) => {
    await page.goto('/#/recipe/advanced');
    await expectReady(page);
    const height = await page.evaluate(() => document.querySelector('main')!.scrollHeight);
    expect(height).toBeLessThanOrEqual(2 * 900);
    const rank = page.getByLabel('r', { exact: true });
    await rank.focus();
    await expect(page.getByText('method.r', { exact: true })).toBeVisible();
    await expect(rank).toHaveAccessibleDescription(/Default: 16/);
  });
});

test('the recipe can be edited in the form and as JSON', async ({ page }) => {
  await page.goto('/#/recipe/advanced');
  await expectReady(page);
  await showJson(page);
  await page.getByLabel('seed', { exact: true }).fill('7');
  await expect(json(page)).toHaveValue(/"seed": 7/);
  await json(page).fill('{"version": 1, "training": {"seed": 11}}');
  await expect(page.getByLabel('seed', { exact: true })).toHaveValue('11');
});

test('one wrong field leaves the rest of the JSON on the screen', async ({ page }) => {
  await page.goto('/#/recipe/advanced');
  await expectReady(page);
  await showJson(page);
  await page.getByLabel('r', { exact: true }).fill('many');
  await expect(json(page)).toHaveValue(/"r": "many"[\s\S]*"lora_alpha": 32[\s\S]*"seed": 42/);
});

test('broken JSON blocks the start, is said on every page and survives a reload', async ({ page }) => {
  await page.goto('/#/recipe/advanced');
  await expectReady(page);
  await showJson(page);
  await json(page).fill('{"version": 1,');
  await expect(json(page)).toHaveAttribute('aria-invalid', 'true');
  await expect(start(page)).toHaveAttribute('aria-disabled', 'true');
  await page.reload();
  await expect(json(page)).toHaveValue('{"version": 1,');
  await expect(start(page)).toHaveAttribute('aria-disabled', 'true');
  await page.goto('/#/data');
  await expect(
    page.getByRole('listitem').filter({ hasText: 'An edit of the recipe’s JSON is not finished.' }),
  ).toBeVisible();
  await page.goto('/#/recipe');
  await page.getByRole('alert').getByRole('button', { name: 'Discard the edit' }).click();
  await expectReady(page);
});

test('a preset says what it changes and where it is from, and is taken back with one press', async ({ page }) => {
  await page.goto('/#/recipe/advanced');
  await expectReady(page);
  const rate = page.getByLabel('learning_rate', { exact: true });
  const before = await rate.inputValue();
  await page.getByRole('button', { name: 'Presets' }).click();
  const dialog = page.getByRole('dialog', { name: 'Presets' });
  await expect(dialog.getByRole('link', { name: /qwen3_lora_sft/ })).toHaveAttribute('href', /^https:\/\/github\.com/);
  expect(await axeFindings(page), 'Presets').toEqual([]);
  await dialog.getByRole('button', { name: 'Use LLaMA-Factory LoRA' }).click();
  await expect(dialog).toBeHidden();
  await expect(rate).toHaveValue('1e-4');
  await expect(page.getByLabel('r', { exact: true })).toHaveValue('8');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(rate).toHaveValue(before);
  await expectReady(page);
});

test('a recipe goes by link: what it would change is shown, and nothing happens until it is used', async ({
  page,
  context,
}) => {
  await page.goto('/#/recipe/advanced');
  await expectReady(page);
  await page.getByLabel('seed', { exact: true }).fill('1234');
  await page.getByRole('button', { name: 'Share' }).click();
  const link = await page.getByRole('dialog').getByLabel('Link', { exact: true }).inputValue();
  expect(await axeFindings(page), 'Share').toEqual([]);

  // Somebody else, with a recipe of their own.
  const other = await context.browser()!.newContext();
  const theirs = await other.newPage();
  const asked: string[] = [];
  theirs.on('request', (request) => asked.push(new URL(request.url()).origin));
  await theirs.goto(link);
  await expect(theirs.getByText('Shared recipe', { exact: true })).toBeVisible();
  await expect(theirs.getByRole('row', { name: /training\.seed 42 1234/ })).toBeVisible();
  await expectReady(theirs);
  await theirs.getByRole('button', { name: 'Use this recipe' }).click();
  await theirs.goto(new URL('#/recipe/advanced', link).href);
  await expect(theirs.getByLabel('seed', { exact: true })).toHaveValue('1234');
  expect(new Set(asked)).toEqual(new Set([new URL(link).origin]));
  await other.close();
});

test('a link that was cut says so and changes nothing', async ({ page }) => {
  await page.goto('/#/recipe/shared-eyJ2ZXJzaW9uIjox');
  await expect(page.getByRole('alert')).toContainText('The shared recipe cannot be used');
  await page.getByRole('alert').getByRole('button', { name: 'Close' }).click();
  await expectReady(page);
});
