// Runs a model with the built app in headless Chrome: greedy continuations, losses of given token ids, and text embeddings.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ensureBuilt } from '../build.mjs';
import { openHeadless } from '../headless-browser.mjs';
import { serve } from '../serve.mjs';

/** The pooling config that sentence-transformers keeps in a subfolder. */
function poolingOf(model) {
  if (!statSync(model).isDirectory()) return [];
  const files = readdirSync(model)
    .map((name) => `${name}/config.json`)
    .filter((name) => /^\d+_Pooling\//.test(name) && existsSync(path.join(model, name)));
  return files.map((name) => ({ path: name, text: readFileSync(path.join(model, name), 'utf8') }));
}

/** `model` is a file or folder; for the rest see MeasureOptions in src/headless/protocol.ts. */
export async function measure({ model, quantization = 'none', greedy = [], lossOf = [], embed = [] }) {
  const work = mkdtempSync(path.join(tmpdir(), 'tabtune-measure-'));
  let server;
  let browser;
  try {
    server = await serve(await ensureBuilt({ log: console.log }));
    browser = await openHeadless(`${server.address}/headless.html`, {
      profile: path.join(work, 'profile'),
      device: process.env.TABTUNE_GPU ?? 'auto',
    });
    const { page } = browser;
    page.setDefaultTimeout(900_000);
    await page.waitForFunction(() => window.tabtune !== undefined);
    await page.exposeFunction('tabtuneTell', () => {});
    const files = statSync(model).isDirectory()
      ? readdirSync(model)
          .map((name) => path.join(model, name))
          .filter((file) => statSync(file).isFile())
      : [model];
    await page.setInputFiles('#model', files);
    const outcome = await page.evaluate((options) => window.tabtune.measure(options), {
      model: { source: 'file:', quantization },
      modelFolder: path.basename(model),
      greedy,
      lossOf,
      embed,
      nested: poolingOf(model),
    });
    if (!outcome.ok) throw new Error([outcome.error.where, outcome.error.message, outcome.error.details].join(' '));
    return outcome.value;
  } finally {
    await browser?.close().catch(() => {});
    await server?.close();
    rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  }
}
