/** English of the Train page and its charts. */
import type { RunStatus } from '../../storage/types';

export const trainText = {
  bestStep: (step: number) =>
    `Step ${step} had the lowest validation loss. That checkpoint is the one to compare and export.`,
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
  dataNotes: (count: number) => (count === 1 ? '1 note on the data' : `${count} notes on the data`),
  data: (examples: string, rows: string) => `Data: ${examples} examples from ${rows} rows.`,
  statuses,
  step: 'Step',
  stepOf: (step: number, total: number) => `${step} of ${total}`,
  epoch: (epoch: string) => `epoch ${epoch}`,
  before: (value: string) => `was ${value} before`,
  forgetting: (value: string) => `was ${value} before; a rise means forgetting`,
  timeLeft: 'Time left',
  took: 'Took',
  tokens: 'Tokens',
  trained: 'Trained',
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
  baseText: 'Base text',
  none: 'No metrics were recorded.',
  waiting: 'Waiting for the first step. The first run on a GPU compiles its kernels.',
};

export const smallChartText = { learningRate: 'Learning rate', gradientNorm: 'Gradient norm' };

export const chartText = {
  noValues: 'No values yet',
  step: (step: number) => `Step ${step}`,
  stepColumn: 'Step',
  cursor: (chart: string) => `${chart}, step by step`,
  table: 'Values as a table',
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
    'The same prompts, answered at every evaluation. ROUGE-L measures how much of the example’s own answer is in it, in order.',
  step: (step: number) => `Step ${step}`,
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

export const historyText = {
  title: 'Runs',
  description: 'Tick a run to overlay its loss on the chart.',
  overlay: (name: string, when: string) => `Overlay ${name} of ${when} on the chart`,
  progress: (when: string, step: number, total: number) => `${when} · step ${step} of ${total}`,
  loss: 'loss ',
  changed: (steps: number[]) => `trained on other data or another model since step ${steps.join(', ')}`,
  validation: 'validation ',
  resumeLabel: (name: string, when: string) => `Resume ${name} of ${when}`,
  deleteLabel: (name: string, when: string) => `Delete ${name} of ${when}`,
  deleteQuestion: (name: string) => `Delete “${name}”?`,
  deleteAction: 'Delete run',
  deleteConsequence:
    'This deletes its curves, its checkpoints and its trained weights. It cannot be undone. Adapters that you have exported stay on your disk.',
};

export const diffText = {
  title: 'Recipe differences',
  run: (name: string, when: string) => `${name}, ${when}`,
  same: (run: string) => `${run} has the same recipe as the run shown.`,
  caption: (run: string) => `Recipe of the run shown and of ${run}`,
  field: 'Field',
  shown: 'run shown',
};
