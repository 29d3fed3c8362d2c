/**
 * The page stays free while a run goes on: no task of its thread computes for more than 50 ms. What is measured is the time
 * that the thread itself was busy, not how long a task lasted: on a software GPU the engine takes all the processors there are.
 */
import type { Browser, Page } from '@playwright/test';
import { expect, test } from './support/scripted';
import { openStudio, PATIENCE, start, tiny, untilStep } from './support/studio';

const LIMIT_MS = 50;
/** Of training, by the run's own clock. */
const SECONDS = 60;

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  tdur?: number;
  args?: { name?: string };
}

/** The longest times that the page's thread was busy with one task while `work` was done, in milliseconds. */
async function busiest(browser: Browser, page: Page, work: () => Promise<void>): Promise<number[]> {
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await work();
  const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: TraceEvent[] };
  const named = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const threads = new Set(named.map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = traceEvents.filter(
    ({ name, ph, pid, tid }) => ph === 'X' && /RunTask$/.test(name) && threads.has(`${pid} ${tid}`),
  );
  expect(tasks.length, 'tasks were measured').toBeGreaterThan(100);
  const longest = (times: number[]) => times.sort((a, b) => b - a).slice(0, 5);
  const ms = longest(tasks.map(({ tdur }) => Math.round((tdur ?? 0) / 100) / 10));
  const lasted = longest(tasks.map(({ dur }) => Math.round((dur ?? 0) / 100) / 10));
  console.log(`${tasks.length} tasks; busy for at most ${ms.join(', ')} ms; lasted at most ${lasted.join(', ')} ms`);
  expect(ms[0], 'the thread’s own time is measured').toBeGreaterThan(0);
  return ms;
}

test('a task that computes for longer would be noticed', async ({ page, browser, scripted }) => {
  await page.goto(scripted);
  const times = await busiest(browser, page, () =>
    page.evaluate(async () => {
      // By its own steps, as the clock also counts the time that other threads take.
      const hundred = () => {
        let sum = 0;
        for (let i = 0; i < 3e8; i++) sum += Math.sqrt(i);
        return sum;
      };
      hundred();
      for (let i = 0; i < 200; i++) await new Promise((resolve) => setTimeout(resolve));
    }),
  );
  expect(times[0]).toBeGreaterThan(LIMIT_MS);
});

test('a minute of training with the built-in model', async ({ page, browser }) => {
  test.setTimeout(3 * PATIENCE);
  await openStudio(page, {
    ...tiny,
    training: { ...tiny.training, max_steps: 100_000, eval_steps: 40, save_steps: 20, early_stopping_patience: 0 },
  });
  const times = await busiest(browser, page, async () => {
    await start(page);
    await untilStep(page, 1);
    await page.waitForFunction((seconds) => (window.engineHook.seen.at(-1)?.seconds ?? 0) > seconds, SECONDS, {
      polling: 250,
      timeout: 2 * PATIENCE,
    });
  });
  expect(times.filter((time) => time > LIMIT_MS)).toEqual([]);
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByRole('status', { name: 'Progress' })).toContainText('Training was stopped', {
    timeout: PATIENCE,
  });
});

test('a curve of 2,000 steps, as it grows and under the cursor', async ({ page, browser, scripted }) => {
  await page.addInitScript(() => {
    const input = { version: 1, name: 'long', training: { max_steps: 2000, eval_steps: 50 } };
    localStorage.setItem('tabtune.recipe', JSON.stringify({ state: { input }, version: 1 }));
  });
  await page.goto(`${scripted}?stepMs=1`);
  await expect(page.getByRole('button', { name: 'Start training' })).not.toHaveAttribute('aria-disabled', 'true');
  const times = await busiest(browser, page, async () => {
    await page.getByRole('button', { name: 'Start training' }).click();
    await expect(page.getByRole('status', { name: 'Progress' })).toHaveText(
      'Training finished after 2000 of 2000 steps.',
      { timeout: PATIENCE },
    );
    const chart = page.getByRole('figure', { name: 'Training loss' });
    const area = (await chart.locator('.u-over').boundingBox())!;
    for (let i = 0; i <= 50; i++) await page.mouse.move(area.x + (area.width * i) / 50, area.y + area.height / 2);
    const cursor = page.getByRole('slider', { name: 'Training loss, step by step' });
    await cursor.focus();
    for (const key of ['Home', 'PageDown', '+', '+', 'ArrowRight', '0', 'End']) await page.keyboard.press(key);
    await expect(cursor).toHaveAttribute('aria-valuenow', '2000');
  });
  expect(times.filter((time) => time > LIMIT_MS)).toEqual([]);
});
