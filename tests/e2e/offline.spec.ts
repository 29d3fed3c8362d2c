/**
 * The copy of the app that the browser keeps: it opens and trains when its server is gone, its workers are as closed as before,
 * and a new version waits until no tab trains and a person asks for it.
 */
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { serve } from '../../scripts/serve.mjs';
import { expectReady } from './page';
import { plainHost } from './support/plain-host';
import { openStudio, PATIENCE, start, tiny } from './support/studio';

test.use({ serviceWorkers: 'allow' });

/** Until the whole app is stored, and answers for the page. */
const untilStored = (page: Page) =>
  page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) {
      await new Promise((resolve) =>
        navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
      );
    }
  });

const progress = (page: Page) => page.getByRole('status', { name: 'Progress' });

async function expectClosed(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Nothing leaves this device' }).click();
  await expect(page.getByRole('dialog')).toContainText('The browser enforces it.');
  await page.keyboard.press('Escape');
}

test('without its server the app reloads and trains, and its workers stay closed', async ({ page }) => {
  const server = await serve('dist');
  const steps = 2;
  const recipe = { ...tiny, training: { ...tiny.training, max_steps: steps, eval_steps: 0, save_steps: 0 } };
  await openStudio(page, recipe, server.address);
  await expectReady(page);
  await untilStored(page);
  await server.close();
  await page.reload();
  await start(page);
  await expect(progress(page)).toContainText(/finished|completed/i, { timeout: PATIENCE });
  await expectClosed(page);
  // The page of another place, and a part of it that was never open before.
  await page.goto(`${server.address}/#/recipe/advanced`);
  await page.reload();
  await expect(page.getByRole('searchbox', { name: 'Find a field' })).toBeVisible();
});

test('a first visit fetches the model and each script once, even where the host lets nothing be compared', async ({
  page,
}) => {
  // A slow one: parts of the page are still on their way when it has long been shown.
  const host = await plainHost('dist', '', 400);
  await openStudio(page, { ...tiny, training: { ...tiny.training, max_steps: 1, eval_steps: 0 } }, host.address);
  await expectReady(page);
  await start(page);
  await expect(progress(page)).toContainText(/finished|completed/i, { timeout: PATIENCE });
  await untilStored(page);
  host.close();
  const files = [...host.sent.keys()].filter((name) => /\.safetensors$|\.js$|tokenizer\.json$/.test(name));
  expect(files.length).toBeGreaterThan(50);
  expect(files).toContain('/models/stories/model.safetensors');
  // A browser always asks anew for the script of a service worker.
  const again = files.filter((name) => host.sent.get(name)! > 1 && name !== '/service-worker.js');
  expect(again).toEqual([]);
});

test('in a folder of a plain static host it reloads without the host, and the browser closes the workers', async ({
  page,
}) => {
  const host = await plainHost('dist', 'some/folder');
  await page.goto(host.address);
  await expectReady(page);
  await untilStored(page);
  host.close();
  await page.goto(`${host.address}#/data`);
  await page.reload();
  await expectReady(page);
  await expect(page.getByRole('grid', { name: 'Examples' })).toBeVisible();
  await expectClosed(page);
});

const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

/** Changes the page in a built folder, as a new version would. */
function publish(folder: string): void {
  const file = (name: string) => path.join(folder, name);
  const page = readFileSync(file('index.html'), 'utf8');
  const next = page.replace('<html', '<html data-version="2"');
  const worker = readFileSync(file('service-worker.js'), 'utf8');
  expect(worker).toContain(sha256(page));
  writeFileSync(file('index.html'), next);
  const hash = /tabtune-app[\s\S]*?[`"']([0-9a-f]{16})[`"']|[`"']([0-9a-f]{16})[`"']/.exec(worker);
  const version = hash?.[1] ?? hash?.[2];
  expect(version).toBeDefined();
  writeFileSync(
    file('service-worker.js'),
    worker.replace(sha256(page), sha256(next)).replaceAll(version!, sha256(next).slice(0, 16)),
  );
}

/** How often a page has looked whether any tab trains. */
function countLooks(): void {
  const query = navigator.locks.query.bind(navigator.locks);
  Object.assign(window, { looks: 0 });
  navigator.locks.query = () => {
    (window as unknown as { looks: number }).looks++;
    return query();
  };
}
const looks = (page: Page) => page.evaluate(() => (window as unknown as { looks: number }).looks);

test('a new version waits for the end of the run in every tab, and for a press', async ({ page, context }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tabtune-update-'));
  cpSync('dist', folder, { recursive: true });
  const server = await serve(folder);
  try {
    const endless = { ...tiny, training: { ...tiny.training, max_steps: 100_000, eval_steps: 0, save_steps: 0 } };
    await openStudio(page, endless, server.address);
    await untilStored(page);
    const other = await context.newPage();
    await other.addInitScript(countLooks);
    await other.goto(`${server.address}#/data`);
    await expectReady(other);
    await page.bringToFront();
    await start(page);
    await expect(page.getByText(/^Step \d+ of/).first()).toBeVisible({ timeout: PATIENCE });

    publish(folder);
    await page.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration())!;
      await registration.update();
      const next = registration.installing ?? registration.waiting!;
      while (next.state !== 'installed') {
        await new Promise((resolve) => next.addEventListener('statechange', resolve, { once: true }));
      }
    });
    const before = await looks(other);
    await expect.poll(() => looks(other)).toBeGreaterThan(before + 1);
    const offer = (tab: Page) => tab.getByRole('button', { name: 'Reload to update' });
    await expect(offer(other)).toHaveCount(0);
    await expect(offer(page)).toHaveCount(0);

    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await expect(progress(page)).toContainText(/^Training was stopped at step /, { timeout: PATIENCE });
    await expect(page.getByText('A new version of Tabtune is available.')).toBeVisible();
    await expect(page.locator('html')).not.toHaveAttribute('data-version');
    await other.bringToFront();
    await offer(other).click();
    await expect(other.locator('html')).toHaveAttribute('data-version', '2');
    await expectReady(other);
    await expect(offer(other)).toHaveCount(0);
    // The first tab is left as it is, and told.
    await expect(page.locator('html')).not.toHaveAttribute('data-version');
    await expect(page.getByText('Tabtune was updated in another tab.')).toBeVisible();
    await offer(page).click();
    await expect(page.locator('html')).toHaveAttribute('data-version', '2');
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
});
