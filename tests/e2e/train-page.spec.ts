/** The Train page while a run goes on and afterwards, over a scripted engine. */
import type { Page } from '@playwright/test';
import { expectReady } from './page';
import { expect, test } from './support/scripted';

const progress = (page: Page) => page.getByRole('status', { name: 'Progress' });
const cursor = (page: Page) => page.getByRole('slider', { name: 'Training loss, step by step' });
const samples = (page: Page) => page.getByRole('log', { name: 'Sample answers' });

/** Starts a run of the chat, which has sample answers, and gives the title that the tab had before. */
async function train(page: Page, address: string, stepMs: number, training = {}): Promise<string> {
  await page.addInitScript((training) => {
    const input = { version: 1, dataset: { source: 'builtin:pirate-chat' }, training };
    localStorage.setItem('tabtune.recipe', JSON.stringify({ state: { input }, version: 1 }));
  }, training);
  await page.goto(`${address}?stepMs=${stepMs}`);
  await expectReady(page);
  const title = await page.title();
  await page.getByRole('button', { name: 'Start training' }).click();
  return title;
}

async function trained(page: Page, address: string): Promise<void> {
  await train(page, address, 1);
  await expect(progress(page)).toHaveText(/^Training finished after/);
}

test('the title of the tab follows the run, says how it ended, and goes back when somebody is there', async ({
  page,
  scripted,
}) => {
  const usual = await train(page, scripted, 30);
  await expect(page).toHaveTitle(/^[1-9]\d? % · Tabtune$/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page).toHaveTitle(/^Paused at \d+ % · Tabtune$/);
  await page.getByRole('button', { name: 'Resume', exact: true }).click();
  await expect(page).toHaveTitle(/^Done · pirate-chat.* · Tabtune$/);
  await page.keyboard.press('Shift');
  await expect(page).toHaveTitle(usual);
});

test('a run with 16-bit products says by how much they change its first batch', async ({ page, scripted }) => {
  await train(page, scripted, 1, { fp16: true, max_steps: 2 });
  await expect(progress(page)).toHaveText(/^Training finished after/);
  // The script's figures.
  await expect(page.getByText('logits differ by 0.012, the loss by 0.00021')).toBeVisible();
});

test('sample answers follow the cursor of a chart, by mouse and by keyboard', async ({ page, scripted }) => {
  await trained(page, scripted);
  const shown = samples(page).getByRole('heading');
  const all = await shown.count();
  expect(all).toBeGreaterThan(2);
  const height = await samples(page).evaluate((element) => element.clientHeight);
  await cursor(page).focus();
  await page.keyboard.press('End');
  for (let i = 0; i < 3; i++) await page.keyboard.press('PageDown');
  const at = Number(await cursor(page).getAttribute('aria-valuenow'));
  // Evaluated every 20 steps.
  await expect(shown).toHaveText([`Step ${20 * Math.floor(at / 20)}`]);
  expect(await samples(page).evaluate((element) => element.clientHeight)).toBe(height);
  await page.keyboard.press('Tab');
  await expect(shown).toHaveCount(all);

  const norm = page.getByRole('figure', { name: 'Gradient norm' });
  await norm.scrollIntoViewIfNeeded();
  const area = (await norm.locator('.u-over').boundingBox())!;
  await page.mouse.move(area.x + area.width * 0.5, area.y + 40);
  await expect(shown).toHaveText(['Step 40']);
  // The other charts show the same step.
  await expect(cursor(page)).toHaveAttribute('aria-valuenow', /^4\d$/);
  await page.mouse.move(5, 5);
  await expect(shown).toHaveCount(all);
});

test('charts zoom by dragging, by keyboard and by button, and show everything again', async ({ page, scripted }) => {
  await trained(page, scripted);
  const figure = page.getByRole('figure', { name: 'Training loss' });
  const out = page.getByRole('button', { name: 'Training loss: show all steps' });
  const area = (await figure.locator('.u-over').boundingBox())!;
  await expect(out).toBeHidden();
  await page.mouse.move(area.x + area.width * 0.5, area.y + 50);
  await page.mouse.down();
  await page.mouse.move(area.x + area.width * 0.7, area.y + 60, { steps: 4 });
  await page.mouse.up();
  await expect(out).toBeVisible();
  // What is under the left edge is now in the middle of the run.
  await page.mouse.move(area.x + 2, area.y + 50);
  await expect.poll(async () => Number(await cursor(page).getAttribute('aria-valuenow'))).toBeGreaterThan(35);
  await out.click();
  await expect(out).toBeHidden();
  await expect(cursor(page)).toBeFocused();
  await page.keyboard.press('+');
  await expect(out).toBeVisible();
  await page.keyboard.press('0');
  await expect(out).toBeHidden();
  await page.getByRole('button', { name: 'Training loss: zoom in' }).click();
  await expect(out).toBeVisible();
  await page.getByRole('button', { name: 'Training loss: zoom out' }).click();
  await expect(out).toBeHidden();
});

test('the best step is marked, in the chart and in what is read out', async ({ page, scripted }) => {
  await trained(page, scripted);
  await cursor(page).focus();
  await page.keyboard.press('End');
  // The validation loss of the script falls to the end.
  await expect(cursor(page)).toHaveAttribute('aria-valuetext', /^Step \d+, .*, best$/);
  await page.keyboard.press('ArrowLeft');
  await expect(cursor(page)).not.toHaveAttribute('aria-valuetext', /best/);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 } });
  test('the whole chart is above the bars while training', async ({ page, scripted }) => {
    await train(page, scripted, 60);
    await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
    const chart = page.getByRole('figure', { name: 'Training loss' }).locator('.u-wrap');
    await expect(chart).toBeInViewport({ ratio: 1 });
    const bars = await page.getByRole('button', { name: 'Pause' }).evaluate((button) => {
      const bar = button.closest('.border-t')!;
      return bar.getBoundingClientRect().top;
    });
    const box = (await chart.boundingBox())!;
    expect(box.y + box.height).toBeLessThanOrEqual(bars);
  });
});
