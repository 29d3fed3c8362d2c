/** Odds-ratio preference optimisation, from pairs of answers. The loss is in src/engine/objectives/orpo.ts. */
import { pairData } from '../data/preference-data';
import type { MetricInfo, ObjectiveDescriptor } from './objective';
import {
  ACCURACY_OF_TOKENS,
  BETA,
  COMPARES,
  ENTROPY,
  GENTLE_RATES,
  LIKELIHOOD,
  LOGITS,
  MEAN_LOGPS,
  ownRewards,
  PREFER,
  preferenceModelRefusals,
  preferenceRefusals,
  rateNotes,
} from './preferences';
import { GENERATE } from './python';

export interface OrpoObjective {
  type: 'orpo';
  beta: number;
}

const ODDS: readonly MetricInfo[] = [
  {
    name: 'log_odds_chosen',
    label: 'Log odds of better answers',
    help: 'How much likelier the better answer is than the other, as a logarithm of odds: above 0 and rising is right.',
    open: true,
  },
  {
    name: 'log_odds_ratio',
    label: 'Odds term',
    help: 'The part of the loss that tells the answers apart, before beta: −0.693 is indifference, and it should rise towards 0.',
    open: true,
  },
];

export const orpo: ObjectiveDescriptor<OrpoObjective> = {
  type: 'orpo',
  label: 'Preference optimisation (ORPO)',
  order: 64,
  ...COMPARES,
  trainers: ['axolotl', 'llamafactory', 'trl'],
  data: () => pairData({ alwaysEos: true }),
  goal: PREFER,
  figures: 'own_comparisons',
  fields: {
    beta: {
      ...BETA,
      help: 'How much telling the answers apart counts beside learning the better one; the paper’s lambda.',
    } as typeof BETA,
  },
  defaults: GENTLE_RATES,
  refusals: ({ type }, context) => preferenceRefusals(type, context),
  notes: (_section, context) => rateNotes(context),
  modelRefusals: (_section, model) => preferenceModelRefusals(model),
  loss: 'Cross-entropy of the better answers with their prompts, in nats per token, plus beta times the odds term: lower is better.',
  metrics: [...ownRewards, LIKELIHOOD, ...ODDS, ...MEAN_LOGPS, ...LOGITS, ENTROPY, ACCURACY_OF_TOKENS],
  taskType: 'CAUSAL_LM',
  autoClass: 'AutoModelForCausalLM',
  pipelineTag: 'text-generation',
  python: GENERATE('Hello'),
};
