import { expect, test } from 'vitest';
import { defaultRecipe, resolveRecipe } from '../../../src/recipe/defaults';
import { diffRecipes, minimalInput, nonDefaults, withValue } from '../../../src/recipe/diff';

test('only differences are listed', () => {
  const a = defaultRecipe();
  expect(diffRecipes(a, defaultRecipe())).toEqual([]);
  const b = withValue(withValue(a, 'method.target_modules', ['q_proj']), 'training.seed', 7);
  expect(diffRecipes(a, b)).toEqual([
    { path: 'method.target_modules', a: 'all-linear', b: ['q_proj'] },
    { path: 'training.seed', a: 42, b: 7 },
  ]);
  expect(a.training.seed).toBe(42);
});

test('the order of mapped columns makes no difference', () => {
  const a = withValue(defaultRecipe(), 'dataset.columns', { prompt: 'q', completion: 'a' });
  const b = withValue(defaultRecipe(), 'dataset.columns', { completion: 'a', prompt: 'q' });
  expect(diffRecipes(a, b)).toEqual([]);
});

test('the minimal input resolves to the same recipe', () => {
  const recipe = resolveRecipe({
    version: 1,
    dataset: { source: 'file:replies.csv', columns: { prompt: 'question', completion: 'answer' } },
    method: { type: 'lora', r: 8 },
    training: { max_steps: 4 },
  });
  const input = minimalInput(recipe);
  expect(input).toEqual({
    version: 1,
    dataset: { source: 'file:replies.csv', columns: { prompt: 'question', completion: 'answer' } },
    method: { type: 'lora', r: 8 },
    training: { max_steps: 4 },
  });
  expect(resolveRecipe(input)).toEqual(recipe);
  expect(nonDefaults(recipe).map(({ path }) => path)).not.toContain('name');
  expect(minimalInput(defaultRecipe())).toEqual({ version: 1 });
});
