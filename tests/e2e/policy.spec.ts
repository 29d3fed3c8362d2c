/**
 * What the content security policy forbids: foreign scripts, frames around the page, and requests to other servers from
 * workers with data. A plain static host sends no such policy; what holds there is tried too.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, type Page, test } from '@playwright/test';
import { HubServer } from '../support/hub-server';
import { axeFindings, expectReady } from './page';
import { plainHost } from './support/plain-host';

let elsewhere: HubServer;
test.beforeAll(async () => {
  elsewhere = await new HubServer().start();
});
test.afterAll(() => elsewhere.stop());

const ask = (address: string) =>
  fetch(address, { mode: 'no-cors' }).then(
    () => 'answered',
    () => 'refused',
  );

/** The workers that hold people's data; the planner is started by the first forecast. */
async function closedWorkers(page: Page) {
  const closed = () => page.workers().filter((worker) => /(data|engine|plan)-worker/.test(worker.url()));
  await expect.poll(() => closed().length).toBe(3);
  return closed();
}

/** Every way out that a worker has besides fetch, tried from inside. */
async function waysOut(address: string): Promise<string[]> {
  const request = () => new Request(address, { mode: 'no-cors' });
  const xhr = () => {
    const asked = new XMLHttpRequest();
    asked.open('GET', address, false);
    asked.send();
  };
  const tried: [name: string, go: () => unknown][] = [
    ['a worker', () => new Worker(address)],
    ['a worker of text', () => new Worker('data:text/javascript,')],
    ['a shared worker', () => new SharedWorker(address)],
    ['a socket', () => new WebSocket(address.replace('http', 'ws'))],
    ['an event source', () => new EventSource(address)],
    ['a script', () => (self as unknown as { importScripts(url: string): void }).importScripts(address)],
    ['XMLHttpRequest', xhr],
    ['fetch of a Request', () => fetch(request())],
    ['fetch of a URL', () => fetch(new URL(address), { mode: 'no-cors' })],
    ['a cache', async () => (await caches.open('x')).add(request())],
  ];
  const open: string[] = [];
  for (const [name, go] of tried) {
    try {
      await go();
      open.push(name);
    } catch {
      // Closed.
    }
  }
  return open;
}

async function openPrivacy(page: Page) {
  await page.getByRole('button', { name: 'Nothing leaves this device' }).click();
  return page.getByRole('dialog');
}

test('on a plain static host the workers are closed by our own code, and the privacy page says so', async ({
  page,
}) => {
  const host = await plainHost();
  const before = elsewhere.requests.length;
  try {
    await page.goto(host.address);
    await expectReady(page);
    const url = `${elsewhere.endpoint}/api/models?limit=2`;
    for (const worker of await closedWorkers(page)) {
      expect(await worker.evaluate(ask, url), worker.url()).toBe('refused');
      expect(await worker.evaluate(waysOut, url), worker.url()).toEqual([]);
      expect(await worker.evaluate(ask, `${host.address}models/index.json`)).toBe('answered');
    }
    expect(elsewhere.requests).toHaveLength(before);
    await expect(await openPrivacy(page)).toContainText('The browser does not enforce that the workers with your data');
  } finally {
    host.close();
  }
});

test('a page in a frame does not start, and our server does not let it be framed', async ({ page, baseURL }) => {
  const host = await plainHost();
  try {
    const around = ['', 'headless.html'].map((name) => `<iframe src="${host.address}${name}"></iframe>`);
    const body = `${around.join('')}<iframe src="${baseURL}"></iframe>`;
    await page.route('**/around', (route) => route.fulfill({ contentType: 'text/html', body }));
    await page.goto(`${host.address}around`);
    const [plain, headless, ours] = [0, 1, 2].map((n) => page.frameLocator(`iframe >> nth=${n}`));
    await expect(plain!.getByText('Tabtune does not run inside another page.')).toBeVisible();
    await expect(plain!.getByRole('button', { name: 'Start training' })).toHaveCount(0);
    expect(page.workers()).toEqual([]);
    // The browser shows a page of its own there.
    await expect(ours!.locator('#root')).toHaveCount(0);
    await expect(headless!.getByText('This page runs a recipe for a script')).toBeVisible();
    const framed = page.frames().find((frame) => frame.url().endsWith('headless.html'))!;
    await framed.waitForLoadState('load');
    expect(await framed.evaluate(() => 'tabtune' in window)).toBe(false);
  } finally {
    host.close();
  }
});

test('a Hub is chosen for a tab: the page and its downloads may ask it and nobody else, and every request is listed', async ({
  page,
}) => {
  const stories = new URL('../../public/models/stories/', import.meta.url);
  const files = Object.fromEntries(
    readdirSync(stories).map((name) => [name, new Uint8Array(readFileSync(new URL(name, stories)))]),
  );
  elsewhere.add({ id: 'org/tiny-stories', files, licence: 'mit' });
  const hub = `${elsewhere.endpoint}/api/models?limit=3`;
  // The same server under a name that is not the chosen one.
  const other = hub.replace('127.0.0.1', 'localhost');
  expect((await page.request.get(other)).ok()).toBe(true);
  await page.goto('/#/model');
  await expectReady(page);
  await page.evaluate(() => Object.assign(window, { before: true }));
  await page.getByRole('button', { name: 'Address and token' }).click();
  await page.getByLabel('Hub address').fill(elsewhere.endpoint);
  await page.getByLabel('Access token').fill('hf_secret');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Reload' }).click();
  await expect.poll(() => page.evaluate(() => 'before' in window)).toBe(false);
  // The token is nowhere: it is asked for again.
  await expect(page.getByLabel('Hub address')).toHaveValue(elsewhere.endpoint);
  await expect(page.getByLabel('Access token')).toHaveValue('');
  const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  expect(kept).not.toContain('hf_secret');
  await page.keyboard.press('Escape');
  expect(await page.evaluate(ask, hub)).toBe('answered');
  expect(await page.evaluate(ask, other)).toBe('refused');

  // The download stands still, so that its worker is there to be asked.
  elsewhere.fault = ({ file, range }) =>
    file === 'model.safetensors' && range && range[1] > 1e6 ? { stallAfter: 10 } : null;
  await page.getByLabel('Name or address').fill('org/tiny-stories');
  await page.getByLabel('Name or address').press('Enter');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Download/ })
    .click();
  const downloads = () => page.workers().find((worker) => worker.url().startsWith('blob:'));
  await expect.poll(() => downloads() !== undefined).toBe(true);
  expect(await downloads()!.evaluate(ask, hub)).toBe('answered');
  expect(await downloads()!.evaluate(ask, other)).toBe('refused');

  await page.keyboard.press('Escape');
  const privacy = await openPrivacy(page);
  await expect(privacy).toContainText(`one Hub, ${elsewhere.endpoint},`);
  const asked = privacy.getByRole('region', { name: /^The Hub: / });
  await expect(asked.getByRole('row', { name: /download worker.*A file of a model/ }).first()).toBeVisible();
  await expect(asked.getByRole('row', { name: /page.*Details of a model.*tiny-stories/ }).first()).toBeVisible();
  // What the test tried at the other name was refused, and is no request of Tabtune's.
  const strange = privacy.getByRole('region', { name: /^Others: / });
  await expect(strange.getByRole('row', { name: /localhost.*refused/ }).first()).toBeVisible();
  expect(await axeFindings(page)).toEqual([]);
  const saved = page.waitForEvent('download');
  await privacy.getByRole('button', { name: 'Save as JSON' }).click();
  const list = JSON.parse(readFileSync(await (await saved).path(), 'utf8'));
  expect(list.requests.filter(({ from }: { from: string }) => from === 'engine').length).toBeGreaterThan(0);
  expect(list.requests.every(({ sent }: { sent: number }) => sent === 0)).toBe(true);
  elsewhere.fault = () => null;
});

test('workers with data can reach only the page’s own server, and no foreign script runs in the page', async ({
  page,
}) => {
  const refused: string[] = [];
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) refused.push(message.text());
  });
  await page.goto('/');
  await expectReady(page);
  expect(refused).toEqual([]);

  const url = `${elsewhere.endpoint}/api/models?limit=1`;
  // That this address responds makes the refusals meaningful.
  expect((await page.request.get(url)).ok()).toBe(true);
  expect(await page.evaluate(ask, url)).toBe('refused');
  for (const worker of await closedWorkers(page)) {
    expect(await worker.evaluate(ask, url), worker.url()).toBe('refused');
    expect(await worker.evaluate(waysOut, url), worker.url()).toEqual([]);
    // Only the browser can refuse this one.
    const imported = (address: string) => import(address).then(() => 'imported', String);
    expect(await worker.evaluate(imported, `${elsewhere.endpoint}/script.js`)).not.toBe('imported');
    const own = await page.request.get(worker.url());
    expect(own.headers()['content-security-policy']).toContain("worker-src 'none'");
    expect(await worker.evaluate(ask, new URL('/models/index.json', page.url()).href)).toBe('answered');
  }
  expect(elsewhere.requests.filter(({ path }) => path.includes('limit=1'))).toHaveLength(1);
  const privacy = await openPrivacy(page);
  await expect(privacy).toContainText('The browser enforces it.');
  await privacy.getByRole('button', { name: 'Close' }).click();

  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.foreign = true';
    document.head.append(script);
    return 'foreign' in window;
  });
  expect(ran).toBe(false);
  await expect.poll(() => refused.length).toBeGreaterThan(0);
});
