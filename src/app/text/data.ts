/** English of the Data page. */
import type { DatasetFormat } from '../../recipe/types';

export const dataText = {
  openFile: 'Open file',
  beingRead: 'A file is being read.',
  reading: 'Reading the dataset.',
  builtinReadOnly: 'This dataset comes with Tabtune and cannot be edited. Open your own file to edit it here.',
  readOnly:
    'The rows of this file cannot be edited here: they were put together from an archive, a workbook or another form.',
  examples: 'Examples',
  examplesHint: 'Select one to see below how the model reads it. Press Enter or double-click to edit a cell.',
  detectAgain: 'Detect again',
  openAnother: 'Open another file',
  useBuiltin: 'Use the built-in dataset',
};

export const datasetShelfText = {
  title: 'Choose a dataset',
  yourFile: 'your file',
  kept: 'Kept in this browser until you delete it.',
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
  { value: 'text', label: 'Plain text' },
];

export const columnText = {
  title: 'Match the columns',
  form: 'Columns',
  rowIs: 'Each row is',
  rowKinds,
  parts: { prompt: 'Prompt', completion: 'Answer', text: 'Text', label: 'Label' } as Record<string, string>,
  choose: 'Choose a column',
  chooseFirst: (part: string) => `Choose the column for “${part}” first.`,
  apply: 'Use these columns',
};

export const problemText = {
  leftOut: (rows: string, all: string, share: string) =>
    `${rows} of ${all} (${share}) left out of training; the rest is used.`,
  nothingLeftOut: 'No rows were left out.',
  error: 'Error. ',
  warning: 'Warning. ',
  showRow: (row: number) => `Show row ${row}`,
  showFewer: 'Show fewer',
  showAll: (count: number) => `Show all ${count}`,
};

export const tableText = {
  label: 'Examples',
  row: 'Row',
  cell: (column: string, row: number) => `${column} of row ${row}`,
  note: 'note',
  noteTitle: 'This row has a warning',
  save: 'Save',
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
  token: (id: number, state: string) => `Token ${id}: ${state}`,
};
