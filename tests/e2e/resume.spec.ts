import { expect, test } from '@playwright/test';
import { expectReady, setFields } from './page';

test('a reload during a run offers to resume from the last checkpoint', async ({ page }) => {
  test.setTimeout(500_000);
  // The page asks for confirmation before it is left during a run.
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto('/');
  await setFields(page, {
    max_steps: '9',
    save_steps: '3',
    eval_steps: '0',
    per_device_train_batch_size: '1',
    gradient_accumulation_steps: '1',
  });
  await expectReady(page);
  await page.getByRole('button', { name: 'Start training' }).click();
  const cursor = page.getByRole('figure', { name: 'Training loss' }).getByRole('slider');
  await expect(cursor).toHaveAttribute('aria-valuetext', /Step [45], /, { timeout: 240_000 });
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByRole('button', { name: 'Resume' })).toBeVisible({ timeout: 60_000 });
  await page.reload();

  await expect(page.getByText(/stopped at step \d of 9/)).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await expect(page.getByRole('status', { name: 'Progress' })).toContainText('Training finished after 9 of 9 steps', {
    timeout: 240_000,
  });
});
