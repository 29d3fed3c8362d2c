import { describe, expect, test } from 'vitest';
import { checkRecipe, resolveRecipe } from '../../../src/recipe/defaults';
import { presets, presetsFor, withPreset } from '../../../src/recipe/presets';
import type { RecipeInput } from '../../../src/recipe/types';

test('each goal is offered its own, and those that learn from written answers are not offered to others', () => {
  const ids = (type: Parameters<typeof presetsFor>[0]) => presetsFor(type).map(({ id }) => id);
  expect(ids('sft')).toContain('unsloth');
  expect(ids('dpo')).toEqual(['zephyr-dpo', 'trl-dpo']);
  expect(ids('cpo')).toEqual(['simpo']);
  expect(ids('grpo')).toEqual(['trl-grpo']);
  expect(ids('orpo')).toEqual([]);
  for (const { for: goals } of presets) expect(goals.length).toBeGreaterThan(0);
});

test('every preset has its own id and a source that can be opened', () => {
  expect(new Set(presets.map(({ id }) => id)).size).toBe(presets.length);
  for (const { source } of presets) expect(new URL(source.url).protocol).toBe('https:');
});

describe.each(presets)('$name', (preset) => {
  const type = preset.for[0]!;
  const rewards = [{ type: 'contains', name: 'right', words: ['matey'] }];
  const learnsFromRewards = ['grpo', 'rloo', 'ppo'].includes(type);
  const objective = { type, ...(learnsFromRewards ? { rewards } : {}) } as NonNullable<RecipeInput['objective']>;
  const own = {
    version: 1 as const,
    name: 'mine',
    model: { source: 'hf:org/model' },
    dataset: { source: 'file:replies.csv', columns: { prompt: 'question', completion: 'answer' }, max_length: 64 },
    objective,
    method: { type: 'ia3' as const },
    training: { learning_rate: 0.5, ema_decay: 0.9 },
  };

  test('makes a recipe that can run, on the same model and data', () => {
    const recipe = resolveRecipe(withPreset(own, preset));
    expect(recipe).toMatchObject({
      name: 'mine',
      model: { source: 'hf:org/model' },
      dataset: { source: 'file:replies.csv', columns: own.dataset.columns },
      objective,
    });
  });

  test('leaves nothing of the method and the training before it', () => {
    const recipe = resolveRecipe(withPreset(own, preset));
    expect(recipe.training.ema_decay).toBe(resolveRecipe({ version: 1 }).training.ema_decay);
    expect(recipe.method.type).toBe(preset.changes.method?.type);
    expect(recipe.training.learning_rate).toBe(preset.changes.training?.learning_rate);
  });

  test('changes nothing a second time', () => {
    const once = withPreset(own, preset);
    expect(checkRecipe(withPreset(once, preset)).recipe).toEqual(checkRecipe(once).recipe);
  });
});
