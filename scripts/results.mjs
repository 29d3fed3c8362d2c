// The folder that a headless run leaves: what of an earlier one may be replaced, and how.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { bad } from './run-error.mjs';

const SUMMARY = 'summary.json';
/** What runs of older versions wrote without a hash. */
const unlisted = ['metrics.jsonl', 'logits.json'];

/** Everything in a folder that is not a folder itself, and empty folders, by paths with slashes. */
function contentsOf(folder, inside = '') {
  const entries = readdirSync(path.join(folder, inside), { withFileTypes: true });
  if (entries.length === 0 && inside !== '') return [`${inside}/`];
  return entries.flatMap((entry) => {
    const name = inside === '' ? entry.name : `${inside}/${entry.name}`;
    return entry.isDirectory() ? contentsOf(folder, name) : [name];
  });
}

export async function hashOf(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** What the summary says a run wrote beside it: paths, and their sizes or hashes. Null if it is not a run's summary. */
function listedBy(summary) {
  try {
    const { versions, files, written } = JSON.parse(readFileSync(summary, 'utf8'));
    if (typeof versions?.tabtune !== 'string' || !Array.isArray(files)) return null;
    const listed = new Map(unlisted.map((name) => [name, {}]));
    for (const { path: name, bytes } of files) listed.set(name, { bytes });
    for (const [name, sha256] of Object.entries(written ?? {})) listed.set(name, { ...listed.get(name), sha256 });
    return listed;
  } catch {
    return null;
  }
}

/**
 * The files of an earlier run's results in a folder, if they are all that is in it. Throws if it holds anything else: what is
 * not listed in its summary, or has been changed since, is not ours.
 */
export async function ownResults(folder) {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (!stats) return [];
  if (!stats.isDirectory()) throw bad('bad_recipe', '--out', `${folder} is a file.`, 'Name a folder.');
  const found = contentsOf(folder).sort();
  const listed = listedBy(path.join(folder, SUMMARY));
  for (const name of found) {
    const known = name === SUMMARY ? listed && {} : listed?.get(name);
    const file = path.join(folder, name);
    if (!known || !lstatSync(file).isFile()) {
      throw bad('bad_recipe', '--out', `${folder} holds other files (${name}).`, 'Name a new or empty folder.');
    }
    const sameSize = known.bytes === undefined || lstatSync(file).size === known.bytes;
    if (!sameSize || (known.sha256 !== undefined && (await hashOf(file)) !== known.sha256)) {
      const message = `${folder} holds a file that was changed after its run (${name}).`;
      throw bad('bad_recipe', '--out', message, 'Name a new or empty folder.');
    }
  }
  return found;
}

/** Also onto another disk, when the folder of results is a mounted one. */
function move(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (error.code !== 'EXDEV') throw error;
    copyFileSync(from, to);
    rmSync(from);
  }
}

/** A name beside the folder that nothing has. */
function freePlace(folder) {
  for (let n = 2; ; n++) if (!existsSync(`${folder}-${n}`)) return `${folder}-${n}`;
}

/** The folders that files are in, those inside others first. */
function foldersOf(files) {
  const above = (name) => (path.dirname(name) === '.' ? [] : [path.dirname(name), ...above(path.dirname(name))]);
  return [...new Set(files.flatMap(above))].sort((a, b) => b.split('/').length - a.split('/').length);
}

/**
 * Puts the results of a run into their folder, in place of an earlier run's. Whatever else has come into it meanwhile stays,
 * and the results are put beside it. Whenever this is ended, the summary in the folder lists all that is in it.
 */
export async function putResults(result, folder) {
  let own;
  try {
    own = await ownResults(folder);
  } catch (error) {
    const place = freePlace(folder);
    renameSync(result, place);
    const { where, message } = error.data ?? { message: error.message };
    throw bad('bad_recipe', where, `${message} It did not when the run began.`, `The results are in ${place}.`);
  }
  for (const name of own) if (name !== SUMMARY) rmSync(path.join(folder, name));
  for (const name of foldersOf(own)) rmdirSync(path.join(folder, name));
  mkdirSync(folder, { recursive: true });
  const files = contentsOf(result);
  for (const name of [SUMMARY, ...files.filter((file) => file !== SUMMARY)]) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    move(path.join(result, name), path.join(folder, name));
  }
}
