/** Recipes of preferences: defaults by method and loss, and what is refused or remarked on. */
import { describe, expect, test } from 'vitest';
import type { Example } from '../../../src/data/types';
import { defaultSection, objectiveOf } from '../../../src/objectives';
import type { KtoObjective } from '../../../src/objectives/kto';
import { kto } from '../../../src/objectives/kto';
import { checkRecipe, resolveRecipe } from '../../../src/recipe/defaults';

const recipe = (objective: object, more: object = {}) => ({ version: 1, objective, ...more });
const problems = (objective: object, more: object = {}) =>
  checkRecipe(recipe(objective, more)).problems.map(({ where }) => where);
const notes = (objective: object, more: object = {}) =>
  checkRecipe(recipe(objective, more)).notes.map(({ where }) => where);

const HUB = { model: { source: 'hf:org/name' } };

describe('defaults', () => {
  test.each(['dpo', 'kto', 'orpo', 'cpo'])('%s takes small steps, without dropout', (type) => {
    const rate = (method: string) => resolveRecipe(recipe({ type }, { method: { type: method } })).training;
    expect([rate('lora').learning_rate, rate('full').learning_rate]).toEqual([5e-6, 1e-6]);
    expect(rate('lora').model_dropout).toBe(false);
  });

  test('a field that objectives share has each one’s values', () => {
    expect(resolveRecipe(recipe({ type: 'dpo' })).objective).toMatchObject({ loss_type: ['sigmoid'], beta: 0.1 });
    expect(resolveRecipe(recipe({ type: 'kto' })).objective).toMatchObject({ loss_type: 'kto', beta: 0.1 });
    expect(resolveRecipe(recipe({ type: 'cpo' })).objective).toMatchObject({ loss_type: 'sigmoid', cpo_alpha: 1 });
    // SimPO's paper, where TRL has CPO's values.
    expect(resolveRecipe(recipe({ type: 'cpo', loss_type: 'simpo' })).objective).toMatchObject({
      ...{ beta: 2, simpo_gamma: 1, cpo_alpha: 0 },
    });
    expect(problems({ type: 'dpo', loss_type: 'sigmoid' })).toEqual(['objective.loss_type']);
    expect(problems({ type: 'kto', loss_type: ['kto'] })).toEqual(['objective.loss_type']);
    expect(problems({ type: 'kto', loss_type: 'simpo' })).toEqual(['objective.loss_type']);
  });
});

describe('refused', () => {
  test.each([
    [{ loss_type: [] }, 'loss_type'],
    [{ loss_type: ['ipo', 'ipo'] }, 'loss_type'],
    [{ loss_type: ['sigmoid', 'sft'], loss_weights: [1] }, 'loss_weights'],
    [{ label_smoothing: 0.1 }, 'label_smoothing'],
    [{ loss_type: ['robust'], label_smoothing: 0.5 }, 'label_smoothing'],
    [{ loss_type: ['exo_pair'] }, 'label_smoothing'],
    [{ loss_type: ['bco_pair'], f_divergence_type: 'forward_kl' }, 'f_divergence_type'],
    [{ loss_type: ['aot'], use_weighting: true }, 'use_weighting'],
  ])('dpo %o', (fields, where) => {
    expect(problems({ type: 'dpo', ...fields })).toEqual([`objective.${where}`]);
  });

  test('what fits together is not', () => {
    expect(problems({ type: 'dpo', loss_type: ['robust'], label_smoothing: 0.1 })).toEqual([]);
    expect(problems({ type: 'dpo', loss_type: ['sigmoid', 'sft'], loss_weights: [1, 0.5] })).toEqual([]);
    expect(problems({ type: 'dpo', f_divergence_type: 'forward_kl' })).toEqual([]);
  });

  test('settings of other training', () => {
    for (const type of ['dpo', 'kto', 'orpo', 'cpo']) {
      expect(problems({ type }, { training: { label_smoothing_factor: 0.1 } })).toEqual([
        'training.label_smoothing_factor',
      ]);
      expect(problems({ type }, { training: { replay_ratio: 0.1 } })).toEqual(['training.replay_ratio']);
      expect(problems({ type }, { dataset: { packing: true } })).toEqual(['dataset.packing']);
    }
  });

  test('KTO with one answer a batch, and asked ahead while shuffled', () => {
    const alone = { training: { per_device_train_batch_size: 1 } };
    expect(problems({ type: 'kto' }, alone)).toEqual(['training.per_device_train_batch_size']);
    expect(problems({ type: 'kto', loss_type: 'apo_zero_unpaired' }, alone)).toEqual([]);
    const ahead = { type: 'kto', precompute_ref_log_probs: true };
    expect(problems(ahead)).toEqual(['dataset.shuffle']);
    expect(problems(ahead, { dataset: { shuffle: false } })).toEqual([]);
  });

  test('CPO: smoothing and bent rewards where a loss has none', () => {
    expect(problems({ type: 'cpo', loss_type: 'hinge', label_smoothing: 0.1 })).toEqual(['objective.label_smoothing']);
    expect(problems({ type: 'cpo', alpha: 0.25 })).toEqual(['objective.alpha']);
    expect(problems({ type: 'cpo', loss_type: 'simpo', alpha: 0.25 })).toEqual([]);
  });
});

describe('remarked on', () => {
  test('a rate of supervised training, except for the small built-in models', () => {
    const fast = { training: { learning_rate: 2e-4 } };
    expect(notes({ type: 'dpo' }, { ...fast, ...HUB })).toEqual(['training.learning_rate']);
    expect(notes({ type: 'dpo' }, { training: { learning_rate: 5e-5 }, ...HUB })).toEqual([]);
    expect(notes({ type: 'dpo' }, fast)).toEqual([]);
  });

  test('fields without effect', () => {
    expect(notes({ type: 'dpo', discopop_tau: 0.1, f_alpha_divergence_coef: 0.3 })).toEqual([
      'objective.f_alpha_divergence_coef',
      'objective.discopop_tau',
    ]);
    expect(notes({ type: 'cpo', simpo_gamma: 1 })).toEqual(['objective.simpo_gamma']);
  });

  test('KTO: weights that do not make up for uneven numbers', () => {
    const answers = (good: number, bad: number): Example[] =>
      Array.from({ length: good + bad }, (_, i) => ({
        ...{ kind: 'judged', row: i + 1, prompt: 'a', completion: 'b', good: i < good },
      }));
    const said = (good: number, bad: number, changes: Partial<KtoObjective> = {}) => {
      const section = { ...(defaultSection(objectiveOf({ type: 'kto' })) as KtoObjective), ...changes };
      const options = { template: null } as never;
      return kto.data(section).warnings!(answers(good, bad), options)
        .filter(({ code }) => code === 'uneven_judgements')
        .map(({ action }) => action);
    };
    expect(said(10, 10)).toEqual([]);
    expect(said(13, 10)).toEqual([]);
    expect(said(30, 10)).toEqual(['Set desirable_weight to 0.33 to 0.44, or undesirable_weight to 2.3 to 3.']);
    expect(said(30, 10, { undesirable_weight: 2.5 })).toEqual([]);
    expect(said(10, 40)).toEqual(['Set desirable_weight to 4 to 5.3, or undesirable_weight to 0.19 to 0.25.']);
  });
});
