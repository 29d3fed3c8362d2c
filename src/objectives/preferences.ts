/** What the objectives that learn from judged answers share: their goal, fields, checks and metrics. */
import type { CombinedModel, FieldSpec, Refusal } from '../recipe/spec';
import type { Goal, MetricInfo, ObjectiveContext, ObjectiveDescriptor } from './objective';

export const PREFER: Goal = {
  name: 'Prefer better answers',
  text: 'It learns from pairs which of two answers is better. For tone, taste and manners; best after it can answer at all.',
  formats: ['preference'],
};

/** What all of them are to the rest of the code. */
export const COMPARES = {
  learns: 'answers',
  compares: true,
  writes: true,
  models: 'decoder',
  labels: null,
  packs: false,
} as const;

export const BETA: FieldSpec = {
  kind: 'number',
  label: 'Beta',
  help: 'How closely the model stays to the reference: higher stays closer.',
  default: 0.1,
  min: 0,
  max: 100,
  above: true,
  step: 0.05,
  usual: [0.01, 0.5],
  source: 'TRL',
};

export const PRECOMPUTE: FieldSpec = {
  kind: 'bool',
  label: 'Reference ahead',
  help: 'Compute what the reference thinks of every answer before the first step, once, and keep it with the run.',
  default: false,
  source: 'TRL',
};

/** The rates of supervised training make answers collapse, and dropout would be noise in every comparison. */
export const GENTLE_RATES: ObjectiveDescriptor<{ type: string }>['defaults'] = {
  'training.learning_rate': [{ default: 5e-6, usual: [1e-6, 5e-5], source: 'LLaMA-Factory' }],
  'training.model_dropout': [{ default: false, source: 'TRL' }],
};

const TOO_FAST = 5e-5;

/** Above this rate people report that every answer becomes the same. */
export function* rateNotes(context: ObjectiveContext): Generator<Pick<Refusal, 'where' | 'message'>> {
  const { learning_rate } = context.training;
  // The built-in models have a hundredth of the weights, and take higher rates.
  const small = context.model.source.startsWith('builtin:');
  if (context.method === 'adapter' && learning_rate > TOO_FAST && !small) {
    yield {
      where: 'training.learning_rate',
      message: `is ${learning_rate}, a rate for supervised training. Learning from preferences takes 5e-6 to 5e-5; above, answers often collapse.`,
    };
  }
}

/** What no objective that compares answers can do. */
export function* preferenceRefusals(type: string, { training }: ObjectiveContext): Generator<Refusal> {
  if (training.label_smoothing_factor > 0) {
    yield {
      where: 'training.label_smoothing_factor',
      message: `smooths the targets of tokens, and ${type} compares whole answers.`,
      action: 'Set it to 0.',
    };
  }
  if (training.replay_ratio > 0) {
    yield {
      where: 'training.replay_ratio',
      message: `mixes in plain text, and ${type} learns from judged answers alone.`,
      action: 'Set it to 0.',
    };
  }
}

export function* preferenceModelRefusals({ kind, title }: CombinedModel): Generator<Refusal> {
  if (kind !== 'encoder') return;
  yield {
    where: 'objective.type',
    message: `${title} reads text but does not generate it, so it cannot learn which answers are better.`,
    action: 'Choose a model that generates text.',
  };
}

export const REWARDS: readonly MetricInfo[] = [
  {
    name: 'rewards/accuracies',
    label: 'Pairs in order',
    help: 'Share of the pairs whose better answer has the higher reward: it starts at 0, since nothing has changed yet, and should pass 0.5 soon.',
  },
  {
    name: 'rewards/margins',
    label: 'Margin',
    help: 'By how much the rewards of better answers exceed the others’: it should grow from 0, and when it keeps growing while the loss is near 0 the model only gets surer of what it knows.',
    open: true,
  },
  {
    name: 'rewards/chosen',
    label: 'Reward of better answers',
    help: 'How much likelier they have become than the reference finds them, times beta: it often falls together with the others’, which is usual, because only the margin counts; a lower rate or an sft term holds it up.',
    open: true,
  },
  {
    name: 'rewards/rejected',
    label: 'Reward of other answers',
    help: 'How much likelier the worse answers have become, times beta: it should fall.',
    open: true,
  },
];

export const LOGPS: readonly MetricInfo[] = [
  {
    name: 'logps/chosen',
    label: 'Log-probability of better answers',
    help: 'Of whole answers, so longer ones have less; a fall by half means that the model forgets how to give them.',
    open: true,
  },
  {
    name: 'logps/rejected',
    label: 'Log-probability of other answers',
    help: 'Of whole answers, so longer ones have less; it should fall faster than that of better answers.',
    open: true,
  },
];

export const LOGITS: readonly MetricInfo[] = [
  {
    name: 'logits/chosen',
    label: 'Mean logit, better answers',
    help: 'Mean raw output over all tokens of the vocabulary: neither high nor low is better, but a steady drift is a sign of too high a rate.',
    open: true,
  },
  {
    name: 'logits/rejected',
    label: 'Mean logit, other answers',
    help: 'The same where the worse answers are: both move together, and a sudden jump is a sign of too high a rate.',
    open: true,
  },
];

export const ENTROPY: MetricInfo = {
  name: 'entropy',
  label: 'Entropy',
  help: 'How undecided the model is at each token of the answers, in nats: a fall towards 0 means that it will say the same again and again.',
  open: true,
};

export const ACCURACY_OF_TOKENS: MetricInfo = {
  name: 'mean_token_accuracy',
  label: 'Tokens guessed',
  help: 'Share of the better answers’ tokens that are the model’s first choice: higher is closer to those answers.',
};

/** Of objectives without a reference, whose rewards are the answers' own log-probabilities. */
export const ownRewards: readonly MetricInfo[] = [
  {
    name: 'rewards/accuracies',
    label: 'Pairs in order',
    help: 'Share of the pairs whose better answer is the likelier one: it starts where the model already agrees and should rise.',
  },
  {
    name: 'rewards/margins',
    label: 'Margin',
    help: 'By how much the rewards of better answers exceed the others’: it should grow.',
    open: true,
  },
  {
    name: 'rewards/chosen',
    label: 'Reward of better answers',
    help: 'Their log-probability times beta, below 0: it may fall together with the others’, because the margin counts more.',
    open: true,
  },
  {
    name: 'rewards/rejected',
    label: 'Reward of other answers',
    help: 'Their log-probability times beta: it should fall.',
    open: true,
  },
];

/** Where whole answers are compared by their means. */
export const MEAN_LOGPS: readonly MetricInfo[] = [
  {
    name: 'logps/chosen',
    label: 'Log-probability of better answers',
    help: 'Mean per token: it should rise towards 0, since the better answers are also learned word by word.',
    open: true,
  },
  {
    name: 'logps/rejected',
    label: 'Log-probability of other answers',
    help: 'Mean per token: it should fall, or rise more slowly than that of better answers.',
    open: true,
  },
];

export const LIKELIHOOD: MetricInfo = {
  name: 'nll_loss',
  label: 'Loss on better answers',
  help: 'Cross-entropy of the better answers in nats per token, as in supervised fine-tuning: lower is better.',
  open: true,
};
