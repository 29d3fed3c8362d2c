/** The part on kernels of the device page, over a scripted engine. */
import { axeFindings } from './page';
import { expect, openModels, test } from './support/scripted';

test('a card on which nothing was timed yet says when that will be', async ({ page, scripted }) => {
  await openModels(page, scripted);
  await expect(page.getByRole('heading', { name: 'Kernels' })).toBeVisible();
  await expect(page.getByText('The first run on this card takes about a second')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Measure again' })).toBeHidden();
});

test('what was timed is shown, measured again, and left unused', async ({ page, scripted }) => {
  await openModels(page, scripted, '&timed');
  await expect(page.getByText('1 of 4 kinds of products have a kernel that is at least 5 % faster')).toBeVisible();
  await expect(page.getByText(/^Timed .+, by the clock of the GPU, and kept until you measure again\.$/)).toBeVisible();
  await page.getByText('Show the 4 kinds of products').click();
  const row = page.getByRole('row', { name: /^dy·W/ });
  await expect(row).toHaveText('dy·W 1,024 × 576, sums of 3,072, bf16, with 2 dyᵀ·xregister0.151 mstile 0.203 ms−26 %');
  await expect(page.getByRole('row', { name: /49,152/ })).toContainText('not timed');
  expect(await axeFindings(page)).toEqual([]);

  await page.getByRole('button', { name: 'Measure again' }).click();
  await expect(page.getByRole('progressbar', { name: 'Progress of timing' })).toBeVisible();
  // The registers take a third longer now.
  await expect(page.getByText('0 of 4 kinds of products')).toBeVisible();
  await expect(row).toContainText('tile0.203 ms');

  await page.getByRole('button', { name: 'Use the default' }).click();
  await expect(page.getByText('The default kernels are used for every product.')).toBeVisible();
  await page.getByRole('button', { name: 'Use what was timed' }).click();
  await expect(page.getByText('0 of 4 kinds of products')).toBeVisible();
});

test('timing is cancelled, and what is kept stays', async ({ page, scripted }) => {
  await openModels(page, scripted, '&timed&stepMs=1000');
  await page.getByRole('button', { name: 'Measure again' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('button', { name: 'Measure again' })).toBeVisible();
  await expect(page.getByText('1 of 4 kinds of products')).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('kernels that the address asks for, and a software renderer, are said instead', async ({ page, scripted }) => {
  await openModels(page, scripted, '&timed&kernels=tile');
  await expect(page.getByText('The address asks for the tile kernels (?kernels=tile)')).toBeVisible();
  await openModels(page, scripted, '&timed&device=software');
  await expect(page.getByText('Nothing is timed on a software renderer.')).toBeVisible();
});

test('the benchmark’s page shows them too', async ({ page, scripted }) => {
  await page.goto(`${scripted}?timed#/device/benchmark`);
  await expect(page.getByText('1 of 4 kinds of products')).toBeVisible();
});
