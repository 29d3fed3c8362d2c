/**
 * A push to a local Hub from the built app, in a real browser with its policy, its cross-origin rules and its workers. The page has the
 * dialog alone (tests/e2e/push); the Hub's storage is another origin.
 */
import { test as base, expect, type Page } from '@playwright/test';
import { serveScripted } from '../../scripts/scripted.mjs';
import { HubServer, type Request, sha256 } from '../support/hub-server';
import { pushedFiles, SIZE, WEIGHTS } from './push/files';

const test = base.extend<object, { address: string }>({
  address: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern what a fixture needs.
    async ({}, use) => {
      const served = await serveScripted('push');
      await use(served.scripted);
      await served.close();
    },
    { scope: 'worker' },
  ],
});

let server: HubServer;
test.beforeEach(async () => {
  server = await new HubServer().start();
});
test.afterEach(() => server.stop());

const REPO = 'ada/pirate-chat-LoRA-r16-2';
const objects = () => server.writes.objects;
const isPut = ({ method }: Request) => method === 'PUT';
const wanted = Object.fromEntries(Object.entries(pushedFiles()).map(([path, bytes]) => [path, sha256(bytes)]));

function held(repo = REPO): Record<string, string> {
  const { '.gitattributes': _, ...files } = server.repositories.get(repo.toLowerCase())?.files ?? {};
  return Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, sha256(bytes)]));
}

async function open(page: Page, address: string): Promise<void> {
  await page.addInitScript((endpoint) => sessionStorage.setItem('tabtune.hub', endpoint), server.endpoint);
  await page.goto(address);
  await page.getByRole('button', { name: 'Push to the Hub' }).click();
}

const dialog = (page: Page) => page.getByRole('dialog', { name: 'Push to the Hugging Face Hub' });

async function enterToken(page: Page, token = 'hf_write'): Promise<void> {
  await dialog(page).getByLabel('Access token').fill(token);
  await dialog(page).getByRole('button', { name: 'Use this token' }).click();
}

const press = (page: Page, name: string | RegExp) => dialog(page).getByRole('button', { name }).click();

/** The connection is gone once so many bytes of files have arrived, for whatever is asked afterwards too. */
function cutAt(bytes: number): void {
  server.fault = (request) => {
    if (request.method === 'OPTIONS') return null;
    if (objects().received >= bytes) return { dropped: true };
    return isPut(request) ? { cutAt: bytes } : null;
  };
}

test('a push that is cut at 40 % says so, goes on, and sends nothing twice that had arrived', async ({
  page,
  address,
}) => {
  await open(page, address);
  await expect(dialog(page)).toContainText('3 files, 2.0 MB');
  await enterToken(page);
  await expect(dialog(page)).toContainText('Token of ada');
  await expect(dialog(page).getByLabel('Repository')).toHaveValue('pirate-chat-LoRA-r16-2');
  await expect(dialog(page).getByLabel('Owner')).toHaveText(/^adalab$/);
  await expect(dialog(page).getByRole('checkbox', { name: 'Private' })).toBeChecked();

  cutAt(0.4 * SIZE);
  await press(page, /^Push 2\.0 MB/);
  await expect(dialog(page).getByRole('progressbar')).toBeVisible();
  // It tries for half a minute first.
  await expect(dialog(page).getByRole('alert')).toContainText('could not be reached, or the connection was lost');
  expect(objects().received).toBe(0.4 * SIZE);
  expect(held()).toEqual({});
  const whole = objects().arrived.length;
  const begun = server.requests.filter(({ path }) => path.includes('/objects/batch')).length;

  server.fault = () => null;
  await press(page, 'Go on');
  await expect(dialog(page)).toContainText(`Pushed to ${REPO}`);
  expect(held()).toEqual(wanted);
  expect(server.repositories.get(REPO.toLowerCase())!.access).toBe('private');
  // Each part arrived whole once, by one permission: what had arrived was not sent again.
  const parts = objects().arrived.map(({ part }) => part);
  expect([...parts].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(whole).toBeGreaterThan(0);
  expect(server.requests.filter(({ path }) => path.includes('/objects/batch'))).toHaveLength(begun);
  const link = dialog(page).getByRole('link', { name: 'Open its page' });
  await expect(link).toHaveAttribute('href', `${server.endpoint}/${REPO}`);

  // The token went to the Hub alone, and is kept nowhere.
  const told = server.requests.filter(({ headers }) => headers.authorization !== undefined);
  expect(told.length).toBeGreaterThan(0);
  expect(told.every(({ host }) => host === 'hub')).toBe(true);
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(stored).not.toContain('hf_write');

  // The privacy page lists what was sent, by whom and for what.
  await page.keyboard.press('Escape');
  const rows = page.getByRole('region', { name: /^The Hub/ }).getByRole('row');
  await expect(rows.filter({ hasText: 'upload worker' }).filter({ hasText: 'PUT' }).first()).toContainText(
    'A push to the Hub',
  );
  await expect(rows.filter({ hasText: '/commit/main' }).first()).toContainText('POST');
  expect(await page.getByText('hf_write').count()).toBe(0);
});

test('after a reload the same push begins anew, because no address of an upload is stored', async ({
  page,
  address,
}) => {
  await open(page, address);
  await enterToken(page);
  // Two parts arrive, and then nothing moves.
  let puts = 0;
  server.fault = (request) => (isPut(request) && ++puts > 2 ? { stalled: true } : null);
  await press(page, /^Push/);
  await expect.poll(() => objects().arrived.length).toBe(2);
  const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(stored).not.toMatch(/X-Amz-Signature|uploadId/);
  server.fault = () => null;
  await page.reload();

  await page.getByRole('button', { name: 'Push to the Hub' }).click();
  // No token is kept.
  await enterToken(page);
  await press(page, /^Push/);
  const question = page.getByRole('alertdialog');
  await expect(question).toContainText(`${REPO} exists. Add to it?`);
  await expect(question).toContainText('It is private, and stays so.');
  await question.getByRole('button', { name: 'Add to it' }).click();
  await expect(dialog(page)).toContainText(`Pushed to ${REPO}`);
  expect(held()).toEqual(wanted);
  expect(
    objects()
      .arrived.map(({ part }) => part)
      .sort((a, b) => a - b),
  ).toEqual([1, 1, 2, 2, 3, 4, 5, 6, 7, 8]);
});

test('a repository that is there is added to only after its files and visibility were shown', async ({
  page,
  address,
}) => {
  const old = { 'README.md': new TextEncoder().encode('old'), 'other.txt': new TextEncoder().encode('kept') };
  server.add({ id: 'lab/corsair', files: old });
  server.renamed.set('lab/pirate', { to: 'lab/corsair', status: 307 });
  await open(page, address);
  await enterToken(page);
  await dialog(page).getByLabel('Owner').selectOption('lab');
  await dialog(page).getByLabel('Repository').fill('pirate');
  await press(page, /^Push/);
  const question = page.getByRole('alertdialog');
  await expect(question).toContainText('lab/corsair exists. Add to it?');
  await expect(question).toContainText('lab/pirate is now called lab/corsair.');
  await expect(question).toContainText('It is public: everybody will see these files.');
  await expect(question).toContainText('Replaced: README.md.');
  await question.getByRole('button', { name: 'Cancel' }).click();
  expect(server.writes.messages).toEqual([]);

  await press(page, /^Push/);
  await question.getByRole('button', { name: 'Add to it' }).click();
  await expect(dialog(page)).toContainText('Pushed to lab/corsair');
  expect(held('lab/corsair')).toEqual({ ...wanted, 'other.txt': sha256(old['other.txt']) });
});

test('every refusal says what to do, and the push can be made right from there', async ({ page, address }) => {
  await open(page, address);
  const alert = dialog(page).getByRole('alert');
  await enterToken(page, 'hf_wrong');
  await expect(alert).toContainText('The Hub rejected the access token.');
  await enterToken(page, 'hf_read');
  await expect(alert).toContainText('This access token can only read.');
  await expect(alert).toContainText('Create one of the type Write');
  await enterToken(page);

  await dialog(page).getByLabel('Repository').fill('a--b');
  await expect(dialog(page)).toContainText('A name cannot have two hyphens or two dots in a row.');
  await expect(dialog(page).getByRole('button', { name: /^Push/ })).toHaveAttribute('aria-disabled', 'true');
  await dialog(page).getByLabel('Repository').fill('pirate');

  objects().quota = 1_000_000;
  await press(page, /^Push/);
  await expect(alert).toContainText('The private storage of ada on the Hub is full.');
  await expect(alert).toContainText('make this repository public');

  // Browsers do not show pages how long the Hub asks them to wait.
  server.fault = ({ path }) => (path.includes('/preupload/') ? { status: 429 } : null);
  await press(page, 'Push again');
  await expect(alert).toContainText('too many requests from your account');
  await expect(alert).toContainText('Wait a few minutes');

  // Two commits of others in a row.
  objects().quota = Infinity;
  let others = 2;
  server.fault = ({ path }) => {
    if (path.includes('/commit/') && others-- > 0) {
      server.repositories.get('ada/pirate')!.files[`note-${others}.txt`] = new TextEncoder().encode('theirs');
    }
    return null;
  };
  await press(page, 'Go on');
  await expect(alert).toContainText('Somebody else changed ada/pirate at the same time, twice.');
  await press(page, 'Push again');
  await expect(dialog(page)).toContainText('Pushed to ada/pirate');
  expect(objects().received).toBe(SIZE);
});

test('the browser lets files go to the Hub’s storage only, and the page says so', async ({ page, address }) => {
  const elsewhere = await new HubServer().start();
  objects().storage = elsewhere.storage.replace('127.0.0.1', 'localhost');
  await open(page, address);
  await enterToken(page);
  await press(page, /^Push/);
  await expect(dialog(page).getByRole('alert')).toContainText('which this page may not contact');
  expect(elsewhere.requests).toEqual([]);
  await elsewhere.stop();
});

test('a push goes on while its dialog is closed, and can be cancelled', async ({ page, address }) => {
  await open(page, address);
  await enterToken(page);
  let puts = 0;
  server.fault = (request) => (isPut(request) && ++puts > 2 ? { stalled: true } : null);
  await press(page, /^Push/);
  await expect.poll(() => objects().arrived.length).toBe(2);
  await page.keyboard.press('Escape');
  await expect(dialog(page)).toBeHidden();
  await page.getByRole('button', { name: /^Pushing, \d+ %/ }).click();
  await expect(dialog(page)).toContainText(`Uploading: ${WEIGHTS}`);
  await press(page, 'Cancel');
  await expect(dialog(page)).toContainText('Stopped. What has arrived is kept');
  server.fault = () => null;
  await press(page, 'Go on');
  await expect(dialog(page)).toContainText(`Pushed to ${REPO}`);
  expect(objects().arrived).toHaveLength(8);
});
