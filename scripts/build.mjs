// Builds dist when it is missing or older than what it is made of, so that every command can be the first.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const dist = path.join(root, 'dist');

const sources = ['src', 'public', 'index.html', 'headless.html', 'vite.config.ts', 'package.json', 'package-lock.json'];

/** The latest change under `place`; a folder's own time counts too, since it changes when a file goes. */
function newest(place) {
  const stats = statSync(place, { throwIfNoEntry: false });
  if (!stats) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return readdirSync(place).reduce((time, name) => Math.max(time, newest(path.join(place, name))), stats.mtimeMs);
}

export function isBuilt() {
  const built = statSync(path.join(dist, 'headless.html'), { throwIfNoEntry: false });
  return built !== undefined && sources.every((name) => newest(path.join(root, name)) <= built.mtimeMs);
}

/** Puts a new folder in the place of an old one. */
function replace(old, fresh) {
  const aside = `${fresh}-old`;
  if (existsSync(old)) renameSync(old, aside);
  renameSync(fresh, old);
  rmSync(aside, { recursive: true, force: true });
}

/** Builds into a folder of its own and moves it into place, so that nobody is served half an app. */
export async function ensureBuilt({ log = console.error } = {}) {
  if (isBuilt()) return dist;
  log('Building the app …');
  const started = new Date();
  const { build } = await import('vite');
  const fresh = path.join(root, '.cache', `build-${process.pid}`);
  const clear = () => rmSync(fresh, { recursive: true, force: true });
  // Ended in the middle of it.
  process.once('exit', clear);
  try {
    await build({ root, logLevel: 'error', build: { outDir: fresh, emptyOutDir: true } });
    // As old as the sources that it was made of: what is saved during the build is newer.
    for (const page of ['index.html', 'headless.html']) utimesSync(path.join(fresh, page), started, started);
    replace(dist, fresh);
  } finally {
    process.off('exit', clear);
    clear();
  }
  log(`Built in ${((Date.now() - started.getTime()) / 1000).toFixed(1)} s.`);
  return dist;
}

/**
 * A module of src as one file for Node, built when it is missing or older than the sources; returns its path. Vite is a process of
 * its own, so that what follows starts with an empty memory.
 */
export async function ensureNodeModule(entry) {
  const folder = await ensureNodeModules(entry.replace(/\W+/g, '-'), { index: entry });
  return path.join(folder, 'index.mjs');
}

/** Several modules with what they share in one folder, each as NAME.mjs; returns the folder. */
export async function ensureNodeModules(title, entries) {
  const folder = path.join(root, '.cache', 'node', title);
  const [name] = Object.keys(entries);
  const file = path.join(folder, `${name}.mjs`);
  const built = statSync(file, { throwIfNoEntry: false });
  const from = ['src', 'bench', 'scripts/build.mjs', 'package.json', 'package-lock.json'];
  if (built && from.every((place) => newest(path.join(root, place)) <= built.mtimeMs)) return folder;
  const started = new Date();
  const fresh = path.join(root, '.cache', `node-${process.pid}`);
  try {
    const given = [fresh, JSON.stringify(entries)];
    await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), ...given], { cwd: root });
    utimesSync(path.join(fresh, `${name}.mjs`), started, started);
    mkdirSync(path.dirname(folder), { recursive: true });
    replace(folder, fresh);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** It finds a file of its own beside its code. */
const external = ['@jitl/quickjs-wasmfile-release-sync'];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [outDir, entries] = process.argv.slice(2);
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const { build } = await import('vite');
  await build({
    root,
    // The app's own has plugins for its pages.
    configFile: false,
    logLevel: 'error',
    define: { __TABTUNE_VERSION__: JSON.stringify(version) },
    worker: { format: 'es' },
    build: {
      ...{ ssr: true, outDir, emptyOutDir: true, copyPublicDir: false, target: 'node20' },
      rollupOptions: { external, input: JSON.parse(entries), output: { entryFileNames: '[name].mjs' } },
    },
    // Packages too: they are read once, not file by file at every start.
    ssr: { noExternal: true },
  });
}
