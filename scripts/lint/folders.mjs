// Rule: the table of folders in docs/ARCHITECTURE.md says what layers.mjs says. `npm run docs` writes it.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readTable, writeTable } from '../doc-table.mjs';
import { layers } from './layers.mjs';

const page = 'docs/ARCHITECTURE.md';
const self = 'scripts/lint/folders.mjs';

const outside = [
  {
    folder: 'tests',
    about:
      '`unit` (Node), `gpu` (real Chromium), `gpu-node` (the same in Node, on another driver), `e2e` (Playwright), `oracle` (Python), `parity` (one body, both backends), `interop` (exports for other programs), `fuzz` (mutated files)',
  },
  {
    folder: 'bench',
    about:
      'our step against stock tfjs and jax-js, a 135M model in several precisions, every method against LoRA, batched decoding, and steps of DPO and GRPO, in one page or in Node',
  },
  { folder: 'scripts', about: 'what `npm` and people run; `scripts/experiments` are the measurements in docs' },
];

const exists = (root, layer) =>
  ['', '.ts', '.tsx'].some((extension) => existsSync(path.join(root, 'src', layer + extension)));

/** The table, with the layers that have a folder or file under `root`. */
export function foldersTable(root) {
  const rows = Object.entries(layers)
    .filter(([layer]) => exists(root, layer))
    .map(([layer, { about, may }]) => {
      const targets = may.filter((name) => exists(root, name)).join(', ');
      return `| \`src/${layer}\` | ${about} | ${targets || 'nothing'} |`;
    });
  const others = outside.map(({ folder, about }) => `| \`${folder}\` | ${about} | |`);
  return ['| folder | what is in it | may import |', '| --- | --- | --- |', ...rows, ...others].join('\n');
}

export function writeFoldersTable(root) {
  writeTable(path.join(root, page), self, foldersTable(root));
}

/** @returns {string[]} as `file:line: why` */
export function checkFoldersTable(root) {
  const { before, table } = readTable(path.join(root, page), self);
  const line = before.split('\n').length;
  return table === foldersTable(root) ? [] : [`${page}:${line}: the table of folders is out of date: npm run docs`];
}
