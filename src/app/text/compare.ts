/** English of the Compare & Export page. */
import type { MergedDtype } from '../../session/api';

export const compareText = {
  sortingLead: 'Send the same text to the base and to the tuned model, then export the result.',
  ask: 'Ask',
  settings: 'Generation settings: temperature, seed, strength',
  base: 'Base',
  tuned: 'Tuned',
  text: 'Text',
  prompt: 'Prompt',
};

export const promptText = {
  gpuInUse: 'A run is using the GPU, even while paused. Wait for it to end, or stop it.',
  noModel: 'The model is not open yet.',
  maskedLm:
    'This model fills in hidden words and does not generate text. The loss shows what it has learned; train it further for another task.',
  encoder: 'This model reads text but does not generate it. Train it to classify texts or words first.',
  enterText: 'Enter a text first.',
  enterPrompt: 'Enter a prompt first.',
  textPlaceholder: 'A text for both to classify',
  promptPlaceholder: 'A prompt for both',
  askBoth: 'Ask both',
  stop: 'Stop answering',
  suggestions: 'Try',
  wait: 'Wait for the answers.',
};

export const answerText = {
  asked: 'Asked',
  waiting: 'Waiting',
  writing: 'Writing',
  stopped: 'Stopped',
  empty: '(empty answer)',
  pending: '…',
  baseHint: 'The original model.',
  baseHeadHint: 'The original model, with an untrained head.',
  tunedHint: 'The same model after training.',
  noAdapterHint: 'Answers here once there is an adapter.',
  noClasses: 'No classes yet.',
  more: (count: number) => `and ${count} more`,
};

export const generationText = {
  temperature: 'Temperature',
  greedy: '0, always the most likely token',
  strength: 'Adapter strength',
  asBase: '0, as the base',
  asTrained: '1, as trained',
  maxLength: 'Longest answer',
  topP: 'Top p',
  seed: 'Seed',
  noEffect: 'No effect at temperature 0.',
  seedHint: 'The same seed gives the same answer.',
};

export const adapterText = {
  title: 'Adapter',
  openFolder: 'Open adapter folder',
  openZip: 'Open adapter zip',
  inUse: 'A run is using the model.',
  openModelFirst: 'Open a model first.',
  beingLoaded: 'An adapter is being loaded.',
  answering: 'The model is answering.',
  fromRun: 'Load the adapter of a run',
  chooseRun: 'Choose a run',
  run: (name: string, when: string, step: number) => `${name}, ${when}, step ${step}`,
  strength: 'Strength',
  strengthHint: '1 is as trained, 0 is the base; other values scale the change.',
  virtualTokensHint: 'Virtual tokens are either on or off: 0 is the base, any other value is as trained.',
  name: 'Name',
  fromFile: 'opened from a file',
  beforeAfter: (before: string, after: string) => `${before} → ${after}`,
  lossNote: 'before → after, lower is better',
  perplexity: 'Perplexity',
  perplexityNote: 'effective number of choices per token',
  loading: 'Loading the adapter.',
  baseOnly: 'Only the base answers.',
  none: 'No adapter yet. Train one, or open a PEFT or AdapterHub adapter for this model, made with Tabtune or any other tool. Until then only the base answers.',
  active: 'Active adapter',
  whenFromFile: 'from a file',
  remove: (name: string, when: string) => `Remove ${name}, ${when}, from the list`,
  noneActive: 'None',
  noneActiveNote: 'the base alone',
};

export const exportText = {
  title: 'Export',
  runInProgress: 'A run is in progress. Stop it, or wait for it to end.',
  archiveBusy: 'An archive is being written.',
  nothingTrained: 'Nothing has been trained yet: train first.',
  adapterHolds:
    'It contains only the trained weights, a small part of the whole. It contains neither the base model, which is needed to load it, nor your examples.',
  howToLoad: 'How to load it in Python',
  placeholderFolder: 'path/to/adapter',
};

const precisions: { value: MergedDtype; name: string; text: string }[] = [
  { value: 'BF16', name: 'bfloat16', text: 'What most models are published in. Almost always right.' },
  {
    value: 'F16',
    name: 'float16',
    text: 'For older GPUs and runtimes without bfloat16. More precise, with a smaller range.',
  },
  { value: 'F32', name: 'float32', text: 'No rounding. Best for further conversion or quantisation.' },
];

export const mergedText = {
  precisions,
  busy: 'The model is answering, or an archive is being written.',
  noMergedModel: '**No merged model.** ',
  size: 'It is as large as the model itself, and the model’s licence applies.',
  inWeights: ' The training is in its weights.',
  permanent: ' Once merged, the adapter can no longer be removed or weakened.',
  precision: 'Precision of the file',
  saving: 'Saving the archive',
  checking: 'Comparing the merged model with the adapter',
  merging: 'Merging',
  mergingAmount: (done: string, total: string) => `Merging: ${done} of ${total}`,
  preparing: 'Preparing',
  progress: 'Model merged',
  saved: (name: string, bytes: string, precision: string) => `${name} is saved: ${bytes} in ${precision}`,
  notCompared: 'The merged model was not compared with the adapter: the GPU has no room for both at once.',
  difference: (value: string) =>
    `The largest difference between a logit of the merged model and of the model with its adapter is ${value}, as the model card states.`,
};
