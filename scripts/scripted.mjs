// The screen over a scripted session (tests/e2e/scripted), built and served: for its tests and for pictures of it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './build.mjs';
import { serve } from './serve.mjs';

const page = 'tests/e2e/scripted/index.html';

export async function serveScripted() {
  const built = mkdtempSync(path.join(tmpdir(), 'tabtune-scripted-'));
  const { build } = await import('vite');
  await build({
    root,
    logLevel: 'warn',
    build: {
      outDir: built,
      emptyOutDir: true,
      rollupOptions: { input: { index: path.join(root, 'index.html'), scripted: path.join(root, page) } },
    },
  });
  // Beside the real page, so that what is fetched relative to it is found; the app's policy forbids another base.
  const html = readFileSync(path.join(built, page), 'utf8');
  const moved = html.replace(/\s*<base href="\/" ?\/?>/, '').replaceAll('../../../', './');
  writeFileSync(path.join(built, 'scripted.html'), moved);
  const server = await serve(built, { port: 0 });
  const origin = server.address.replace(/\/$/, '');
  return {
    origin,
    /** The real screen, and the one over the scripted session. */
    real: `${origin}/`,
    scripted: `${origin}/scripted.html`,
    async close() {
      await server.close();
      rmSync(built, { recursive: true });
    },
  };
}
