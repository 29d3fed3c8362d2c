// What a visitor of an exported page loads besides the model, gzipped, as servers send it. Part of the `size` suite of `npm test`;
// as a command: node scripts/page-export/size.mjs
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { ensureBuilt } from '../build.mjs';
import { folder } from './build.mjs';

/** In kB of 1000 bytes. */
export const budget = 400;

/** The files of a page in the build `dist`, with their gzipped sizes in bytes, largest first. */
export function pageSizes(dist) {
  const place = path.join(dist, folder);
  return readdirSync(place)
    .map((name) => ({ name, bytes: gzipSync(readFileSync(path.join(place, name))).length }))
    .sort((a, b) => b.bytes - a.bytes);
}

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

/** Says what an exported page takes; false if it is more than the budget. */
export function reportPage(dist, log = console.log) {
  const files = pageSizes(dist);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { name, bytes } of files) log(`${kB(bytes).padStart(10)}  ${folder}${name}`);
  log(`${kB(total).padStart(10)}  in an exported page besides its model, gzipped; ${budget} kB are allowed`);
  return total <= budget * 1000;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (!reportPage(await ensureBuilt())) process.exitCode = 1;
}
