/** The page where the model writes examples: over a scripted model, and with the built-in one, which is too small for it. */
import type { Page } from '@playwright/test';
import { axeFindings, expectReady } from './page';
import { expect, test } from './support/scripted';

const kept = (page: Page) => page.getByRole('status').filter({ hasText: 'instructions kept' });
const bars = (page: Page, name: string) => page.getByRole('table', { name });
const row = (page: Page, table: string, name: string) => bars(page, table).getByRole('row').filter({ hasText: name });

test('seed tasks become a dataset with a funnel, and its examples are changed before they are learned', async ({
  page,
  scripted,
}) => {
  await page.goto(`${scripted}?stepMs=30#/data`);
  await expectReady(page);
  await page.getByRole('button', { name: 'Let the model write examples' }).click();
  await expect(page.getByText('is too small for this')).toBeVisible();

  // A seed is changed, by keyboard alone.
  const seed = page.locator('summary').filter({ hasText: 'Give a word that means the opposite.' });
  await seed.focus();
  await page.keyboard.press('Enter');
  const instruction = page.getByRole('textbox', { name: 'Instruction', exact: true });
  await instruction.fill('Give a word that means the same.');
  await expect(page.locator('summary').filter({ hasText: 'means the same' })).toBeVisible();

  await page.getByLabel('Instructions to keep').fill('5');
  await page.getByRole('button', { name: 'Start writing' }).focus();
  await page.keyboard.press('Enter');
  await expect(kept(page)).toHaveText(/^5 of 5 instructions kept\. There are as many as you asked for/);

  // Of eleven, two are short, one begins with "Write a program", one with a quotation mark, and one is like a seed.
  await expect(row(page, 'Instructions', 'written')).toHaveText(/10$/);
  await expect(row(page, 'Instructions', 'three words or fewer')).toHaveText(/−28$/);
  await expect(row(page, 'Instructions', 'ROUGE-L above 0.7')).toHaveText(/−15$/);
  await expect(row(page, 'Instructions', 'kept')).toHaveText(/5$/);
  await expect(row(page, 'Examples', 'same input, different outputs')).toHaveText(/−26$/);
  await expect(page.getByText('4 of 5 kept instructions have a usable example.')).toBeVisible();
  expect(await axeFindings(page)).toEqual([]);

  await page.getByRole('button', { name: /^Use \d+ examples as the dataset$/ }).click();
  const grid = page.getByRole('grid', { name: 'Examples' });
  await grid.scrollIntoViewIfNeeded();
  await expect(page.getByRole('button', { name: /^Written by Stories 2M\.jsonl/ })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
  await page.getByRole('searchbox', { name: 'Search' }).fill('Chess, charades');
  await grid.getByRole('gridcell', { name: /^Chess, charades/ }).dblclick();
  const answer = page.getByRole('textbox', { name: /^Answer of row/ });
  await answer.fill('Chess, charades, and a treasure hunt.');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(grid).toContainText('a treasure hunt');
  await expectReady(page);
});

test('the built-in model writes little; what it keeps survives a reload', async ({ page }) => {
  await page.goto('/#/data/self-instruct');
  await expectReady(page);
  await page.getByLabel('Instructions to keep').fill('1');
  await page.getByLabel('Temperature').fill('1.5');
  await page.getByLabel('top_p').fill('1');
  await page.getByText('More settings').click();
  await page.getByLabel('Prompts in a round').fill('8');
  await page.getByLabel('Most tokens of a list').fill('48');
  await page.getByRole('button', { name: 'Start writing' }).click();
  await expect(kept(page)).toHaveText(/^[1-9]\d* of 1 instructions kept\. There are as many/, { timeout: 300_000 });
  const first = await page.getByText(/^Most similar to/).count();
  await page.reload();
  await expect(kept(page)).toHaveText(/^[1-9]\d* of 1 instructions kept$/);
  await expect(page.getByText(/^Most similar to/)).toHaveCount(first);
  await expect(page.getByLabel('Temperature')).toHaveValue('1.5');
});
