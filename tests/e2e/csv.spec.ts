import { expect, test } from '@playwright/test';
import { drop, expectReady, setFields } from './page';
import { expectFinished } from './support/studio';

const pairs = [
  ['Where is my order?', 'It is on its way.'],
  ['Can I get a refund?', 'Yes, within thirty days.'],
  ['Is the shop open today?', 'Yes, from nine to six.'],
  ['Do you have red shoes?', 'We do, in all sizes.'],
  ['My lamp is broken.', 'We will send a new one.'],
  ['Thank you for the help.', 'You are welcome.'],
];
const csv = `question,answer\n${pairs.map((pair) => pair.map((cell) => `"${cell}"`).join(',')).join('\n')}\n`;

test('a spreadsheet can be dropped, viewed, edited and trained on', async ({ page }) => {
  await page.goto('/');
  await expectReady(page);
  await drop(page, 'replies.csv', csv);

  const data = page.getByRole('region', { name: 'Data', exact: true });
  await expect(data.getByText(/question.*answer/).first()).toBeVisible();
  const grid = data.getByRole('grid', { name: 'Examples' });
  await expect(grid).toHaveAttribute('aria-rowcount', '7');
  await grid.getByRole('gridcell', { name: 'Can I get a refund?' }).click();
  await expect(data.getByRole('heading', { name: 'Row 2, as the model reads it' })).toBeVisible();
  await expect(data.getByRole('group', { name: 'Tokens of the example' })).toContainText('Can I get a refund?');

  // All with the keyboard: right to the answer, Enter, type, Ctrl+Enter.
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'Answer of row 2' }).fill('Yes, within sixty days.');
  await page.keyboard.press('Control+Enter');
  await expect(grid.getByRole('gridcell', { name: 'Yes, within sixty days.' })).toBeVisible();
  await expect(data.getByRole('group', { name: 'Tokens of the example' })).toContainText('sixty');

  await setFields(page, {
    max_steps: '3',
    eval_steps: '0',
    per_device_train_batch_size: '2',
    gradient_accumulation_steps: '1',
  });
  await expectReady(page);
  await page.getByRole('button', { name: 'Start training' }).click();
  await expectFinished(page, 3);
  await page.reload();
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await expect(page.getByRole('grid', { name: 'Runs' })).toContainText('replies');
});
