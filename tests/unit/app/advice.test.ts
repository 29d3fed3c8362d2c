import { expect, test } from 'vitest';
import {
  type AdviceInputs,
  offerFor,
  tokensPerWord,
  tooSmall,
  wantsLarger,
} from '../../../src/app/components/run/advice';
import type { Example } from '../../../src/data/types';
import type { PrecisionPlan, ShelfModel } from '../../../src/hub/descriptions';
import { checkRecipe } from '../../../src/recipe/defaults';
import type { RecipeInput } from '../../../src/recipe/types';

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
const examples: Example[] = Array.from({ length: 100 }, (_, i) => ({
  kind: 'prompt_completion',
  row: i + 1,
  prompt: 'Where is my lamp?',
  completion: 'On its way.',
}));
const plan = (quantization: PrecisionPlan['quantization'], verdict: PrecisionPlan['verdict'] = 'fits') => ({
  quantization,
  weightBytes: 1,
  totalBytes: 2,
  verdict,
});
const card = (name: string, change: Partial<ShelfModel> = {}): ShelfModel => ({
  source: `hf:org/${name}`,
  id: `org/${name}`,
  title: name,
  description: '',
  licence: 'mit',
  parameters: 135e6,
  bytes: 270e6,
  gated: false,
  downloaded: false,
  precisions: [plan('none'), plan('q8'), plan('nf4')],
  ...change,
});
const recipeOf = (input: Partial<RecipeInput>) =>
  checkRecipe({ version: 1, dataset: { source: 'file:mine.csv' }, ...input }).recipe!;
const inputs = (change: Partial<AdviceInputs> = {}): AdviceInputs => ({
  recipe: recipeOf({}),
  model: { source: 'builtin:stories', kind: 'decoder', parameters: 2e6, contextLength: 512 },
  dataset: { examples },
  tokens: { stats },
  forecast: { seconds: 60 },
  device: { available: true, software: false },
  shelf: [card('small'), card('large', { parameters: 360e6 })],
  online: true,
  downlink: 10,
  ...change,
});
const large = { source: 'hf:org/x', kind: 'decoder' as const, parameters: 135e6, contextLength: 8192 };

test('a toy is too small to write about matters of a person’s own, and says by what', () => {
  expect(tooSmall(inputs())).toEqual({ parameters: 2e6, spells: null, cut: 0, contextLength: 512 });
  // 7 words an example: 28 tokens are 4 for each.
  const spelled = tooSmall(inputs({ tokens: { stats: { ...stats, tokens: 2800, longest: 700, truncated: 12 } } }));
  expect(spelled).toMatchObject({ spells: 4, cut: 12 });
});

test('it is large enough to sort, to tag, and for the data that come with it; so is a larger model for anything', () => {
  for (const type of ['sequence_classification', 'token_classification'] as const) {
    expect(tooSmall(inputs({ recipe: recipeOf({ objective: { type } }) }))).toBeNull();
  }
  expect(tooSmall(inputs({ recipe: recipeOf({ dataset: { source: 'builtin:pirate-chat' } }) }))).toBeNull();
  expect(tooSmall(inputs({ model: large }))).toBeNull();
  expect(tooSmall(inputs({ tokens: null }))).toBeNull();
});

test('words are counted over a sample, and where there are none nothing is said about them', () => {
  expect(tokensPerWord(examples, { ...stats, tokens: 700 })).toBe(1);
  const many = Array.from({ length: 3000 }, (_, i): Example => ({ kind: 'text', row: i, text: 'one two three four' }));
  expect(tokensPerWord(many, { ...stats, examples: 3000, tokens: 24_000 })).toBe(2);
  expect(tokensPerWord([{ kind: 'text', row: 1, text: '你好世界今天天气很好' }], { ...stats, examples: 1 })).toBe(0);
  expect(tokensPerWord([], { ...stats, examples: 0 })).toBe(0);
});

test('the first free model that fits is offered, in four bits, with bytes and minutes', () => {
  const offer = offerFor(inputs())!;
  expect(offer.card.id).toBe('org/small');
  expect(offer.plan?.quantization).toBe('nf4');
  // 270 MB at 10 Mbit/s; a minute on 2M parameters.
  expect(offer.downloadSeconds).toBe(216);
  expect(offer.trainSeconds).toBe((60 * 135e6) / 2e6);
  const gated = [card('gated', { gated: true }), card('big', { precisions: [plan('nf4', 'too_big')] }), card('third')];
  expect(offerFor(inputs({ shelf: gated }))?.card.id).toBe('org/third');
  // An encoder has no plan, because it does not write.
  expect(offerFor(inputs({ shelf: [card('gated', { gated: true }), card('bert', { precisions: [] })] }))).toBeNull();
  expect(offerFor(inputs({ shelf: [card('soon', { precisions: [] })] }))?.plan).toBeUndefined();
  expect(offerFor(inputs({ shelf: [card('toy', { parameters: 10e6 })] }))).toBeNull();
});

test('without a network only what is here is offered', () => {
  expect(offerFor(inputs({ online: false }))).toBeNull();
  const here = offerFor(inputs({ online: false, shelf: [card('small'), card('here', { downloaded: true })] }));
  expect(here?.card.id).toBe('org/here');
  expect(here?.downloadSeconds).toBeNull();
});

test('on a software renderer only data that need more bring an offer', () => {
  const software = { available: true, software: true };
  expect(wantsLarger(inputs({ device: software }))).toBe(true);
  const pirate = recipeOf({ dataset: { source: 'builtin:pirate-chat' } });
  expect(wantsLarger(inputs({ device: software, recipe: pirate }))).toBe(false);
  expect(wantsLarger(inputs({ recipe: pirate }))).toBe(true);
  expect(wantsLarger(inputs({ recipe: recipeOf({ objective: { type: 'sequence_classification' } }) }))).toBe(false);
  expect(wantsLarger(inputs({ model: large }))).toBe(false);
  expect(wantsLarger(inputs({ device: { available: false, software: false } }))).toBe(false);
});
