import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { readZip } from '../../src/formats/zip';
import { expectReady } from './page';
import { holdAt, lossesSeen, PATIENCE, watchEngine } from './support/studio';

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

// The whole promise in one go, with nothing set by hand. It is stopped early: a software GPU needs minutes for all of it.
test('a first visitor trains, compares and takes the adapter away', async ({ page }, info) => {
  test.setTimeout(6 * PATIENCE);
  const sent: string[] = [];
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') sent.push(request.url());
  });
  const gate = await holdAt(page, 24);
  await watchEngine(page);
  await page.goto('/');
  await expectReady(page);
  await expect(page.getByRole('link', { name: 'Data', exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Start training' }).click();

  await expect(page.getByRole('region', { name: 'Train', exact: true })).toBeVisible();
  await expect(page.getByRole('status', { name: 'Progress' })).toContainText('Training');
  await gate.reached();
  const cursor = page.getByRole('figure', { name: 'Training loss' }).getByRole('slider');
  await expect(cursor).toHaveAttribute('aria-valuetext', /^Step 24, .*Training \d/);
  const losses = await lossesSeen(page);
  expect(losses).toHaveLength(24);
  expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)));
  await expect(page.getByRole('log', { name: 'Sample answers' })).toContainText('Tuned');

  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await gate.open();
  await expect(page.getByRole('button', { name: 'Start training' })).toBeVisible();
  await expect(page.getByRole('status', { name: 'Progress' })).toContainText('Training was stopped');

  await page.getByRole('link', { name: 'Compare & Export' }).click();
  // What was learned is put on the model after the run: asked before, the base alone would answer.
  await expect(page.getByRole('button', { name: 'Export adapter' })).not.toHaveAttribute('aria-disabled', 'true');
  await page.getByRole('button', { name: 'What is a whale?' }).click();
  await expect(page.getByText('Asked: What is a whale?')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Ask both' })).toBeVisible({ timeout: PATIENCE });
  const base = await page.getByRole('article', { name: 'Base' }).getByRole('paragraph').textContent();
  const tuned = await page.getByRole('article', { name: 'Tuned' }).getByRole('paragraph').textContent();
  expect(base?.length).toBeGreaterThan(3);
  expect(tuned?.length).toBeGreaterThan(3);
  expect(tuned).not.toBe(base);

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export adapter' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe('pirate-chat-lora.zip');
  const bytes = new Uint8Array(readFileSync(await file.path()));
  const names = readZip(bytes, { where: file.suggestedFilename(), code: 'bad_adapter' }).map(({ path }) =>
    path.split('/').at(-1),
  );
  expect(names).toEqual(expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors', 'README.md']));

  // And brings it back.
  const archive = info.outputPath(file.suggestedFilename());
  await file.saveAs(archive);
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open adapter zip' }).click();
  await (await chooser).setFiles(archive);
  await expect(page.getByText('opened from a file')).toBeVisible();
  expect(sent).toEqual([]);
});
