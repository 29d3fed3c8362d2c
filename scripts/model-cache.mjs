// Where headless runs keep models of the Hugging Face Hub between runs: a browser profile of their own, under the
// user's cache folder. The app in it has an address of its own too, since a browser keeps files by address.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { isAlive } from './child.mjs';

export { cacheHost } from './cache-host.mjs';

/**
 * `--cache`, TABTUNE_CACHE, or where this system keeps caches.
 *
 * @param {string | null} [given]
 * @param {{ env?: Record<string, string | undefined>, platform?: string, home?: string }} [system]
 */
export function cacheFolder(given, { env = process.env, platform = process.platform, home = homedir() } = {}) {
  const own = given || env.TABTUNE_CACHE;
  if (own) return path.resolve(own);
  if (platform === 'win32') return path.join(env.LOCALAPPDATA || path.join(home, 'AppData', 'Local'), 'tabtune');
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches', 'tabtune');
  return path.join(env.XDG_CACHE_HOME || path.join(home, '.cache'), 'tabtune');
}

/** A file with our process id in it; false when a living process has put its own there. */
function lock(file) {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return true;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    let owner = 0;
    try {
      owner = Number.parseInt(readFileSync(file, 'utf8'), 10);
    } catch {
      // Released this moment.
    }
    if (owner > 0 && isAlive(owner)) return false;
    rmSync(file, { force: true });
  }
  return false;
}

/**
 * A profile in `folder` for this process alone, or without a browser, a folder of the same use. A browser's profile serves one browser at a time: a run that starts
 * while another one is at work takes the next, with models of its own. Returns `{profile, first, release}`.
 */
export function takeProfile(folder, kind = 'browser') {
  mkdirSync(folder, { recursive: true });
  for (let n = 1; ; n++) {
    const profile = path.join(folder, n === 1 ? kind : `${kind}-${n}`);
    const file = `${profile}.lock`;
    if (!lock(file)) continue;
    const release = () => {
      process.off('exit', release);
      rmSync(file, { force: true });
    };
    process.on('exit', release);
    return { profile, first: n === 1, release };
  }
}
