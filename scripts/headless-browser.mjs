// A headless Chromium with the built app in it, for scripts. Everything that it writes lies in one folder.
import { existsSync, readdirSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { browserArgs, findBrowser } from './browser.mjs';

/** On Linux a GPU shows as a device file; elsewhere there always is one. */
function mayHaveGpu() {
  if (process.platform !== 'linux') return true;
  if (existsSync('/dev/nvidia0') || existsSync('/dev/dxg')) return true;
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
}

async function hasAdapter(page) {
  return page.evaluate(async () => (await navigator.gpu?.requestAdapter()) != null);
}

/**
 * Opens `address` in a browser of its own. `device`: 'hardware', 'software', or 'auto', which takes the GPU where there
 * is a usable one. `keep`: the profile is kept, and the page has the name of this host there. Returns `{page, close, device}`.
 */
export async function openHeadless(address, { profile, device = 'auto', keep = null, log = console.error }) {
  const url = new URL(address);
  const args = keep === null ? [] : [`--host-resolver-rules=MAP ${keep} ${url.host}`];
  const place = keep === null ? address : `http://${keep}${url.pathname}`;
  const executablePath = await findBrowser({ log: (line) => log(line) });
  const wanted = device !== 'auto' ? [device] : mayHaveGpu() ? ['hardware', 'software'] : ['software'];
  for (const [i, kind] of wanted.entries()) {
    const context = await chromium.launchPersistentContext(keep === null ? `${profile}-${kind}` : profile, {
      executablePath,
      headless: true,
      args: [...browserArgs(kind), ...args],
      // Ctrl-C is ours to handle: the output folder has to be tidied too.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    const page = context.pages()[0] ?? (await context.newPage());
    await page.goto(place);
    // The last one is taken as it is: the app says in a sentence what it lacks.
    if (i === wanted.length - 1 || (await hasAdapter(page)))
      return { page, device: kind, close: () => context.close() };
    await context.close();
  }
  throw new Error('unreachable');
}
