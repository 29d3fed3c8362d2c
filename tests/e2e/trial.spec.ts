/** The plan on the run card, the test drive and the rate finder, as screens. */
import { axeFindings, chat, expectReady, keepRecipe } from './page';
import { expect, openModels, test } from './support/scripted';

test('a test drive is ticks with plain words, what it offers is one press, and a changed recipe makes it old', async ({
  page,
  scripted,
}) => {
  // Two rows at a time, so that there are larger batches to offer.
  const training = { ...chat.training, per_device_train_batch_size: 2, gradient_accumulation_steps: 4 };
  await keepRecipe(page, { ...chat, training });
  // A drive without an end, until it is cancelled.
  await openModels(page, scripted, '&stepMs=600000');
  const card = page.getByRole('complementary', { name: 'Run' });
  const plan = card.getByRole('group', { name: 'Plan' });
  await expect(plan).toContainText('time not measured yet');
  await card.getByRole('button', { name: 'Test drive' }).click();
  await expect(card.getByRole('progressbar', { name: 'Test drive in progress' })).toBeVisible();
  await card.getByRole('button', { name: 'Cancel' }).click();
  await expect(card.getByRole('button', { name: 'Test drive' })).toBeVisible();
  await expect(card.getByRole('list', { name: 'What the test drive found' })).toBeHidden();

  await openModels(page, scripted, '&stepMs=20');
  await card.getByRole('button', { name: 'Test drive' }).click();
  const found = card.getByRole('list', { name: 'What the test drive found' });
  await expect(found).toContainText('A step takes 0.21 s: about');
  await expect(found).toContainText('on the first batch the loss went from 2.610 to 2.480');
  await expect(found.getByRole('img', { name: 'Look at this' })).toHaveCount(1);
  await expect(found).toContainText('3 of 225 examples are cut before the end of their answer.');
  // The plan's time is measured now.
  await expect(plan).toContainText(/; about \d+ s;/);
  expect(await axeFindings(page)).toEqual([]);
  await found.getByRole('button', { name: 'Use batch size 4, accumulation 2' }).click();
  await expect(card).toContainText('The recipe has changed since the last test drive.');
});

test('the rate finder draws the loss over the rate, marks its suggestion and sets it', async ({ page, scripted }) => {
  await page.goto(`${scripted}?stepMs=5#/recipe`);
  await expectReady(page);
  await page.getByRole('button', { name: 'Find a learning rate' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Find a learning rate' });
  await expect(dialog).toContainText('Nothing measured yet.');
  await dialog.getByRole('button', { name: 'Start the test' }).click();
  const use = dialog.getByRole('button', { name: /^Use / });
  await expect(use).toBeVisible();
  await expect(dialog.getByRole('status')).toContainText('A tenth of');
  const cursor = dialog.getByRole('figure', { name: 'Loss by learning rate' }).getByRole('slider');
  await cursor.press('Home');
  await expect(cursor).toHaveAttribute('aria-valuetext', /^Rate 1e-6, .*Smoothed \d/);
  expect(await axeFindings(page)).toEqual([]);
  const rate = /^Use (.+)$/.exec((await use.textContent()) ?? '')![1]!;
  await use.click();
  await expect(dialog).toBeHidden();
  const kept = await page.evaluate(() => localStorage.getItem('tabtune.recipe'));
  expect(JSON.parse(kept!).state.input.training.learning_rate).toBe(Number(rate));
});
