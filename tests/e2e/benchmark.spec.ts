/** The benchmark's page, from its link to the copied line, in the built app. */
import { expect, type Page, test } from '@playwright/test';
import { readResult } from '../../src/benchmark/result';
import { axeFindings } from './page';

async function open(page: Page) {
  await page.goto('/');
  await page.getByRole('button', { name: 'Measure this device' }).click();
  await expect(page.getByRole('heading', { name: 'Benchmark' })).toBeVisible();
}

test('measures this device, and gives one line that is valid', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const asked: string[] = [];
  await open(page);
  // From here on nothing but the app's own scripts is asked for.
  page.on('request', (request) => asked.push(request.url()));
  await page.getByRole('button', { name: 'Start the benchmark' }).click();
  await expect(page.getByRole('progressbar', { name: 'Progress of the benchmark' })).toBeVisible();
  expect(await axeFindings(page), 'while measuring').toEqual([]);
  await expect(page.getByText('The results are right')).toBeVisible({ timeout: 9 * 60_000 });
  expect(await axeFindings(page), 'results').toEqual([]);

  await page.getByRole('button', { name: 'Copy result' }).click();
  await expect(page.getByText('Copied: one line of JSON')).toBeVisible();
  const line = await page.evaluate(() => navigator.clipboard.readText());
  const result = readResult(line);
  expect(result.reduced).toBe(true);
  expect(result.adapter.software).toBe(true);
  expect(result.fingerprint.agrees).toBe(true);
  expect(result.steps.length + result.left_out.length).toBeGreaterThanOrEqual(6);
  console.log(`The benchmark took ${result.seconds} s here.`);
  expect(asked.filter((url) => new URL(url).origin !== new URL(page.url()).origin)).toEqual([]);
});

test('is cancelled at once, and begins anew', async ({ page }) => {
  await page.goto('/#/device/benchmark');
  await page.getByRole('button', { name: 'Start the benchmark' }).click();
  await expect(page.getByText(/^(What the card can do|Matrix products)/).first()).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('button', { name: 'Start the benchmark' })).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
  await page.getByRole('button', { name: 'Start the benchmark' }).click();
  await expect(page.getByText(/^What the card can do/).first()).toBeVisible();
});
