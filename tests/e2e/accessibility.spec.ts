import { expect, test } from '@playwright/test';
import { axeFindings, expectReady } from './page';

const places = ['Model', 'Data', 'Recipe', 'Train', 'Compare & Export'];

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('axe finds nothing on any page', async ({ page }) => {
      await page.goto('/');
      await expectReady(page);
      for (const place of places) {
        await page.getByRole('link', { name: place, exact: true }).click();
        await expect(page.getByRole('region', { name: place, exact: true })).toBeVisible();
        expect(await axeFindings(page), place).toEqual([]);
      }
      await page.goto('/#/recipe/advanced');
      await expect(page.getByRole('textbox', { name: 'Recipe as JSON' })).toBeVisible();
      expect(await axeFindings(page), 'Advanced').toEqual([]);
    });

    test('axe finds nothing in the dialogs', async ({ page }) => {
      await page.goto('/');
      await expectReady(page);
      for (const name of ['Storage', 'Nothing leaves this device', 'Keyboard shortcuts', 'Commands']) {
        await page.getByRole('button', { name, exact: true }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
        expect(await axeFindings(page), name).toEqual([]);
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toBeHidden();
      }
    });
  });
}

test('every page, the commands and the shortcuts can be reached with the keyboard alone', async ({ page }) => {
  await page.goto('/');
  await expectReady(page);
  for (const [i, place] of places.entries()) {
    await page.keyboard.press(String(i + 1));
    await expect(page.getByRole('heading', { level: 1, name: place, exact: true })).toBeFocused();
  }
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Find a command' }).fill('go data');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Data', exact: true })).toBeVisible();
});

test('the theme follows the switch rather than the system, even after a reload', async ({ page }) => {
  await page.goto('/');
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByRole('button', { name: 'Theme', exact: true }).click();
  await page.getByRole('menuitemradio', { name: 'Dark' }).click();
  await expect.poll(background).not.toBe(light);
  const dark = await background();
  await page.reload();
  await expect.poll(background).toBe(dark);
});

test('digits typed into a field do not switch pages', async ({ page }) => {
  await page.goto('/#/recipe/advanced');
  const search = page.getByRole('searchbox', { name: 'Find a field' });
  await search.pressSequentially('2');
  // When the digit is in the field, its key has been pressed and heard.
  await expect(search).toHaveValue('2');
  await expect(page).toHaveURL(/#\/recipe\/advanced$/);
  await expect(page.getByRole('region', { name: 'Recipe', exact: true })).toBeVisible();
});

test('the first Tab offers a skip link, and the start button can be reached with Tab', async ({ page }) => {
  await page.goto('/');
  await expectReady(page);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: 'Skip to the open page' })).toBeFocused();
  const start = page.getByRole('button', { name: 'Start training' });
  for (let i = 0; i < 40 && !(await start.evaluate((element) => element === document.activeElement)); i++) {
    await page.keyboard.press('Tab');
  }
  await expect(start).toBeFocused();
});

test.describe('at 400% zoom', () => {
  // 1280 × 1024 at 400%.
  test.use({ viewport: { width: 320, height: 256 } });
  test('nothing needs horizontal scrolling', async ({ page }) => {
    await page.goto('/');
    await expectReady(page);
    for (const place of places) {
      await page.getByRole('link', { name: place, exact: true }).click();
      await expect(page.getByRole('region', { name: place, exact: true })).toBeVisible();
      const over = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(over, place).toBeLessThanOrEqual(0);
    }
  });
});
