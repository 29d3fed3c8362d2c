// Pages of the tests (tests/e2e/scripted: the screens over a scripted session; tests/e2e/bare: a session without screens;
// tests/e2e/push: the dialog that pushes to the Hub),
// built and served like the app: for the tests, and for pictures of the screens.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './build.mjs';
import { serve } from './serve.mjs';

/** @param {'scripted' | 'bare' | 'push'} [name] */
export async function serveScripted(name = 'scripted') {
  const page = `tests/e2e/${name}/index.html`;
  const built = mkdtempSync(path.join(tmpdir(), 'tabtune-scripted-'));
  const { build } = await import('vite');
  await build({
    root,
    logLevel: 'warn',
    build: {
      outDir: built,
      emptyOutDir: true,
      rollupOptions: { input: { index: path.join(root, 'index.html'), [name]: path.join(root, page) } },
    },
  });
  // Beside the real page, so that what is fetched relative to it is found; the app's policy forbids another base.
  const html = readFileSync(path.join(built, page), 'utf8');
  const moved = html.replace(/\s*<base href="\/" ?\/?>/, '').replaceAll('../../../', './');
  writeFileSync(path.join(built, `${name}.html`), moved);
  const server = await serve(built, { port: 0 });
  const origin = server.address.replace(/\/$/, '');
  return {
    origin,
    /** The app's own page, and that of the tests. */
    real: `${origin}/`,
    scripted: `${origin}/${name}.html`,
    async close() {
      await server.close();
      rmSync(built, { recursive: true });
    },
  };
}
