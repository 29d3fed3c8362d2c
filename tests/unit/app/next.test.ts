import { expect, test, vi } from 'vitest';

// The stores keep themselves in localStorage, which Node does not have.
vi.stubGlobal('window', { localStorage: { getItem: () => null, setItem: () => {}, removeItem: () => {} } });
const { sameRun } = await import('../../../src/app/components/run/useRunControls');
const { checkRecipe } = await import('../../../src/recipe/defaults');

const recipeOf = (input: object) => checkRecipe({ version: 1, ...input }).recipe!;

test('a run is made as long as nothing but its name has changed', () => {
  const made = recipeOf({ name: 'first', training: { seed: 7 } });
  expect(sameRun(made, recipeOf({ name: 'second', training: { seed: 7 } }))).toBe(true);
  expect(sameRun(made, recipeOf({ name: 'first', training: { seed: 8 } }))).toBe(false);
  expect(sameRun(made, recipeOf({ name: 'first', training: { seed: 7 }, dataset: { source: 'file:b' } }))).toBe(false);
});

test('an adapter that is continued decides about its rank, so that is no change', () => {
  const continued = { type: 'lora', init_adapter: 'file:mine' };
  const made = recipeOf({ method: { ...continued, r: 8 } });
  expect(sameRun(made, recipeOf({ method: continued }))).toBe(true);
  expect(sameRun(made, recipeOf({ method: continued, training: { seed: 8 } }))).toBe(false);
});
