import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { drop, expectReady } from './page';

test.beforeEach(async ({ page }) => {
  await page.goto('/');
  await expectReady(page);
});

test('a file that cannot be used is refused, and the dataset before it stays, after a reload too', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const data = page.getByRole('region', { name: 'Data', exact: true });
  const rows = data.getByRole('grid', { name: 'Examples' });
  for (const [name, content] of [
    ['empty.csv', ''],
    ['photo.png', [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]],
    ['paper.pdf', '%PDF-1.7\n1 0 obj'],
    ['broken.json', '[{"prompt": "a", '],
  ] as const) {
    await page.mouse.wheel(0, 5000);
    await drop(page, name, content);
    const alert = data.getByRole('alert').filter({ hasText: name });
    await expect(alert).toBeInViewport();
    await expect(alert).toContainText('is still chosen');
    await expectReady(page);
  }
  const before = await rows.getAttribute('aria-rowcount');
  await page.reload();
  await expectReady(page);
  await expect(rows).toHaveAttribute('aria-rowcount', before!);
  await expect(data.getByRole('alert')).toBeHidden();
  await expect(data.getByRole('button', { name: 'empty.csv', exact: true })).toBeHidden();
});

test('a broken line of a JSONL file is reported, and the rest is used', async ({ page }) => {
  const line = (i: number) => JSON.stringify({ prompt: `question ${i}`, completion: `answer ${i}` });
  await drop(page, 'replies.jsonl', `${line(1)}\n${line(2)}\n{"prompt": "oops"\n${line(4)}\n`);
  const data = page.getByRole('region', { name: 'Data', exact: true });
  await expect(data.getByRole('listitem').filter({ hasText: /(line|row) 3/i })).toBeVisible();
  await expect(data.getByRole('grid', { name: 'Examples' })).toHaveAttribute('aria-rowcount', '4');
});

test('a table with unclear column names asks for the columns', async ({ page }) => {
  await drop(
    page,
    'notes.csv',
    'a,b,c\nWhere is it?,On its way,x\nIs it open?,Until six,y\nRed shoes?,In all sizes,z\n',
  );
  await expect(page.getByRole('alert')).toContainText('notes.csv');
  const form = page.getByRole('form', { name: 'Columns' });
  await form.getByRole('combobox', { name: 'Prompt', exact: true }).selectOption('a');
  await form.getByRole('combobox', { name: 'Answer', exact: true }).selectOption('b');
  await form.getByRole('button', { name: 'Use these columns' }).click();
  await expect(page.getByRole('gridcell', { name: 'Until six' })).toBeVisible();
  await expect(page.getByRole('alert')).toBeHidden();
  await expectReady(page);
});

test('a folder that is not a model is refused, and the open model stays', async ({ page }, info) => {
  const folder = info.outputPath('not-a-model');
  mkdirSync(folder, { recursive: true });
  writeFileSync(info.outputPath('not-a-model', 'config.json'), '{"model_type": "whisper"}');
  await page.goto('/#/model');
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open model folder' }).click();
  await (await chooser).setFiles(folder);
  await expect(page.getByRole('alert')).toBeVisible();
  await expectReady(page);
});

test('an invalid field shows its error, and the start is blocked', async ({ page }) => {
  await page.goto('/#/recipe/advanced');
  const rank = page.getByLabel('r', { exact: true });
  await rank.fill('many');
  await expect(rank).toHaveAttribute('aria-invalid', 'true');
  await expect(rank).toHaveAccessibleDescription(/must be a whole number from 1 to 256/);
  await expect(page.getByRole('button', { name: 'Start training' })).toHaveAttribute('aria-disabled', 'true');
  await rank.fill('8');
  await expectReady(page);
});
