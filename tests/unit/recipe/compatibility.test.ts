/** Which combinations can be trained: every method × kind of model × objective, and the options that only some support. */
import { describe, expect, test } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { type CombinedModel, checkCombination, combinationProblem } from '../../../src/recipe/compatibility';
import { checkRecipe, resolveRecipe } from '../../../src/recipe/defaults';
import { withValue } from '../../../src/recipe/diff';
import type { MethodType, ObjectiveType, RecipeInput } from '../../../src/recipe/types';

const decoder: CombinedModel = { title: 'Stories 2M', kind: 'decoder', dtype: 'BF16', hasHead: true };
const encoder: CombinedModel = { title: 'Tiny BERT', kind: 'encoder', dtype: 'F32', hasHead: true };

const methods: MethodType[] = [
  'lora',
  'ia3',
  'bottleneck',
  'prefix_tuning',
  'prompt_tuning',
  'p_tuning',
  'full',
  'head',
  'gradual_unfreezing',
];
const objectives: ObjectiveType[] = [
  'sft',
  'pretraining',
  'sequence_classification',
  'token_classification',
  'masked_lm',
];

/** Written by hand from the nature of each method and model: `o` trains, `x` is refused. In the order of `objectives`. */
const table: Record<MethodType, { decoder: string; encoder: string }> = {
  lora: { decoder: 'oooox', encoder: 'xxooo' },
  ia3: { decoder: 'oooox', encoder: 'xxooo' },
  bottleneck: { decoder: 'oooox', encoder: 'xxooo' },
  prefix_tuning: { decoder: 'oooox', encoder: 'xxxxx' },
  prompt_tuning: { decoder: 'oooox', encoder: 'xxooo' },
  p_tuning: { decoder: 'oooox', encoder: 'xxooo' },
  full: { decoder: 'oooox', encoder: 'xxooo' },
  head: { decoder: 'xxoox', encoder: 'xxoox' },
  gradual_unfreezing: { decoder: 'oooox', encoder: 'xxooo' },
};

const resolved = (input: Omit<RecipeInput, 'version'>) => {
  const { recipe } = checkRecipe({ version: 1, ...input });
  if (!recipe) throw new Error('not a recipe');
  return recipe;
};

describe.each(methods)('%s', (method) => {
  test.each([decoder, encoder])('on $title', (model) => {
    const found = objectives.map((objective) => {
      const problem = combinationProblem(resolved({ method: { type: method }, objective: { type: objective } }), model);
      if (problem) {
        expect(problem.message).toMatch(/\.$/);
        expect(problem.action).toMatch(/\.$/);
        expect(problem.where).toMatch(/^(method|objective)\.type$/);
      }
      return problem ? 'x' : 'o';
    });
    expect(found.join('')).toBe(table[method][model.kind]);
  });
});

test('the refusal names the model and is thrown', () => {
  const recipe = resolveRecipe({ version: 1 });
  expect(() => checkCombination(recipe, decoder)).not.toThrow();
  let thrown: unknown;
  try {
    checkCombination(recipe, encoder);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(TabtuneError);
  expect((thrown as TabtuneError).toData()).toMatchObject({
    code: 'bad_model',
    where: 'objective.type',
    message: 'Tiny BERT reads text but does not generate it, so it cannot learn from examples of answers.',
  });
});

/** Recipes that cannot run, and the field and message of the refusal. */
const impossible: [string, Omit<RecipeInput, 'version'>, string, RegExp][] = [
  [
    'full fine-tuning of a 4-bit model',
    { method: { type: 'full' }, model: { source: 'hf:a/b', quantization: 'nf4' } },
    'model.quantization',
    /does not work with methods that train the model’s own weights/,
  ],
  [
    'training all weights of a GGUF file',
    { method: { type: 'gradual_unfreezing' }, model: { source: 'hf:a/b/c.Q4_K_M.gguf' } },
    'method.type',
    /quantised weights cannot be trained/,
  ],
  [
    'PiSSA in 8 bits',
    { method: { type: 'lora', init_lora_weights: 'pissa' }, model: { source: 'hf:a/b', quantization: 'q8' } },
    'method.init_lora_weights',
    /cannot use quantised ones/,
  ],
  [
    'packing for a classifier',
    { dataset: { packing: true }, objective: { type: 'token_classification' } },
    'dataset.packing',
    /sft and pretraining/,
  ],
  [
    'packing with prompt tuning',
    { dataset: { packing: true }, method: { type: 'prompt_tuning' } },
    'dataset.packing',
    /prompt tuning/,
  ],
  ['EWC with LoRA', { training: { ewc_lambda: 10 } }, 'training.ewc_lambda', /LoRA does not change them/],
  ['L2-SP with IA3', { training: { l2_sp_alpha: 1 }, method: { type: 'ia3' } }, 'training.l2_sp_alpha', /IA³/],
  [
    'replay without text',
    { training: { replay_ratio: 0.1 }, model: { source: 'hf:a/b' } },
    'dataset.base_text',
    /is required by replay_ratio/,
  ],
  [
    'EWC without text',
    { training: { ewc_lambda: 1 }, method: { type: 'full' }, model: { source: 'hf:a/b' } },
    'dataset.base_text',
    /is required by ewc_lambda/,
  ],
  [
    'replay for a classifier',
    { training: { replay_ratio: 0.1 }, objective: { type: 'sequence_classification' } },
    'training.replay_ratio',
    /without labels/,
  ],
  [
    'label smoothing for regression',
    {
      training: { label_smoothing_factor: 0.1 },
      objective: { type: 'sequence_classification', problem_type: 'regression' },
    },
    'training.label_smoothing_factor',
    /no meaning for regression/,
  ],
  [
    'label smoothing for multi-label classification',
    {
      training: { label_smoothing_factor: 0.1 },
      objective: { type: 'sequence_classification', problem_type: 'multi_label_classification' },
    },
    'training.label_smoothing_factor',
    /no meaning for multi_label_classification/,
  ],
  ['head only, without a classifier', { method: { type: 'head' } }, 'method.type', /has none/],
];

test.each(impossible)('%s', (_, input, where, message) => {
  const { problems } = checkRecipe({ version: 1, ...input });
  expect(problems.map((problem) => problem.where)).toEqual([where]);
  expect(problems[0]!.message).toMatch(message);
  expect(combinationProblem(resolved(input), decoder)).toMatchObject({ where });
});

const possible: [string, Omit<RecipeInput, 'version'>][] = [
  ['QLoRA', { model: { source: 'hf:a/b', quantization: 'nf4' } }],
  ['QDoRA on GGUF', { model: { source: 'hf:a/b/c.gguf' }, method: { type: 'lora', use_dora: true } }],
  ['PiSSA with DoRA', { method: { type: 'lora', init_lora_weights: 'pissa', use_dora: true } }],
  ['packed answers', { dataset: { packing: true } }],
  ['EWC', { training: { ewc_lambda: 10 }, method: { type: 'full' } }],
  ['replay of the built-in model’s own text', { training: { replay_ratio: 0.1 } }],
  [
    'replay of a file',
    { training: { replay_ratio: 0.1 }, model: { source: 'hf:a/b' }, dataset: { base_text: 'file:wiki.txt' } },
  ],
  [
    'head only, on a quantised model',
    {
      model: { source: 'hf:a/b', quantization: 'nf4' },
      method: { type: 'head' },
      objective: { type: 'sequence_classification' },
    },
  ],
];

test.each(possible)('%s is allowed', (_, input) => {
  expect(checkRecipe({ version: 1, ...input }).problems).toEqual([]);
  expect(combinationProblem(resolved(input), decoder)).toBeNull();
});

test('some refusals need the opened model', () => {
  const full = resolved({ method: { type: 'full' }, model: { source: 'file:own' } });
  expect(combinationProblem(full, decoder)).toBeNull();
  expect(combinationProblem(full, { ...decoder, dtype: 'Q8_0' })).toMatchObject({ where: 'method.type' });
  const masked = resolved({ objective: { type: 'masked_lm' } });
  expect(combinationProblem(masked, { ...encoder, hasHead: false })?.message).toMatch(
    /head that predicts masked words/,
  );
  const pissa = withValue(resolved({}), 'method.init_lora_weights', 'pissa');
  expect(combinationProblem(pissa, { ...decoder, dtype: 'Q4_K_M' })).toMatchObject({
    where: 'method.init_lora_weights',
  });
});
