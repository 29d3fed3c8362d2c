/** Interrupted runs, whatever the cause, resume from their last checkpoint and end as if nothing had happened. */
import { test as base, expect, type Page } from '@playwright/test';
import {
  expectFinished,
  expectReady,
  exportedWeights,
  forgetSteps,
  holdAt,
  killEngine,
  loseDevice,
  openStudio,
  PATIENCE,
  resumeButton,
  SAVED,
  STEPS,
  STRUCK,
  start,
  startButton,
  stepsSeen,
  storedRun,
  tiny,
  untilStep,
  writeBytes,
} from './support/studio';

/** The adapter of an undisturbed run of the same recipe, exported. */
const test = base.extend<object, { undisturbed: Buffer }>({
  undisturbed: [
    async ({ browser }, use, { project }) => {
      const page = await browser.newPage({ baseURL: project.use.baseURL });
      page.setDefaultTimeout(PATIENCE);
      await openStudio(page);
      await start(page);
      await expectFinished(page);
      const bytes = await exportedWeights(page);
      await page.close();
      await use(bytes);
    },
    { scope: 'worker', timeout: 3 * PATIENCE },
  ],
});

test.setTimeout(3 * PATIENCE);

const after = (step: number) => Array.from({ length: STEPS - step }, (_, i) => step + 1 + i);

/** Resumes from a checkpoint (0 is the beginning), trains to the end and expects the same adapter. */
async function goOn(page: Page, undisturbed: Buffer, from = SAVED): Promise<void> {
  await forgetSteps(page);
  await resumeButton(page).click();
  await expectFinished(page);
  expect(await stepsSeen(page)).toEqual(after(from));
  const weights = await exportedWeights(page);
  expect(weights.equals(undisturbed), 'the adapter is that of an undisturbed run, byte for byte').toBe(true);
}

test('a run whose engine is killed can be resumed after a reload, with the same result', async ({
  page,
  undisturbed,
}) => {
  const gate = await holdAt(page, STRUCK);
  await openStudio(page);
  await start(page);
  await gate.reached();
  await killEngine(page);
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('stopped unexpectedly');
  await expect(alert.getByRole('button', { name: 'Resume' })).toBeVisible();

  await expect.poll(() => storedRun(page)).toEqual({ status: 'interrupted', step: STRUCK, totalSteps: STEPS });
  await gate.open();
  await page.reload();
  await expect(page.getByText(`“tiny” stopped at step ${STRUCK} of ${STEPS}`)).toBeVisible();
  await expectReady(page);
  await goOn(page, undisturbed);
});

test('a page reloaded during a run offers to resume it, with the same result', async ({ page, undisturbed }) => {
  const gate = await holdAt(page, STRUCK);
  await openStudio(page);
  await start(page);
  await gate.reached();
  await expect.poll(() => storedRun(page)).toEqual({ status: 'running', step: SAVED, totalSteps: STEPS });
  await page.reload();
  await gate.open();
  await expect(page.getByText(`“tiny” stopped at step ${SAVED} of ${STEPS}`)).toBeVisible();
  await expect(page.getByText(`Everything up to step ${SAVED} is saved, and it resumes from there.`)).toBeVisible();
  await expectReady(page);
  await goOn(page, undisturbed);
});

test('a run interrupted before its first checkpoint restarts from the beginning', async ({ page, undisturbed }) => {
  const gate = await holdAt(page, 2);
  await openStudio(page);
  await start(page);
  await gate.reached();
  await expect.poll(() => storedRun(page)).toEqual({ status: 'running', step: 0, totalSteps: STEPS });
  await page.reload();
  await gate.open();
  await expect(page.getByText(`“tiny” stopped at step 0 of ${STEPS}`)).toBeVisible();
  await expectReady(page);
  await goOn(page, undisturbed, 0);
});

test('a GPU lost during a step is reported at once, and the run can be resumed without a reload', async ({
  page,
  undisturbed,
}) => {
  const gate = await holdAt(page, STRUCK);
  await openStudio(page);
  await start(page);
  await gate.reached();
  await loseDevice(page);
  await gate.open();
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('The GPU stopped responding and was reset.');
  await expect(alert).toContainText('Resume the run from its last checkpoint');
  // The step that was under way may have come through before the engine listened.
  const last = (await stepsSeen(page)).at(-1)!;
  expect(last).toBeLessThan(STEPS);
  await expect(page.getByRole('status', { name: 'Progress' })).toHaveText(
    `Training was interrupted at step ${last} of ${STEPS}.`,
  );
  await goOn(page, undisturbed);
});

test('a full disk ends the run with instructions, and its last checkpoint is still intact', async ({
  page,
  undisturbed,
  baseURL,
}) => {
  const browser = await page.context().newCDPSession(page);
  const setQuota = (quotaSize?: number) =>
    browser.send('Storage.overrideQuotaForOrigin', { origin: baseURL!, quotaSize });
  const room = 20e6;
  await setQuota(room);
  const gate = await holdAt(page, STRUCK);
  await openStudio(page);
  await start(page);
  await gate.reached();
  // The browser’s own limit: what is stored by now, and less room than the next checkpoint of 0.65 MB takes.
  const { usage } = await page.evaluate(() => navigator.storage.estimate());
  await setQuota(usage! + 200_000);
  // Chrome believes for half a minute in the room that it found last, unless a write needs more than that.
  await expect.poll(() => writeBytes(page, room)).toBe('QuotaExceededError');
  await gate.open();
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('There is no space left in this browser');
  await expect(alert).toContainText('Delete runs, models or datasets you no longer need');
  await setQuota();
  await goOn(page, undisturbed);
});

test('a second tab is told that the first one is training, and the first continues', async ({ page, context }) => {
  // More steps than any GPU takes while the other tab is looked at.
  await openStudio(page, { ...tiny, training: { ...tiny.training, max_steps: 100_000, eval_steps: 0 } });
  await start(page);
  await untilStep(page, 1);
  const other = await context.newPage();
  await openStudio(other);
  await expectReady(other);
  // It is running, not interrupted.
  await expect(other.getByText(/stopped at step/)).toBeHidden();
  await start(other);
  const alert = other.getByRole('alert');
  await expect(alert).toContainText('Another tab of this browser is training, and the GPU cannot be shared.');
  await expect(alert).toContainText('Stop the run in that tab, or wait for it to end.');
  await expect(startButton(other)).toBeVisible();
  expect(await stepsSeen(other)).toEqual([]);

  await page.bringToFront();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(page.getByRole('status', { name: 'Progress' })).toContainText(/^Training was stopped at step /, {
    timeout: PATIENCE,
  });
});
