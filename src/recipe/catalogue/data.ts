/** The recipe itself, its model and its dataset. */
import { encodingOptions } from '../../base/encodings';
import type { DatasetFormat } from '../sections';
import { type FieldSpec, options } from '../spec';
import type { SectionFields } from './section';

const formats: Record<DatasetFormat, string> = {
  auto: 'Detect from the file',
  messages: 'Chat messages (role, content)',
  sharegpt: 'ShareGPT (from, value)',
  alpaca: 'Alpaca (instruction, input, output)',
  prompt_completion: 'Prompt and completion',
  labelled: 'Text and label',
  tagged: 'Tagged words (tokens, tags)',
  text: 'Plain text',
};

export const runFields: Record<'version' | 'name', FieldSpec> = {
  version: {
    kind: 'int',
    label: 'Recipe version',
    help: 'Version of the recipe format.',
    default: 1,
    min: 1,
    max: 1,
    step: 1,
    source: 'Tabtune',
  },
  name: {
    kind: 'text',
    label: 'Name',
    help: 'Name of the run and its adapter.',
    default: '',
    placeholder: 'the dataset’s name',
    source: 'the dataset’s name',
  },
};

export const modelFields: SectionFields<'model'> = {
  'model.source': {
    kind: 'text',
    label: 'Model',
    help: 'Model to fine-tune: builtin:NAME, hf:ORG/NAME on the Hugging Face Hub, or file:NAME for your own folder or GGUF file.',
    default: 'builtin:stories',
    source: 'built in',
  },
  'model.quantization': {
    kind: 'select',
    label: 'Weight precision',
    help: 'Precision of the frozen weights on the GPU; none keeps the stored one.',
    default: 'none',
    options: options({ none: 'As stored', nf4: '4-bit (NF4)', q8: '8-bit' }),
    source: 'transformers',
  },
};

export const datasetFields: SectionFields<'dataset'> = {
  'dataset.source': {
    kind: 'text',
    label: 'Dataset',
    help: 'Training data: builtin:NAME, or file:NAME for your own file.',
    default: 'builtin:pirate-chat',
    source: 'built in',
  },
  'dataset.format': {
    kind: 'select',
    label: 'Format',
    help: 'How the examples in the file are structured.',
    default: 'auto',
    options: options(formats),
    source: 'TRL’s dataset formats',
  },
  'dataset.columns': {
    kind: 'columns',
    label: 'Columns',
    help: 'Which column holds which part of an example; null detects them.',
    default: null,
    source: 'detected',
  },
  'dataset.merge_labels': {
    kind: 'bool',
    label: 'Merge alike labels',
    help: 'Read labels that differ only in case or spaces (“Positive”, “positive ”) as one, in the commonest spelling.',
    default: false,
    source: 'Tabtune',
  },
  'dataset.encoding': {
    kind: 'select',
    label: 'Encoding',
    help: 'How the file’s text is stored as bytes; auto detects it, and asks if several are possible.',
    default: 'auto',
    options: options(encodingOptions),
    source: 'detected',
  },
  'dataset.table': {
    kind: 'text',
    label: 'Table',
    help: 'Which table of a file that has several: a list of a JSON file, a sheet of a workbook, a file of an archive; * is all.',
    default: null,
    placeholder: 'the only one',
    source: 'detected',
  },
  'dataset.validation_split': {
    kind: 'number',
    label: 'Validation split',
    help: 'Fraction of the examples held out for evaluation and never trained on.',
    default: 0.1,
    min: 0,
    max: 1,
    below: true,
    step: 0.01,
    usual: [0.05, 0.2],
    source: 'Axolotl',
  },
  'dataset.shuffle': {
    kind: 'bool',
    label: 'Shuffle',
    help: 'Reshuffle the examples every epoch; the seed fixes the order.',
    default: true,
    source: 'transformers',
  },
  'dataset.max_length': {
    kind: 'length',
    label: 'Maximum length',
    help: 'Tokens per example: longer ones are truncated, plain text is split. auto keeps every example whole while the context and the memory forecast have room.',
    default: 'auto',
    min: 16,
    max: 131_072,
    step: 64,
    usual: [128, 2048],
    source: 'the data; TRL’s 1024 for plain text',
  },
  'dataset.packing': {
    kind: 'bool',
    label: 'Packing',
    help: 'Pack several short examples into one row to save padding; they cannot attend to each other.',
    default: false,
    source: 'TRL',
  },
  'dataset.system_fallback': {
    kind: 'select',
    label: 'System messages without a place',
    help: 'Some chat templates (Gemma 2, Mistral Nemo) have no place for a system message, or for a second one.',
    default: 'first_question',
    options: options({
      first_question: 'Put them before the next question',
      leave_out: 'Leave the message out',
      leave_out_row: 'Leave the row out',
    }),
    source: 'Gemma 3’s template',
  },
  'dataset.templated_text': {
    kind: 'select',
    label: 'Rows already in a template',
    help: 'Prompts and answers that contain a chat template’s own marks, such as <|im_start|> or [INST].',
    default: 'ask',
    options: options({
      ask: 'Ask, or leave a few rows out',
      as_is: 'Use them as they are, without the model’s template',
      strip: 'Take the marks off, then use the model’s template',
      text: 'Treat the marks as part of the text',
    }),
    source: 'Tabtune',
  },
  'dataset.base_text': {
    kind: 'text',
    label: 'Base text',
    help: 'Text like the base model’s training data (builtin:NAME or file:PATH), for replay, EWC and the forgetting metric.',
    default: null,
    placeholder: 'the built-in model’s own',
    source: 'Tabtune',
    group: 'regularisation',
  },
};
