/**
 * The Data page as a workbench, with the real workers and the real model: personal data replaced, near-duplicates and leaks found
 * and mended, the hardest examples dropped by the model's own loss, and the loss of each token. Every fix is undone once.
 */
import { expect, type Page, test } from '@playwright/test';
import { axeFindings, drop, expectReady } from './page';
import { PATIENCE } from './support/studio';

const things = ['lamp', 'kettle', 'brush', 'door', 'watering can', 'bowl', 'saw', 'cool box', 'clock', 'mixer'];
const sentence = (thing: string, day: string) =>
  `Please tell me today where the ${thing} is that I ordered from your shop in the old town, as you can see in the mail that you sent me on ${day} at noon`;
const rows = [
  ...things.map((thing) => [sentence(thing, 'Monday'), `Your ${thing} comes tomorrow.`]),
  // Nearly the same as the first, and asked for by its own number.
  [sentence('lamp', 'Tuesday'), 'Your lamp comes tomorrow.'],
  ['Who do I write to?', 'To Eva: eva@contoso.de, or +49 30 1234567.'],
  ['Where is my parcel?', 'Zq xv jjk wpt lmn qqq zzx bvc.'],
  ['Where is my parcel?', 'At your neighbour’s.'],
];
const csv = ['question,answer', ...rows.map((row) => row.map((cell) => `"${cell}"`).join(','))].join('\n');

const finding = (page: Page, words: RegExp) => page.getByRole('listitem').filter({ hasText: words }).first();
const examples = (page: Page, count: number) =>
  expect(page.getByRole('grid', { name: 'Examples' })).toHaveAttribute('aria-rowcount', String(count + 1));

test('data are looked through, mended and measured', async ({ page }) => {
  test.setTimeout(2 * PATIENCE);
  await page.goto('/#/data');
  await expectReady(page);
  await drop(page, 'shop.csv', csv);
  await examples(page, rows.length);
  await expectReady(page);

  await test.step('personal data are replaced in one press, and put back in another', async () => {
    await finding(page, /has a mail address: e…@c….de/)
      .getByRole('button', { name: 'Replace by [EMAIL]' })
      .click();
    const replaced = finding(page, /\[EMAIL\] stands in its place/);
    await expect(replaced).toBeVisible();
    await expect(page.getByRole('gridcell', { name: /To Eva: \[EMAIL\]/ })).toHaveCount(1);
    await replaced.getByRole('button', { name: 'Undo' }).click();
    await expect(finding(page, /has a mail address: e…@c….de/)).toBeVisible();
    await finding(page, /has a phone number/)
      .getByRole('button', { name: 'Leave the rows out' })
      .click();
    await examples(page, rows.length - 1);
  });

  await test.step('near-duplicates are shown in groups, and one of each stays', async () => {
    await page.getByRole('button', { name: 'Check: Near-duplicates' }).click();
    const near = page.getByRole('region', { name: 'Near-duplicates' });
    await expect(near.getByRole('list', { name: 'Like row 1' })).toContainText('Show row 11');
    await near.getByRole('button', { name: 'Keep one of each' }).click();
    await examples(page, rows.length - 2);
    await finding(page, /Row 11 is nearly the same as row 1/)
      .getByRole('button', { name: 'Undo' })
      .click();
    await examples(page, rows.length - 1);
  });

  await expectReady(page);
  await test.step('what leaks into validation is kept on one side', async () => {
    const leaks = page.getByRole('region', { name: 'Leaks into validation' });
    await leaks.getByRole('button', { name: /^Check/ }).click();
    await expect(leaks.getByRole('status')).toContainText(/held-out examples is also in|held-out examples are also/);
  });

  await test.step('the hardest examples come first, and are dropped', async () => {
    const losses = page.getByRole('region', { name: 'Quality by the model’s own loss' });
    await losses.getByRole('button', { name: /^Check/ }).click();
    const table = losses.getByRole('table', { name: 'Examples by loss, highest first' });
    await expect(table.getByRole('row')).toHaveCount(rows.length, { timeout: PATIENCE });
    await expect(table.getByRole('row').nth(1)).toContainText('Zq xv jjk');
    expect(await axeFindings(page)).toEqual([]);
    await losses.getByLabel('Drop the worst (%)').fill('10');
    await losses.getByRole('button', { name: 'Drop 1 row' }).first().click();
    await examples(page, rows.length - 2);
    await expect(page.getByRole('gridcell', { name: /Zq xv jjk/ })).toHaveCount(0);
    await finding(page, /1 row is left out by number/)
      .getByRole('button', { name: 'Undo' })
      .click();
    await examples(page, rows.length - 1);
  });

  await expectReady(page);
  await test.step('each token of an example has its loss', async () => {
    await page.getByRole('radio', { name: 'Loss' }).check();
    const group = page.getByRole('group', { name: 'Tokens with their loss' });
    await expect(group).toBeVisible({ timeout: PATIENCE });
    const first = group.getByRole('button').first();
    await expect(first).toHaveAccessibleName(/not predicted/);
    await first.focus();
    await page.keyboard.press('ArrowRight');
    await expect(group.getByRole('button').nth(1)).toBeFocused();
    await expect(group.getByRole('button').nth(1)).toHaveAccessibleName(/: \d/);
    await page.getByText('Losses as a table').click();
    await expect(page.getByRole('columnheader', { name: 'Learned' })).toBeVisible();
    expect(await axeFindings(page)).toEqual([]);
  });
});
