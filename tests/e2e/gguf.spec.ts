import { expect, test } from '@playwright/test';
import { expectReady } from './page';

const fixture = 'tests/fixtures/gguf/gqa-tied.gguf';

test('a GGUF file can be opened from disk, survives a reload and can be deleted', async ({ page }) => {
  await page.goto('/');
  await expectReady(page);
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open GGUF file' }).click();
  await (await choosing).setFiles(fixture);
  const chosen = page.getByRole('button', { name: 'gqa-tied', exact: true });
  await expect(chosen).toHaveAttribute('aria-pressed', 'true');
  await page.getByText('Details', { exact: true }).click();
  await expect(page.getByText('your disk, kept in this browser')).toBeVisible();
  const rail = page.getByRole('link', { name: 'Model', exact: true });
  await expect(rail).not.toHaveAccessibleDescription(/Opening/);
  const opened = await rail.evaluate((link) => link.parentElement?.textContent);

  await page.reload();
  await expect.poll(() => rail.evaluate((link) => link.parentElement?.textContent)).toBe(opened);

  await page.getByRole('button', { name: 'Storage', exact: true }).click();
  const models = page.getByRole('dialog').getByRole('region', { name: 'Models' });
  await models.getByRole('button', { name: 'Delete gqa-tied' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(models).toContainText('None yet.');
});
