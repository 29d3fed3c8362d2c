/** Unsuitable machines and files: the app says what is missing and what to do, and everything else keeps working. */
import { chromium, expect, type Page, test } from '@playwright/test';
import { browserArgs } from '../../scripts/browser.mjs';
import { expectReady, PATIENCE, startButton } from './support/studio';

const dataPlace = (page: Page) => page.getByRole('region', { name: 'Data', exact: true });
const examples = (page: Page) => dataPlace(page).getByRole('grid', { name: 'Examples' });
const goTo = (page: Page, place: string) =>
  page.getByRole('navigation', { name: 'Steps' }).getByRole('link', { name: place, exact: true }).click();

/** Chooses a dataset in the browser's file dialog, as a person would. */
async function openFile(page: Page, name: string, text: string): Promise<void> {
  const chooser = page.waitForEvent('filechooser');
  await dataPlace(page).getByRole('button', { name: 'Open file', exact: true }).click();
  await (await chooser).setFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
}

/** Simulates a browser without WebGPU, in the page and in workers. Chrome has no flag for that. */
async function removeWebGpu(page: Page): Promise<void> {
  const remove = 'delete Object.getPrototypeOf(navigator).gpu;';
  await page.addInitScript(remove);
  await page.route('**/*-worker-*.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${remove}\n${await response.text()}` });
  });
}

const replies = (rows: number, answer: string) =>
  Array.from({ length: rows }, (_, i) => JSON.stringify({ prompt: `Question ${i}?`, completion: answer })).join('\n');

test.describe('without WebGPU', () => {
  const machines: Record<string, { args: string[]; says: string; withoutApi: boolean }> = {
    'in a browser that has none': {
      args: browserArgs('software'),
      withoutApi: true,
      says: 'This browser does not support WebGPU.',
    },
    'on a machine without a GPU': {
      args: [...browserArgs('software').filter((arg) => !/webgpu/.test(arg)), '--disable-gpu'],
      withoutApi: false,
      says: 'The browser supports WebGPU but found no GPU that it can use.',
    },
  };
  for (const [name, { args, says, withoutApi }] of Object.entries(machines)) {
    test(`${name}, the start is blocked with the reason, and everything else works`, async ({ baseURL }) => {
      const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium', args });
      try {
        const page = await browser.newPage({ baseURL, viewport: { width: 1440, height: 900 } });
        page.setDefaultTimeout(PATIENCE);
        if (withoutApi) await removeWebGpu(page);
        await page.goto('/');
        const alert = page.getByRole('alert').first();
        await expect(alert).toContainText(says);
        await expect(alert).toContainText('Use a current version of Chrome or Edge on a computer with a GPU');
        await expect(page.getByRole('heading', { name: 'How to get WebGPU' })).toBeVisible();
        const start = startButton(page);
        await expect(start).toHaveAttribute('aria-disabled', 'true');
        await expect(start).toHaveAccessibleDescription(new RegExp(says));
        await start.click({ force: true });

        await goTo(page, 'Data');
        await expect(examples(page)).toHaveAttribute('aria-rowcount', '241');
        await openFile(page, 'mine.jsonl', replies(7, 'My answer.'));
        await expect(examples(page)).toHaveAttribute('aria-rowcount', '8');
        await expect(examples(page)).toContainText('My answer.');
        await goTo(page, 'Recipe');
        await expect(page.getByRole('region', { name: 'Recipe', exact: true })).toBeVisible();
        await goTo(page, 'Compare & Export');
        await expect(page.getByRole('button', { name: 'Export adapter' })).toHaveAttribute('aria-disabled', 'true');
        // Nothing came of that click, in all the time since.
        await expect(start).toBeVisible();
        await expect(page.getByRole('status', { name: 'Progress' })).toHaveText('');
      } finally {
        await browser.close();
      }
    });
  }
});

test.describe('a dataset that does not fit', () => {
  test('is refused before it is copied if the browser gives its quota', async ({ page }) => {
    // Chromium overrides the quota of an origin only in some versions: what it says of it is replaced instead.
    await page.addInitScript(() => {
      const estimate = navigator.storage.estimate.bind(navigator.storage);
      navigator.storage.estimate = async () => {
        const said = await estimate();
        const room = sessionStorage.getItem('room');
        return room === null ? said : { ...said, quota: (said.usage ?? 0) + Number(room) };
      };
    });
    const setRoom = (bytes: number | null) =>
      page.evaluate((room) => {
        if (room === null) sessionStorage.removeItem('room');
        else sessionStorage.setItem('room', String(room));
      }, bytes);
    await page.goto('/#/data');
    await expectReady(page);
    await setRoom(500_000);
    const large = replies(2000, 'A rather long answer, as it happens. '.repeat(20));
    await openFile(page, 'large.jsonl', large);
    const alert = dataPlace(page).getByRole('alert');
    await expect(alert).toContainText(/space/);
    await expect(alert).toContainText('Delete runs, models or datasets you no longer need');
    // The previous dataset stays open.
    await expect(examples(page)).toHaveAttribute('aria-rowcount', '241');
    await expectReady(page);

    await setRoom(null);
    await openFile(page, 'large.jsonl', large);
    await expect(examples(page)).toHaveAttribute('aria-rowcount', '2001');
  });

  test('is refused completely if the disk turns out to be full', async ({ page }) => {
    await page.addInitScript(() => {
      const put = IDBObjectStore.prototype.put;
      IDBObjectStore.prototype.put = function (...args) {
        if (sessionStorage.getItem('disk') === 'full') throw new DOMException('No space.', 'QuotaExceededError');
        return put.apply(this, args);
      };
    });
    await page.goto('/#/data');
    await expectReady(page);
    await page.evaluate(() => sessionStorage.setItem('disk', 'full'));
    await openFile(page, 'mine.jsonl', replies(7, 'My answer.'));
    const alert = dataPlace(page).getByRole('alert');
    await expect(alert).toContainText('There is no space left in this browser for saving mine.jsonl.');
    await expect(examples(page)).toHaveAttribute('aria-rowcount', '241');

    await page.evaluate(() => sessionStorage.removeItem('disk'));
    await openFile(page, 'mine.jsonl', replies(7, 'My answer.'));
    await expect(examples(page)).toHaveAttribute('aria-rowcount', '8');
    await expect(alert).toBeHidden();
  });
});
