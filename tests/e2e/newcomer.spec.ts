import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { readZip } from '../../src/formats/zip';
import { expectReady } from './page';

// The whole journey with default settings. Training is stopped early, because a software GPU would need minutes.
test('a first-time visitor trains, compares and exports an adapter', async ({ page }) => {
  test.setTimeout(600_000);
  const sent: string[] = [];
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') sent.push(request.url());
  });
  await page.goto('/');
  await expectReady(page);
  await expect(page.getByRole('link', { name: 'Data', exact: true })).toBeVisible();
  await page.getByRole('button', { name: 'Start training' }).click();

  await expect(page.getByRole('region', { name: 'Train', exact: true })).toBeVisible();
  await expect(page.getByRole('status', { name: 'Progress' })).toContainText('Training');
  const chart = page.getByRole('figure', { name: 'Training loss' });
  const cursor = chart.getByRole('slider');
  await expect(cursor).toHaveAttribute('aria-valuetext', /Step [1-9]\d*, .*Training \d/, { timeout: 240_000 });
  const lossAt = async () =>
    Number(/Training (\d+\.\d+)/.exec((await cursor.getAttribute('aria-valuetext')) ?? '')?.[1]);
  const first = await lossAt();
  await expect(cursor).toHaveAttribute('aria-valuetext', /Step (2[4-9]|[3-9]\d), /, { timeout: 480_000 });
  expect(await lossAt()).toBeLessThan(first);
  await expect(page.getByRole('log', { name: 'Sample answers' })).toContainText('Tuned');

  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Start training' })).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('status', { name: 'Progress' })).toContainText('Training was stopped');

  await page.getByRole('link', { name: 'Compare & Export' }).click();
  await page.getByRole('button', { name: 'What is a whale?' }).click();
  await expect(page.getByRole('button', { name: 'Ask both' })).toBeVisible({ timeout: 120_000 });
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

  // Then import it again.
  const archive = path.join(mkdtempSync(path.join(tmpdir(), 'adapter-')), file.suggestedFilename());
  await file.saveAs(archive);
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open adapter zip' }).click();
  await (await chooser).setFiles(archive);
  await expect(page.getByText('opened from a file')).toBeVisible();
  expect(sent).toEqual([]);
});
