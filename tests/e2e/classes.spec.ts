/** Classes typed by hand: examples, training and trying on one page. */
import { expect, test } from '@playwright/test';
import { axeFindings, expectReady } from './page';
import { PATIENCE } from './support/studio';

const examples = {
  Weather: ['it rains today', 'the sun is warm', 'snow fell all night', 'a cold wind blows', 'the sky is grey and wet'],
  Food: ['I eat an apple', 'the soup is hot', 'bread and cheese', 'we cook rice for dinner', 'the cake tastes sweet'],
};

test('two classes are typed, learned and tried on one page, and survive a reload', async ({ page }) => {
  test.setTimeout(4 * PATIENCE);
  await page.goto('/#/data');
  await expectReady(page);
  await page.getByRole('button', { name: 'Type classes' }).click();
  const train = page.getByRole('button', { name: 'Train on these classes' });
  await expect(train).toHaveAttribute('aria-disabled', 'true');
  for (const [i, [name, texts]] of Object.entries(examples).entries()) {
    await page.getByRole('textbox', { name: `Name of class ${i + 1}` }).fill(name);
    const field = page.getByRole('textbox', { name: `New examples of ${name}` });
    await field.fill(texts.join('\n'));
    await field.press('Enter');
    await expect(page.getByRole('list', { name }).getByRole('listitem')).toHaveCount(texts.length);
  }
  expect(await axeFindings(page)).toEqual([]);

  await page.getByRole('button', { name: 'Remove Food' }).click();
  await expect(page.getByRole('list', { name: 'Food' })).toBeHidden();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByRole('list', { name: 'Food' }).getByRole('listitem')).toHaveCount(5);

  // At once: what is not in the dataset yet is kept beside it.
  await page.reload();
  for (const name of Object.keys(examples)) {
    await expect(page.getByRole('list', { name }).getByRole('listitem')).toHaveCount(5);
  }

  await train.click();
  const typed = page.getByRole('textbox', { name: 'Text to sort' });
  await expect(page.getByRole('button', { name: 'Train again' })).toBeVisible({ timeout: 2 * PATIENCE });
  const bars = page.getByRole('list', { name: 'Probabilities' }).getByRole('listitem');
  // Of the examples themselves: what a model of this size makes of new texts is another matter.
  await typed.fill('snow fell all night');
  await expect(bars.first()).toHaveText(/^Weather\s*(9\d|100)/);
  await typed.fill('the cake tastes sweet');
  await expect(bars.first()).toHaveText(/^Weather\s*(< )?\d(\.\d)? ?%/);
  await expect(bars.nth(1)).toHaveText(/^Food\s*(9\d|100)/);

  await page.getByRole('textbox', { name: 'New examples of Food' }).fill('a ripe pear');
  await page.getByRole('textbox', { name: 'New examples of Food' }).press('Enter');
  await expect(page.getByText('The examples have changed since this was trained.')).toBeVisible();
});
