// Builds the code of exported pages (src/page-export): what Tabtune puts into their zip besides the model.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { licences } from './licences.mjs';

/** The folder of these files on the app's own server, and in its build. */
export const folder = 'page/';
const from = 'src/page-export';

/** @typedef {{ name: string, source: string | Uint8Array, modules: string[] }} Built */

/** One program as one file: `iife` for classic scripts. @returns {Promise<Built>} */
async function program(root, entry, name, format, define) {
  const { build } = await import('vite');
  const result = await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    define,
    build: {
      write: false,
      target: 'es2023',
      modulePreload: false,
      rollupOptions: { input: path.join(root, from, entry), output: { format, codeSplitting: false } },
    },
  });
  const { output } = Array.isArray(result) ? result[0] : result;
  const chunk = output.find(({ type, isEntry }) => type === 'chunk' && isEntry);
  const style = output.find(({ fileName }) => fileName.endsWith('.css'));
  // Licences of packages are in a file of their own.
  return style
    ? { name, source: style.source, modules: [] }
    : { name, source: chunk.code, modules: Object.keys(chunk.modules) };
}

/** All files but those that differ from page to page, which have `__NAMES__` in them for what is filled in. */
export async function buildPage(root, version) {
  const define = { __TABTUNE_VERSION__: JSON.stringify(version) };
  const read = (name) => readFileSync(path.join(root, name), 'utf8');
  const built = [
    await program(root, 'engine.ts', 'engine.js', 'es', define),
    await program(root, 'app.ts', 'app.js', 'iife', define),
    // The writer of a page puts a string in the place of this name (src/exports/page/write.ts).
    await program(root, 'service-worker.ts', 'service-worker.js', 'iife', { __PAGE_FILES__: '"__PAGE_FILES__"' }),
    await program(root, 'style.css', 'style.css', 'es', {}),
  ];
  const files = [
    ...built.map(({ name, source }) => ({ name, source: String(source) })),
    { name: 'index.html', source: read(`${from}/index.html`) },
    { name: 'icon.svg', source: read('public/icons/tabtune.svg') },
    {
      name: 'LICENCES.txt',
      source: licences(
        root,
        built.flatMap(({ modules }) => modules),
      ),
    },
  ];
  const list = files.map(({ name, source }) => ({
    name,
    sha256: createHash('sha256').update(source).digest('hex'),
    size: Buffer.byteLength(source),
  }));
  return [...files, { name: 'files.json', source: `${JSON.stringify(list, null, 2)}\n` }];
}
