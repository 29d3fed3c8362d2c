// npm run tour: takes the pictures of docs/TOUR.md, every page in both themes, and writes the page itself from the same list.
//   npm run tour [-- --only NAME]
// The pictures are of the real app training the built-in model on this machine's GPU, in software if it has none.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import { browserArgs, findBrowser } from './browser.mjs';
import { ensureBuilt, root } from './build.mjs';
import { serve } from './serve.mjs';
import { stops } from './tour-stops.mjs';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const folder = path.join(root, 'docs', 'tour');
mkdirSync(folder, { recursive: true });

const server = await serve(await ensureBuilt(), { port: 0 });
const browser = await chromium.launch({ executablePath: await findBrowser(), args: browserArgs() });
try {
  for (const theme of ['light', 'dark']) {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      colorScheme: theme,
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const camera = await context.newCDPSession(page);
    await page.goto(server.address);
    for (const { name, go } of stops) {
      await go(page);
      if (values.only && values.only !== name) continue;
      // Nothing under the pointer, so that no row looks chosen.
      await page.mouse.move(0, 0);
      await page.evaluate(() => document.fonts.ready);
      // WebP, which Playwright itself does not write: a third of the size.
      const { data } = await camera.send('Page.captureScreenshot', { format: 'webp', quality: 90 });
      writeFileSync(path.join(folder, `${name}-${theme}.webp`), Buffer.from(data, 'base64'));
      console.log(`docs/tour/${name}-${theme}.webp`);
    }
    await context.close();
  }
} finally {
  await browser.close();
  await server.close();
}

const picture = ({ name, title }) =>
  [
    '<picture>',
    `  <source media="(prefers-color-scheme: dark)" srcset="tour/${name}-dark.webp">`,
    `  <img alt="${title}" src="tour/${name}-light.webp">`,
    '</picture>',
  ].join('\n');
const sections = stops.map((stop) => `## ${stop.title}\n\n${stop.text}\n\n${picture(stop)}\n`);
writeFileSync(
  path.join(root, 'docs', 'TOUR.md'),
  `# A tour\n\nEvery page, from the first visit to an adapter that other programs load. The pictures follow your theme; \`npm run tour\` takes\nthem again.\n\n${sections.join('\n')}`,
);
