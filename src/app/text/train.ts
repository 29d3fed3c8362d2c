/** English of the Train page and its charts. */
import { FP16_LIMITS } from '../../base/fp16';
import type { RunStatus } from '../../storage/types';

export const trainText = {
  bestStep: (step: number) =>
    `Step ${step} had the lowest validation loss. That checkpoint is the one to compare and export.`,
  bestReward: (step: number) =>
    `Step ${step} earned the highest held-out reward. That checkpoint is the one to compare and export.`,
  compare: 'Compare with the base',
  notify: 'Notify me when it is done',
  notifyRefused: 'This browser blocks notifications from this page.',
};

const statuses: Record<RunStatus, string> = {
  running: 'running',
  paused: 'paused',
  interrupted: 'interrupted',
  completed: 'finished',
  stopped: 'stopped',
  early_stopped: 'finished early',
  failed: 'failed',
};

export const factsText = {
  reward: 'Held-out reward',
  bestReward: 'Best held-out reward',
  rewardHelp:
    'Mean reward of one answer to each held-out prompt, drawn in the same way at every evaluation: higher is better.',
  title: 'In figures',
  dataNotes: (count: number) => (count === 1 ? '1 note on the data' : `${count} notes on the data`),
  data: (examples: string, rows: string) => `Data: ${examples} examples from ${rows} rows.`,
  statuses,
  step: 'Step',
  stepOf: (step: number, total: number) => `${step} of ${total}`,
  epoch: (epoch: string) => `epoch ${epoch}`,
  atStep: (step: number) => `at step ${step}`,
  before: (value: string) => `${value} before training`,
  beforeTraining: 'before training',
  latest: (value: string) => `latest ${value}`,
  timeLeft: 'Time left',
  took: 'Took',
  tokens: 'Tokens',
  trained: 'Trained',
  fp16: '16-bit products',
  fp16Help: `Before the first step, the first batch was computed with 16-bit and with 32-bit products. They may differ by ${FP16_LIMITS.logits} in any logit and by ${FP16_LIMITS.loss} in the loss; beyond that, the run stays in 32 bits.`,
  fp16None: 'no product of the first batch’s forward pass is large enough; weights are rounded in gradients',
  fp16On: 'on',
  fp16Refused: 'off: too far from 32 bits',
  fp16Apart: (logits: string, loss: string) => `logits differ by ${logits}, the loss by ${loss}`,
  fp16NoNumber: 'no finite number',
  saved: 'Saved',
  savedHelp:
    'The last checkpoint. After a reload, a crash or a lost GPU, the run resumes from it. It is saved at least every 30 seconds; where saving is slow, less often, so that it takes at most a twentieth of the time.',
  savedStep: (step: number) => `step ${step}`,
  notSaved: 'not yet',
  savedEvery: (time: string) => `at least every ${time}`,
  resumesThere: 'the run resumes from there',
};

export const lossText = {
  title: 'Loss',
  chart: 'Training loss',
  smoothing: 'Smoothing',
  smoothingOff: 'off',
  scale: 'Scale',
  linear: 'Linear',
  log: 'Log',
  raw: 'Raw',
  training: 'Training',
  validation: 'Validation',
  overlayValidation: (run: string) => `${run}, validation`,
  best: 'best',
  baseText: 'Base text',
  none: 'No metrics were recorded.',
  waiting: 'Waiting for the first step. The first run on a GPU compiles its kernels.',
};

export const smallChartText = {
  learningRate: 'Learning rate',
  gradientNorm: 'Gradient norm',
  speed: 'Tokens per second',
  memory: 'GPU memory',
};

export const chartText = {
  noValues: 'No values yet',
  step: (step: number) => `Step ${step}`,
  stepColumn: 'Step',
  cursor: (chart: string) => `${chart}, step by step`,
  table: 'Values as a table',
  zoomIn: (chart: string) => `${chart}: zoom in`,
  zoomOut: (chart: string) => `${chart}: zoom out`,
  zoomReset: (chart: string) => `${chart}: show all steps`,
  values: 'Values',
};

export const classText = {
  title: 'On the held-out examples',
  description: 'Measured at every evaluation.',
  chart: 'Evaluation metrics',
  report: 'Results per class',
  evaluation: 'Evaluation',
  latest: (step: number) => `latest (step ${step})`,
  atStep: (step: number) => `step ${step}`,
  beforeTraining: 'before training',
  explanation:
    'Precision: the share of the predictions of a class that are right. Recall: the share of the class that was found. F1: both in one number.',
  perClass: 'Precision, recall and F1 of each class',
  class: 'Class',
  precision: 'Precision',
  recall: 'Recall',
  f1: 'F1',
  examples: 'Examples',
  confusion: 'Confusion matrix',
  confusionCaption: 'A row for each true class, a column for each predicted class.',
  actual: 'true class',
};

export const sampleText = {
  title: 'Sample answers',
  description:
    'The same prompts, answered at every evaluation: point at a step of a chart to see what the model said then. ROUGE-L measures how much of the example’s answer it contains, in the same order.',
  step: (step: number) => `Step ${step}`,
  underCursor: (step: number) => `At the cursor: step ${step}`,
  base: 'Base',
  tuned: 'Tuned',
  exactMatch: 'exact match',
  rouge: (value: string) => `ROUGE-L ${value}`,
  noAnswer: '(no answer)',
};

export const firstRunText = {
  title: 'How to read a run',
  description: 'Nothing has been trained yet. Press Start training; a good run looks like this.',
  drawing: 'A loss curve that falls fast, then flattens; the validation loss follows a little above it.',
  trainingLoss: 'Training loss',
  trainingLossIs: ' (line): how badly the model predicts the examples it is trained on. It should fall.',
  validationLoss: 'Validation loss',
  validationLossIs:
    ' (dots): the same on held-out examples. If it rises again, the model is memorising; the best checkpoint is kept.',
  samples: 'Sample answers appear here too, next to those of the base model.',
};

export const recentText = {
  title: 'Recent runs',
  description: 'Tick a run to overlay its loss on the chart.',
  all: (count: number) => `All runs (${count})`,
  overlay: (name: string, when: string) => `Overlay ${name} of ${when} on the chart`,
  loss: 'training loss ',
  validation: 'best validation loss ',
  reward: 'best held-out reward ',
};

export const diffText = {
  run: (name: string, when: string) => `${name}, ${when}`,
};

export const objectiveChartText = {
  heldOut: (label: string) => `${label}, held out`,
  more: (count: number) => (count === 1 ? 'One more figure' : `${count} more figures`),
};

export const rolloutText = {
  title: (step: number) => `Answers of step ${step}`,
  description:
    'What the model wrote and what each answer was worth. A positive advantage makes an answer likelier, a negative one less likely. Kept for the last steps while this tab is open; a chart’s cursor shows earlier ones.',
  table: 'Answers with their rewards',
  answer: 'Answer',
  reward: 'Reward',
  advantage: 'Advantage',
  tokens: 'Tokens',
  row: (row: number) => `Row ${row}`,
  empty: '(empty answer)',
  cut: '(cut off)',
  nothing: '–',
};
