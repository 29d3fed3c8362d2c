/** Which cells are refused, and with which message: written by hand from the nature of each method and objective. */
import type { ErrorData } from '../../../src/base/errors';
import { combinationProblem } from '../../../src/recipe/compatibility';
import { fill } from '../../../src/recipe/defaults';
import type { ObjectiveType } from '../../../src/recipe/types';
import { type Cell, combined, recipeInput } from './cells';

export const REFUSALS = {
  answers: {
    code: 'bad_model',
    where: 'objective.type',
    message: 'This model reads text but does not generate it, so it cannot learn from examples of answers.',
    action: 'Choose a model that generates text.',
  },
  plainText: {
    code: 'bad_model',
    where: 'objective.type',
    message: 'This model reads text but does not generate it, so it cannot learn to continue a text.',
    action: 'Use masked_lm, which is how such a model reads more of your texts, or a model that generates text.',
  },
  hiddenWords: {
    code: 'bad_model',
    where: 'objective.type',
    message: 'This model reads a text from left to right and cannot predict masked words from both sides.',
    action: 'Use pretraining, or an encoder such as BERT.',
  },
  prefix: {
    code: 'bad_model',
    where: 'method.type',
    message: 'needs a cache of keys and values, which encoders do not have.',
    action: 'Use LoRA or prompt tuning.',
  },
  rewards: {
    code: 'bad_model',
    where: 'objective.type',
    message: 'This model reads text but does not generate it, so it has no answers to be rewarded.',
    action: 'Choose a model that generates text.',
  },
  comparisons: {
    code: 'bad_model',
    where: 'objective.type',
    message: 'This model reads text but does not generate it, so it cannot learn which answers are better.',
    action: 'Choose a model that generates text.',
  },
  headOfSft: headless('supervised fine-tuning'),
  headOfPretraining: headless('continued pretraining'),
  headOfMaskedLm: headless('masked language modelling'),
  headOfGrpo: headless('group relative policy optimisation (GRPO)'),
  headOfDpo: headless('preference optimisation (DPO)'),
  headOfPpo: headless('proximal policy optimisation (PPO)'),
  headOfOnlineDpo: headless('preferences of its own (online DPO)'),
  headOfRejection: headless('best of several answers (rejection sampling)'),
  headOfRloo: headless('leave-one-out policy gradient (RLOO)'),
  headOfKto: headless('preference optimisation (KTO)'),
  headOfOrpo: headless('preference optimisation (ORPO)'),
  headOfCpo: headless('preference optimisation (CPO, SimPO)'),
} satisfies Record<string, ErrorData>;
export type Refusal = keyof typeof REFUSALS;

function headless(objective: string): ErrorData {
  return {
    code: 'bad_recipe',
    where: 'method.type',
    message: `trains only a classifier’s head, and ${objective} has none.`,
    action: 'Choose another method, such as LoRA, or a classification objective.',
  };
}

/** Objectives on rewards, each with its refusal of a method that trains only a head. */
const REWARDED: Partial<Record<ObjectiveType, Refusal>> = {
  rejection_sampling: 'headOfRejection',
  grpo: 'headOfGrpo',
  rloo: 'headOfRloo',
  ppo: 'headOfPpo',
  online_dpo: 'headOfOnlineDpo',
};

/** Objectives on judged answers, each with its refusal of a method that trains only a head. */
const COMPARING: Partial<Record<ObjectiveType, Refusal>> = {
  dpo: 'headOfDpo',
  kto: 'headOfKto',
  orpo: 'headOfOrpo',
  cpo: 'headOfCpo',
};

/** Null if the cell trains. */
export function expectedRefusal({ family, method, objective }: Cell): Refusal | null {
  const encoder = family.kind === 'encoder';
  if (encoder && objective === 'sft') return 'answers';
  if (encoder && objective === 'pretraining') return 'plainText';
  const rewarded = REWARDED[objective];
  if (encoder && rewarded) return 'rewards';
  const comparing = COMPARING[objective];
  if (encoder && comparing) return 'comparisons';
  if (!encoder && objective === 'masked_lm') return 'hiddenWords';
  if (encoder && method === 'prefix_tuning') return 'prefix';
  if (method !== 'head') return null;
  if (objective === 'sft') return 'headOfSft';
  if (objective === 'pretraining') return 'headOfPretraining';
  return objective === 'masked_lm' ? 'headOfMaskedLm' : (rewarded ?? comparing ?? null);
}

/** What the recipe's checks say about a cell. */
export const problemOf = (cell: Cell): ErrorData | null =>
  combinationProblem(fill(recipeInput(cell)), combined(cell.family));

export const trains = (cell: Cell): boolean => expectedRefusal(cell) === null;
