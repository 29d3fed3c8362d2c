/** Fields of the objectives that learn from answers of their own, with TRL's names. */
import type { BoolField, NumberField } from '../../recipe/spec';

export const NUM_GENERATIONS: NumberField = {
  kind: 'int',
  label: 'Answers to each prompt',
  help: 'Each is compared with the others to the same prompt: more tell good from lucky, and take longer.',
  default: 4,
  min: 2,
  max: 64,
  step: 1,
  usual: [4, 16],
  source: 'ours: TRL’s 8 take twice as long',
};

export const MAX_COMPLETION_LENGTH: NumberField = {
  kind: 'int',
  label: 'Longest answer',
  help: 'Answers are cut off after so many tokens.',
  default: 128,
  min: 1,
  max: 8192,
  step: 16,
  usual: [16, 512],
  source: 'ours: TRL’s 512 take minutes a step in a tab',
};

export const TEMPERATURE: NumberField = {
  kind: 'number',
  label: 'Temperature',
  help: 'How freely answers are drawn: lower ones are alike and teach little, higher ones fall apart. Log-probabilities are taken at it too.',
  default: 1,
  min: 0.05,
  max: 5,
  step: 0.1,
  usual: [0.6, 1.3],
  source: 'TRL',
};

export const TOP_P: NumberField = {
  kind: 'number',
  label: 'Top p',
  help: 'Draws only from the likeliest tokens that have this share of the probability; 1 is all of them.',
  default: 1,
  min: 0,
  max: 1,
  above: true,
  step: 0.05,
  usual: [0.8, 1],
  source: 'TRL',
};

export const TOP_K: NumberField = {
  kind: 'int',
  label: 'Top k',
  help: 'Draws only from so many of the likeliest tokens; 0 is all of them.',
  default: 0,
  min: 0,
  max: 1000,
  step: 1,
  usual: [0, 100],
  source: 'TRL',
};

export const BETA: NumberField = {
  kind: 'number',
  label: 'Beta',
  help: 'How strongly moving away from the reference is penalised; 0 has no reference, and saves its pass.',
  default: 0,
  min: 0,
  max: 100,
  step: 0.01,
  usual: [0, 0.1],
  source: 'TRL',
};

export const NUM_ITERATIONS: NumberField = {
  kind: 'int',
  label: 'Steps on the same answers',
  help: 'More use each answer better, but it becomes less and less the model’s own.',
  default: 1,
  min: 1,
  max: 16,
  step: 1,
  usual: [1, 4],
  source: 'TRL',
};

export const EPSILON: NumberField = {
  kind: 'number',
  label: 'Epsilon',
  help: 'How far an answer’s probability may move before a step stops moving it.',
  default: 0.2,
  min: 0,
  max: 10,
  above: true,
  step: 0.05,
  usual: [0.1, 0.3],
  source: 'TRL',
};

export const EPSILON_HIGH: NumberField = {
  kind: 'number',
  label: 'Upper epsilon',
  help: 'The same for answers that become likelier (0.28 in DAPO); 0 is as epsilon.',
  default: 0,
  min: 0,
  max: 100,
  step: 0.01,
  usual: [0, 0.3],
  source: 'TRL',
};

export const MASK_TRUNCATED: BoolField = {
  kind: 'bool',
  label: 'Leave out cut-off answers',
  help: 'Nothing is learned from answers that did not end by themselves; their rewards still count in the comparison.',
  default: false,
  source: 'TRL',
};

export const MISSING_EOS_PENALTY: NumberField = {
  kind: 'number',
  label: 'Penalty without an end',
  help: 'Taken off the reward of an answer that did not end by itself; 0 is none.',
  default: 0,
  min: 0,
  max: 1000,
  step: 0.5,
  usual: [0, 2],
  source: 'TRL',
};
