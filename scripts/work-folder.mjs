// Where a headless run works until its results are whole: a hidden folder beside them. That it is there, with our process in
// it, also tells other runs that somebody writes these results.
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ourselves, stillRuns } from './processes.mjs';
import { bad } from './run-error.mjs';

const marker = '.tabtune-';
const temporaryPrefix = 'tabtune-run-';

/** The folder that a path means, whatever links lead there; what does not exist yet is added to what does. */
export function realPlace(place) {
  const full = path.resolve(place);
  try {
    return realpathSync(full);
  } catch {
    const parent = path.dirname(full);
    return parent === full ? full : path.join(realPlace(parent), path.basename(full));
  }
}

/** Removes a folder of ours. A browser that is just ending may still write into it. Says what stays, and throws nothing. */
function remove(folder, note) {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  } catch (error) {
    note(`${folder} could not be removed (${error.code}).`);
  }
}

/** Who works in such a folder. One whose owner is not written yet, or who wrote none, has the process id in its name. */
function ownerOf(folder) {
  try {
    return JSON.parse(readFileSync(path.join(folder, 'owner.json'), 'utf8'));
  } catch {
    const name = path.basename(folder);
    const pid = Number.parseInt(name.slice(name.lastIndexOf(marker) + marker.length), 10);
    return { ...ourselves(), started: null, pid };
  }
}

/** Temporary files of a run that was killed; nothing but what such a run makes. */
function removeTemporary(place, note) {
  if (typeof place === 'string' && path.basename(place).startsWith(temporaryPrefix)) remove(place, note);
}

/** Removes what killed runs to the same place left. Throws if one is at work there. */
function clearWay(target, own, note) {
  const beginning = `.${path.basename(target)}${marker}`;
  for (const name of readdirSync(path.dirname(target))) {
    const folder = path.join(path.dirname(target), name);
    if (!name.startsWith(beginning) || folder === own) continue;
    const owner = ownerOf(folder);
    if (!(owner.pid > 0)) continue;
    const alive = stillRuns(owner);
    if (alive === true) {
      const message = `another run (process ${owner.pid}) is writing ${target}.`;
      throw bad('bad_recipe', '--out', message, 'Wait until it has ended, or name another folder.');
    }
    if (alive === null) {
      const message = `a run on ${owner.host} (process ${owner.pid}) writes ${target}, or was killed doing so.`;
      throw bad('bad_recipe', '--out', message, `If it has ended, delete ${folder}; or name another folder.`);
    }
    removeTemporary(owner.temporary, note);
    remove(folder, note);
  }
}

/**
 * Takes the place beside `target` (a real path) for this run alone, and sends the temporary files of this process and its
 * children there too. `remove` undoes all of it, and so does the end of the process, however sudden, except SIGKILL: the next
 * run to the same place then cleans up.
 */
export function takeWorkFolder(target, note) {
  const parent = path.dirname(target);
  const made = mkdirSync(parent, { recursive: true });
  const work = path.join(parent, `.${path.basename(target)}${marker}${process.pid}-${randomBytes(3).toString('hex')}`);
  mkdirSync(work);
  // Not inside: a browser puts a socket there, and the path of a socket may have only about a hundred letters.
  const temporary = mkdtempSync(path.join(tmpdir(), temporaryPrefix));
  const usual = process.env.TMPDIR;
  process.env.TMPDIR = temporary;

  const removeAll = () => {
    process.off('exit', atExit);
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
    remove(work, note);
    remove(temporary, note);
    for (let folder = parent; made && folder.startsWith(made); folder = path.dirname(folder)) {
      try {
        rmdirSync(folder);
      } catch {
        break; // it holds something, the results for example
      }
    }
  };
  function atExit(code) {
    // The browser's end is another listener's; what it still writes would come after us.
    for (const other of process.listeners('exit')) if (other !== atExit) other(code);
    removeAll();
  }
  process.on('exit', atExit);
  try {
    // First it is there, then others are looked for: of two runs that start at once, at least one sees the other.
    writeFileSync(path.join(work, 'owner.json'), JSON.stringify({ ...ourselves(), temporary }));
    clearWay(target, work, note);
  } catch (error) {
    removeAll();
    throw error;
  }
  return { work, remove: removeAll };
}
