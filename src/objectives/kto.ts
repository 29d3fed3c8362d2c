/** Kahneman-Tversky optimisation, from answers that are good or bad. The loss is in src/engine/objectives/kto.ts. */
import type { ObjectiveData } from '../data/objective-data';
import { judgedData } from '../data/preference-data';
import type { DataProblem, Example } from '../data/types';
import { type FieldSpec, options } from '../recipe/spec';
import type { Goal, ObjectiveDescriptor } from './objective';
import {
  BETA,
  COMPARES,
  ENTROPY,
  GENTLE_RATES,
  LOGITS,
  LOGPS,
  PRECOMPUTE,
  preferenceModelRefusals,
  preferenceRefusals,
  REWARDS,
  rateNotes,
} from './preferences';
import { GENERATE } from './python';

export interface KtoObjective {
  type: 'kto';
  loss_type: 'kto' | 'apo_zero_unpaired';
  beta: number;
  /** Of good answers, and of bad ones. */
  desirable_weight: number;
  undesirable_weight: number;
  precompute_ref_log_probs: boolean;
}

const JUDGE: Goal = {
  name: 'Learn from thumbs up and down',
  text: 'It learns from answers that are marked as good or bad, each on its own. Easier to collect than pairs.',
  formats: ['unpaired_preference'],
};

const weight = (which: string): FieldSpec => ({
  kind: 'number',
  label: `Weight of ${which} answers`,
  help: `How much ${which} answers count. Number times weight, good answers should come to 1 to 1.33 times the bad ones.`,
  default: 1,
  min: 0,
  max: 1000,
  step: 0.1,
  usual: [0.1, 10],
  source: 'TRL',
});

export const kto: ObjectiveDescriptor<KtoObjective> = {
  type: 'kto',
  label: 'Preference optimisation (KTO)',
  order: 62,
  ...COMPARES,
  trainers: ['axolotl', 'llamafactory', 'trl'],
  data,
  goal: JUDGE,
  figures: 'comparisons',
  fields: {
    loss_type: {
      kind: 'select',
      label: 'Loss',
      help: 'KTO measures answers against how far the model has moved in all; APO zero does without, for answers better than the model’s own.',
      default: 'kto',
      options: options({ kto: 'KTO', apo_zero_unpaired: 'APO zero, unpaired' }),
      source: 'TRL',
    },
    beta: BETA,
    desirable_weight: weight('good'),
    undesirable_weight: weight('bad'),
    precompute_ref_log_probs: PRECOMPUTE,
  },
  defaults: GENTLE_RATES,
  *refusals(section, context) {
    yield* preferenceRefusals(section.type, context);
    if (section.loss_type === 'kto' && context.training.per_device_train_batch_size < 2) {
      yield {
        where: 'training.per_device_train_batch_size',
        message: 'must be at least 2 for the kto loss, which compares each answer with another one of its batch.',
        action: 'Use 4 or more, or the loss apo_zero_unpaired.',
      };
    }
    if (section.precompute_ref_log_probs && section.loss_type === 'kto' && context.dataset.shuffle) {
      yield {
        where: 'dataset.shuffle',
        message:
          'gives every epoch other neighbours, with whose answers kto compares, so the reference cannot be asked ahead.',
        action: 'Set it to false, or precompute_ref_log_probs to false.',
      };
    }
  },
  notes: (_section, context) => rateNotes(context),
  modelRefusals: (_section, model) => preferenceModelRefusals(model),
  loss: 'Mean of 1 − how surely each answer moved the right way: 0.5 is where it starts, lower is better, and 0 is certainty on every answer.',
  metrics: [
    {
      name: 'kl',
      label: 'Divergence',
      help: 'How far the model has moved from the reference on answers that do not belong to their prompts: near 0 at the start; far above 10 it moves on everything, and the rate is too high.',
      open: true,
    },
    ...REWARDS.filter(({ name }) => name !== 'rewards/accuracies'),
    ...LOGPS,
    ...LOGITS,
    ENTROPY,
  ],
  taskType: 'CAUSAL_LM',
  autoClass: 'AutoModelForCausalLM',
  pipelineTag: 'text-generation',
  python: GENERATE('Hello'),
};

function data({ desirable_weight, undesirable_weight }: KtoObjective): ObjectiveData {
  const judged = judgedData();
  return {
    ...judged,
    // What is said of the weights is said when examples are encoded.
    encodedBy: [judged.encodedBy, desirable_weight, undesirable_weight],
    warnings: (examples, given) => [
      ...(judged.warnings?.(examples, given) ?? []),
      ...uneven(examples, desirable_weight, undesirable_weight),
    ],
  };
}

/** The paper's bounds of good answers' weight in all over bad ones'; TRL prints them with a third more as the upper one. */
const MOST = 1.33;

function uneven(examples: readonly Example[], desirable: number, undesirable: number): DataProblem[] {
  const count = (good: boolean) =>
    examples.filter((example) => example.kind === 'pair' || (example.kind === 'judged' && example.good === good))
      .length;
  const [good, bad] = [count(true), count(false)];
  if (good === 0 || bad === 0) return [];
  const ratio = (good * desirable) / (bad * undesirable);
  if (ratio >= 0.99 && ratio <= MOST + 0.01) return [];
  const round = (value: number) => Number(value.toPrecision(2));
  const least = (bad * undesirable) / good;
  const most = (good * desirable) / bad;
  return [
    {
      severity: 'warning',
      code: 'uneven_judgements',
      message: `${good.toLocaleString('en')} answers are good and ${bad.toLocaleString('en')} bad; with their weights, good ones count ${round(ratio)} times as much in all as bad ones. KTO works best from 1 to ${MOST} times.`,
      action: `Set desirable_weight to ${round(least)} to ${round(MOST * least)}, or undesirable_weight to ${round(most / MOST)} to ${round(most)}.`,
      dropped: false,
    },
  ];
}
