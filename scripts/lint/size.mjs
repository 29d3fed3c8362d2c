// Rule: a file of code has fewer than 400 lines.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { filesBelow } from './graph.mjs';

const limit = 400;
const folders = ['src', 'tests', 'scripts', 'bench'];

/** @returns {string[]} each as `src/file.ts:400: why` */
export function checkSize(root) {
  return folders
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) => filesBelow(root, folder, (name) => /\.(ts|tsx|mjs)$/.test(name)))
    .filter((file) => !file.startsWith('tests/fixtures/'))
    .flatMap((file) => {
      const lines = readFileSync(path.join(root, file), 'utf8').split('\n').length - 1;
      return lines < limit ? [] : [`${file}:${limit}: ${lines} lines; split it into files under ${limit}`];
    })
    .sort();
}
