/** The Data page as a workbench: the shelf of own files, findings with fixes and undo, and a table of 200,000 rows. */
import { expect, type Page, test } from '@playwright/test';
import { drop, expectReady } from './page';

const data = (page: Page) => page.getByRole('region', { name: 'Data', exact: true });
const grid = (page: Page) => data(page).getByRole('grid', { name: 'Examples' });
const rows = (page: Page, count: number) => expect(grid(page)).toHaveAttribute('aria-rowcount', String(count + 1));
const card = (page: Page, name: string) => data(page).getByRole('button', { name, exact: true });
const csv = (count: number, word: string) =>
  ['prompt,completion', ...Array.from({ length: count }, (_, i) => `Where is ${word} ${i}?,On shelf ${i}.`)].join('\n');

test.beforeEach(async ({ page }) => {
  await page.goto('/#/data');
  await expectReady(page);
});

test('own files stay on the shelf with their reading, until they are deleted', async ({ page }) => {
  await drop(page, 'books.csv', csv(12, 'book'));
  await rows(page, 12);
  await drop(
    page,
    'notes.csv',
    'a,b,c\nWhere is it?,On its way,x\nIs it open?,Until six,y\nRed shoes?,In all sizes,z\n',
  );
  const form = page.getByRole('form', { name: 'Columns' });
  await form.getByRole('combobox', { name: 'Prompt', exact: true }).selectOption('a');
  // Nothing is chosen before the question is answered.
  await rows(page, 12);
  await form.getByRole('combobox', { name: 'Answer', exact: true }).selectOption('b');
  await form.getByRole('button', { name: 'Use these columns' }).click();
  await rows(page, 3);
  await drop(page, 'books.csv', csv(5, 'other book'));
  await rows(page, 5);

  await page.reload();
  await rows(page, 5);
  await card(page, 'notes.csv').click();
  await expect(grid(page)).toContainText('Until six');
  await expect(page.getByRole('alert')).toBeHidden();
  await card(page, 'books.csv').click();
  await rows(page, 12);
  await expect(card(page, 'books.csv')).toHaveAccessibleDescription(/^12 examples · \d+ B · today, \d\d:\d\d$/);

  await data(page).getByRole('button', { name: 'Delete books.csv' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete file' }).click();
  await expect(card(page, 'books.csv')).toBeHidden();
  await expect(card(page, 'books (2).csv')).toBeVisible();
  await expectReady(page);
});

test('findings are one line for each kind; their fixes and edits of cells are undone', async ({ page }) => {
  const rated = (i: number) => ({ instruction: `Question ${i % 20}`, output: `Answer ${i % 20}`, kto_tag: i % 3 > 0 });
  // Of 30 rows 10 are bad, and rows 20 to 29 repeat rows 0 to 9 with another verdict but for every third.
  await drop(page, 'rated.jsonl', Array.from({ length: 30 }, (_, i) => JSON.stringify(rated(i))).join('\n'));
  await rows(page, 30);
  await data(page).getByRole('combobox', { name: 'Format', exact: true }).selectOption('alpaca');
  await rows(page, 20);
  const finding = (text: string) => data(page).getByRole('listitem').filter({ hasText: text });
  const undo = data(page).getByRole('button', { name: 'Undo', exact: true });
  const bad = finding('10 answers are marked as bad: left out.');
  await bad.getByRole('button', { name: 'Show rows' }).click();
  await expect(bad).toContainText('Row 4 is marked as a bad answer (kto_tag: false).');
  await bad.getByRole('button', { name: 'Keep them' }).click();
  await rows(page, 30);
  await undo.click();
  await rows(page, 20);

  const copies = finding('copies of another');
  await copies.getByRole('button', { name: 'Remove the copies' }).click();
  await rows(page, 17);
  await expect(copies).toBeHidden();
  await page.keyboard.press('Control+z');
  await rows(page, 20);
  await expect(copies).toBeVisible();

  await grid(page).getByRole('gridcell', { name: 'Answer 2', exact: true }).dblclick();
  await page.getByRole('textbox', { name: 'Answer of row 3' }).fill('Another answer');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(grid(page)).toContainText('Another answer');
  await data(page).getByRole('button', { name: 'Restore the original file' }).click();
  await expect(grid(page)).not.toContainText('Another answer');
  await undo.click();
  await expect(grid(page)).toContainText('Another answer');
  await expectReady(page);
});

const many = 200_000;

/** Drops a CSV file of so many rows, and resolves to the milliseconds until the first progress is on the screen. */
const dropMany = (page: Page) =>
  page.evaluate((count) => {
    const lines = Array.from({ length: count }, (_, i) => `How do I return order ${i}?,Send parcel ${i} back.`);
    const transfer = new DataTransfer();
    transfer.items.add(new File([`prompt,completion\n${lines.join('\n')}\n`], 'many.csv'));
    return new Promise<number>((resolve) => {
      const dropped = performance.now();
      const look = () => {
        if (!document.querySelector('[role="progressbar"][aria-label="Reading many.csv."]')) return;
        observer.disconnect();
        resolve(performance.now() - dropped);
      };
      const observer = new MutationObserver(look);
      observer.observe(document.body, { childList: true, subtree: true });
      document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, dataTransfer: transfer }));
    });
  }, many);

test('a file of 200,000 rows shows its progress, can be cancelled, searched and edited', async ({ page }) => {
  test.setTimeout(300_000);
  const before = await grid(page).getAttribute('aria-rowcount');
  expect(await dropMany(page)).toBeLessThan(1000);
  await data(page).getByRole('button', { name: 'Cancel' }).first().click();
  await expect(page.getByRole('progressbar', { name: 'Reading many.csv.' })).toBeHidden();
  await expect(grid(page)).toHaveAttribute('aria-rowcount', before!);
  await expect(card(page, 'many.csv')).toBeHidden();
  await expectReady(page);

  await dropMany(page);
  await expect(grid(page)).toHaveAttribute('aria-rowcount', String(many + 1), { timeout: 120_000 });
  const tools = data(page).getByRole('region', { name: 'What the table shows' });
  await tools.getByRole('searchbox', { name: 'Search' }).fill('order 19999');
  // 19999 itself, and 199990 to 199999.
  await expect(tools.getByRole('status')).toHaveText('11 of 200,000 examples.', { timeout: 30_000 });
  await tools.getByRole('combobox', { name: 'Order' }).selectOption('Last row first');
  await expect(grid(page).getByRole('row').nth(1)).toContainText('order 199999');

  await grid(page).getByRole('gridcell', { name: 'Send parcel 199999 back.' }).dblclick();
  await page.getByRole('textbox', { name: 'Answer of row 200000' }).fill('Keep it.');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(grid(page)).toContainText('Keep it.', { timeout: 120_000 });
  await data(page).getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(grid(page)).toContainText('Send parcel 199999 back.', { timeout: 120_000 });
  await tools.getByRole('button', { name: 'Show all' }).click();
  await rows(page, many);
});
