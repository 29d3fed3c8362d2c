/** Tests of the screens alone: the engine, the Hub and downloads are scripted, so every state is reached in seconds. */
import { test as base, expect, type Page } from '@playwright/test';
import { serveScripted } from '../../../scripts/scripted.mjs';
import { expectReady } from '../page';

export { expect } from '@playwright/test';

export const test = base.extend<object, { scripted: string }>({
  scripted: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern what a fixture needs.
    async ({}, use) => {
      const server = await serveScripted();
      await use(server.scripted);
      await server.close();
    },
    { scope: 'worker' },
  ],
});

/** Opens the Model page of the scripted app, ready to start. */
export async function openModels(page: Page, address: string, query = ''): Promise<void> {
  await page.goto(`${address}?downloadMs=1500${query}#/model`);
  await expectReady(page);
}

/** Looks up a model by its name and waits until it is described. */
export async function lookAt(page: Page, name: string): Promise<void> {
  const search = page.getByRole('searchbox', { name: 'Name or address' });
  await search.fill(name);
  await search.press('Enter');
  await expect(page.getByRole('dialog', { name })).toBeVisible();
  await expect(page.getByRole('dialog').getByText('Asking the Hub')).toBeHidden();
}
