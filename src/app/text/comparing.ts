/** English of what Compare asks and measures; the adapters and the exports are in compare.ts. */
import { formatCount, formatMetric } from '../util/format';

export const compareText = {
  ask: 'Ask',
  settings: 'Generation settings: temperature, seed, strength',
  sortingSettings: 'Strength of what was learned',
  base: 'Base',
  tuned: 'Tuned',
  text: 'Text',
  prompt: 'Prompt',
  answer: 'Answer to judge',
  jump: 'On this page',
  jumps: {
    votes: 'Which is better?',
    sets: 'Prompt sets',
    heldOut: 'Held-out examples',
    forgetting: 'Forgetting',
    layers: 'Layers',
    export: 'Export',
  },
};

export const promptText = {
  gpuInUse: 'A run is using the GPU, even while paused. Wait for it to end, or stop it.',
  noModel: 'The model is not open yet.',
  maskedLm:
    'This model fills in hidden words and does not generate text. The loss shows what it has learned; train it further for another task.',
  encoder: 'This model reads text but does not generate it. Train it to classify texts or words first.',
  mixed:
    'One column sorts texts and another writes text, so one prompt cannot serve both. Choose models of the same kind.',
  enterText: 'Enter a text first.',
  enterPrompt: 'Enter a prompt first.',
  enterAnswer: 'Enter an answer to judge first.',
  answerPlaceholder: 'An answer to it, which gets a score in each column',
  textPlaceholder: 'A text for all columns to classify',
  promptPlaceholder: 'A prompt for all columns',
  ask: (columns: number) => (columns > 2 ? `Ask all ${columns}` : 'Ask both'),
  stop: 'Stop answering',
  anotherSeed: 'Ask again with another seed',
  wait: 'Wait for the answers.',
  suggestions: 'Try',
  examples: 'Prompts from the data',
  looking: 'Looking up the held-out examples.',
  heldOut: (count: number, dataset: string, unseen: number) =>
    `${count === 1 ? 'One prompt that' : `${formatCount(count)} prompts that`} no column has been trained on: held out of ${dataset}${unseen > 0 ? ', or not in it' : ''}.`,
  none: 'This run held nothing out, so every prompt in its data was trained on. Set a validation split above 0 to hold some out.',
  more: (count: number) => `Show all ${formatCount(count)}`,
  fewer: 'Show fewer',
  showTrained: 'Show prompts that were trained on',
  trained: (dataset: string) => `Trained on, from ${dataset}: a good answer to one of these may have been memorised.`,
};

export const sideText = {
  held_out: 'Held out, not trained on',
  trained: 'Trained on',
};

export const shotsText = {
  label: 'Base with examples in its prompt',
  none: 'Not shown',
  option: (count: number) => (count === 1 ? '1 example' : `${count} examples`),
  hint: 'Is tuning needed at all? This adds a column in which the base sees some training examples before the prompt.',
  noExamples: 'Available once a run with prompts and answers is among the columns.',
  column: (count: number) => (count === 1 ? 'Base with 1 example' : `Base with ${count} examples`),
  columnHint: 'The original model, with training examples in its prompt.',
  fit: (fitting: number, wanted: number, tokens: number) =>
    fitting === wanted
      ? `${wanted === 1 ? 'One example' : `${wanted} examples`} and the prompt: ${formatCount(tokens)} tokens`
      : `${fitting} of ${wanted} examples leave room for the answer: ${formatCount(tokens)} tokens`,
};

export const answerText = {
  asked: 'Asked',
  reference: 'Answer in the data',
  waiting: 'Waiting',
  writing: 'Writing',
  stopped: 'Stopped',
  empty: '(empty answer)',
  pending: '…',
  baseHint: 'The original model.',
  baseHeadHint: 'The original model, with an untrained head.',
  tunedHint: 'The same model after training.',
  noAdapterHint: 'Answers here once you have an adapter.',
  noClasses: 'No classes yet.',
  more: (count: number) => `and ${count} more`,
  copy: 'Copy this answer',
  copied: 'Copied',
  rouge: (value: number) => `ROUGE-L ${value.toFixed(2)}`,
  exact: 'Same as in the data',
  inTurn: 'These models do not fit on the GPU together, so they answer one after another.',
};

export const columnText = {
  model: (column: number) => `Model of column ${column}`,
  add: 'Add a column',
  choose: 'Choose a model',
  addHint: 'Another run, one of its checkpoints, or an adapter from files.',
  nothingToAdd: 'There is nothing else to compare: train another run, or open an adapter of this model.',
  mostColumns: 'At most three models fit side by side.',
  remove: (name: string) => `Remove the column ${name}`,
  base: 'Base, the original model',
  activeNote: 'active',
  run: (name: string, when: string, note: string) => `${name}, ${when}${note}`,
  loss: (loss: string) => `, validation ${loss}`,
  reward: (reward: string) => `, reward ${reward}`,
  bestOf: (step: number) => `, best checkpoint (step ${step})`,
  latestOf: (step: number) => `, latest checkpoint (step ${step})`,
  file: (name: string) => `${name}, from a file`,
};

export const generationText = {
  temperature: 'Temperature',
  greedy: '0, always the most likely token',
  strength: 'Adapter strength',
  strengthHint: 'For every column except the base. 1 is as trained; other values scale the change.',
  virtualTokensHint: 'Virtual tokens are either on or off: 0 is the base, any other value is as trained.',
  asBase: '0, as the base',
  asTrained: '1, as trained',
  maxLength: 'Longest answer',
  topP: 'Top p',
  seed: 'Seed',
  noEffect: 'No effect at temperature 0.',
  seedHint: 'The same seed gives the same answer.',
};

export const setText = {
  title: 'Prompt sets',
  description: 'Ask every column a whole list of prompts, and see the answers in a table.',
  set: 'Set',
  heldOut: (count: number) => `Held-out examples (${count})`,
  option: (name: string, count: number) => `${name} (${count})`,
  run: (count: number) => (count === 1 ? 'Ask 1 prompt' : `Ask ${count} prompts`),
  stop: 'Stop',
  progress: 'Prompts answered',
  done: (done: number, total: number) => `${done} of ${total}`,
  new: 'New set',
  edit: 'Edit',
  delete: 'Delete',
  deleteQuestion: (name: string) => `Delete the set “${name}”?`,
  deleteText: 'This cannot be undone. Export it first if you want to keep it.',
  import: 'Import JSONL',
  export: 'Export JSONL',
  saveAnswers: 'Save the answers as CSV',
  noPrompts: 'This set has no prompts.',
  name: 'Name',
  prompts: 'Prompts',
  promptsHint:
    'One prompt per line. To add the right answer, write => and the answer after the prompt, or paste two columns of a spreadsheet. For prompts with several lines or a system message, import a JSONL file; they are shown here as JSON.',
  nameFirst: 'Give the set a name.',
  promptsFirst: 'Write a prompt first.',
  save: 'Save',
  editTitle: (name: string) => `Edit ${name}`,
  columnPrompt: 'Prompt',
  columnReference: 'Reference',
  mean: (count: number) => `Mean of ${count}`,
  scores: (rouge: number, exact: number) => `ROUGE-L ${rouge.toFixed(2)}, exact ${Math.round(exact * 100)} %`,
  accuracy: (share: number) => `${Math.round(share * 100)} % right`,
  table: 'Answers to the set',
  scoresHelp:
    'ROUGE-L is the longest common run of words with the reference, from 0 to 1; exact ignores case, punctuation and articles.',
};

export const measureText = {
  title: 'Held-out examples',
  description:
    'Loss and metrics over everything that the run held out, before and after training, and which examples got better or worse.',
  measure: 'Measure',
  measuring: 'Measuring the held-out examples',
  stop: 'Stop',
  noRun: 'Available once a run is among the columns, because a run knows what it held out.',
  metric: 'Metric',
  loss: 'Loss',
  perplexity: 'Perplexity',
  lossNote: 'lower is better',
  rouge: 'ROUGE-L',
  rougeNote: (count: number) =>
    count === 1 ? 'of one answer, higher is better' : `of the first ${count} answers, higher is better`,
  examples: 'Loss of each example',
  sort: 'Order',
  orders: { worse: 'Worse first', better: 'Better first', row: 'As in the data' },
  of: 'Of',
  counts: (better: number, worse: number) => `${formatCount(better)} got better, ${formatCount(worse)} worse.`,
  example: 'Example',
  before: 'Base',
  after: 'After',
  change: 'Change',
  show: (row: number) => `Ask row ${row} of all columns`,
  row: (row: number) => `row ${row}`,
  shown: (shown: number, total: number) => `The first ${shown} of ${formatCount(total)}.`,
  changeOf: (change: number) => `${change > 0 ? '+' : change < 0 ? '−' : ''}${formatMetric(Math.abs(change))}`,
};

export const forgettingText = {
  title: 'Forgetting',
  description:
    'Loss on text like the base model’s training data. A rise means that the model is losing what it could do before.',
  measure: 'Measure',
  measuring: 'Measuring the loss on base text',
  stop: 'Stop',
  none: 'Nothing to measure yet: there is no adapter among the columns.',
  impossible: 'This model predicts no tokens, so it has no loss on text.',
  fromRun: 'measured during the run',
  fromNow: 'measured now',
  verdict(before: number, after: number): string {
    const change = after - before;
    const values = `The loss on base text went from ${formatMetric(before)} to ${formatMetric(after)}.`;
    if (change <= 0.02) return `${values} Nothing was forgotten.`;
    if (change <= 0.2) return `${values} A little was forgotten, which is usual.`;
    if (change <= 1)
      return `${values} Some was forgotten: fewer steps, a lower learning rate or replay would preserve more.`;
    return `${values} A lot was forgotten: use fewer steps, a lower learning rate, or replay of base text.`;
  },
};

export const layerText = {
  title: 'Change per layer',
  description:
    'How far training moved each layer’s weights: the norm of the change divided by the norm of the weights.',
  measure: 'Measure',
  measuring: 'Measuring the change of each layer',
  stop: 'Stop',
  none: 'Nothing to measure yet: there is no adapter among the columns.',
  nothing: (name: string) => `${name} changes none of the model’s weights: it adds inputs or layers instead.`,
  chart: 'Change per layer',
  layer: (layer: number) => `Layer ${layer}`,
  outside: 'Outside the layers',
  table: 'Every module as a table',
  module: 'Module',
  relative: 'Relative change',
  norms: '‖ΔW‖ / ‖W‖',
};
