/** English of the Data page. */
import type { DatasetFormat } from '../../recipe/types';

export const dataText = {
  openFile: 'Open file',
  beingRead: 'A file is being read.',
  theDataset: 'the dataset',
  builtinReadOnly: 'This dataset comes with Tabtune and cannot be edited. Open your own file to edit it here.',
  readOnly:
    'The rows of this file cannot be edited here, because they come from an archive, a workbook or another kind of container.',
  examples: 'Examples',
  examplesHint: 'Select one to see below how the model reads it. Press Enter or double-click to edit a cell.',
  detectAgain: 'Detect again',
  openAnother: 'Open another file',
  useBuiltin: 'Use the built-in dataset',
};

export const openingText = {
  reading: (name: string) => `Reading ${name}.`,
  of: (done: string, all: string) => `${done} of ${all}`,
  soFar: (rows: string) => `${rows} rows so far`,
  rowsOf: (done: string, all: string) => `${done} of ${all} rows`,
  stays: (name: string) => `${name} is still chosen.`,
  leave: 'Cancel',
};

export const undoText = {
  undo: 'Undo',
  redo: 'Redo',
  reset: 'Restore the original file',
  saving: 'Saving the change.',
  did: (label: string) => `Done: ${label}.`,
  undid: (label: string) => `Undone: ${label}.`,
  edited: 'You have edited this file.',
  nothingToUndo: 'There is nothing to undo.',
  nothingToRedo: 'There is nothing to redo.',
};

export const datasetShelfText = {
  title: 'Choose a dataset',
  yourFile: 'your file',
  kept: 'Your files stay in this browser until you delete them.',
  edited: 'edited',
  remove: (name: string) => `Delete ${name}`,
  removeQuestion: (name: string) => `Delete ${name}?`,
  removeAction: 'Delete file',
  removeConsequence: 'This removes the copy in this browser, with your edits. The file on your disk stays as it is.',
  drop: 'Or drop your own file anywhere on this page: JSONL, JSON, CSV, Excel, Parquet, text or Markdown, also zipped. A spreadsheet with a column of questions and a column of answers, or of texts and labels, is enough.',
};

export const contentsText = {
  title: 'Contents',
  examples: 'Examples',
  leftOut: (rows: string) => `${rows} left out`,
  train: 'Train',
  validation: 'Validation',
  tokens: 'Tokens',
  counting: (share: string) => `counting, ${share}`,
  trainedOn: (share: string) => `${share} of them trained on`,
  labels: 'Labels',
  truncated: 'Truncated',
  duplicates: 'Duplicates',
  correct: 'Not right? Correct it here.',
  format: 'Format',
  encoding: 'Encoding',
  encodingSample: (sample: string) => `It reads: “${sample}”`,
  table: 'Table',
  columnFor: (part: string) => `Column for “${part}”`,
  noColumn: 'none',
  used: 'Used',
  notUsed: 'Not used',
};

export const lengthText = {
  label: 'Example lengths',
  summary: (longest: string, percentile95: string) =>
    `95 % have at most ${percentile95} tokens, the longest has ${longest}.`,
  cut: (limit: string, longer: string) => `Texts are truncated at ${limit} tokens; ${longer} are longer.`,
  allFit: (limit: string) => `Every example fits in the limit of ${limit} tokens.`,
  limit: (limit: string) => `limit ${limit}`,
  axis: (tokens: string) => `${tokens} tokens`,
  table: 'Lengths as a table',
  tokens: 'Tokens',
  examples: 'Examples',
  range: (from: string, to: string) => `${from} to ${to}`,
};

const rowKinds: { value: DatasetFormat; label: string }[] = [
  { value: 'prompt_completion', label: 'A prompt and its answer' },
  { value: 'labelled', label: 'A text and its label' },
  { value: 'preference', label: 'A prompt, a better and a worse answer' },
  { value: 'unpaired_preference', label: 'A prompt and an answer that is good or bad' },
  { value: 'prompt_only', label: 'A prompt to answer' },
  { value: 'text', label: 'Plain text' },
];

export const columnText = {
  title: 'Match the columns',
  form: 'Columns',
  rowIs: 'Each row is',
  rowKinds,
  parts: {
    prompt: 'Prompt',
    completion: 'Answer',
    text: 'Text',
    label: 'Label',
    chosen: 'Better answer',
    rejected: 'Worse answer',
  } as Record<string, string>,
  choose: 'Choose a column',
  chooseFirst: (part: string) => `Choose the column for “${part}” first.`,
  apply: 'Use these columns',
};

export const tableText = {
  label: 'Examples',
  row: 'Row',
  nothing: 'No example matches.',
  tokens: (count: string) => `${count} tokens`,
  cell: (column: string, row: number) => `${column} of row ${row}`,
  edit: (column: string, row: number) => `Edit ${column.toLowerCase()} of row ${row}`,
  note: 'note',
  noteTitle: 'This row has a warning',
  save: 'Save',
};

export const tableToolsText = {
  label: 'What the table shows',
  search: 'Search',
  finding: 'With this finding',
  byLabel: 'Label',
  any: 'All examples',
  labelOption: (label: string, count: string) => `${label} (${count})`,
  side: 'Part',
  sides: [
    { value: '', label: 'All examples' },
    { value: 'train', label: 'Trained on' },
    { value: 'validation', label: 'Held out for validation' },
    { value: 'left_out', label: 'Left out' },
  ],
  order: 'Order',
  orders: [
    { value: 'row', label: 'As in the file' },
    { value: 'row down', label: 'Last row first' },
    { value: 'tokens', label: 'Fewest tokens first' },
    { value: 'tokens down', label: 'Most tokens first' },
  ],
  labelOrders: [
    { value: 'label', label: 'Label, A to Z' },
    { value: 'label down', label: 'Label, Z to A' },
  ],
  shown: (shown: string, all: string) => `${shown} of ${all}.`,
  looking: 'Looking through the examples.',
  waiting: 'Known once the examples are tokenised.',
  showAll: 'Show all',
  sample: 'Random sample',
  sampleOf: 'Random sample of',
  sampleExample: '500',
  seed: 'Seed',
  showSample: 'Show sample',
  sampleRange: (most: string) => `Enter a whole number from 1 to ${most}.`,
  seedRange: 'The seed must be a whole number, 0 or more.',
  trainOnly: (examples: string) => `Train on these ${examples} only`,
  trainAll: 'Train on all',
  restricted: (count: string, all: string) => `The run uses a random sample of ${count} of ${all}.`,
};

export const balanceText = {
  title: 'Label balance',
  description: (labels: string) => `${labels}. Press one to see its examples.`,
  amount: (count: string, share: string) => `${count} · ${share}`,
  showMore: (count: string) => `Show ${count}`,
  showFewer: 'Show fewer',
  further: (count: string) => `${count} more labels are not drawn.`,
};

export const answersText = {
  title: (row: number) => `Row ${row}`,
  better: 'Better answer',
  worse: 'Worse answer',
  answer: 'Answer',
  prompt: 'Prompt',
  good: 'Good',
  bad: 'Bad',
  isGood: 'marked as good',
  isBad: 'marked as bad',
  columns: 'For rewards',
  noColumns: 'No further columns.',
  words: (words: string) => words,
  more: (words: string) => `${words} more`,
  fewer: (words: string) => `${words} fewer`,
  same: 'as many',
  margin: (margin: string) => `Better by ${margin}`,
};

export const tokenText = {
  title: 'As the model reads it',
  titleOf: (row: number) => `Row ${row}, as the model reads it`,
  previous: 'Previous example',
  next: 'Next example',
  isFirst: 'This is the first example.',
  isLast: 'This is the last example.',
  showAs: 'Show as',
  tokens: 'Tokens',
  text: 'Text',
  tokenising: 'Tokenising the example.',
  needsModel: 'Shown once the model is open: its tokeniser splits the text.',
  legend: 'Legend',
  states: { trained: 'Trained on', masked: 'Context only', cut: 'Truncated' },
  label: 'Label',
  tokensLabel: 'Tokens of the example',
  textLabel: 'Rendered text of the example',
  withBetter: 'With the better answer',
  withWorse: 'With the worse answer',
  token: (id: number, state: string) => `Token ${id}: ${state}`,
};
