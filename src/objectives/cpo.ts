/** Contrastive preference optimisation with SimPO and AlphaPO, from pairs of answers. The losses are in src/engine/objectives/cpo.ts. */
import { pairData } from '../data/preference-data';
import { options } from '../recipe/spec';
import type { ObjectiveDescriptor } from './objective';
import {
  ACCURACY_OF_TOKENS,
  BETA,
  COMPARES,
  ENTROPY,
  GENTLE_RATES,
  LIKELIHOOD,
  LOGITS,
  LOGPS,
  ownRewards,
  PREFER,
  preferenceModelRefusals,
  preferenceRefusals,
  rateNotes,
} from './preferences';
import { GENERATE } from './python';

const LOSSES = { sigmoid: 'CPO (sigmoid)', simpo: 'SimPO', hinge: 'Hinge', ipo: 'IPO' } as const;

export interface CpoObjective {
  type: 'cpo';
  loss_type: keyof typeof LOSSES;
  beta: number;
  label_smoothing: number;
  /** Weight of the cross-entropy of the better answer. */
  cpo_alpha: number;
  /** SimPO: the margin that is asked for. */
  simpo_gamma: number;
  /** AlphaPO's shape of rewards; 0 is SimPO. */
  alpha: number;
}

/** SimPO's paper searches beta from 2 to 2.5 and gamma / beta from 0.3 to 0.5; TRL's defaults are those of CPO. */
const OF_SIMPO = { when: { 'objective.loss_type': ['simpo'] }, source: 'Meng et al., 2024' } as const;

export const cpo: ObjectiveDescriptor<CpoObjective> = {
  type: 'cpo',
  label: 'Preference optimisation (CPO, SimPO)',
  order: 66,
  ...COMPARES,
  trainers: ['axolotl', 'llamafactory', 'trl'],
  data: () => pairData({ alwaysEos: true }),
  goal: PREFER,
  figures: 'own_comparisons',
  fields: {
    loss_type: {
      kind: 'select',
      label: 'Loss',
      help: 'SimPO compares means over tokens and asks for a margin; CPO compares whole answers.',
      default: 'sigmoid',
      options: options(LOSSES),
      source: 'TRL',
    },
    beta: {
      ...BETA,
      help: 'How sharply the answers are told apart; there is no reference to stay close to.',
      variants: [{ ...OF_SIMPO, default: 2, usual: [1, 10] }],
    } as typeof BETA,
    label_smoothing: {
      kind: 'number',
      label: 'Label smoothing',
      help: 'Share of the pairs that may be the wrong way round; for sigmoid and simpo.',
      default: 0,
      min: 0,
      max: 0.5,
      below: true,
      step: 0.01,
      usual: [0, 0.3],
      source: 'TRL',
    },
    cpo_alpha: {
      kind: 'number',
      label: 'Weight of copying',
      help: 'How much learning the better answer word by word counts beside telling the answers apart; 0 is off.',
      default: 1,
      min: 0,
      max: 1000,
      step: 0.1,
      usual: [0, 1],
      source: 'TRL',
      variants: [{ ...OF_SIMPO, default: 0 }],
    },
    simpo_gamma: {
      kind: 'number',
      label: 'SimPO margin',
      help: 'By how much a better answer’s reward must exceed the other’s; for simpo.',
      default: 0.5,
      min: 0,
      max: 100,
      step: 0.1,
      usual: [0.3, 1.6],
      source: 'TRL',
      variants: [{ ...OF_SIMPO, default: 1 }],
    },
    alpha: {
      kind: 'number',
      label: 'AlphaPO shape',
      help: 'Bends the rewards, so that answers already likely or unlikely are pushed less or more; for simpo, 0 is off.',
      default: 0,
      min: -10,
      max: 10,
      step: 0.05,
      usual: [-1, 1],
      source: 'TRL',
    },
  },
  defaults: GENTLE_RATES,
  *refusals({ type, loss_type, label_smoothing, alpha }, context) {
    yield* preferenceRefusals(type, context);
    if (label_smoothing > 0 && loss_type !== 'sigmoid' && loss_type !== 'simpo') {
      yield {
        where: 'objective.label_smoothing',
        message: `has no effect on ${loss_type}; only sigmoid and simpo have one.`,
        action: 'Set it to 0.',
      };
    }
    if (alpha !== 0 && loss_type !== 'simpo') {
      yield {
        where: 'objective.alpha',
        message: `bends log-probabilities that are means over tokens, and ${loss_type} would overflow with it.`,
        action: 'Set it to 0, or loss_type to simpo.',
      };
    }
  },
  *unused({ loss_type }) {
    if (loss_type !== 'simpo') yield { key: 'simpo_gamma', message: 'is ignored by other losses than simpo.' };
  },
  notes: (_section, context) => rateNotes(context),
  modelRefusals: (_section, model) => preferenceModelRefusals(model),
  loss: 'How far the margin between better and other answers is from what the loss wants, plus the weighted cross-entropy of the better ones: lower is better.',
  metrics: [...ownRewards, LIKELIHOOD, ...LOGPS, ...LOGITS, ENTROPY, ACCURACY_OF_TOKENS],
  taskType: 'CAUSAL_LM',
  autoClass: 'AutoModelForCausalLM',
  pipelineTag: 'text-generation',
  python: GENERATE('Hello'),
};
