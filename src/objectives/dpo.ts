/** Direct preference optimisation, from pairs of answers. The losses are in src/engine/objectives/preference/pair-losses.ts. */
import { pairData } from '../data/preference-data';
import { options, type Refusal } from '../recipe/spec';
import type { ObjectiveDescriptor } from './objective';
import {
  ACCURACY_OF_TOKENS,
  BETA,
  COMPARES,
  ENTROPY,
  GENTLE_RATES,
  LOGITS,
  LOGPS,
  PRECOMPUTE,
  PREFER,
  preferenceModelRefusals,
  preferenceRefusals,
  REWARDS,
  rateNotes,
} from './preferences';
import { GENERATE } from './python';

/** TRL's names. */
const LOSSES = {
  sigmoid: 'DPO (sigmoid)',
  sigmoid_norm: 'Length-normalised DPO (sigmoid_norm)',
  hinge: 'SLiC (hinge)',
  ipo: 'IPO',
  robust: 'Robust DPO',
  exo_pair: 'EXO (exo_pair)',
  nca_pair: 'NCA (nca_pair)',
  bco_pair: 'BCO (bco_pair)',
  sppo_hard: 'SPPO (sppo_hard)',
  aot: 'AOT',
  aot_unpaired: 'AOT, unpaired',
  apo_zero: 'APO zero',
  apo_down: 'APO down',
  discopop: 'DiscoPOP',
  sft: 'Supervised loss on the better answer (sft)',
} as const;
export type DpoLossType = keyof typeof LOSSES;

const DIVERGENCES = {
  reverse_kl: 'Reverse KL',
  forward_kl: 'Forward KL',
  js_divergence: 'Jensen-Shannon',
  alpha_divergence: 'Alpha',
} as const;
export type FDivergence = keyof typeof DIVERGENCES;

export interface DpoObjective {
  type: 'dpo';
  /** Their weighted sum is minimised. */
  loss_type: DpoLossType[];
  /** One for each loss_type; null is 1 for all. */
  loss_weights: number[] | null;
  beta: number;
  label_smoothing: number;
  f_divergence_type: FDivergence;
  f_alpha_divergence_coef: number;
  /** LD-DPO (Liu et al., 2024): weight of the tokens past the length of the shorter answer. */
  ld_alpha: number;
  /** WPO (Zhou et al., 2024) */
  use_weighting: boolean;
  discopop_tau: number;
  precompute_ref_log_probs: boolean;
}

/** TRL's lists: losses with a label smoothing of their own, and those that no divergence can be put into. */
const SMOOTHED: readonly DpoLossType[] = ['robust', 'exo_pair', 'aot', 'aot_unpaired'];
const UNDIVERGENT: readonly DpoLossType[] = [
  ...(['nca_pair', 'bco_pair', 'sppo_hard', 'aot', 'aot_unpaired', 'apo_zero', 'apo_down'] as const),
];
const SORTED: readonly DpoLossType[] = ['aot', 'aot_unpaired'];

export const dpo: ObjectiveDescriptor<DpoObjective> = {
  type: 'dpo',
  label: 'Preference optimisation (DPO)',
  order: 60,
  ...COMPARES,
  trainers: ['axolotl', 'llamafactory', 'trl'],
  data: () => pairData(),
  goal: PREFER,
  figures: 'comparisons',
  fields: {
    loss_type: {
      kind: 'list',
      label: 'Loss',
      help: 'How the margin between the better and the other answer is rewarded; several are added up.',
      default: ['sigmoid'],
      options: options(LOSSES),
      source: 'TRL',
    },
    loss_weights: {
      kind: 'numbers',
      label: 'Weights of the losses',
      help: 'A weight for each loss, in their order: 0.8, 0.2, 1 with sigmoid, bco_pair, sft is MPO; empty weighs them all 1.',
      default: null,
      min: 0,
      max: 1000,
      placeholder: 'all 1',
      source: 'TRL',
    },
    beta: BETA,
    label_smoothing: {
      kind: 'number',
      label: 'Label smoothing',
      help: 'Share of the pairs that may be the wrong way round; for robust, exo_pair (1e-3 in its paper) and aot.',
      default: 0,
      min: 0,
      max: 1,
      below: true,
      step: 0.01,
      usual: [0, 0.3],
      source: 'TRL',
    },
    f_divergence_type: {
      kind: 'select',
      label: 'Divergence',
      help: 'How the distance from the reference is measured.',
      default: 'reverse_kl',
      options: options(DIVERGENCES),
      source: 'TRL',
    },
    f_alpha_divergence_coef: {
      kind: 'number',
      label: 'Alpha of the divergence',
      help: 'For the alpha divergence only.',
      default: 0.5,
      min: -10,
      max: 10,
      step: 0.1,
      usual: [0, 1],
      source: 'TRL',
    },
    ld_alpha: {
      kind: 'number',
      label: 'Weight of the tail',
      help: 'Tokens past the length of the shorter answer count this much, so that length is learned less (LD-DPO); 1 is off.',
      default: 1,
      min: 0,
      max: 1,
      step: 0.1,
      source: 'TRL (off)',
    },
    use_weighting: {
      kind: 'bool',
      label: 'Weigh pairs by likelihood',
      help: 'Pairs that the model could have written itself count more (WPO).',
      default: false,
      source: 'TRL',
    },
    discopop_tau: {
      kind: 'number',
      label: 'DiscoPOP temperature',
      help: 'Shape of the discopop loss.',
      default: 0.05,
      min: 0,
      max: 100,
      above: true,
      step: 0.01,
      source: 'TRL',
    },
    precompute_ref_log_probs: PRECOMPUTE,
  },
  defaults: GENTLE_RATES,
  *refusals(section, context) {
    yield* preferenceRefusals(section.type, context);
    yield* lossRefusals(section);
  },
  *unused({ loss_type, f_divergence_type }) {
    if (f_divergence_type !== 'alpha_divergence') {
      yield { key: 'f_alpha_divergence_coef', message: 'is ignored by other divergences than alpha_divergence.' };
    }
    if (!loss_type.includes('discopop'))
      yield { key: 'discopop_tau', message: 'is ignored by other losses than discopop.' };
  },
  notes: (_section, context) => rateNotes(context),
  modelRefusals: (_section, model) => preferenceModelRefusals(model),
  loss: 'How far the margin between better and other answers is from what the loss wants: 0.693 (log 2) is where DPO starts, lower is better, and near 0 every pair of these is told apart.',
  metrics: [...REWARDS, ...LOGPS, ...LOGITS, ENTROPY, ACCURACY_OF_TOKENS],
  taskType: 'CAUSAL_LM',
  autoClass: 'AutoModelForCausalLM',
  pipelineTag: 'text-generation',
  python: GENERATE('Hello'),
};

function* lossRefusals(section: DpoObjective): Generator<Refusal> {
  const { loss_type, loss_weights, label_smoothing, f_divergence_type, use_weighting } = section;
  const among = (types: readonly DpoLossType[]) => loss_type.filter((type) => types.includes(type));
  if (loss_type.length === 0) {
    yield {
      where: 'objective.loss_type',
      message: 'names no loss, so nothing would be learned.',
      action: 'Use sigmoid.',
    };
  }
  const twice = loss_type.find((type, i) => loss_type.indexOf(type) !== i);
  if (twice)
    yield { where: 'objective.loss_type', message: `names ${twice} twice.`, action: 'Give it a weight instead.' };
  if (loss_weights && loss_weights.length !== loss_type.length) {
    yield {
      where: 'objective.loss_weights',
      message: `has ${loss_weights.length} numbers for ${loss_type.length} losses.`,
      action: 'Give each of loss_type one weight, or leave it empty.',
    };
  }
  if (label_smoothing > 0 && among(SMOOTHED).length === 0) {
    yield {
      where: 'objective.label_smoothing',
      message: `has no effect on ${loss_type.join(' and ')}; only ${SMOOTHED.join(', ')} have one.`,
      action: 'Set it to 0, or choose robust.',
    };
  }
  if (loss_type.includes('robust') && label_smoothing >= 0.5) {
    yield {
      where: 'objective.label_smoothing',
      message: 'must be below 0.5 for robust: with half of the pairs reversed, nothing can be learned.',
      action: 'The paper has 0.1.',
    };
  }
  if (loss_type.includes('exo_pair') && label_smoothing === 0) {
    yield {
      where: 'objective.label_smoothing',
      message: 'must be above 0 for exo_pair, whose loss is infinite otherwise.',
      action: 'Set it to 0.001, as in the paper.',
    };
  }
  if (f_divergence_type !== 'reverse_kl' && among(UNDIVERGENT).length > 0) {
    yield {
      where: 'objective.f_divergence_type',
      message: `has no meaning for ${among(UNDIVERGENT).join(' and ')}.`,
      action: 'Set it to reverse_kl.',
    };
  }
  const unweighted = loss_type.find((type) => SORTED.includes(type));
  if (use_weighting && unweighted) {
    yield {
      where: 'objective.use_weighting',
      message: `does not work with ${unweighted}, which compares the sorted values of a batch and not its pairs.`,
      action: 'Set it to false.',
    };
  }
}
