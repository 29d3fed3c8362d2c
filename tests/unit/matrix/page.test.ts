/** docs/METHODS.md is up to date. `npm run docs` writes it. */
import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { methodGroups } from '../../../src/app/components/recipe/method-cards';
import { METHODS } from '../../parity/matrix/cells';
import { methodsPage } from './page';

const PAGE = new URL('../../../docs/METHODS.md', import.meta.url);

test('docs/METHODS.md is up to date', async () => {
  const page = methodsPage();
  if (process.env.WRITE_DOCS === '1') await writeFile(PAGE, page);
  expect(await readFile(PAGE, 'utf8'), 'run: npm run docs').toBe(page);
});

test('every method has a card', () => {
  const cards = methodGroups.flatMap((group) => group.methods.map(({ type }) => type));
  expect([...cards].sort()).toEqual([...METHODS].sort());
});
