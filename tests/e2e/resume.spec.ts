import { expect, test } from '@playwright/test';
import { expectReady, setFields } from './page';
import { expectFinished, holdAt, resumeButton, startButton, stepsSeen, watchEngine } from './support/studio';

test('a reload during a run offers to resume from the last checkpoint', async ({ page }) => {
  const gate = await holdAt(page, 4);
  await watchEngine(page);
  await page.goto('/');
  await setFields(page, {
    max_steps: '9',
    save_steps: '3',
    eval_steps: '0',
    per_device_train_batch_size: '1',
    gradient_accumulation_steps: '1',
  });
  await expectReady(page);
  await startButton(page).click();
  await gate.reached();
  await page.getByRole('button', { name: 'Pause' }).click();
  await gate.open();
  await expect(resumeButton(page)).toBeVisible();
  const paused = (await stepsSeen(page)).at(-1)!;
  expect(paused).toBeLessThan(9);
  await page.reload();

  await expect(page.getByText(`“pirate-chat” stopped at step ${paused} of 9`)).toBeVisible();
  await resumeButton(page).click();
  await expectFinished(page, 9);
  expect(await stepsSeen(page)).toEqual(Array.from({ length: 9 - paused }, (_, i) => paused + 1 + i));
});
