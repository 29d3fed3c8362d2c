import { expect, test } from '@playwright/test';
import { chat, drop, expectReady, keepRecipe, setFields } from './page';
import {
  expectFinished,
  holdAt,
  openStudio,
  resumeButton,
  SAVED,
  STEPS,
  STRUCK,
  start,
  startButton,
  stepsSeen,
  watchEngine,
} from './support/studio';

test('a reload during a run offers to resume from the last checkpoint', async ({ page }) => {
  const gate = await holdAt(page, 4);
  await watchEngine(page);
  await keepRecipe(page, chat);
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

  await expect(page.getByText(`“pirate-chat LoRA r16” stopped at step ${paused} of 9`)).toBeVisible();
  await resumeButton(page).click();
  await expectFinished(page, 9);
  expect(await stepsSeen(page)).toEqual(Array.from({ length: 9 - paused }, (_, i) => paused + 1 + i));
});

test('a run whose data has changed is asked about before it is resumed', async ({ page }) => {
  const rows = (count: number) => Array.from({ length: count }, (_, i) => `Who is ${i}?,Ruth ${i}.`);
  const csv = (count: number) => ['prompt,completion', ...rows(count)].join('\n');
  const gate = await holdAt(page, STRUCK);
  await openStudio(page);
  await expectReady(page);
  await drop(page, 'replies.csv', csv(40));
  await expect(page.getByText('replies.csv').first()).toBeVisible();
  await start(page);
  await gate.reached();
  await page.reload();
  await gate.open();
  await expect(page.getByText(`” stopped at step ${SAVED} of ${STEPS}`)).toBeVisible();
  await expectReady(page);
  // A file of the same name takes the place of one that was deleted.
  await page.goto('/#/data');
  await page.getByRole('button', { name: 'Delete replies.csv' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete file' }).click();
  await expect(page.getByRole('button', { name: 'replies.csv', exact: true })).toBeHidden();
  await drop(page, 'replies.csv', csv(30));
  await expectReady(page);

  await resumeButton(page).click();
  const question = page.getByRole('alertdialog', { name: 'Resume with other data or another model?' });
  await expect(question).toContainText('replies.csv is another file now');
  await question.getByRole('button', { name: 'Cancel' }).click();
  // The run is as it was.
  await expect(page.getByText(`” stopped at step ${SAVED} of ${STEPS}`)).toBeVisible();
  await resumeButton(page).click();
  await question.getByRole('button', { name: 'Resume anyway' }).click();
  await expectFinished(page, STEPS);
  await expect(page.getByText(`trained on other data or another model since step ${SAVED}`)).toBeVisible();
});
