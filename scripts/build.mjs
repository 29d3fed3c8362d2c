// Builds dist when it is missing or older than what it is made of, so that every command can be the first.
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

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
    const old = `${fresh}-old`;
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
    rmSync(old, { recursive: true, force: true });
  } finally {
    process.off('exit', clear);
    clear();
  }
  log(`Built in ${((Date.now() - started.getTime()) / 1000).toFixed(1)} s.`);
  return dist;
}
