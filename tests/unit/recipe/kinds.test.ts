/** Fields that only some methods and objectives have, and defaults that depend on both. */
import { describe, expect, test } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { methods as descriptors } from '../../../src/methods';
import { checkRecipe, defaultOf, defaultRecipe, resolveRecipe } from '../../../src/recipe/defaults';
import { diffRecipes, minimalInput, nonDefaults, withValue } from '../../../src/recipe/diff';
import { applies, field, fields, fieldsIn, fieldsOf } from '../../../src/recipe/fields';
import type { MethodType, ObjectiveType } from '../../../src/recipe/types';

const lines = (input: unknown) => checkRecipe(input).problems.map((p) => TabtuneError.fromData(p).toLine());
const noted = (input: object) => checkRecipe({ version: 1, ...input }).notes.map(({ where }) => where);
const keys = (section: 'method' | 'objective', type: string) => fieldsOf(section, type).map(({ key }) => key);

const methods = ['lora', 'ia3', 'bottleneck', 'prefix_tuning', 'prompt_tuning', 'p_tuning', 'full', 'head'] as const;

describe('a section has the fields of its type', () => {
  test.each([
    ['full', ['type']],
    ['head', ['type']],
    ['gradual_unfreezing', ['type', 'layer_lr_divisor']],
    ['ia3', ['type', 'target_modules', 'feedforward_modules', 'modules_to_save', 'init_adapter']],
    ['bottleneck', ['type', 'config', 'reduction_factor', 'non_linearity', 'init_adapter']],
    ['p_tuning', ['type', 'num_virtual_tokens', 'encoder_hidden_size', 'init_adapter']],
  ])('method %s', (type, expected) => {
    expect(keys('method', type)).toEqual(expected);
    const objective = { type: type === 'head' ? 'sequence_classification' : 'sft' };
    expect(Object.keys(resolveRecipe({ version: 1, method: { type }, objective }).method)).toEqual(expected);
  });

  test('objectives', () => {
    expect(keys('objective', 'sft')).toEqual(['type', 'assistant_only_loss']);
    expect(keys('objective', 'pretraining')).toEqual(['type']);
    expect(keys('objective', 'masked_lm')).toEqual(['type', 'mlm_probability']);
    expect(resolveRecipe({ version: 1, objective: { type: 'sequence_classification' } }).objective).toEqual({
      type: 'sequence_classification',
      problem_type: 'auto',
    });
  });

  test('a field of another type is refused, and the types that have it are named', () => {
    expect(lines({ version: 1, method: { type: 'ia3', r: 8 } })).toEqual([
      'method.r: belongs to lora, not to ia3. Remove it.',
    ]);
    expect(lines({ version: 1, method: { type: 'lora', num_virtual_tokens: 8 } })).toEqual([
      'method.num_virtual_tokens: belongs to prefix_tuning, prompt_tuning and p_tuning, not to lora. Remove it.',
    ]);
    expect(lines({ version: 1, objective: { type: 'pretraining', assistant_only_loss: true } })).toEqual([
      'objective.assistant_only_loss: belongs to sft, not to pretraining. Remove it.',
    ]);
    // Without a type, the section has the default one.
    expect(lines({ version: 1, method: { r: 8 } })).toEqual([]);
    expect(lines({ version: 1, method: { reduction_factor: 8 } })).toHaveLength(1);
  });

  test('other programs’ names for fields are recognised', () => {
    expect(lines({ version: 1, training: { momentum: 0.9 } })).toEqual([
      'training.momentum: is not a known field. Did you mean sgd_momentum?',
    ]);
    expect(lines({ version: 1, method: { type: 'prompt_tuning', pre_seq_len: 8 } })).toEqual([
      'method.pre_seq_len: is not a known field. Use method.num_virtual_tokens instead.',
    ]);
    expect(lines({ version: 1, training: { label_smoothing: 0.1 } })[0]).toMatch(/label_smoothing_factor/);
  });

  test('the word that stands for modules depends on the method', () => {
    expect(resolveRecipe({ version: 1, method: { type: 'ia3' } }).method).toMatchObject({ target_modules: 'auto' });
    expect(lines({ version: 1, method: { type: 'ia3', target_modules: 'all-linear' } })).toEqual([
      'method.target_modules: must be auto or a list of module names, not "all-linear".',
    ]);
    expect(lines({ version: 1, method: { type: 'lora', target_modules: 'auto' } })).toHaveLength(1);
    expect(lines({ version: 1, method: { type: 'lora', modules_to_save: 'all-linear' } })[0]).toMatch(
      /must be a list of module names/,
    );
  });

  test('patterns map module names to numbers', () => {
    const patterns = (values: object) => lines({ version: 1, method: { type: 'lora', ...values } });
    expect(patterns({ rank_pattern: { q_proj: 8 }, alpha_pattern: { q_proj: 0.5 } })).toEqual([]);
    expect(patterns({ rank_pattern: { q_proj: 0.5 } })).toEqual([
      'method.rank_pattern: must be a map from module names to numbers, each a whole number from 1 to 256, not {"q_proj":0.5}.',
    ]);
    expect(patterns({ rank_pattern: ['q_proj'] })).toHaveLength(1);
    expect(patterns({ alpha_pattern: { q_proj: 0 } })[0]).toMatch(/above 0/);
  });
});

test.each(descriptors.map((method) => [method.type, method] as const))(
  'the fields of %s are on the screen in its own order',
  (type, method) => {
    const own = fields.filter((spec) => spec.path.startsWith('method.') && spec.for?.includes(type));
    expect(own.map(({ path }) => path)).toEqual(Object.keys(method.fields).map((key) => `method.${key}`));
  },
);

describe('defaults that depend on the method and the objective', () => {
  const rate = (method: MethodType, objective: ObjectiveType) =>
    resolveRecipe({ version: 1, method: { type: method }, objective: { type: objective } }).training.learning_rate;

  test.each([
    ['lora', 'sft', 2e-4],
    ['lora', 'pretraining', 2e-4],
    ['lora', 'sequence_classification', 2e-4],
    ['full', 'sft', 2e-5],
    ['full', 'pretraining', 5e-5],
    ['full', 'masked_lm', 5e-5],
    ['full', 'sequence_classification', 5e-5],
    ['full', 'token_classification', 5e-5],
    ['gradual_unfreezing', 'sft', 2e-5],
    ['head', 'sequence_classification', 1e-3],
    ['ia3', 'sft', 1e-3],
    ['prompt_tuning', 'sft', 3e-3],
    ['p_tuning', 'sft', 3e-3],
    ['prefix_tuning', 'sft', 5e-3],
    ['bottleneck', 'sft', 1e-4],
  ] as const)('%s with %s has learning rate %d', (method, objective, expected) => {
    expect(rate(method, objective)).toBe(expected);
    const recipe = resolveRecipe({ version: 1, method: { type: method }, objective: { type: objective } });
    const spec = field('training.learning_rate', recipe);
    const [from, to] = spec.kind === 'number' && spec.usual ? spec.usual : [1, 0];
    expect(from).toBeLessThanOrEqual(expected);
    expect(to).toBeGreaterThanOrEqual(expected);
  });

  test('schedule, packing, virtual tokens, activation, betas', () => {
    const gradual = resolveRecipe({ version: 1, method: { type: 'gradual_unfreezing' } });
    expect(gradual.training).toMatchObject({ lr_scheduler_type: 'slanted_triangular', lr_cut_frac: 0.1, lr_ratio: 32 });
    expect(gradual.method).toMatchObject({ layer_lr_divisor: 2.6 });
    const packed = (method: MethodType) =>
      resolveRecipe({ version: 1, method: { type: method }, objective: { type: 'pretraining' } }).dataset.packing;
    expect(packed('lora')).toBe(true);
    expect(packed('full')).toBe(true);
    expect(packed('prompt_tuning')).toBe(false);
    const tokens = (type: 'prompt_tuning' | 'prefix_tuning' | 'p_tuning') =>
      resolveRecipe({ version: 1, method: { type } }).method;
    expect(tokens('prompt_tuning')).toMatchObject({ num_virtual_tokens: 20, prompt_tuning_init: 'TEXT' });
    expect(tokens('prefix_tuning')).toMatchObject({ num_virtual_tokens: 50 });
    expect(tokens('p_tuning')).toMatchObject({ num_virtual_tokens: 20 });
    expect(resolveRecipe({ version: 1, method: { type: 'bottleneck' } }).method).toMatchObject({
      config: 'seq_bn',
      reduction_factor: 16,
      non_linearity: 'relu',
    });
    expect(resolveRecipe({ version: 1, method: { type: 'bottleneck', config: 'double_seq_bn' } }).method).toMatchObject(
      { non_linearity: 'swish' },
    );
    expect(resolveRecipe({ version: 1, training: { optim: 'lion' } }).training.adam_beta2).toBe(0.99);
  });

  test('prefix_projection takes no initial text, and its default is empty', () => {
    const method = { type: 'prefix_tuning', prefix_projection: true } as const;
    expect(resolveRecipe({ version: 1, method }).method).toMatchObject({ prefix_tuning_init_text: '' });
    expect(lines({ version: 1, method: { ...method, prefix_tuning_init_text: 'Hello' } })).toEqual([
      'method.prefix_tuning_init_text: does not work with prefix_projection, whose network cannot start from a text. Leave it empty, or set prefix_projection to false.',
    ]);
  });

  test('a default that depends on the method is not a change, and the shortest input omits it', () => {
    for (const type of methods) {
      const objective = { type: type === 'head' ? 'token_classification' : 'sft' } as const;
      const recipe = resolveRecipe({ version: 1, method: { type }, objective });
      expect(resolveRecipe(recipe), type).toEqual(recipe);
      const changed = nonDefaults(recipe).map(({ path }) => path);
      expect(
        changed.filter((path) => !path.endsWith('.type')),
        type,
      ).toEqual([]);
      expect(resolveRecipe(minimalInput(recipe)), type).toEqual(recipe);
    }
    const full = resolveRecipe({ version: 1, method: { type: 'full' } });
    expect(minimalInput(full)).toEqual({ version: 1, method: { type: 'full' } });
    expect(defaultOf('training.learning_rate', full)).toBe(2e-5);
    expect(defaultOf('training.learning_rate')).toBe(2e-4);
  });
});

describe('changing a recipe', () => {
  test('a new method brings its fields and defaults; values that were set stay', () => {
    const lora = resolveRecipe({ version: 1, method: { type: 'lora', r: 8 }, training: { seed: 7 } });
    const full = withValue(lora, 'method.type', 'full');
    expect(full.method).toEqual({ type: 'full' });
    expect(full.training).toMatchObject({ learning_rate: 2e-5, seed: 7 });
    const back = withValue(full, 'method.type', 'lora');
    expect(back.method).toEqual(defaultRecipe().method);
    const mine = resolveRecipe({ version: 1, training: { learning_rate: 1e-3 } });
    expect(withValue(mine, 'method.type', 'full').training.learning_rate).toBe(1e-3);
    const text = withValue(lora, 'objective.type', 'pretraining');
    expect(text.dataset.packing).toBe(true);
    expect(text.method).toMatchObject({ r: 8 });
    const adapter = resolveRecipe({ version: 1, method: { type: 'bottleneck', reduction_factor: 8 } });
    expect(withValue(adapter, 'method.config', 'double_seq_bn').method).toMatchObject({
      type: 'bottleneck',
      config: 'double_seq_bn',
      reduction_factor: 8,
      non_linearity: 'swish',
    });
  });

  test('a field that one recipe lacks is reported as undefined', () => {
    const full = resolveRecipe({ version: 1, method: { type: 'full' } });
    expect(diffRecipes(defaultRecipe(), full)).toContainEqual({ path: 'method.r', a: 16, b: undefined });
    expect(diffRecipes(defaultRecipe(), full)[0]).toEqual({ path: 'method.type', a: 'lora', b: 'full' });
  });
});

describe('training fields that only some optimisers and schedules use', () => {
  const shown = (recipe = defaultRecipe()) => fieldsIn('training', recipe).map(({ key }) => key);

  test('are listed if they have an effect', () => {
    expect(shown()).not.toContain('sgd_momentum');
    expect(shown()).not.toContain('lr_power');
    expect(shown()).not.toContain('ewc_lambda');
    const sgd = resolveRecipe({ version: 1, training: { optim: 'sgd', lr_scheduler_type: 'polynomial' } });
    expect(shown(sgd)).toEqual(expect.arrayContaining(['sgd_momentum', 'lr_power', 'lr_end_ratio']));
    expect(shown(sgd)).not.toContain('adam_beta1');
    expect(applies('training.ewc_lambda', resolveRecipe({ version: 1, method: { type: 'full' } }))).toBe(true);
  });

  test('are allowed otherwise, with a note', () => {
    expect(noted({ training: { sgd_momentum: 0.5 } })).toEqual(['training.sgd_momentum']);
    expect(noted({ training: { sgd_momentum: 0.5, optim: 'sgd' } })).toEqual([]);
    expect(noted({ training: { lr_ratio: 10 } })).toEqual(['training.lr_ratio']);
    expect(noted({ training: { lr_scheduler_type: 'slanted_triangular', lr_ratio: 10 } })).toEqual([]);
    expect(noted({ training: { lr_scheduler_type: 'constant', warmup_ratio: 0.05 } })).toEqual([
      'training.warmup_ratio',
    ]);
    // A complete recipe, as in an export, has every field.
    expect(checkRecipe(defaultRecipe()).notes).toEqual([]);
    expect(noted({ method: { type: 'prompt_tuning', num_virtual_tokens: 8, init_adapter: 'file:a' } })).toEqual([
      'method.num_virtual_tokens',
    ]);
    expect(noted({ method: { type: 'prefix_tuning', encoder_hidden_size: 64 } })).toEqual([
      'method.encoder_hidden_size',
    ]);
  });
});

test('every variant has a condition, and its usual range is allowed', () => {
  for (const spec of fields) {
    for (const variant of spec.variants ?? []) {
      expect(Object.keys(variant.when), spec.path).not.toHaveLength(0);
      if (!variant.usual || !('min' in spec)) continue;
      expect(variant.usual[0], spec.path).toBeGreaterThanOrEqual(spec.min);
      expect(variant.usual[1], spec.path).toBeLessThanOrEqual(spec.max);
    }
  }
});
