/** English of the Runs page. */

import type { InputsChange } from '../../storage/types';
import { formatPlural } from '../util/format';

export const runsText = {
  count: (count: number) => formatPlural(count, 'run'),
  countOf: (shown: number, all: number) => `${shown} of ${formatPlural(all, 'run')}`,
  best: 'best',
  bestOf: (count: number) =>
    `The lowest validation loss of ${count} runs with the same examples and objective. Other runs cannot be compared by their loss.`,
  bestNote:
    '**best** marks the lowest validation loss among runs with the same examples, split and objective. Losses on other data, or with another tokeniser, cannot be compared.',
  none: 'No run matches.',
  clear: 'Clear the filters',
  mended: (steps: number[]) => `Its rewards were changed after step ${steps.join(', ')}.`,
  changed: (steps: number[]) => `Trained on other data or another model since step ${steps.join(', ')}.`,
};

export const columnText = {
  select: 'Select',
  name: 'Name',
  model: 'Model',
  data: 'Data',
  objective: 'Objective',
  method: 'Method',
  rate: 'Learning rate',
  status: 'Status',
  steps: 'Steps',
  loss: 'Best validation loss',
  reward: (value: string) => `reward ${value}`,
  metric: 'Metric at the best step',
  trainingLoss: 'Last training loss',
  duration: 'Duration',
  date: 'Date',
  size: 'Size',
  tags: 'Tags',
  parameters: 'Trained parameters',
  actions: 'Actions',
};

export const runTableText = {
  label: 'Runs',
  selectAll: 'Select all runs shown',
  select: (name: string) => `Select ${name}`,
  pin: (name: string) => `Pin ${name}`,
  unpin: (name: string) => `Unpin ${name}`,
  nameOf: (name: string) => `Name of ${name}`,
  actionsOf: (name: string) => `Actions for ${name}`,
  sortBy: (column: string) => `Sort by ${column}`,
  keys: 'Up and Down move between runs, Space selects, Enter opens, F2 renames, Delete deletes.',
  metric: (label: string, value: string) => `${label} ${value}`,
};

export const filterText = {
  find: 'Find a run',
  placeholder: 'Name, tag, note, data',
  status: 'Status',
  anyStatus: 'Any status',
  model: 'Model',
  anyModel: 'Any model',
  tag: 'Tag',
  anyTag: 'Any tag',
  sort: 'Sort by',
  ascending: 'Ascending',
  descending: 'Descending',
  columns: 'Columns',
  usualColumns: 'Usual columns',
};

export const selectionText = {
  selected: (count: number) => `${formatPlural(count, 'run')} selected`,
  hint: 'Select two or more runs to overlay their curves and see how their recipes differ.',
  compare: 'Compare their answers',
  tooMany: 'At most three runs can be compared at once.',
  clear: 'Clear the selection',
  delete: 'Delete',
};

export const runMenuText = {
  open: 'Open on Train',
  compare: 'Compare with the base',
  otherModel: 'It belongs to a model that is not open.',
  nothingLearned: 'It ended before its first step.',
  rename: 'Rename',
  labels: 'Tags and note',
  pin: 'Pin to the top',
  unpin: 'Unpin',
  use: 'Use this recipe',
  duplicate: 'Duplicate the recipe',
  copyOf: (name: string) => `${name} copy`,
  exports: { csv: 'Metrics as CSV', jsonl: 'Metrics as JSONL', trainer_state: 'trainer_state.json' },
  delete: 'Delete',
};

export const labelsText = {
  title: (name: string) => `Tags and note of ${name}`,
  tags: 'Tags',
  tagsHint: 'Separated by commas.',
  known: 'Tags of other runs',
  note: 'Note',
  save: 'Save',
};

export const deleteText = {
  question: (names: readonly string[]) =>
    names.length === 1 ? `Delete “${names[0]}”?` : `Delete ${formatPlural(names.length, 'run')}?`,
  action: (count: number) => (count === 1 ? 'Delete run' : `Delete ${count} runs`),
  consequence: (count: number) =>
    `This deletes ${count === 1 ? 'its' : 'their'} curves, checkpoints and trained weights. It cannot be undone. Adapters that you have exported stay on your disk.`,
};

export const reuseText = {
  question: 'Replace the recipe that you have edited?',
  consequence: 'No run has been trained with it yet, so it would be lost.',
  action: 'Replace it',
  save: 'Save it as a file first',
};

export const curvesText = {
  title: 'Curves',
  group: 'Colour by',
  eachRun: 'Run',
  tags: 'Tags',
  none: 'none',
  figure: (measure: string) => `${measure} of the selected runs`,
  training: 'Training loss',
  validation: 'Validation loss',
  measure: 'Measured at evaluations',
  groupOf: (name: string, value: string) => `${name}: ${value}`,
  noSteps: 'No steps were recorded.',
  noEvaluations: 'No evaluations were recorded.',
  reading: 'Reading the curves',
  tooMany: (drawn: number, selected: number) => `The first ${drawn} of ${selected} selected runs are drawn.`,
};

export const differenceText = {
  title: 'Recipe differences',
  same: 'The recipes are the same.',
  caption: 'Fields in which the recipes of the selected runs differ',
  field: 'Field',
  result: 'Best validation loss',
  copy: 'Copy as text',
  copied: 'Copied',
  copyFailed: 'The browser did not let the page copy.',
  copyAction: 'Select the table and copy it by hand.',
  absent: '–',
};

export const emptyText = {
  title: 'A notebook of your runs',
  description: 'Nothing has been trained yet. Every run that you start is kept here, in this browser only.',
  drawing: 'Two loss curves over the same steps; the dashed one ends lower and is marked as the best.',
  steps: [
    '**Start training.** The run appears here with its recipe, curves, sample answers and checkpoints.',
    '**Change one thing** in Recipe, such as the rank or the learning rate, and start again.',
    '**Select both runs** here: their curves are drawn together, and a table says what differs.',
  ],
  after:
    'Rename, tag and pin what you want to find again. Any run’s recipe can be reused, and its metrics can be saved as CSV, JSONL or trainer_state.json.',
  action: 'Go to Recipe',
};

/** What was changed about a run while it was interrupted. */
export function whatChanged(changes: readonly InputsChange[]): string {
  const inputs = changes.filter(({ what }) => what.some((one) => one !== 'rewards')).map(({ step }) => step);
  const rewards = changes.filter(({ what }) => what.includes('rewards')).map(({ step }) => step);
  return [inputs.length > 0 && runsText.changed(inputs), rewards.length > 0 && runsText.mended(rewards)]
    .filter(Boolean)
    .join(' ');
}
