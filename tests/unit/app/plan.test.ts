import { expect, test } from 'vitest';
import { type PlanInputs, planParts } from '../../../src/app/components/run/plan';
import { checkRecipe } from '../../../src/recipe/defaults';
import type { Recipe, RecipeInput } from '../../../src/recipe/types';

const stats = {
  examples: 100,
  trainExamples: 90,
  validationExamples: 10,
  tokens: 1000,
  targetTokens: 100,
  longest: 20,
  percentile95: 18,
  truncated: 0,
  histogram: [],
  duplicates: 0,
};
const recipeOf = (input: Partial<RecipeInput>): Recipe =>
  checkRecipe({ version: 1, dataset: { source: 'file:mine.csv' }, ...input }).recipe!;
const classes = (problemType: 'single_label_classification' | 'regression', count: number) => ({
  problemType,
  labels: Array.from({ length: count }, (_, i) => `c${i}`),
});
const inputs = (change: Partial<PlanInputs> = {}): PlanInputs => ({
  recipe: recipeOf({ objective: { type: 'sequence_classification' } }),
  model: { title: 'SmolLM2 135M' },
  dataset: { examples: [] },
  tokens: { stats, task: classes('single_label_classification', 5) },
  forecast: { seconds: 120, verdict: 'fits' },
  device: { software: false },
  ...change,
});
const said = (change: Partial<PlanInputs> = {}) =>
  planParts(inputs(change))
    ?.map(({ text }) => text)
    .join('');

test('the run is one sentence, and every part that can be changed is a link to where', () => {
  expect(said()).toBe(
    'Teach SmolLM2 135M to sort your 100 texts into 5 classes; 10 are kept to check; about 2 min; fits this GPU.',
  );
  const links = planParts(inputs())!.flatMap(({ text, to }) => (to ? [[text, to]] : []));
  expect(links).toEqual([
    ['SmolLM2 135M', 'model'],
    ['to sort', 'goal'],
    ['your 100 texts', 'data'],
    ['10 are kept to check', 'kept'],
    ['about 2 min', 'time'],
    ['fits this GPU', 'memory'],
  ]);
});

test('each goal has its own words', () => {
  const rest = '; 10 are kept to check; about 2 min; fits this GPU.';
  const task = null;
  expect(said({ recipe: recipeOf({}), tokens: { stats, task } })).toBe(
    `Teach SmolLM2 135M to answer like your 100 examples${rest}`,
  );
  expect(said({ recipe: recipeOf({ objective: { type: 'pretraining' } }), tokens: { stats, task } })).toBe(
    `Teach SmolLM2 135M to read your 100 texts${rest}`,
  );
  expect(said({ tokens: { stats, task: classes('regression', 1) } })).toBe(
    `Teach SmolLM2 135M to predict a number for your 100 texts${rest}`,
  );
  const words = { problemType: 'token_classification' as const, labels: ['O', 'B-PER', 'I-PER'] };
  expect(
    said({ recipe: recipeOf({ objective: { type: 'token_classification' } }), tokens: { stats, task: words } }),
  ).toBe(`Teach SmolLM2 135M to tag the words of your 100 texts with 3 tags${rest}`);
});

test('built-in data are named, and nothing is called yours', () => {
  const recipe = recipeOf({ dataset: { source: 'builtin:pirate-chat' } });
  expect(said({ recipe, tokens: { stats, task: null } })).toContain('like the 100 examples of pirate-chat;');
});

test('a software renderer never fits a GPU', () => {
  expect(said({ device: { software: true } })).toMatch(/fits this computer’s memory\.$/);
  for (const verdict of ['fits', 'tight', 'too_big'] as const) {
    expect(said({ device: { software: true }, forecast: { seconds: 1, verdict } })).not.toContain('GPU');
  }
});

test('what is not known is left out or said, never made up', () => {
  expect(said({ forecast: null })).toBe(
    'Teach SmolLM2 135M to sort your 100 texts into 5 classes; 10 are kept to check.',
  );
  expect(said({ forecast: { seconds: 0.4, verdict: 'fits' } })).toContain('; less than a second;');
  expect(said({ forecast: { seconds: null, verdict: 'unknown' } })).toMatch(
    /10 are kept to check; time not measured yet\.$/,
  );
  expect(said({ tokens: { stats: { ...stats, validationExamples: 0 }, task: null }, forecast: null })).toBe(
    'Teach SmolLM2 135M to sort your 100 texts; none are kept to check.',
  );
  expect(planParts(inputs({ model: null }))).toBeNull();
  expect(planParts(inputs({ dataset: null }))).toBeNull();
});
