import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { checkFoldersTable, foldersTable, writeFoldersTable } from '../../../../scripts/lint/folders.mjs';
import { layers } from '../../../../scripts/lint/layers.mjs';
import { temporaryTree } from './tree';

const tree = temporaryTree();
const { write } = tree;
const page = () => readFileSync(path.join(tree.root, 'docs/ARCHITECTURE.md'), 'utf8');

beforeEach(() => {
  write(
    'docs/ARCHITECTURE.md',
    '# A\n\n<!-- table: scripts/lint/folders.mjs -->\n\nold\n\n<!-- end of table -->\n\nB\n',
  );
  write('src/base/errors.ts', '');
  write('src/rpc/rpc.ts', '');
  write('src/main.tsx', '');
});

test('the table has the folders that exist, and what they may import of these', () => {
  const rows = foldersTable(tree.root).split('\n');
  expect(rows).toContain(`| \`src/base\` | ${layers.base?.about} | nothing |`);
  expect(rows).toContain(`| \`src/rpc\` | ${layers.rpc?.about} | base |`);
  expect(rows.filter((row) => row.includes('`src/'))).toHaveLength(3);
});

test('the page is checked against it and written from it, and nothing around it changes', () => {
  expect(checkFoldersTable(tree.root)).toEqual([
    'docs/ARCHITECTURE.md:3: the table of folders is out of date: npm run docs',
  ]);
  writeFoldersTable(tree.root);
  expect(checkFoldersTable(tree.root)).toEqual([]);
  expect(page()).toMatch(/^# A\n\n<!-- table.+ \|\n\n<!-- end of table -->\n\nB\n$/s);
});

test('a page without a place for the table is an error', () => {
  write('docs/ARCHITECTURE.md', '# A\n');
  expect(() => checkFoldersTable(tree.root)).toThrow('docs/ARCHITECTURE.md has no table between');
});
