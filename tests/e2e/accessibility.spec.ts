import { expect, test } from '@playwright/test';
import { axeFindings, expectReady } from './page';

const places = ['Model', 'Data', 'Recipe', 'Train', 'Compare & Export', 'Runs'];

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
      await page.getByRole('radio', { name: 'Fields and JSON' }).check({ force: true });
      await expect(page.getByRole('textbox', { name: 'Recipe as JSON' })).toBeVisible();
      expect(await axeFindings(page), 'Advanced').toEqual([]);
    });

    test('axe finds nothing in the dialogs', async ({ page }) => {
      await page.goto('/');
      await expectReady(page);
      const check = async (name: string) => {
        await expect(page.getByRole('dialog')).toBeVisible();
        expect(await axeFindings(page), name).toEqual([]);
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toBeHidden();
      };
      const dialogs = ['Storage', 'Nothing leaves this device', 'Keyboard shortcuts', 'Commands', 'Settings', 'Help'];
      for (const name of dialogs) {
        await page.getByRole('button', { name, exact: true }).click();
        await check(name);
      }
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox', { name: 'Find a command' }).fill('Report a fault');
      await page.keyboard.press('Enter');
      await expect(page.getByRole('dialog', { name: 'Report a fault' })).toBeVisible();
      await check('Report a fault');
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

test('a tooltip comes with the pointer and with the keyboard’s focus, stays under the pointer, and goes with Esc', async ({
  page,
}) => {
  await page.goto('/');
  const storage = page.getByRole('button', { name: 'Storage', exact: true });
  const tip = page.locator('[data-tip-popup]');
  // On a slow machine the tip may have gone before the pointer is on its way to it: then the pointer comes again.
  await expect(async () => {
    await page.mouse.move(600, 20);
    await storage.hover();
    await expect(tip).toHaveText('Storage', { timeout: 5000 });
    await tip.hover({ timeout: 2000 });
    await expect(tip).toBeVisible({ timeout: 1000 });
  }).toPass();
  await page.keyboard.press('Escape');
  await expect(tip).toBeHidden();
  await page.getByRole('button', { name: 'Theme', exact: true }).focus();
  // Focus by script is shown as the keyboard's only after a key.
  await page.keyboard.press('Shift+Tab');
  await expect(tip).toHaveText('Storage');
  await page.keyboard.press('Tab');
  await expect(tip).toHaveText('Theme');
  await page.mouse.move(600, 20);
  await page.getByRole('heading', { level: 1 }).click();
  await expect(tip).toBeHidden();
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
  test('the places and the start button stay in view, wherever the page is scrolled to', async ({ page }) => {
    await page.goto('/#/model');
    await expectReady(page);
    for (const end of [0, 1]) {
      await page.evaluate((share) => window.scrollTo(0, share * document.documentElement.scrollHeight), end);
      await expect(page.getByRole('button', { name: 'Start training' })).toBeInViewport({ ratio: 1 });
      for (const place of places) {
        await expect(page.getByRole('link', { name: place, exact: true })).toBeInViewport({ ratio: 1 });
      }
    }
    // What has the focus is not under the bar.
    const bar = await page.getByRole('navigation', { name: 'Steps' }).boundingBox();
    await page.getByRole('searchbox', { name: 'Name or address' }).focus();
    await page.keyboard.press('Shift+Tab');
    const focused = await page.evaluate(() => document.activeElement!.getBoundingClientRect().top);
    expect(focused).toBeGreaterThanOrEqual(bar!.y + bar!.height - 1);
    expect(await axeFindings(page)).toEqual([]);
  });

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
