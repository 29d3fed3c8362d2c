// Shoots every place, wide and narrow, light and dark, and runs axe on each:
//   node scripts/screenshots.mjs [--real] [--out DIR] [--only NAME]
// By default over a scripted engine (tests/e2e/scripted), which needs no GPU; --real trains the built-in model.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { build } from 'vite';
import { browserArgs, findBrowser } from './browser.mjs';
import { serve } from './serve.mjs';

const { values } = parseArgs({
  options: {
    real: { type: 'boolean', default: false },
    out: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
const out = values.out ?? mkdtempSync(path.join(tmpdir(), 'tabtune-screens-'));
mkdirSync(out, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const root = fileURLToPath(new URL('..', import.meta.url));
const built = mkdtempSync(path.join(tmpdir(), 'tabtune-built-'));
const scripted = 'tests/e2e/scripted/index.html';
await build({
  root,
  logLevel: 'warn',
  build: {
    outDir: built,
    emptyOutDir: true,
    rollupOptions: { input: { index: path.join(root, 'index.html'), scripted: path.join(root, scripted) } },
  },
});
const server = await serve(built, { port: 0 });
const origin = server.address.replace(/\/$/, '');
const browser = await chromium.launch({ executablePath: await findBrowser({ log: () => {} }), args: browserArgs() });

const sizes = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };
const start = values.real ? '/' : `/${scripted}`;
let violations = 0;
let checked = 0;

async function shoot(page, name) {
  if (!name.includes(values.only)) return;
  await page.waitForTimeout(350);
  await page.screenshot({ path: path.join(out, `${name}.png`) });
  await page.screenshot({ path: path.join(out, `${name}-full.png`), fullPage: true });
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  checked++;
  violations += found.violations.length;
  console.log(`${name}: ${found.violations.length} violations, ${found.passes.length} rules passed`);
  for (const { id, help, nodes } of found.violations) {
    console.log(`  ${id}: ${help}`);
    for (const { target, failureSummary } of nodes.slice(0, 3)) {
      console.log(`    ${target.join(' ')}\n      ${failureSummary?.split('\n').slice(1, 3).join(' ').trim()}`);
    }
  }
}

const open = async (page, hash, query = '') => {
  await page.goto(`${origin}${start}${query}#/${hash}`);
  if (query.includes('device=none')) await page.getByRole('alert').first().waitFor();
  else
    await page
      .getByRole('button', { name: 'Start training' })
      .and(page.locator(':not([aria-disabled])'))
      .waitFor({ timeout: 60_000 });
};

for (const theme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries(sizes)) {
    const context = await browser.newContext({ viewport, colorScheme: theme });
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    page.on('pageerror', (error) => console.log(`  page error: ${error.stack}`));
    page.on('console', (message) => message.type() === 'error' && console.log(`  console: ${message.text()}`));
    const name = (what) => `${what}-${size}-${theme}`;

    await open(page, 'model');
    for (const place of ['model', 'data', 'recipe', 'recipe/advanced', 'train', 'compare']) {
      await page.evaluate((hash) => {
        window.location.hash = hash;
        window.scrollTo(0, 0);
      }, `#/${place}`);
      await shoot(page, name(place.replace('/', '-')));
    }
    await page.evaluate(() => (window.location.hash = '#/model'));
    await page.getByRole('button', { name: 'Start training' }).click();
    await page
      .getByText(/Step (2[5-9]|[3-9]\d) of/)
      .first()
      .waitFor({ timeout: 600_000 });
    await shoot(page, name('training'));
    await page.getByRole('button', { name: 'Compare with the base' }).waitFor({ timeout: 600_000 });
    await shoot(page, name('trained'));
    await page.getByRole('button', { name: 'Compare with the base' }).click();
    await page.getByRole('button', { name: 'What is a whale?' }).click();
    await page.getByRole('button', { name: 'Ask both' }).waitFor({ timeout: 120_000 });
    await shoot(page, name('compared'));

    if (!values.real) {
      await open(page, 'train', '?history&device=software');
      await page.getByRole('checkbox', { name: /^Lay/ }).nth(1).check();
      await page.getByRole('checkbox', { name: /^Lay/ }).nth(2).check();
      await shoot(page, name('history'));
      await page.keyboard.press('Control+k');
      await shoot(page, name('commands'));
      await page.keyboard.press('Escape');
      for (const dialog of ['Storage', 'Nothing leaves this device', 'Keyboard shortcuts']) {
        if (size === 'narrow') {
          await page.getByRole('button', { name: 'Menu' }).click();
          await page.getByRole('menuitem', { name: dialog }).click();
        } else await page.getByRole('button', { name: dialog }).click();
        await shoot(page, name(`dialog-${dialog.split(' ')[0].toLowerCase()}`));
        await page.keyboard.press('Escape');
      }
      if (size === 'narrow') {
        await page.getByRole('button', { name: 'What it takes' }).click();
        await shoot(page, name('sheet'));
        await page.keyboard.press('Escape');
      }
      await open(page, 'model', '?device=none');
      await shoot(page, name('no-webgpu'));
    }
    await context.close();
  }
}
await browser.close();
await server.close();
rmSync(built, { recursive: true });
console.log(`${checked} screens, ${violations} axe violations. Pictures: ${out}`);
process.exitCode = violations === 0 ? 0 : 1;
