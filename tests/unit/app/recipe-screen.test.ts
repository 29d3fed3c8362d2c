/** Decisions of the Recipe page that need no rendering: refusals on its cards and the stops of its sliders. */
import { describe, expect, test } from 'vitest';
import '../stores/fake-session';
import { checkRecipe, defaultRecipe, resolveRecipe } from '../../../src/recipe/defaults';
import { withValue } from '../../../src/recipe/diff';
import { field, type RecipePath } from '../../../src/recipe/fields';
import type { MethodType } from '../../../src/recipe/types';
import { model } from '../stores/fake-session';

const { refusalOf, refusalText } = await import('../../../src/app/components/recipe/refusals');
const { helpOf } = await import('../../../src/app/components/recipe/field-help');
const { nearestStop, sizeOf, stopOf, strengthsFor } = await import('../../../src/app/components/recipe/slider-stops');

const encoder = { ...model, title: 'Tiny BERT', kind: 'encoder' as const };

describe('a card says why it cannot be chosen', () => {
  test('because of the recipe or the model', () => {
    const recipe = defaultRecipe();
    expect(refusalOf(recipe, 'method.type', 'ia3', model)).toBeNull();
    expect(refusalText(refusalOf(recipe, 'method.type', 'head', model)!, 'method.type')).toMatch(
      /^Trains only a classifier’s head, and supervised fine-tuning has none\. Choose another method/,
    );
    const quantised = resolveRecipe({ version: 1, model: { source: 'hf:a/b', quantization: 'nf4' } });
    expect(refusalText(refusalOf(quantised, 'method.type', 'full', model)!, 'method.type')).toMatch(
      /^model\.quantization: does not work with methods that train the model’s own weights/,
    );
    const sorting = resolveRecipe({ version: 1, objective: { type: 'sequence_classification' } });
    expect(refusalOf(sorting, 'method.type', 'prefix_tuning', encoder)?.where).toBe('method.type');
    expect(refusalOf(sorting, 'method.type', 'head', encoder)).toBeNull();
  });

  test('but not for problems that exist already', () => {
    // Answers cannot be learned by an encoder, whatever the method.
    expect(refusalOf(defaultRecipe(), 'method.type', 'ia3', encoder)).toBeNull();
    expect(refusalOf(defaultRecipe(), 'objective.type', 'masked_lm', encoder)).toBeNull();
  });

  test('and nothing about the model unless one is open', () => {
    expect(refusalOf(defaultRecipe(), 'objective.type', 'masked_lm', null)).toBeNull();
    expect(refusalOf(defaultRecipe(), 'objective.type', 'masked_lm', model)?.message).toMatch(/from left to right/);
  });
});

describe('the strength slider', () => {
  const types: MethodType[] = ['lora', 'ia3', 'bottleneck', 'prefix_tuning', 'prompt_tuning', 'p_tuning', 'full'];
  test.each(types)('%s: the default is in the middle, and every stop can be trained', (type) => {
    const recipe = resolveRecipe({ version: 1, model: { source: 'hf:a/b' }, method: { type } });
    const stops = strengthsFor(recipe);
    expect(stops[stopOf(recipe, stops)]?.name).toBe('Normal');
    const rates = stops.map(({ values }) => values['training.learning_rate']!);
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    stops.forEach(({ values }, i) => {
      let changed = recipe;
      for (const [path, value] of Object.entries(values)) changed = withValue(changed, path as RecipePath, value);
      expect(checkRecipe(changed).problems).toEqual([]);
      expect(nearestStop(changed, stops)).toBe(i);
    });
    expect(sizeOf(recipe)).toBe(
      { lora: 'rank 16, ', bottleneck: 'reduction 16, ', prefix_tuning: '50 virtual tokens, ' }[type as string] ??
        (type === 'prompt_tuning' || type === 'p_tuning' ? '20 virtual tokens, ' : ''),
    );
  });
});

describe('the help of a field', () => {
  const rate = field('training.learning_rate', defaultRecipe());

  test('says why a rate that suits the open model is not among the usual ones', () => {
    expect(helpOf(rate, 2e-3)).toMatch(/Usually 1e-4 to 3e-4\. The open model is far smaller than usual, .*2e-3\.$/);
  });

  test('has nothing to explain where that rate is usual, or where no model is known', () => {
    expect(helpOf(rate, 2e-4)).toMatch(/Usually 1e-4 to 3e-4\.$/);
    expect(helpOf(rate)).toMatch(/Usually 1e-4 to 3e-4\.$/);
  });
});
