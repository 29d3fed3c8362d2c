import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkRecipe } from '../../../src/recipe/defaults';
import { parseRecipe } from '../../../src/recipe/schema';

const folder = new URL('../../../examples/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

test('there are examples', () => expect(names.length).toBeGreaterThan(0));

test.each(names)('%s can run, and all its fields have an effect', (name) => {
  const { recipe, problems, notes } = checkRecipe(parseRecipe(readFileSync(new URL(name, folder), 'utf8')));
  expect(problems).toEqual([]);
  expect(notes).toEqual([]);
  expect(`${recipe?.name}.json`).toBe(name);
});
