/** The loop of a preference: two answers, a vote by keyboard, training on the votes, and the result beside the base. */
import { readFileSync } from 'node:fs';
import { expect as expectReal, test as real } from '@playwright/test';
import { axeFindings, chat, keepRecipe } from './page';
import { expect, test } from './support/scripted';
import { PATIENCE } from './support/studio';

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`over a scripted engine, ${colorScheme}`, () => {
    test.use({ colorScheme });

    test('votes are listed with who wrote what, changed, and taken back', async ({ page, scripted }) => {
      await keepRecipe(page, chat);
      await page.goto(`${scripted}?history#/compare`);
      await page.getByRole('button', { name: 'Start voting' }).click();
      const ballot = page.getByRole('group', { name: /^Two answers/ });
      const left = ballot.getByRole('article', { name: 'Left answer' });
      const seen: string[] = [];
      for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) {
        await expect(left).toBeVisible();
        seen.push((await left.textContent())!);
        await page.keyboard.press(key);
      }
      expect(await axeFindings(page)).toEqual([]);
      await page.getByText('Show 4 votes: 2 decided, 2 ties').click();
      const list = page.getByRole('region', { name: 'Your votes' });
      await expect(list.getByRole('row')).toHaveCount(5);
      await expect(list.getByLabel('Vote 3', { exact: true })).toHaveValue('both_good');
      await list.getByLabel('Vote 3', { exact: true }).selectOption('a');
      await expect(page.getByText('Show 4 votes: 3 decided, 1 tie')).toBeVisible();
      await list.getByRole('button', { name: 'Remove vote 4' }).click();
      await ballot.getByRole('button', { name: 'Undo the last vote' }).click();
      await expect(page.getByText('Show 2 votes: 2 decided')).toBeVisible();
      await page.getByRole('button', { name: 'Stop voting' }).click();
      await expect(ballot).toBeHidden();
    });
  });
}

real('six votes by keyboard, exported as TRL reads them, trained on, and compared', async ({ page }) => {
  real.setTimeout(4 * PATIENCE);
  await keepRecipe(page, {
    version: 1,
    dataset: { source: 'builtin:pirate' },
    method: { type: 'lora', r: 4 },
  });
  await page.goto('/#/compare');
  // At this temperature the built-in model answers in more than one way.
  const temperatures = page.getByRole('slider', { name: /^Temperature, / });
  await expectReal(temperatures).toHaveCount(2);
  for (const slider of await temperatures.all()) await slider.fill('1.2');
  const begin = page.getByRole('button', { name: 'Start voting' });
  await expectReal(begin).not.toHaveAttribute('aria-disabled', 'true', { timeout: PATIENCE });
  await begin.click();
  const ballot = page.getByRole('group', { name: /^Two answers/ });
  const left = ballot.getByRole('article', { name: 'Left answer' });
  const chosen: string[] = [];
  for (let i = 0; i < 6; i++) {
    await expectReal(left).toBeVisible({ timeout: PATIENCE });
    chosen.push((await left.getByRole('paragraph').textContent())!);
    await page.keyboard.press('ArrowLeft');
  }
  await page.getByRole('button', { name: 'Stop voting' }).click();

  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export pairs (JSONL)' }).click();
  const file = await download;
  const pairs = readFileSync(await file.path(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expectReal(pairs.map(({ chosen: [{ content }] }) => content || '(empty answer)')).toEqual(chosen);
  for (const pair of pairs) {
    expectReal(pair.prompt).toEqual([{ role: 'user', content: expectReal.any(String) }]);
    expectReal(pair.chosen).toEqual([{ role: 'assistant', content: expectReal.any(String) }]);
    expectReal(pair.rejected[0].content).not.toBe(pair.chosen[0].content);
  }

  await page.getByRole('button', { name: 'Train on 6 pairs' }).click();
  const compare = page.getByRole('button', { name: 'Compare base and tuned' });
  await expectReal(compare).toBeVisible({ timeout: 2 * PATIENCE });
  // What it learned from, and that it did.
  await expectReal(page.getByRole('figure', { name: 'Reward margin' })).toBeVisible();
  await compare.click();
  const tuned = page.getByRole('article', { name: 'Tuned' }).getByRole('paragraph').last();
  await page.getByLabel('Prompt', { exact: true }).fill(pairs[0].prompt[0].content);
  await page.getByRole('button', { name: 'Ask both' }).click();
  await expectReal(tuned).toHaveText(/\w{2}/, { timeout: PATIENCE });
  // The votes are still there, and so is the dataset that they became.
  await expectReal(page.getByText('Show 6 votes: 6 decided')).toBeVisible();
  await page.goto('/#/data');
  await expectReal(page.getByText('My votes.jsonl').first()).toBeVisible();
});
