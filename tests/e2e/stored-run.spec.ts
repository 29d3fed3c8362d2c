/**
 * A run that an older version of Tabtune stored in the browser opens and resumes, and ends like an uninterrupted one of this version, up to
 * the last digits: kernels add in another order than they did then. That a run of one version resumes to the byte, resume.spec.ts says.
 * tests/fixtures/stored-run/make.mjs made the database.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, type Page, test } from '@playwright/test';
import type { RecipeInput } from '../../src/recipe/types';
import { DATABASE, VERSION } from '../../src/storage/database';
import {
  expectFinished,
  expectReady,
  exportedWeights,
  openStudio,
  PATIENCE,
  resumeButton,
  start,
} from './support/studio';

interface Stored {
  recipe: RecipeInput;
  /** Store -> keys and values; bytes are in base64. */
  stores: Record<string, [IDBValidKey, unknown][]>;
}

const file = new URL('../fixtures/stored-run/database.json.gz', import.meta.url);
const stored = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Stored;

/** Fills this browser's database before the app opens it. */
async function restore(page: Page): Promise<void> {
  // A file of the same origin that runs no script.
  await page.goto('/models/index.json');
  await page.evaluate(
    async ({ name, version, json }) => {
      const stores = JSON.parse(json) as Record<string, [IDBValidKey, unknown][]>;
      const bytes = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const alive = (value: unknown): unknown => {
        if (Array.isArray(value)) return value.map(alive);
        if (typeof value !== 'object' || value === null) return value;
        const { $bytes, $type } = value as { $bytes?: string; $type?: string };
        if ($bytes === undefined)
          return Object.fromEntries(Object.entries(value).map(([k, child]) => [k, alive(child)]));
        const { buffer } = bytes($bytes);
        if ($type === 'ArrayBuffer') return buffer;
        const Type = (globalThis as unknown as Record<string, new (b: ArrayBuffer) => unknown>)[$type!]!;
        return new Type(buffer);
      };
      const request = indexedDB.open(name, version);
      request.onupgradeneeded = () => {
        for (const store of Object.keys(stores)) request.result.createObjectStore(store);
      };
      await new Promise((resolve, reject) => {
        request.onsuccess = resolve;
        request.onerror = () => reject(request.error);
      });
      const transaction = request.result.transaction(Object.keys(stores), 'readwrite');
      for (const [store, rows] of Object.entries(stores)) {
        for (const [key, value] of rows) transaction.objectStore(store).put(alive(value), key);
      }
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onerror = () => reject(transaction.error);
      });
      request.result.close();
    },
    { name: DATABASE, version: VERSION, json: JSON.stringify(stored.stores) },
  );
}

/** Names and shapes as they stand in a safetensors file, and all values in a row. */
function contents(file: Buffer): { header: string; values: Float32Array } {
  const end = 8 + Number(file.readBigUInt64LE(0));
  return {
    header: file.toString('utf8', 8, end),
    values: new Float32Array(Uint8Array.from(file.subarray(end)).buffer),
  };
}

const size = (values: Float32Array) => Math.hypot(...values);

/** Of the whole; 2e-6 was measured. A step of Adam at 2e-3 moves A, whose values are up to 0.07, by some hundredths of its size. */
const LAST_DIGITS = 1e-4;

test('a run stored by an older version opens, resumes and ends like an uninterrupted one', async ({ page, browser }, {
  project,
}) => {
  test.setTimeout(3 * PATIENCE);
  const fresh = await browser.newPage({ baseURL: project.use.baseURL });
  await openStudio(fresh, stored.recipe);
  await start(fresh);
  await expectFinished(fresh);
  const undisturbed = await exportedWeights(fresh);
  await fresh.close();

  await restore(page);
  await openStudio(page, stored.recipe);
  await expect(page.getByText('“stored” stopped at step 4 of 8')).toBeVisible();
  await expectReady(page);
  await resumeButton(page).click();
  await expectFinished(page);
  const [resumed, whole] = [contents(await exportedWeights(page)), contents(undisturbed)];
  expect(resumed.header).toBe(whole.header);
  const apart = size(resumed.values.map((value, i) => value - whole.values[i]!)) / size(whole.values);
  console.log(`The two adapters are ${apart.toExponential(2)} apart.`);
  expect(apart).toBeLessThan(LAST_DIGITS);
});
