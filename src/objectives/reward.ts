/** Reward modelling: a score for each answer, learned from pairs. The loss is in src/engine/objectives/reward.ts. */
import type { TaskData } from '../base/task';
import type { ObjectiveData } from '../data/objective-data';
import { pairData } from '../data/preference-data';
import { withoutPadding } from '../data/trailing-padding';
import type { ObjectiveDescriptor } from './objective';

export interface RewardObjective {
  type: 'reward';
  /** Pulls the two scores of a pair towards a sum of zero (Eisenstein et al., 2023); 0 is off. */
  center_rewards_coefficient: number;
}

/** What the head gives: one number for each text. */
export const REWARD_TASK: TaskData = { problemType: 'regression', labels: ['reward'] };

export const reward: ObjectiveDescriptor<RewardObjective> = {
  type: 'reward',
  label: 'Reward modelling',
  order: 70,
  learns: 'labels',
  writes: false,
  trainers: ['axolotl', 'llamafactory', 'trl'],
  models: 'any',
  labels: 'texts',
  task: REWARD_TASK,
  packs: false,
  data,
  goal: {
    name: 'Judge answers',
    text: 'It learns which of two answers is better and gives any answer a score, which can then guide another run.',
    formats: ['preference'],
  },
  fields: {
    center_rewards_coefficient: {
      kind: 'number',
      label: 'Centre the scores',
      help: 'Pulls the scores of each pair towards a sum of zero, so that scores of different runs are easier to compare; 0.01 is usual, 0 is off.',
      default: 0,
      min: 0,
      max: 10,
      step: 0.01,
      usual: [0, 0.1],
      source: 'TRL',
    },
  },
  defaults: {
    'training.learning_rate': [{ default: 1e-4, usual: [1e-5, 3e-4], source: 'TRL' }],
    'training.model_dropout': [{ default: false, source: 'TRL' }],
  },
  *refusals(_section, { training }) {
    if (training.label_smoothing_factor === 0) return;
    yield {
      where: 'training.label_smoothing_factor',
      message: 'has no meaning for a reward model, which compares two answers.',
      action: 'Set it to 0.',
    };
  },
  loss: 'Mean of −log σ(margin) per pair: 0.693 is no better than guessing, lower is better, and 0 means that every pair was told apart with certainty.',
  metrics: [
    {
      name: 'accuracy',
      label: 'Accuracy',
      help: 'Share of the pairs whose better answer gets the higher score: 0.5 is guessing, and 1 is the best.',
    },
    {
      name: 'margin',
      label: 'Margin',
      help: 'Mean difference between the scores of the better and the other answer: it should rise; far above 5, the model is surer than its data.',
      open: true,
    },
    {
      name: 'mean_reward',
      label: 'Mean score',
      help: 'Mean score of all answers. Only differences are learned, so it may drift; centring keeps it near 0.',
      open: true,
    },
    {
      name: 'min_reward',
      label: 'Lowest score',
      help: 'The lowest score of a batch, averaged over batches.',
      open: true,
    },
    {
      name: 'max_reward',
      label: 'Highest score',
      help: 'The highest score of a batch, averaged over batches.',
      open: true,
    },
  ],
  taskType: 'SEQ_CLS',
  autoClass: 'AutoModelForSequenceClassification',
  pipelineTag: 'text-classification',
  python: `# A text is a prompt with its answer, as in training: through tokenizer.apply_chat_template(messages, tokenize=False)
# if the model has a chat template, otherwise both as they are, with tokenizer.eos_token behind them.
inputs = tokenizer(["A question and a good answer", "A question and a bad answer"], padding=True, return_tensors="pt")
print(model(**inputs).logits[:, 0])  # a score for each text: the higher, the better`,
};

/** Longer pairs are left out, and what transformers does not read of a text is not there. */
function data(): ObjectiveData {
  const pairs = pairData({ wholeTexts: true });
  return {
    ...pairs,
    encode(example, options, tokenizer) {
      const made = pairs.encode(example, options, tokenizer);
      const { ids, trained, rejected, ...encoded } = made.encoded;
      const read = withoutPadding(ids, tokenizer.padTokenId);
      return {
        ...made,
        encoded: {
          ...encoded,
          ids: read,
          trained: trained.subarray(0, read.length),
          ...(rejected && { rejected: { ...rejected, ids: withoutPadding(rejected.ids, tokenizer.padTokenId) } }),
        },
      };
    },
    label: (dataset) => ({ ...pairs.label(dataset), task: REWARD_TASK }),
  };
}
