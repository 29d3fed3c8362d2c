/** Exports of a real run: what is saved, what is left when saving fails or is cancelled, and what cannot be exported. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { ggufAdapterHeader } from '../../src/formats/gguf-adapter';
import { readZip } from '../../src/formats/zip';
import { axeFindings } from './page';
import { expect, test } from './support/scripted';
import { expectFinished, openStudio, PATIENCE, start } from './support/studio';

/** Bytes of exports in the browser's own file system. */
const scratchBytes = (page: Page) =>
  page.evaluate(async () => {
    const inside = async (directory: FileSystemDirectoryHandle): Promise<number> => {
      let bytes = 0;
      for await (const handle of directory.values()) {
        bytes += handle.kind === 'file' ? (await handle.getFile()).size : await inside(handle);
      }
      return bytes;
    };
    const root = await navigator.storage.getDirectory();
    return inside(await root.getDirectoryHandle('exports', { create: true }));
  });

const destination = (page: Page, name: RegExp) => page.getByRole('radio', { name });

async function trainedRun(page: Page): Promise<void> {
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'));
  await openStudio(page);
  await start(page);
  await expectFinished(page);
  await page.getByRole('navigation', { name: 'Steps' }).getByRole('link', { name: 'Compare & Export' }).click();
  await expect(page.getByRole('button', { name: 'Export adapter' })).not.toHaveAttribute('aria-disabled', 'true');
}

test('a full disk and a cancelled export leave nothing behind, and the next one works', async ({ page, context }) => {
  test.setTimeout(2 * PATIENCE);
  await trainedRun(page);
  await destination(page, /^Merged Hugging Face model/).check();
  await destination(page, /^float32/).check();
  const button = page.getByRole('button', { name: 'Export merged model' });

  const browser = await context.newCDPSession(page);
  const { origin } = new URL(page.url());
  const { usage } = await page.evaluate(() => navigator.storage.estimate());
  // Less than the model.
  await browser.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage! + 2_000_000 });
  await button.click();
  await expect(page.getByRole('alert')).toContainText('There is no space left in this browser', { timeout: PATIENCE });
  expect(await scratchBytes(page)).toBe(0);
  await browser.send('Storage.overrideQuotaForOrigin', { origin });

  await button.click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('progressbar', { name: 'Export' })).toBeHidden({ timeout: PATIENCE });
  await expect(page.getByText(/is saved:/)).toHaveCount(0);
  expect(await scratchBytes(page)).toBe(0);

  const download = page.waitForEvent('download', { timeout: PATIENCE });
  await button.click();
  const file = await download;
  const zip = readZip(new Uint8Array(readFileSync(await file.path())), { where: 'the download', code: 'bad_model' });
  const card = zip.find(({ path }) => path.endsWith('/README.md'))!;
  expect(new TextDecoder().decode(card.bytes)).toMatch(/read back and compared with/);
  await expect(page.getByText(/Read back and compared with the model in memory on \d+ tokens/)).toBeVisible();
  expect(await axeFindings(page)).toEqual([]);
});

test('an adapter becomes a GGUF file, and is opened again', async ({ page }, info) => {
  test.setTimeout(2 * PATIENCE);
  await trainedRun(page);
  await destination(page, /^GGUF adapter/).check();
  const download = page.waitForEvent('download', { timeout: PATIENCE });
  await page.getByRole('button', { name: 'Export GGUF adapter' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/\.gguf$/);
  const bytes = new Uint8Array(readFileSync(await file.path()));
  expect(ggufAdapterHeader(bytes, 'the download')!.metadata.get('adapter.type')).toBe('lora');
  const saved = info.outputPath(file.suggestedFilename());
  await file.saveAs(saved);
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Open adapter file' }).click();
  await (await chooser).setFiles(saved);
  await expect(page.getByText('opened from a file')).toBeVisible({ timeout: PATIENCE });
});
