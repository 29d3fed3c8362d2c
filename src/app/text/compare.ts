/** English of the Compare & Export page. */
import type { ExportGroup } from '../../exports/export';

export const adapterText = {
  title: 'Loaded adapters',
  description:
    'The active adapter fills the second column unless you choose another model, and is the one that is exported.',
  openFolder: 'Open adapter folder',
  openFile: 'Open adapter file',
  inUse: 'A run is using the model.',
  openModelFirst: 'Open a model first.',
  beingLoaded: 'An adapter is being loaded.',
  answering: 'The model is answering or being measured.',
  beingExported: 'The adapter is being exported.',
  fromRun: 'Load the adapter of a run',
  chooseRun: 'Choose a run',
  run: (name: string, when: string, step: number) => `${name}, ${when}, step ${step}`,
  name: 'Name',
  fromFile: 'opened from a file',
  beforeAfter: (before: string, after: string) => `${before} → ${after}`,
  reward: 'Held-out reward',
  lossNote: (step: number | null) =>
    `before training → ${step === null ? 'best' : `best, at step ${step}`}; lower is better`,
  perplexity: 'Perplexity',
  perplexityNote: 'equally likely tokens to choose from',
  loading: 'Loading the adapter.',
  baseOnly: 'No adapter is active, so only the base answers.',
  none: 'No adapter yet. Train one, or open a PEFT or AdapterHub adapter for this model, made with Tabtune or any other tool. Until then only the base answers.',
  active: 'Active adapter',
  whenFromFile: 'from a file',
  remove: (name: string, when: string) => `Remove ${name}, ${when}, from the list`,
  noneActive: 'None',
  noneActiveNote: 'the base alone',
};

export const exportText = {
  title: 'Export',
  description: 'Where will it go? Every file is read back and compared with the model here before you get it.',
  destination: 'Destination',
  groups: {
    adapter: 'The adapter alone',
    model: 'The whole model',
    page: 'A page of your own',
    trainer: 'Train on, elsewhere',
  } satisfies Record<ExportGroup, string>,
  forWhom: (programs: string) => `For ${programs}`,
  notPossible: '**Not possible with this run.** ',
  runInProgress: 'A run is in progress. Stop it, or wait for it to end.',
  answering: 'The model is answering or being measured.',
  exporting: 'Another export is being written.',
  adapterHolds: (withBase: boolean) =>
    withBase
      ? 'It contains the trained weights and a copy of the built-in base model, but not your examples.'
      : 'It contains only the trained weights: neither the base model, which is needed to load it, nor your examples.',
  modelHolds: 'It is as large as the model itself, and the model’s licence applies.',
  systemHeld: 'If all of your examples share one system prompt, it goes along; the examples themselves do not.',
  permanent: ' Once merged, the adapter can no longer be removed or weakened.',
  howToLoad: 'How to load it in Python',
  placeholderFolder: 'path/to/adapter',
  precision: 'Precision of the file',
  export: (label: string) => `Export ${label.replace(/^Merged/, 'merged')}`,
  pushing: 'An export is being pushed to the Hub.',
  gone: 'The files were replaced by another export.',
  exportAgain: 'Export them again.',
  page: {
    title: 'Title of the page',
    about: 'A sentence about it',
    prompts: 'Prompts to press, one a line',
  },
  saving: 'Saving the files',
  checking: 'Reading the files back and comparing them with the model',
  writing: 'Writing',
  writingAmount: (done: string, total: string) => `${done} of ${total}`,
  timeLeft: (time: string) => `about ${time} left`,
  preparing: 'Preparing',
  progress: 'Export',
  saved: (name: string, bytes: string) => `${name} is saved: ${bytes}`,
  live: 'the model in memory',
};
