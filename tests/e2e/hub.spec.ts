/** A Hub model in the studio: found, inspected, downloaded with a reload in the middle, and opened offline. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { HubServer } from '../support/hub-server';
import { expectReady } from './page';

const WEIGHTS = 'model.safetensors';
const stories = new URL('../../public/models/stories/', import.meta.url);
const files = Object.fromEntries(
  readdirSync(stories).map((name) => [name, new Uint8Array(readFileSync(new URL(name, stories)))]),
);
const size = files[WEIGHTS]!.length;
const third = Math.floor(size * 0.3);

let server: HubServer;
test.beforeAll(async () => {
  server = await new HubServer().start();
});
test.afterAll(() => server.stop());

/** Opens the studio with the local Hub as its endpoint, as if it had been chosen in this tab. */
async function open(page: Page): Promise<void> {
  await page.addInitScript((endpoint) => {
    sessionStorage.setItem('tabtune.hub', endpoint);
  }, server.endpoint);
  await page.goto('/#/model');
}

async function lookAt(page: Page, words: string, name: string): Promise<void> {
  await page.getByLabel('Name or address').fill(words);
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.getByRole('button', { name }).click();
}

/** Bytes of the weights that the manifest on this browser's disk knows of: a reload goes on there. */
const bytesKept = (page: Page): Promise<number> =>
  page.evaluate(async (weights) => {
    const root = await navigator.storage.getDirectory();
    let kept = 0;
    for await (const model of (await root.getDirectoryHandle('models')).values()) {
      const file = await (model as FileSystemDirectoryHandle).getFileHandle('manifest%2Ejson');
      const { files: listed } = JSON.parse(await (await file.getFile()).text());
      kept += listed.find(({ name }: { name: string }) => name === weights).received;
    }
    return kept;
  }, WEIGHTS);

const weightRanges = () => server.ranges(WEIGHTS).filter(([, last]) => last > 100_000);

test('a download interrupted by a reload resumes where it was, is verified, and opens offline', async ({ page }) => {
  const { source } = server.add({ id: 'org/tiny-stories', files, licence: 'mit', downloads: 12 });
  await open(page);
  await lookAt(page, 'stories', 'org/tiny-stories');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('mit');
  await expect(dialog).toContainText('2,048 in the vocabulary');
  expect(weightRanges()).toEqual([]);

  // 30% of the weights arrive, then nothing. The page is reloaded meanwhile.
  server.fault = ({ host, file, range }) =>
    host === 'cdn' && file === WEIGHTS && range?.[1] === size - 1 && range[0] === 0 ? { stallAfter: third } : null;
  await dialog.getByRole('button', { name: /^Download and open/ }).click();
  await expect(page.getByRole('button', { name: /^Pause the download/ })).toBeVisible();
  await expect.poll(() => weightRanges().length).toBe(1);
  // What has come is written down every second, and nothing more comes.
  await expect(async () => expect(await bytesKept(page)).toBe(third)).toPass({ timeout: 60_000 });
  await page.reload();

  const resume = page.getByRole('button', { name: /^Resume the download/ });
  await expect(resume).toBeVisible();
  expect(weightRanges()).toEqual([[0, size - 1]]);
  await resume.click();
  await expect.poll(() => page.evaluate(() => localStorage.getItem('tabtune.recipe'))).toContain(source);
  expect(weightRanges()).toEqual([
    [0, size - 1],
    [third, size - 1],
  ]);

  // Now the Hub is unreachable, and the model opens from this browser.
  server.fault = () => ({ status: 503 });
  server.requests.length = 0;
  await page.reload();
  await expectReady(page);
  expect(server.requests).toEqual([]);
  const kept = () =>
    page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      const names: string[] = [];
      for await (const name of (await root.getDirectoryHandle('models')).keys()) names.push(decodeURIComponent(name));
      return names;
    });
  expect(await kept()).toEqual([source]);

  // It can also be deleted.
  await page.getByRole('button', { name: 'Storage', exact: true }).click();
  const storage = page.getByRole('dialog', { name: 'Storage' });
  await expect(storage).toContainText('last opened');
  await storage.getByRole('button', { name: /^Delete org\/tiny-stories/ }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(storage).toContainText('Models that you download or drop in');
  await expect.poll(kept).toEqual([]);
  server.fault = () => null;
});
