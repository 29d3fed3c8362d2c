/** Every cell of the matrix is either accepted or refused with the expected message. */
import { describe, expect, test } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { loaders } from '../../../src/engine/models';
import { supportedFamilies } from '../../../src/families';
import { catalogue } from '../../../src/recipe/catalogue';
import { checkCombination, combinationProblems } from '../../../src/recipe/compatibility';
import { checkRecipe, fill } from '../../../src/recipe/defaults';
import {
  CELLS,
  combined,
  FAMILIES,
  METHODS,
  OBJECTIVES,
  recipeInput,
  recipeOf,
  VARIANT_CELLS,
} from '../../parity/matrix/cells';
import { expectedRefusal, problemOf, REFUSALS, trains } from '../../parity/matrix/refusals';

test('the matrix has all families, methods and objectives', () => {
  const choices = (path: 'method.type' | 'objective.type') => {
    const spec = catalogue[path]!;
    return spec.kind === 'select' ? spec.options.map(({ value }) => value) : [];
  };
  expect(FAMILIES.map(({ name }) => name).sort()).toEqual([...supportedFamilies].sort());
  expect(Object.keys(loaders).sort()).toEqual([...supportedFamilies].sort());
  expect(METHODS).toEqual(choices('method.type'));
  expect(OBJECTIVES).toEqual(choices('objective.type'));
  expect(CELLS).toHaveLength(FAMILIES.length * METHODS.length * OBJECTIVES.length);
});

test('each family and each method covers all kinds of text classification', () => {
  for (const of of FAMILIES) {
    const met = CELLS.filter((cell) => cell.family === of && trains(cell)).map(({ problemType }) => problemType);
    expect(new Set(met).size, of.name).toBe(4); // undefined for the other objectives
  }
  for (const method of METHODS) {
    const met = CELLS.filter((cell) => cell.method === method && trains(cell)).map(({ problemType }) => problemType);
    expect(new Set(met).size, method).toBe(4);
  }
});

describe.each(FAMILIES)('$name', (family) => {
  test.each(OBJECTIVES)('%s', (objective) => {
    for (const cell of CELLS) {
      if (cell.family !== family || cell.objective !== objective) continue;
      const refusal = expectedRefusal(cell);
      const problem = problemOf(cell);
      expect(problem, cell.method).toEqual(refusal && REFUSALS[refusal]);
      const check = () => checkCombination(fill(recipeInput(cell)), combined(family));
      if (!problem) {
        expect(check).not.toThrow();
        expect(() => recipeOf(cell)).not.toThrow();
        expect(combinationProblems(recipeOf(cell), combined(family))).toEqual([]);
        continue;
      }
      expect(check).toThrow(TabtuneError);
      // A conflict within the recipe is refused before a model is loaded.
      const alone = checkRecipe(recipeInput(cell)).problems;
      const headless = cell.method === 'head' && !objective.endsWith('classification');
      expect(alone.map(({ where }) => where)).toEqual(headless ? ['method.type'] : []);
    }
  });
});

test('the numbers of cells that train, and that are refused with each message', () => {
  const counts: Record<string, number> = {};
  for (const cell of CELLS) {
    const key = expectedRefusal(cell) ?? 'trains';
    counts[key] = (counts[key] ?? 0) + 1;
  }
  expect(counts).toEqual({
    trains: 1243,
    answers: 27,
    plainText: 27,
    hiddenWords: 90,
    prefix: 12,
    headOfSft: 10,
    headOfPretraining: 10,
    headOfMaskedLm: 3,
    rewards: 135,
    headOfRejection: 10,
    headOfGrpo: 10,
    comparisons: 108,
    headOfDpo: 10,
    headOfRloo: 10,
    headOfKto: 10,
    headOfOrpo: 10,
    headOfCpo: 10,
    headOfPpo: 10,
    headOfOnlineDpo: 10,
  });
  expect(VARIANT_CELLS.every(trains)).toBe(true);
});
