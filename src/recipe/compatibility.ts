/**
 * Which combinations can be trained: method × kind of model × objective, and the options that only some of them support. Every
 * refusal is one sentence at the field to change, given before any long work starts. The screen also runs the checks that need
 * only the recipe; the others need the model. Rules about a single method or objective are in its descriptor; those that follow
 * from traits are here.
 */
import { type ErrorData, TabtuneError } from '../base/errors';
import { methodOf } from '../methods';
import { objectiveOf, objectives } from '../objectives';
import type { ObjectiveContext } from '../objectives/objective';
import type { CombinedModel, Refusal } from './spec';
import type { Recipe } from './types';

export type { CombinedModel } from './spec';

export type Combination = Pick<Recipe, 'method' | 'objective'> & {
  model: Pick<Recipe['model'], 'quantization' | 'source'>;
  dataset: Pick<Recipe['dataset'], 'packing' | 'base_text' | 'shuffle'>;
  training: Pick<
    Recipe['training'],
    | 'label_smoothing_factor'
    | 'ewc_lambda'
    | 'l2_sp_alpha'
    | 'replay_ratio'
    | 'neftune_noise_alpha'
    | 'gradient_accumulation_steps'
    | 'learning_rate'
    | 'per_device_train_batch_size'
  >;
};

/** True for GGUF's quantised types, but not for F16, BF16 and F32. */
const isQuantized = (dtype: string | undefined) => dtype !== undefined && /^I?Q\d/i.test(dtype);

/** Refusals that need only the recipe. */
export function* recipeRefusals({ method, objective, model, dataset, training }: Combination): Generator<Refusal> {
  const learner = methodOf(method);
  const goal = objectiveOf(objective);
  const quantized = model.quantization !== 'none';
  const isGguf = /\.gguf$/i.test(model.source);
  const weights = learner.trains === 'weights';

  yield* learner.refusals?.(method, { objective: goal, model }) ?? [];
  if (weights && quantized) yield QUANTIZED_BY_RECIPE;
  if (weights && !quantized && isGguf) {
    yield QUANTIZED_MODEL;
  }
  if (quantized || isGguf) yield* given(learner.quantizedRefusal?.(method));
  if (dataset.packing && !goal.packs) {
    yield {
      where: 'dataset.packing',
      message: `works only with ${objectives
        .filter(({ packs }) => packs)
        .map(({ type }) => type)
        .join(' and ')}.`,
      action: 'Set it to false.',
    };
  } else if (dataset.packing && learner.virtualTokens) {
    yield {
      where: 'dataset.packing',
      message: `does not work with ${learner.label.toLowerCase()}, which puts virtual tokens before every text.`,
      action: 'Set it to false.',
    };
  }
  for (const key of ['ewc_lambda', 'l2_sp_alpha'] as const) {
    if (training[key] === 0 || weights) continue;
    yield {
      where: `training.${key}`,
      message: `penalises changes to the base weights, but ${learner.label} does not change them.`,
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
      message: `is required by ${key}: text like this model’s training data.`,
      action: 'Set it to builtin:NAME or file:PATH.',
    };
    break;
  }
  yield* goal.refusals?.(objective, objectiveContext({ model, dataset, training, method })) ?? [];
}

/** What the checks of an objective look at besides its section. */
export const objectiveContext = ({
  model,
  dataset,
  training,
  method,
}: Omit<Combination, 'objective'>): ObjectiveContext => ({
  ...{ model, dataset, training },
  method: methodOf(method).trains,
});

const given = (refusal: Refusal | null | undefined) => (refusal ? [refusal] : []);

const QUANTIZED_BY_RECIPE: Refusal = {
  where: 'model.quantization',
  message: 'does not work with methods that train the model’s own weights.',
  action: 'Set it to none, or use LoRA (QLoRA).',
};
const QUANTIZED_MODEL: Refusal = {
  where: 'method.type',
  message: 'trains the model’s own weights, and quantised weights cannot be trained.',
  action: 'Use LoRA (QLoRA), or a 16- or 32-bit model.',
};

/** Refusals that need the model. */
function* modelRefusals(recipe: Combination, model: CombinedModel): Generator<Refusal> {
  const { method, objective, training } = recipe;
  const learner = methodOf(method);
  yield* objectiveOf(objective).modelRefusals?.(objective, model) ?? [];
  yield* learner.modelRefusals?.(method, model) ?? [];
  if (recipe.model.quantization === 'none' && isQuantized(model.dtype)) {
    if (learner.trains === 'weights') {
      yield QUANTIZED_MODEL;
    }
    yield* given(learner.quantizedRefusal?.(method));
  }
  if (training.ewc_lambda > 0 && model.hasHead === false) {
    yield {
      where: 'training.ewc_lambda',
      message: `needs the language modelling head, which ${model.title} does not have.`,
      action: 'Use l2_sp_alpha, or set it to 0.',
    };
  }
}

/** Everything that keeps a recipe from being trained on a model, each at the field to change. */
export function combinationProblems(recipe: Combination, model: CombinedModel): ErrorData[] {
  // The model first: what it cannot learn at all matters more than settings that do not suit it.
  return [
    ...[...modelRefusals(recipe, model)].map((refusal) => ({ code: 'bad_model' as const, ...refusal })),
    ...[...recipeRefusals(recipe)].map((refusal) => ({ code: 'bad_recipe' as const, ...refusal })),
  ];
}

/** The first of these problems; null if the recipe can be trained on the model. */
export function combinationProblem(recipe: Combination, model: CombinedModel): ErrorData | null {
  return combinationProblems(recipe, model)[0] ?? null;
}

/** Throws if the recipe needs what shaders of this device cannot do; `features` are WebGPU's names. */
export function checkFeatures(
  { training }: { training: Pick<Recipe['training'], 'fp16'> },
  features: readonly string[],
) {
  if (!training.fp16 || features.includes('shader-f16')) return;
  throw new TabtuneError({
    code: 'bad_recipe',
    message: 'needs 16-bit floats in shaders (shader-f16), which this GPU or browser does not have.',
    where: 'training.fp16',
    action: 'Set it to false.',
  });
}

/** Throws the first problem if this recipe cannot be trained on such a model. */
export function checkCombination(recipe: Combination, model: CombinedModel): void {
  const problem = combinationProblem(recipe, model);
  if (problem) throw TabtuneError.fromData(problem);
}
