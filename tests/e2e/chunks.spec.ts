/** Parts of the page that cannot be fetched when they are needed: the reason is shown, the rest works, and so does a retry. */
import type { Page } from '@playwright/test';
import { expect, test } from './support/scripted';

const LOST = 'This part of Tabtune could not be loaded.';

/** Counts the requests of a chunk, all of which fail until `restore` is called. */
async function lose(page: Page, name: string) {
  // Asked for again under another address (src/base/chunks.ts).
  const files = `**/${name}-*.js*`;
  const lost = { requests: 0, restore: () => page.unroute(files) };
  await page.route(files, (route) => {
    lost.requests++;
    return route.abort();
  });
  return lost;
}

test('a page that cannot be fetched is fetched again on request', async ({ page, scripted }) => {
  const lost = await lose(page, 'DataPlace');
  await page.goto(`${scripted}#/data`);
  const alert = page.getByRole('alert');
  await expect(alert).toContainText(LOST);
  await expect(page.getByRole('button', { name: 'Start training' })).toBeVisible();
  await alert.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(() => lost.requests).toBeGreaterThan(1);
  await expect(alert).toContainText(LOST);
  // On arrival, ahead of time, and on request: nothing asks again by itself.
  expect(lost.requests).toBeLessThanOrEqual(3);
  await lost.restore();
  await alert.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('grid', { name: 'Examples' })).toBeVisible();
});

test('a menu that cannot be fetched leaves the page as it is', async ({ page, scripted }) => {
  const lost = await lose(page, 'Menus');
  await page.goto(`${scripted}#/model`);
  const theme = page.getByRole('button', { name: 'Theme' });
  await theme.click();
  await expect(page.getByRole('alert')).toContainText(LOST);
  await expect(page.getByRole('button', { name: 'Start training' })).toBeVisible();
  await lost.restore();
  await theme.click();
  await expect(page.getByRole('menu')).toBeVisible();
});

test('a question that cannot be fetched deletes nothing, and can be asked again', async ({ page, scripted }) => {
  const lost = await lose(page, 'ConfirmDialog');
  await page.goto(`${scripted}?history#/runs`);
  const runs = page.getByRole('button', { name: /^Actions for/ });
  await expect(runs).toHaveCount(3);
  const remove = async () => {
    await runs.first().click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
  };
  await remove();
  await expect(page.getByRole('alert')).toContainText(LOST);
  await expect(runs).toHaveCount(3);
  await lost.restore();
  await remove();
  await expect(page.getByRole('alertdialog')).toBeVisible();
});
