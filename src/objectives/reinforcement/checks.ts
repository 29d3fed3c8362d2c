/** What the objectives that learn from rewards share: their goal, rates, checks and batches. */
import type { CombinedModel, Refusal } from '../../recipe/spec';
import type { BatchSettings, Goal, ObjectiveContext, ObjectiveDescriptor, Pace } from '../objective';
import { GENERATE } from '../python';

export const EARN: Goal = {
  name: 'Earn a reward',
  text: 'It answers prompts by itself and learns from what scores better, by rules that you choose. For tasks whose answers can be checked.',
  formats: ['prompt_only'],
};

type Shared = Pick<
  ObjectiveDescriptor<{ type: string }>,
  | ('learns' | 'writes' | 'models' | 'labels' | 'packs' | 'goal' | 'taskType' | 'autoClass' | 'pipelineTag' | 'python')
  | 'figures'
>;

export const LOSS_OF_ADVANTAGES =
  'This loss says little about progress, because the advantages of a group sum to 0: look at the reward, which should rise.';

/** What all of them are to the rest of the code. */
export const LEARNS_FROM_REWARDS: Shared = {
  learns: 'answers',
  writes: true,
  models: 'decoder',
  labels: null,
  packs: false,
  goal: EARN,
  taskType: 'CAUSAL_LM',
  autoClass: 'AutoModelForCausalLM',
  pipelineTag: 'text-generation',
  python: GENERATE('Hello'),
  figures: 'rewards',
};

/** TRL's rate is for whole models; adapters take ten times as much. */
export const REWARD_DEFAULTS: NonNullable<ObjectiveDescriptor<{ type: string }>['defaults']> = {
  'training.learning_rate': [
    { when: ({ trains }) => trains === 'adapter', default: 1e-5, usual: [5e-6, 1e-4], source: 'TRL’s 1e-6, × 10' },
    { default: 1e-6, usual: [5e-7, 5e-6], source: 'TRL' },
  ],
  'training.per_device_train_batch_size': [{ default: 4, usual: [2, 16], source: 'ours: the answers to one prompt' }],
  'training.gradient_accumulation_steps': [{ default: 4, usual: [1, 16], source: 'ours: four prompts a step' }],
};

/** What none of them can do. */
export function* rewardRefusals(type: string, { training }: ObjectiveContext): Generator<Refusal> {
  if (training.label_smoothing_factor > 0) {
    yield {
      where: 'training.label_smoothing_factor',
      message: `smooths the targets of tokens, and ${type} has none: it learns from rewards.`,
      action: 'Set it to 0.',
    };
  }
  if (training.replay_ratio > 0) {
    yield {
      where: 'training.replay_ratio',
      message: `mixes in plain text, and ${type} learns from its own answers alone.`,
      action: 'Set it to 0.',
    };
  }
}

export function* rewardModelRefusals({ kind, title }: CombinedModel): Generator<Refusal> {
  if (kind !== 'encoder') return;
  yield {
    where: 'objective.type',
    message: `${title} reads text but does not generate it, so it has no answers to be rewarded.`,
    action: 'Choose a model that generates text.',
  };
}

/** Answers of a step: micro-batches count them, as in TRL. */
export const answersPerStep = ({
  per_device_train_batch_size: rows,
  gradient_accumulation_steps: batches,
}: BatchSettings): number => rows * batches;

/**
 * A step's answers are the same number to each of its prompts. TRL drops the prompts that are left over at an epoch's end; here the
 * steps of an epoch share them, so that every prompt is answered, and groups stay whole.
 */
export const groupedPace = (
  { num_generations, num_iterations }: { num_generations: number; num_iterations: number },
  training: BatchSettings,
): Pace => ({ examples: Math.max(1, Math.floor(answersPerStep(training) / num_generations)), steps: num_iterations });

export function* wholeGroups(
  { num_generations }: { num_generations: number },
  { training }: ObjectiveContext,
): Generator<Refusal> {
  const answers = answersPerStep(training);
  if (answers % num_generations === 0) return;
  const { per_device_train_batch_size: rows, gradient_accumulation_steps: batches } = training;
  yield {
    where: 'objective.num_generations',
    message: `is ${num_generations}, and a step has ${answers} answers (${rows} × ${batches}), which is not so many to each prompt.`,
    action: `Set training.gradient_accumulation_steps to ${nextMultiple(rows, batches, num_generations)}.`,
  };
}

/** The least number of micro-batches from `batches` on that whole groups fill. */
function nextMultiple(rows: number, batches: number, size: number): number {
  let next = batches;
  while ((next * rows) % size !== 0) next++;
  return next;
}
