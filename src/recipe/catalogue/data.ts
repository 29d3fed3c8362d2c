/** The recipe itself, its model and its dataset. */
import type { DatasetFormat } from '../sections';
import { type FieldSpec, options } from '../spec';
import type { SectionFields } from './section';

/** The parts that `dataset.columns` may map, format by format. */
export const columnParts: Record<DatasetFormat, string[]> = {
  auto: [
    'messages',
    'conversations',
    'instruction',
    'input',
    'output',
    'prompt',
    'completion',
    'text',
    'label',
    'tokens',
    'tags',
  ],
  messages: ['messages'],
  sharegpt: ['conversations'],
  alpaca: ['instruction', 'input', 'output'],
  prompt_completion: ['prompt', 'completion'],
  labelled: ['text', 'label'],
  tagged: ['tokens', 'tags'],
  text: ['text'],
};

const formats: Record<DatasetFormat, string> = {
  auto: 'Detect from the file',
  messages: 'Chat messages (role, content)',
  sharegpt: 'ShareGPT (from, value)',
  alpaca: 'Alpaca (instruction, input, output)',
  prompt_completion: 'Prompt and completion',
  labelled: 'Text and label',
  tagged: 'Words with tags (tokens, tags)',
  text: 'Plain text',
};

export const runFields: Record<'version' | 'name', FieldSpec> = {
  version: {
    kind: 'int',
    label: 'Recipe version',
    help: 'The version of the recipe format.',
    default: 1,
    min: 1,
    max: 1,
    step: 1,
    source: 'Tabtune',
  },
  name: {
    kind: 'text',
    label: 'Name',
    help: 'What the run and its adapter are called.',
    default: '',
    placeholder: 'the dataset’s name',
    source: 'the dataset’s name',
  },
};

export const modelFields: SectionFields<'model'> = {
  'model.source': {
    kind: 'text',
    label: 'Model',
    help: 'The model to tune: builtin:NAME, hf:ORG/NAME of the Hugging Face Hub, or file:NAME for a folder or GGUF file of your own.',
    default: 'builtin:stories',
    source: 'comes with Tabtune',
  },
  'model.quantization': {
    kind: 'select',
    label: 'Weight precision',
    help: 'How the frozen weights are kept on the GPU. none keeps them as they are stored.',
    default: 'none',
    options: options({ none: 'As stored', nf4: '4-bit (NF4)', q8: '8-bit' }),
    source: 'transformers',
  },
};

export const datasetFields: SectionFields<'dataset'> = {
  'dataset.source': {
    kind: 'text',
    label: 'Dataset',
    help: 'The examples to learn from: builtin:NAME, or file:NAME for a file of your own.',
    default: 'builtin:pirate-chat',
    source: 'comes with Tabtune',
  },
  'dataset.format': {
    kind: 'select',
    label: 'Format',
    help: 'The shape of the examples in the file.',
    default: 'auto',
    options: options(formats),
    source: 'TRL’s dataset formats',
  },
  'dataset.columns': {
    kind: 'columns',
    label: 'Columns',
    help: 'Which column of the file plays which part; null lets detection decide.',
    default: null,
    source: 'detected',
  },
  'dataset.validation_split': {
    kind: 'number',
    label: 'Validation split',
    help: 'Share of examples held out to measure on; they are never trained on.',
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
    help: 'A new order of the examples every epoch, fixed by the seed.',
    default: true,
    source: 'transformers',
  },
  'dataset.max_length': {
    kind: 'length',
    label: 'Maximum length',
    help: 'Tokens an example may have; what is longer is cut. auto fits 95 % of the examples whole.',
    default: 'auto',
    min: 16,
    max: 131_072,
    step: 64,
    usual: [128, 2048],
    source: 'TRL (1024 at most)',
  },
  'dataset.packing': {
    kind: 'bool',
    label: 'Packing',
    help: 'Put several short examples into one row, so that less padding is computed; none sees the others.',
    default: false,
    source: 'TRL',
  },
  'dataset.base_text': {
    kind: 'text',
    label: 'Text of the base',
    help: 'Text of the kind that the base was trained on (builtin:NAME or file:PATH), for replay, EWC and the measure of forgetting.',
    default: null,
    placeholder: 'what comes with the built-in model',
    source: 'Tabtune',
    group: 'regularisation',
  },
};
