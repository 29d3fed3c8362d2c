/** Compare: several models side by side, on prompts that none has learned from, and what is measured of them. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { axeFindings, chat, keepRecipe } from './page';
import { expect, test } from './support/scripted';
import { expectFinished, openStudio, PATIENCE, STEPS, start, storedLosses, tiny } from './support/studio';

const article = (page: Page, name: string | RegExp) => page.getByRole('article', { name });
const heldOut = (page: Page) => page.getByRole('list', { name: 'Prompts from the data' }).getByRole('button');

test.describe('over a scripted engine', () => {
  test.beforeEach(({ page }) => keepRecipe(page, chat));

  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe(colorScheme, () => {
      test.use({ colorScheme });

      test('base, two runs and the base with examples answer a held-out prompt together', async ({
        page,
        scripted,
      }) => {
        await page.goto(`${scripted}?history#/compare`);
        await expect(article(page, 'Tuned')).toBeVisible();
        await expect(page.getByText(/no column has been trained on: held out of pirate-chat\.jsonl/)).toBeVisible();
        await page.getByLabel('Add a column').selectOption({ index: 1 });
        await expect(page.getByRole('article')).toHaveCount(3);
        await page.getByLabel('Base with examples in its prompt').selectOption({ label: '1 example' });
        await expect(article(page, 'Base with 1 example')).toBeVisible();
        await heldOut(page).getByText('What is a whale?').click();
        await expect(page.getByText('Held out, not trained on')).toBeVisible();
        await expect(page.getByRole('button', { name: 'Ask all 4' })).toBeVisible();
        for (const one of await page.getByRole('article').all()) {
          await expect(one.getByRole('paragraph')).toHaveText(/\w{3}/);
          await expect(one.getByText(/^ROUGE-L|^Same as in the data/)).toBeVisible();
        }
        await expect(article(page, 'Base with 1 example').getByText(/One example and the prompt/)).toBeVisible();
        // There is one strength, whatever the columns.
        await page.getByText('Generation settings').click();
        await expect(page.getByRole('slider', { name: /strength/i })).toHaveCount(1);
        await expect(page.getByRole('spinbutton', { name: /strength/i })).toHaveCount(0);

        // What was trained on is shown on request, and labelled.
        await page.getByLabel('Show prompts that were trained on').check();
        await page
          .getByRole('list', { name: /^Trained on/ })
          .getByRole('button')
          .first()
          .click();
        await expect(page.getByText('Trained on', { exact: true })).toBeVisible();
        expect(await axeFindings(page)).toEqual([]);
      });

      test('what is measured is shown before and after, and its examples can be asked', async ({ page, scripted }) => {
        await page.goto(`${scripted}?history#/compare`);
        await page.getByRole('button', { name: 'Measure: Held-out examples' }).click();
        const metrics = page.getByRole('region', { name: 'Held-out examples' });
        await expect(metrics.getByRole('row', { name: /^Loss/ })).toContainText('3.1001.620');
        const examples = page.getByRole('region', { name: 'Loss of each example' });
        await expect(examples.getByRole('row')).toHaveCount(3);
        await examples
          .getByRole('button', { name: /^Ask row/ })
          .first()
          .click();
        await expect(page.getByText('Held out, not trained on')).toBeVisible();
        // Measured by itself once nothing else is going on.
        await expect(page.getByText(/The loss on base text went from 1\.840 to 2\.060/)).toBeVisible();
        await page.getByRole('button', { name: 'Measure: Change per layer' }).click();
        const layers = page.getByRole('figure', { name: 'Change per layer' });
        await expect(layers.getByRole('listitem')).toHaveCount(6);
        await page.getByText('Every module as a table').click();
        await expect(page.getByRole('rowheader', { name: 'model.layers.5.mlp.down_proj.weight' })).toBeVisible();
        expect(await axeFindings(page)).toEqual([]);
      });
    });
  }

  test('a set of prompts is written, answered, changed, exported, deleted and imported', async ({ page, scripted }) => {
    await page.goto(`${scripted}?history#/compare`);
    await page.getByRole('button', { name: 'New set' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Mine');
    await dialog.getByLabel(/^Prompts/).fill('What is a whale? => A large fish\nHow do I bake bread?');
    expect(await axeFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Ask 2 prompts' }).click();
    const table = page.getByRole('region', { name: 'Answers to the set' });
    await expect(table.getByRole('row')).toHaveCount(4);
    await expect(table.getByRole('row', { name: /^Mean of 1/ })).toContainText('ROUGE-L');
    await page.getByRole('button', { name: 'Edit' }).click();
    await dialog.getByLabel('Name').fill('Ours');
    await dialog.getByLabel(/^Prompts/).fill('{oops');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(dialog.getByRole('alert')).toContainText('not JSON');
    await dialog.getByLabel(/^Prompts/).fill('What is a whale?');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByRole('combobox', { name: /^Set/ })).toHaveValue('Ours');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export JSONL' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe('Ours.jsonl');
    expect(readFileSync(await file.path(), 'utf8')).toBe('{"prompt":"What is a whale?"}\n');
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByRole('combobox', { name: /^Set/ })).toHaveValue('');
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Import JSONL' }).click();
    await (await chooser).setFiles(await file.path());
    await expect(page.getByRole('button', { name: 'Ask 1 prompt' })).toBeVisible();
  });

  test('an address names the runs to compare, and says when they are not here', async ({ page, scripted }) => {
    await page.goto(`${scripted}?history#/compare/run-2,run-1`);
    await expect(page.getByRole('article')).toHaveCount(3);
    await expect(page.getByLabel('Model of column 2')).toHaveValue('run:run-2');
    await expect(page.getByLabel('Model of column 3')).toHaveValue('run:run-1');
    await page
      .getByRole('button', { name: /^Remove the column/ })
      .last()
      .click();
    await expect(page.getByRole('article')).toHaveCount(2);
    await page.goto(`${scripted}?history#/compare/run-99`);
    await expect(page.getByRole('alert')).toContainText('not stored in this browser');
  });
});

test('after a run the held-out loss is the run’s own, and base and tuned answer what it has not learned', async ({
  page,
}) => {
  await openStudio(page, { ...tiny, dataset: { ...tiny.dataset, validation_split: 0.02 } });
  await start(page);
  await expectFinished(page, STEPS);
  const [before, best] = await storedLosses(page);
  await page.getByRole('link', { name: 'Compare & Export' }).click();
  await page.getByRole('button', { name: 'Measure: Held-out examples' }).click();
  const loss = page.getByRole('region', { name: 'Held-out examples' }).getByRole('row', { name: /^Loss/ });
  // The base first, which is where the run began.
  await expect(loss.getByRole('cell').nth(1)).toHaveText(best.toFixed(3), { timeout: PATIENCE });
  await expect(loss.getByRole('cell').nth(0)).toHaveText(before.toFixed(3));
  await heldOut(page).first().click();
  await expect(page.getByText('Held out, not trained on')).toBeVisible({ timeout: PATIENCE });
  await expect(page.getByRole('button', { name: 'Ask both' })).toBeVisible({ timeout: PATIENCE });
  const said = (name: string) => article(page, name).getByRole('paragraph');
  for (const name of ['Base', 'Tuned']) await expect(said(name)).toHaveText(/\w{3}/);
  const [base, tuned] = [await said('Base').textContent(), await said('Tuned').textContent()];

  // Held beside the model instead of being on it, the run's checkpoint says the same.
  await page.getByRole('radio', { name: /^None/ }).check();
  await expect(page.getByRole('button', { name: 'Export adapter' })).toHaveAttribute('aria-disabled', 'true');
  await page.getByRole('combobox', { name: /^Add a column/ }).selectOption({ index: 1 });
  await heldOut(page).first().click();
  await expect(page.getByRole('button', { name: 'Ask both' })).toBeVisible({ timeout: PATIENCE });
  await expect(said('Tuned')).toHaveText(tuned!, { timeout: PATIENCE });
  await expect(said('Base')).toHaveText(base!);
});
