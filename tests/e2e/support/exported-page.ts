/** An exported page on a bare static host, and what its engine and the app's say in tokens. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BrowserContext, expect, type Page } from '@playwright/test';
import { readZip } from '../../../src/formats/zip';
import { plainHost } from './plain-host';
import { PATIENCE } from './studio';

export interface SiteFile {
  path: string;
  bytes: Uint8Array;
}

/** The files of the download, without the one folder that all of them are in. */
export const unzipped = (zip: Uint8Array): SiteFile[] =>
  readZip(zip, { where: 'the download', code: 'bad_data' }).map(({ path: at, bytes }) => ({
    path: at.slice(at.indexOf('/') + 1),
    bytes,
  }));

/** The files in a folder of a host that sends no headers of ours. */
export async function hosted(files: readonly SiteFile[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tabtune-page-'));
  for (const file of files) {
    const place = path.join(folder, file.path);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, file.bytes);
  }
  const host = await plainHost(folder, 'some/folder');
  return {
    folder,
    address: host.address,
    /** Ends the host; what it served stays until `remove`. */
    cut: () => host.close(),
    remove() {
      host.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

declare global {
  interface Window {
    /** What the engine worker answered to calls, in order. */
    engineResults: unknown[];
  }
}

/** Before any page of the context is opened: what each engine worker answers is written down. */
export async function listen(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    window.engineResults = [];
    const Real = window.Worker;
    window.Worker = class extends Real {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        if (options?.name !== 'engine') return;
        this.addEventListener('message', ({ data }) => {
          if (data.type === 'result') window.engineResults.push(data.value);
        });
      }
    };
  });
}

/** The tokens of the last answers that the app's engine gave together, as Compare asks for them: one list a column. */
export const comparedTokens = (page: Page): Promise<number[][]> =>
  page.evaluate(() => {
    const isAnswer = (value: unknown): value is Int32Array[] =>
      Array.isArray(value) && value.length > 0 && value.every((one) => one instanceof Int32Array);
    return (window.engineResults.findLast(isAnswer) as Int32Array[]).map((ids) => [...ids]);
  });

/** Opens the page and waits for its model. */
export async function openPage(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await untilOpen(page);
}

export async function untilOpen(page: Page): Promise<void> {
  await expect
    .poll(
      async () => {
        const faults = await page.getByRole('alert').allTextContents();
        if (faults.length > 0) throw new Error(faults.join('\n'));
        return page.evaluate(() => window.engineResults.some((value) => typeof value === 'object' && value !== null));
      },
      { timeout: PATIENCE },
    )
    .toBe(true);
}

/** Asks a question in a new chat; gives the answer's tokens, and what is shown of it. */
export async function askPage(page: Page, question: string): Promise<{ ids: number[]; text: string }> {
  const fresh = page.getByRole('button', { name: 'New chat' });
  if (await fresh.isVisible()) await fresh.click();
  await page.evaluate(() => {
    window.engineResults = [];
  });
  const field = page.getByRole('textbox', { name: 'Your message' });
  await field.fill(question);
  await field.press('Enter');
  const answer = page.getByRole('article', { name: 'The model' });
  await expect(answer).toHaveAttribute('aria-busy', 'false', { timeout: PATIENCE });
  const ids = await page.evaluate(() => {
    const given = window.engineResults.at(-1) as { ids: Int32Array };
    return [...given.ids];
  });
  return { ids, text: (await answer.getByRole('paragraph').first().textContent())! };
}

/** The probability of each label, as the page's engine gives them. */
export async function classifyOnPage(page: Page, text: string): Promise<{ label: string; probability: number }[]> {
  await page.evaluate(() => {
    window.engineResults = [];
  });
  const field = page.getByRole('textbox').first();
  await field.fill(text);
  await field.press('Enter');
  await expect.poll(() => page.evaluate(() => window.engineResults.length), { timeout: PATIENCE }).toBeGreaterThan(0);
  return page.evaluate(() => window.engineResults.at(-1) as { label: string; probability: number }[]);
}
