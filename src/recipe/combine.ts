/**
 * What can be trained with what: method × kind of model × objective, and the options that go with only some of them.
 * Every refusal is one sentence at the field to change, given before anything long begins. What a recipe alone can say
 * is asked by the screen as well; the rest needs the model.
 */
import { type ErrorData, TabtuneError } from '../base/errors';
import { selectLabel } from './fields';
import { addsPlaces, sortsByLabel, trainsWeights, writesText } from './kinds';
import type { Recipe } from './types';

/** What has to be known of a model. */
export interface CombinedModel {
  title: string;
  /** Decoders write text; encoders read it whole. */
  kind: 'decoder' | 'encoder';
  /** How most of its weights are stored (`BF16`, `Q4_K_M`); of no matter where left out. */
  dtype?: string;
  /** Whether it has a language-modelling head; taken to have one where left out. */
  hasHead?: boolean;
}

export type Combination = Pick<Recipe, 'method' | 'objective'> & {
  model: Pick<Recipe['model'], 'quantization' | 'source'>;
  dataset: Pick<Recipe['dataset'], 'packing' | 'base_text'>;
  training: Pick<
    Recipe['training'],
    'label_smoothing_factor' | 'ewc_lambda' | 'l2_sp_alpha' | 'replay_ratio' | 'neftune_noise_alpha'
  >;
};

interface Refusal {
  where: string;
  message: string;
  action: string;
}

/** A file of blocks, as GGUF has them; those of 16 and 32 bits (F16, BF16, F32) are no blocks. */
const inBlocks = (dtype: string | undefined) => dtype !== undefined && /^I?Q\d/i.test(dtype);

/** What a recipe alone can say. */
export function* recipeRefusals({ method, objective, model, dataset, training }: Combination): Generator<Refusal> {
  const blocks = model.quantization !== 'none';
  const isOpened = trainsWeights(method.type);
  const methodName = selectLabel('method.type', method.type);

  if (method.type === 'head' && !sortsByLabel(objective.type)) {
    yield {
      where: 'method.type',
      message: `trains the head of a classifier alone, and ${selectLabel('objective.type', objective.type).toLowerCase()} has none.`,
      action: 'Choose another method, such as LoRA, or an objective that sorts texts or words into classes.',
    };
  }
  if (isOpened && blocks) yield blocksRefusal('model.quantization', 'Set it to none, or use LoRA (QLoRA).');
  if (isOpened && !blocks && /\.gguf$/i.test(model.source)) {
    yield blocksRefusal('method.type', 'Use LoRA (QLoRA), or a model of 16 or 32 bits.');
  }
  if (method.type === 'lora' && method.init_lora_weights === 'pissa') {
    if (blocks || /\.gguf$/i.test(model.source)) yield pissaRefusal;
  }
  if (dataset.packing && !writesText(objective.type)) {
    yield {
      where: 'dataset.packing',
      message: 'joins texts of sft and pretraining alone.',
      action: 'Set it to false.',
    };
  } else if (dataset.packing && addsPlaces(method.type)) {
    yield {
      where: 'dataset.packing',
      message: `does not go with ${methodName.toLowerCase()}, whose learned places stand before each text.`,
      action: 'Set it to false.',
    };
  }
  for (const key of ['ewc_lambda', 'l2_sp_alpha'] as const) {
    if (training[key] === 0 || isOpened) continue;
    yield {
      where: `training.${key}`,
      message: `holds the base’s own weights near where they were, and with ${methodName} they do not move.`,
      action: 'Set it to 0, or train with full or gradual_unfreezing.',
    };
  }
  if (training.replay_ratio > 0 && sortsByLabel(objective.type)) {
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
  if (training.label_smoothing_factor > 0 && objective.type === 'sequence_classification') {
    const { problem_type } = objective;
    if (problem_type === 'regression' || problem_type === 'multi_label_classification') {
      yield smoothingRefusal(problem_type);
    }
  }
}

const blocksRefusal = (where: string, action: string): Refusal => ({
  where,
  message: 'weights in blocks cannot be trained.',
  action,
});

const pissaRefusal: Refusal = {
  where: 'method.init_lora_weights',
  message: 'PiSSA begins as the singular values of weights in 16 or 32 bits, and is not offered for weights in blocks.',
  action: 'Use default, or keep the model as stored in 16 or 32 bits.',
};

/** For a problem type that only the data tells, too. */
export const smoothingRefusal = (problemType: 'regression' | 'multi_label_classification'): Refusal => ({
  where: 'training.label_smoothing_factor',
  message: `has no meaning for ${problemType}, whose targets are no choice of one among several.`,
  action: 'Set it to 0.',
});

/** What only the model tells. */
function* modelRefusals(recipe: Combination, model: CombinedModel): Generator<Refusal> {
  const { method, objective, training } = recipe;
  if (model.kind === 'encoder' && objective.type === 'sft') {
    yield {
      where: 'objective.type',
      message: `${model.title} reads text and does not write any, so it cannot learn from examples of answers.`,
      action: 'Choose a model that generates text.',
    };
  } else if (model.kind === 'encoder' && objective.type === 'pretraining') {
    yield {
      where: 'objective.type',
      message: `${model.title} reads text and does not write any, so it cannot learn to go on with a text.`,
      action: 'Use masked_lm, which is how such a model reads more of your texts, or a model that generates text.',
    };
  }
  if (model.kind === 'decoder' && objective.type === 'masked_lm') {
    yield {
      where: 'objective.type',
      message: `${model.title} reads a text from left to right and cannot guess hidden words from both sides.`,
      action: 'Use pretraining, or an encoder such as BERT.',
    };
  }
  if (model.kind === 'encoder' && objective.type === 'masked_lm' && model.hasHead === false) {
    yield {
      where: 'objective.type',
      message: `${model.title} comes without the head that guesses hidden words.`,
      action: 'Choose a model with a masked-language-model head.',
    };
  }
  if (model.kind === 'encoder' && method.type === 'prefix_tuning') {
    yield {
      where: 'method.type',
      message: 'puts keys and values before those of a text, which encoders do not take.',
      action: 'Use LoRA or prompt tuning.',
    };
  }
  if (recipe.model.quantization === 'none' && inBlocks(model.dtype)) {
    if (trainsWeights(method.type))
      yield blocksRefusal('method.type', 'Use LoRA (QLoRA), or a model of 16 or 32 bits.');
    if (method.type === 'lora' && method.init_lora_weights === 'pissa') yield pissaRefusal;
  }
  if (training.ewc_lambda > 0 && model.hasHead === false) {
    yield {
      where: 'training.ewc_lambda',
      message: `is measured with the language-modelling head, which ${model.title} does not have.`,
      action: 'Use l2_sp_alpha, or set it to 0.',
    };
  }
}

/** Why these cannot be trained together, each at the field to change. */
export function combinationProblems(recipe: Combination, model: CombinedModel): ErrorData[] {
  // The model first: what it cannot learn at all is told before what would not go with it.
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
