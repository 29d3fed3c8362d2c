// Builds the service worker beside the app's page, with the list of files that make up this version.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { closed, closedPolicy } from '../policy.mjs';

const entry = 'src/service-worker/service-worker.ts';
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Files that only other programs ask for: the page of headless runs, notes about the data, licences. */
const left = (name) => /^(headless\.html|licences\/.*|.*\.(md|map))$/.test(name);

function publicFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => path.join(file.parentPath, file.name))
    .map((file) => [path.relative(folder, file).split(path.sep).join('/'), readFileSync(file)]);
}

/** @returns {import('vite').Plugin} */
export function serviceWorker() {
  let config;
  return {
    name: 'service-worker',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    generateBundle: {
      // After the pages have been written: their names and bytes are in the list.
      order: 'post',
      async handler(_options, bundle) {
        // Modules for Node have no page to serve.
        if (config.build.ssr || !bundle['index.html']) return;
        const built = Object.values(bundle).map((file) => [
          file.fileName,
          file.type === 'chunk' ? file.code : file.source,
        ]);
        const files = Object.fromEntries(
          [...built, ...publicFiles(config.publicDir)]
            .filter(([name]) => !left(name))
            // The page is asked for by its folder, which some hosts redirect its name to.
            .map(([name, content]) => [name === 'index.html' ? '' : name, sha256(content)])
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        );
        const { build } = await import('vite');
        const [worker] = (
          await build({
            root: config.root,
            configFile: false,
            publicDir: false,
            logLevel: 'error',
            define: {
              __APP_FILES__: JSON.stringify(files),
              __APP_HASH__: JSON.stringify(sha256(JSON.stringify(files)).slice(0, 16)),
              __CLOSED__: closed.toString(),
              __CLOSED_POLICY__: JSON.stringify(closedPolicy),
            },
            build: {
              write: false,
              target: 'es2022',
              modulePreload: false,
              rollupOptions: { input: path.join(config.root, entry), output: { format: 'iife' } },
            },
          })
        ).output;
        this.emitFile({ type: 'asset', fileName: 'service-worker.js', source: worker.code });
      },
    },
  };
}
