import { readFileSync } from 'node:fs';
import { readZip } from '../../src/formats/zip';
import { axeFindings } from './page';
import { expect, lookAt, openModels, test } from './support/scripted';

const smol = 'HuggingFaceTB/SmolLM2-135M-Instruct';

test('a model can be found, inspected, downloaded with a pause and a retry, opened and listed', async ({
  page,
  scripted,
}) => {
  await openModels(page, scripted, '&failing&holding');
  await page.getByRole('searchbox', { name: 'Name or address' }).fill('smollm2');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await expect(page.getByRole('status').filter({ hasText: '1 model for “smollm2”' })).toBeVisible();
  await page.getByRole('button', { name: smol }).click();
  const dialog = page.getByRole('dialog', { name: smol });
  await expect(dialog.getByRole('link', { name: 'apache-2.0' })).toBeVisible();
  await expect(dialog).toContainText('main at commit 12fd25f7');
  await dialog.getByRole('radio', { name: /q4_k_m\.gguf/ }).check();
  // A GGUF file is already quantised.
  await expect(dialog.getByRole('group', { name: 'Precision on the GPU' })).toBeHidden();
  await dialog.getByRole('radio', { name: /^Safetensors/ }).check();
  await dialog.getByRole('button', { name: 'Download and open, 272 MB' }).click();

  await page.getByRole('button', { name: `Pause the download of ${smol}` }).click();
  await expect(page.getByText(/^Paused, last active/)).toBeVisible();
  await page.getByRole('button', { name: `Resume the download of ${smol}` }).click();
  await expect(page.getByRole('alert')).toContainText('The connection to the Hub was lost.');
  await page.getByRole('button', { name: `Retry the download of ${smol}` }).click();

  await expect(page.getByRole('heading', { name: 'SmolLM2 135M Instruct' })).toBeVisible();
  await page.getByText('Details', { exact: true }).click();
  await expect(page.getByRole('link', { name: smol })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Model', exact: true })).toHaveAccessibleDescription(/SmolLM2 135M/);

  await page.getByRole('button', { name: 'Storage', exact: true }).click();
  const models = page.getByRole('dialog').getByRole('region', { name: 'Models' });
  await expect(models.getByRole('listitem')).toHaveCount(1);
  await page.getByRole('button', { name: 'Keep my data' }).click();
  await expect(page.getByText('The browser keeps this until you delete it.')).toBeVisible();
  await models.getByRole('button', { name: `Delete ${smol}` }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(models).toContainText('None yet.');
});

test('an unfinished download from an earlier visit is listed and can be cancelled', async ({ page, scripted }) => {
  await openModels(page, scripted, '&unfinished');
  await expect(page.getByRole('progressbar', { name: 'Qwen/Qwen3-0.6B downloaded' })).toHaveAttribute(
    'aria-valuenow',
    '30',
  );
  await page.getByRole('button', { name: 'Cancel the download of Qwen/Qwen3-0.6B' }).click();
  await page.getByRole('button', { name: 'Cancel the download', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Downloads' })).toBeHidden();
});

test('a gated model says what to do, and the token unlocks it but is not stored', async ({ page, scripted }) => {
  await openModels(page, scripted);
  await page.getByRole('button', { name: 'Gemma 3 1B' }).click();
  const dialog = page.getByRole('dialog', { name: 'google/gemma-3-1b-it' });
  await expect(dialog).toContainText('This model is gated');
  await expect(dialog.getByRole('button', { name: /^Download and open/ })).toHaveAttribute('aria-disabled', 'true');
  await dialog.getByLabel('Access token').fill('hf_secret');
  await dialog.getByRole('button', { name: 'Use this token' }).click();
  await expect(dialog.getByRole('button', { name: /^Download and open/ })).not.toHaveAttribute('aria-disabled', 'true');
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
  expect(kept).not.toContain('hf_secret');
});

test('an unsupported architecture is refused by name, and the supported ones are listed', async ({
  page,
  scripted,
}) => {
  await openModels(page, scripted);
  await lookAt(page, 'state-spaces/mamba-130m-hf');
  const alert = page.getByRole('dialog').getByRole('alert');
  await expect(alert).toContainText('mamba cannot be opened');
  await expect(alert).toContainText('gemma3_text, gpt2');
  await expect(page.getByRole('button', { name: /^Download/ })).toBeHidden();
});

test('a run that is too big can be made to fit from its card', async ({ page, scripted }) => {
  await openModels(page, scripted);
  await lookAt(page, 'microsoft/Phi-4-mini-instruct');
  await page.getByRole('radio', { name: /^As published/ }).check();
  await page.getByRole('button', { name: /^Download and open/ }).click();
  const card = page.getByRole('complementary', { name: 'Run' });
  await expect(card).toContainText('Too big for this GPU');
  await card.getByRole('button', { name: /^Keep the model in 4-bit/ }).click();
  await expect(card).not.toContainText('Too big for this GPU');
  await page.getByRole('link', { name: 'Recipe', exact: true }).click();
  await expect(page.getByRole('radio', { name: '4-bit (NF4)' })).toBeChecked();
});

test('a model that does not suit the recipe blocks the start in the run card', async ({ page, scripted }) => {
  await openModels(page, scripted);
  await lookAt(page, 'sentence-transformers/all-MiniLM-L6-v2');
  await page.getByRole('button', { name: /^Download and open/ }).click();
  const card = page.getByRole('complementary', { name: 'Run' });
  await expect(card).toContainText('has no language-modelling head');
  await expect(page.getByRole('button', { name: 'Start training' })).toHaveAttribute('aria-disabled', 'true');
  await expect(page.getByRole('heading', { name: 'all MiniLM L6 v2' })).toBeVisible();
});

test('the merged model is saved as a zip, and how it compares is shown', async ({ page, scripted }) => {
  await page.addInitScript(() => Reflect.deleteProperty(window, 'showSaveFilePicker'));
  await page.goto(`${scripted}?history#/compare`);
  await page.getByRole('radio', { name: /^Merged Hugging Face model/ }).check();
  await expect(page.getByText(/^pirate-chat-LoRA.*-merged\.zip$/)).toBeVisible();
  await page.getByRole('radio', { name: /^float16/ }).check();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export merged model' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^pirate-chat-LoRA.*-merged\.zip$/);
  const entries = readZip(new Uint8Array(readFileSync(await file.path())), { where: 'merged.zip', code: 'bad_model' });
  const folder = file.suggestedFilename().replace(/\.zip$/, '');
  expect(entries.map(({ path }) => path)).toEqual([`${folder}/model.safetensors`, `${folder}/README.md`]);
  await expect(page.getByText(/-merged\.zip is saved: /)).toBeVisible();
  await expect(page.getByText(/largest difference of a logit is 2\.1e-6/)).toBeVisible();
  await expect(page.getByText('the same after 301 of 301 tokens', { exact: false })).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('axe finds nothing on the Hub, download and storage screens', async ({ page, scripted }) => {
      await openModels(page, scripted, '&unfinished&failing');
      expect(await axeFindings(page), 'shelf and unfinished download').toEqual([]);
      for (const name of [smol, 'google/gemma-3-1b-it', 'state-spaces/mamba-130m-hf', 'nobody/nothing']) {
        await lookAt(page, name);
        expect(await axeFindings(page), name).toEqual([]);
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toBeHidden();
      }
      await page.getByRole('button', { name: 'Address and token' }).click();
      await expect(page.getByRole('dialog', { name: 'Hugging Face Hub' })).toBeVisible();
      expect(await axeFindings(page), 'settings').toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('searchbox', { name: 'Name or address' }).fill('all');
      await page.keyboard.press('Enter');
      await expect(page.getByRole('status').filter({ hasText: '6 models' })).toBeVisible();
      await lookAt(page, smol);
      await page.getByRole('button', { name: /^Download and open/ }).click();
      await expect(page.getByRole('button', { name: /^Retry/ })).toBeVisible();
      expect(await axeFindings(page), 'failed download').toEqual([]);
      await page.getByRole('button', { name: 'Storage', exact: true }).click();
      await expect(page.getByRole('dialog', { name: 'Storage' }).getByRole('listitem').first()).toBeVisible();
      expect(await axeFindings(page), 'storage').toEqual([]);
    });
  });
}

test.describe('at 400% zoom', () => {
  // 1280 × 1024 at 400%.
  test.use({ viewport: { width: 320, height: 256 } });
  test('nothing needs horizontal scrolling, on the page or in its dialogs', async ({ page, scripted }) => {
    await openModels(page, scripted, '&unfinished');
    // Boxes whose contents overflow, or that extend beyond the window.
    const over = () =>
      page.evaluate(() => {
        const boxes = [document.documentElement, ...document.querySelectorAll('[role=dialog], [role=dialog] *')];
        const wide = (box: Element) => box.clientWidth > 1 && box.scrollWidth > box.clientWidth + 1;
        const beyond = (box: Element) => box.getBoundingClientRect().right > window.innerWidth + 1;
        return boxes.filter((box) => wide(box) || beyond(box)).map((box) => box.outerHTML.slice(0, 200));
      });
    expect(await over()).toEqual([]);
    for (const name of [smol, 'google/gemma-3-1b-it', 'state-spaces/mamba-130m-hf']) {
      await lookAt(page, name);
      expect(await over(), name).toEqual([]);
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toBeHidden();
    }
  });
});

test('a model can be found, inspected and downloaded with the keyboard alone', async ({ page, scripted }) => {
  await openModels(page, scripted, '&holding');
  await page.getByRole('searchbox', { name: 'Name or address' }).focus();
  await page.keyboard.type('qwen3');
  await page.keyboard.press('Enter');
  const result = page.getByRole('button', { name: 'Qwen/Qwen3-0.6B' });
  await expect(result).toBeVisible();
  for (let i = 0; i < 5 && !(await result.evaluate((element) => element === document.activeElement)); i++) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await expect(page.getByRole('radio', { name: /^As published/ })).toBeChecked();
  await page.getByRole('radio', { name: /^As published/ }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('radio', { name: /^8-bit/ })).toBeChecked();
  const fetch = page.getByRole('button', { name: /^Download and open/ });
  for (let i = 0; i < 5 && !(await fetch.evaluate((element) => element === document.activeElement)); i++) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Pause the download of Qwen/Qwen3-0.6B' })).toBeVisible();
});
