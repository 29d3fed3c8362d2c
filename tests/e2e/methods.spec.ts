/** Methods and objectives on the screens: which work together, their fields, and a classifier's metrics and labels. */
import type { Page } from '@playwright/test';
import { axeFindings, chat, expectReady, keepRecipe } from './page';
import { expect, test } from './support/scripted';

const start = (page: Page) => page.getByRole('button', { name: 'Start training' });

test('a goal and a method are chosen with cards, and incompatible ones say why', async ({ page, scripted }) => {
  await keepRecipe(page, chat);
  await page.goto(`${scripted}#/recipe`);
  await expectReady(page);
  const card = (name: string) => page.getByRole('button', { name, exact: true });
  await expect(card('Answer like my examples')).toHaveAttribute('aria-pressed', 'true');
  await expect(card('LoRA')).toHaveAttribute('aria-pressed', 'true');
  // Learning answers does not need a classification head.
  await expect(card('Head only')).toHaveAttribute('aria-disabled', 'true');
  await expect(card('Head only')).toHaveAccessibleDescription(/Trains only a classifier’s head/);
  await card('Sort texts into classes').click();
  await card('Head only').click();
  await expect(page.getByRole('link', { name: 'Recipe', exact: true })).toHaveAccessibleDescription(/Head only/);
  // The goal takes precedence: a method that does not work with it is replaced.
  await card('Answer like my examples').click();
  await expect(card('LoRA')).toHaveAttribute('aria-pressed', 'true');

  await card('Prefix tuning').click();
  await expect(page.getByText('Normal: 50 virtual tokens, learning rate')).toBeVisible();
  await page.getByText('Advanced', { exact: true }).click();
  await expect(page.getByLabel('num_virtual_tokens')).toHaveValue('50');
  await expect(page.getByLabel('lora_alpha')).toBeHidden();
  await page.getByLabel('num_virtual_tokens').fill('12');
  await page.getByRole('radio', { name: 'Fields and JSON' }).check({ force: true });
  await expect(page.getByRole('textbox', { name: 'Recipe as JSON' })).toHaveValue(/"num_virtual_tokens": 12/);
  await page.getByRole('radio', { name: 'Fields', exact: true }).check({ force: true });
  // A field that has no effect here can still be found by its name.
  await page.getByRole('searchbox', { name: 'Find a field' }).fill('momentum');
  await expect(page.getByText('Momentum: only with sgd.')).toBeVisible();
  await page.getByRole('searchbox', { name: 'Find a field' }).fill('optim');
  await page.getByRole('combobox', { name: 'optim' }).selectOption('sgd');
  await page.getByRole('searchbox', { name: 'Find a field' }).fill('momentum');
  await expect(page.getByLabel('sgd_momentum')).toHaveValue('0.9');
});

test('a classifier shows its metrics per class, and labels a text before and after training', async ({
  page,
  scripted,
}) => {
  await page.goto(`${scripted}?stepMs=5#/recipe`);
  await expectReady(page);
  await start(page).click();
  await expect(page.getByRole('button', { name: 'Compare with the base' })).toBeVisible();
  await expect(page.getByRole('figure', { name: 'Evaluation metrics' })).toBeVisible();
  const classes = page.getByRole('region', { name: 'Precision, recall and F1 of each class' });
  await expect(classes.getByRole('row', { name: /^complaint/ })).toContainText('%');
  const matrix = page.getByRole('region', { name: 'Confusion matrix' });
  await expect(matrix.getByRole('row')).toHaveCount(4);
  await page.getByRole('combobox', { name: /^Evaluation/ }).selectOption({ label: 'before training' });
  await expect(classes.getByRole('row', { name: /^complaint/ })).toContainText('33 %');
  expect(await axeFindings(page)).toEqual([]);

  await page.getByRole('button', { name: 'Compare with the base' }).click();
  await page.getByRole('textbox', { name: 'Text' }).fill('The lamp I bought last week is broken.');
  await page.getByRole('button', { name: 'Ask both' }).click();
  const tuned = page.getByRole('article', { name: 'Tuned' });
  await expect(tuned.getByRole('listitem').first()).toHaveText(/^complaint9\d %$/);
  await expect(page.getByRole('article', { name: 'Base' }).getByRole('listitem')).toHaveCount(3);
  // A classifier has no temperature.
  await expect(page.getByText('Generation settings')).toBeHidden();
  await expect(page.getByRole('button', { name: 'Export adapter' })).toBeEnabled();
  expect(await axeFindings(page)).toEqual([]);

  const adapters = page.getByRole('group', { name: 'Active adapter' });
  await expect(adapters.getByRole('radio')).toHaveCount(2);
  await adapters.getByRole('radio', { name: /^None/ }).check();
  await expect(page.getByRole('textbox', { name: 'Prompt' })).toBeVisible();
  await adapters.getByRole('radio', { name: /^feedback/ }).check();
  await expect(page.getByRole('textbox', { name: 'Text' })).toBeVisible();
  await adapters.getByRole('button', { name: /^Remove feedback/ }).click();
  await expect(page.getByText('No adapter yet.')).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'Load the adapter of a run' })).toBeVisible();
});

test('a method that trains the model itself exports a model', async ({ page, scripted }) => {
  await page.goto(`${scripted}?stepMs=5#/recipe`);
  await expectReady(page);
  await page.getByRole('button', { name: 'Full fine-tuning' }).click();
  await page.getByRole('link', { name: 'Compare & Export' }).click();
  await expect(page.getByRole('button', { name: 'Export model' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Export adapter' })).toBeHidden();
  await page.getByRole('link', { name: 'Recipe', exact: true }).click();
  await page.getByRole('button', { name: 'Bottleneck adapters' }).click();
  await page.getByRole('link', { name: 'Compare & Export' }).click();
  await expect(page.getByText('An AdapterHub adapter')).toBeVisible();
  await page.getByRole('radio', { name: /^Merged Hugging Face model/ }).check();
  await expect(page.getByText('Not possible with this run.')).toBeVisible();
  await expect(page.getByText('there is nothing to merge')).toBeVisible();
});
