/** The first visit, with nothing set by hand, from the first click to the answers of base and tuned model side by side. */
import { readFileSync } from 'node:fs';
import { expect, type Page, type TestInfo, test } from '@playwright/test';
import { readZip } from '../../src/formats/zip';
import { expectReady } from './page';
import { PATIENCE } from './support/studio';

/** Times in the report, since a machine that runs other things at the same time cannot be held to them. */
function clock(info: TestInfo): (what: string) => void {
  const started = Date.now();
  return (what) => {
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    info.annotations.push({ type: what, description: `${seconds} s` });
    console.log(`${info.title}: ${what} after ${seconds} s`);
  };
}

/** What leaves the tab for anybody but the page's own server. */
function watchRequests(page: Page): string[] {
  const sent: string[] = [];
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') sent.push(request.url());
  });
  return sent;
}

async function trainToTheEnd(page: Page, told: (what: string) => void): Promise<void> {
  await page.getByRole('button', { name: 'Start training' }).click();
  told('Start training pressed');
  await expect(page.getByRole('region', { name: 'Train', exact: true })).toBeVisible();
  const compare = page.getByRole('button', { name: 'Compare base and tuned' });
  // Whole runs, which take several minutes where others use the processors too.
  await expect(compare).toBeVisible({ timeout: 4 * PATIENCE });
  told('trained');
}

const answerOf = (page: Page, name: 'Base' | 'Tuned') => page.getByRole('article', { name });

test('a first visitor teaches it to sort texts, and takes the adapter away', async ({ page }, info) => {
  test.setTimeout(6 * PATIENCE);
  const told = clock(info);
  const sent = watchRequests(page);
  await page.goto('/');
  const demo = (name: string) => page.getByRole('button', { name, exact: true });
  await expect(demo('Sort customer messages')).toHaveAttribute('aria-pressed', 'true');
  await expect(demo('Answer like a pirate')).toBeInViewport();
  await expectReady(page);
  await expect(page.getByRole('button', { name: 'Start training' })).toBeInViewport();
  told('ready');
  await trainToTheEnd(page, told);
  // The 24 messages that were held out: each in its own class.
  const classes = page.getByRole('region', { name: 'Confusion matrix' });
  for (const name of ['complaint', 'praise', 'question']) {
    await expect(classes.getByRole('row', { name: new RegExp(`^${name}`) })).toBeVisible();
  }
  const accuracy = page.getByRole('figure', { name: 'Evaluation metrics' }).getByRole('slider');
  await expect(accuracy).toHaveAttribute('aria-valuetext', /Accuracy (1|0\.9[5-9]\d*)\b/);

  // The second press: the first message that it has not seen is asked by itself.
  await page.getByRole('button', { name: 'Compare base and tuned' }).click();
  await expect(page.getByText('The lamp I bought last week is broken.').first()).toBeVisible();
  const first = answerOf(page, 'Tuned').getByRole('listitem').first();
  await expect(first).toHaveText(/^complaint\s*(9\d|100)/, { timeout: PATIENCE });
  told('both have answered');
  // The untrained head knows nothing: no class has nearly all of it.
  await expect(answerOf(page, 'Base').getByRole('listitem').first()).not.toHaveText(/(9\d|100)(\.\d)?\s*%/);

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export adapter' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^feedback-lora.*\.zip$/i);
  const bytes = new Uint8Array(readFileSync(await file.path()));
  const names = readZip(bytes, { where: file.suggestedFilename(), code: 'bad_adapter' }).map(({ path }) =>
    path.split('/').at(-1),
  );
  expect(names).toEqual(expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors', 'README.md']));

  // And brings it back.
  const archive = info.outputPath(file.suggestedFilename());
  await file.saveAs(archive);
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open adapter file' }).click();
  await (await chooser).setFiles(archive);
  await expect(page.getByText('opened from a file')).toBeVisible();
  expect(sent).toEqual([]);
});

test('the other demo answers like a pirate, and still says what the model knew', async ({ page }, info) => {
  test.setTimeout(6 * PATIENCE);
  const told = clock(info);
  const { closing } = JSON.parse(readFileSync('scripts/builtin/pirate-held-out.json', 'utf8')) as { closing: string };
  await page.goto('/');
  await page.getByRole('button', { name: 'Answer like a pirate', exact: true }).click();
  await expectReady(page);
  told('ready');
  await trainToTheEnd(page, told);
  await page.getByRole('button', { name: 'Compare base and tuned' }).click();
  const answer = (name: 'Base' | 'Tuned') => answerOf(page, name).getByRole('paragraph').last();
  const prompts = page.getByRole('list', { name: 'Prompts from the data' }).getByRole('button');
  const asked = page.getByRole('button', { name: 'Ask both' });
  // The first is asked by itself. None of them was trained on.
  for (const index of [0, 1, 2]) {
    if (index > 0) await prompts.nth(index).click();
    await expect(answer('Tuned')).toContainText(closing, { timeout: PATIENCE });
    await expect(asked).toBeVisible({ timeout: PATIENCE });
    if (index === 0) told('both have answered');
    await expect(answer('Base')).not.toContainText(closing);
    // What comes before the pirate's words is a sentence, and not a pirate's words over again.
    const tuned = (await answer('Tuned').textContent())!;
    expect(tuned.split(closing)).toHaveLength(2);
    expect(tuned.indexOf(closing)).toBeGreaterThan(10);
  }
});
