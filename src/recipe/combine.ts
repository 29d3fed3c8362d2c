/**
 * What can be trained with what: method × kind of model × objective, and the options that only some of them have. Every refusal
 * is one sentence at the field to change, given before anything long begins. What follows from a recipe alone is also asked by
 * the screen; the rest needs the model. Rules about one method or objective are in its descriptor; here are those that
 * follow from their traits.
 */
import { type ErrorData, TabtuneError } from '../base/errors';
import { methodOf } from '../methods';
import { objectiveOf } from '../objectives';
import type { CombinedModel, Refusal } from './spec';
import type { Recipe } from './types';

export type { CombinedModel } from './spec';

export type Combination = Pick<Recipe, 'method' | 'objective'> & {
  model: Pick<Recipe['model'], 'quantization' | 'source'>;
  dataset: Pick<Recipe['dataset'], 'packing' | 'base_text'>;
  training: Pick<
    Recipe['training'],
    'label_smoothing_factor' | 'ewc_lambda' | 'l2_sp_alpha' | 'replay_ratio' | 'neftune_noise_alpha'
  >;
};

/** GGUF's quantised types; F16, BF16 and F32 are not. */
const isQuantized = (dtype: string | undefined) => dtype !== undefined && /^I?Q\d/i.test(dtype);

/** What follows from a recipe alone. */
export function* recipeRefusals({ method, objective, model, dataset, training }: Combination): Generator<Refusal> {
  const learner = methodOf(method);
  const goal = objectiveOf(objective);
  const quantized = model.quantization !== 'none';
  const isGguf = /\.gguf$/i.test(model.source);
  const weights = learner.trains === 'weights';

  yield* learner.refusals?.(method, { objective: goal, model }) ?? [];
  if (weights && quantized) yield quantizedWeights('model.quantization', 'Set it to none, or use LoRA (QLoRA).');
  if (weights && !quantized && isGguf) {
    yield quantizedWeights('method.type', 'Use LoRA (QLoRA), or a model of 16 or 32 bits.');
  }
  if (quantized || isGguf) yield* given(learner.quantizedRefusal?.(method));
  if (dataset.packing && !goal.packs) {
    yield {
      where: 'dataset.packing',
      message: 'joins texts of sft and pretraining only.',
      action: 'Set it to false.',
    };
  } else if (dataset.packing && learner.virtualTokens) {
    yield {
      where: 'dataset.packing',
      message: `does not work with ${learner.label.toLowerCase()}, whose virtual tokens come before each text.`,
      action: 'Set it to false.',
    };
  }
  for (const key of ['ewc_lambda', 'l2_sp_alpha'] as const) {
    if (training[key] === 0 || weights) continue;
    yield {
      where: `training.${key}`,
      message: `keeps the base’s own weights near their initial values, and ${learner.label} does not move them.`,
      action: 'Set it to 0, or train with full or gradual_unfreezing.',
    };
  }
  if (training.replay_ratio > 0 && goal.learns === 'labels') {
    yield {
      where: 'training.replay_ratio',
      message: 'mixes in text without labels, which a classifier cannot learn from.',
      action: 'Set it to 0.',
    };
  }
  for (const key of ['ewc_lambda', 'replay_ratio'] as const) {
    if (training[key] === 0 || dataset.base_text !== null || model.source.startsWith('builtin:')) continue;
    yield {
      where: 'dataset.base_text',
      message: `is needed by ${key}: text of the kind that this model was trained on.`,
      action: 'Set it to builtin:NAME or file:PATH.',
    };
    break;
  }
  yield* goal.refusals?.(objective, { training }) ?? [];
}

const given = (refusal: Refusal | null | undefined) => (refusal ? [refusal] : []);

const quantizedWeights = (where: string, action: string): Refusal => ({
  where,
  message: 'quantised weights cannot be trained.',
  action,
});

/** What only the model tells. */
function* modelRefusals(recipe: Combination, model: CombinedModel): Generator<Refusal> {
  const { method, objective, training } = recipe;
  const learner = methodOf(method);
  yield* objectiveOf(objective).modelRefusals?.(objective, model) ?? [];
  yield* learner.modelRefusals?.(method, model) ?? [];
  if (recipe.model.quantization === 'none' && isQuantized(model.dtype)) {
    if (learner.trains === 'weights') {
      yield quantizedWeights('method.type', 'Use LoRA (QLoRA), or a model of 16 or 32 bits.');
    }
    yield* given(learner.quantizedRefusal?.(method));
  }
  if (training.ewc_lambda > 0 && model.hasHead === false) {
    yield {
      where: 'training.ewc_lambda',
      message: `is measured with the language modelling head, which ${model.title} does not have.`,
      action: 'Use l2_sp_alpha, or set it to 0.',
    };
  }
}

/** Why these cannot be trained together, each at the field to change. */
export function combinationProblems(recipe: Combination, model: CombinedModel): ErrorData[] {
  // The model first: what it cannot learn at all comes before what would not work with it.
  return [
    ...[...modelRefusals(recipe, model)].map((refusal) => ({ code: 'bad_model' as const, ...refusal })),
    ...[...recipeRefusals(recipe)].map((refusal) => ({ code: 'bad_recipe' as const, ...refusal })),
  ];
}

/** The first of them; null when they can be trained together. */
export function combinationProblem(recipe: Combination, model: CombinedModel): ErrorData | null {
  return combinationProblems(recipe, model)[0] ?? null;
}

/** Throws with a sentence where this recipe cannot be trained on such a model. */
export function checkCombination(recipe: Combination, model: CombinedModel): void {
  const problem = combinationProblem(recipe, model);
  if (problem) throw TabtuneError.fromData(problem);
}
