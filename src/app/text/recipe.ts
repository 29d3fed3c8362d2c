/** English of the Recipe page. Fields have their names and help from recipe/catalogue. */
export const recipeText = {
  detail: 'Detail',
  simple: 'Simple',
  advanced: 'Advanced',
  save: 'Save recipe',
  open: 'Open recipe',
  reset: 'Reset to the defaults',
  pristine: 'Every field is at its default.',
  presets: 'Presets',
  share: 'Share',
  applied: (what: string) => `“${what}” is in use.`,
  undo: 'Undo',
  unfinished: 'Your edit of the JSON is not finished, so no run can start.',
  toJson: 'Go to the JSON',
};

export const presetText = {
  title: 'Presets',
  description:
    'Settings that others have published for this goal. A preset replaces the method and the training settings, and keeps your model, data and goal.',
  none: 'No published settings for this goal are listed yet.',
  use: 'Use',
  useNamed: (name: string) => `Use ${name}`,
  source: 'Source',
  inUse: 'In use: nothing would change.',
  changes: (count: string) => `Changes ${count}`,
  heads: ['Field', 'Now', 'Preset'] as [string, string, string],
};

export const shareText = {
  title: 'Share this recipe',
  description:
    'The link holds the recipe itself, and no data. Whoever opens it sees what it would change before anything happens.',
  link: 'Link',
  copy: 'Copy link',
  copied: 'Copied',
  notCopied: 'The browser refused to copy. Select the link and copy it.',
  contents: 'What the link holds',
  leftOut: (paths: string) => `Left out, because it is about files on this device: ${paths}.`,
  asFile: 'Save as a file',
  received: {
    title: 'Shared recipe',
    text: 'Nothing has been changed, downloaded or started. This is what the recipe would change:',
    nothing: 'It is the same as your recipe.',
    keepsData: 'Your own data stays chosen.',
    download: (source: string) =>
      `It names the model ${source}. If that is not on this device, its page offers the download; nothing is downloaded automatically.`,
    use: 'Use this recipe',
    keep: 'Keep mine',
    field: 'Field',
    mine: 'Mine',
    theirs: 'Shared',
    caption: 'What the shared recipe would change',
    broken: 'The shared recipe cannot be used: ',
    close: 'Close',
  },
};

export const sliderText = {
  title: 'How to train',
  custom: 'Custom',
  setting: (name: string, value: string) => `${name}: ${value}`,
  long: 'How long',
  steps: (steps: string) => `${steps}, set in Advanced`,
  passes: (passes: string) => `${passes} over the examples`,
  longHint: 'More passes teach the examples better; too many, and the model memorises them.',
  strong: 'How strong',
  rate: (size: string, rate: string) => `${size}learning rate ${rate}`,
  strongHint: 'A stronger setting changes the model more, and it forgets more of what it could do before.',
  careful: 'How careful',
  nothingHeldOut: 'nothing is held out',
  heldOut: (share: string) => `${share} held out for validation`,
  carefulHint:
    'Held-out examples show whether the model learned the task or only memorised the examples. The best checkpoint of the run is kept.',
};

/** Stops of the sliders. */
export const stopNames = {
  strengths: ['Very light', 'Light', 'Normal', 'Strong', 'Very strong'],
  cares: { off: 'Off', little: 'A little', normal: 'Normal', very: 'Very' },
};

export const goalText = {
  title: 'Goal',
  fitsData: 'fits your data',
};

export const methodText = {
  title: 'Method',
  groups: {
    adapter: 'Small parts added to a frozen model',
    virtual_tokens: 'Virtual tokens before every text',
    model: 'The model itself',
  },
  memory: 'Memory',
  file: 'File',
  speed: 'Speed',
  targets: {
    adapts: 'Adapts',
    label: 'Adapted layers',
    all: 'Every linear layer',
    attention: 'Attention only',
    own: 'Chosen modules',
    allHint: 'Learns most.',
    attentionHint: 'About 40 % of the size. Enough to change the tone, less so to learn facts.',
    ownHint: (modules: string) => `Chosen in Advanced: ${modules}.`,
  },
};

export const memoryChoiceText = {
  title: 'Memory',
  description: 'These reduce the GPU memory of a run, with little effect on the result.',
  precision: 'Precision of the frozen model',
  checkpointing: 'Recompute activations instead of storing them (gradient checkpointing)',
};

export const advancedText = {
  groups: {
    '': 'Run',
    model: 'Model',
    dataset: 'Dataset',
    method: 'Method',
    objective: 'Objective',
    training: 'Training',
    regularisation: 'Regularisation',
  },
  regularisationHint: 'Keeps the model from memorising your examples, and from forgetting what it could do before.',
  find: 'Find a field',
  placeholder: 'Find a field: rank, warmup, seed',
  onlyChanged: (count: number) => `Only changed fields (${count})`,
  notInRecipe: 'Not in this recipe',
  onlyWith: (label: string, types: string) => `${label}: only with ${types}.`,
  allDefault: 'Every field is at its default.',
  nothing: 'No matching field. Try “rate”, “length” or “seed”.',
  view: 'View',
  fieldsOnly: 'Fields',
  withJson: 'Fields and JSON',
  pointAt: 'Point at a field, or focus it, to read what it does.',
};

export const fieldText = {
  none: 'none',
  auto: 'auto',
  incompatible: (label: string) => `${label} (not compatible)`,
  option: (value: string, label: string) => `${value}: ${label}`,
  columnsPlaceholder: 'detected, or {"prompt": "question"}',
  patternPlaceholder: 'none, or {"q_proj": 8}',
  mixPlaceholder: 'none, or {"file:more.jsonl": 0.5}',
  chooseFile: 'Choose a file',
  usual: (values: string[]) => ` Usually ${values.join(' to ')}.`,
  suits: (value: string) => ` The open model is far smaller than usual, so higher values suit it: up to ${value}.`,
  suggested: 'suggested for this model',
  changed: 'changed',
  reset: (name: string, value: string) => `Reset ${name} to ${value}`,
  default: (source: string) => `default · ${source}`,
  defaultIs: (value: string, source: string) => ` Default: ${value}${source === value ? '' : ` (${source})`}.`,
};

export const jsonText = {
  title: 'As JSON',
  description: 'The same recipe, for files and scripts. Edit either side.',
  label: 'Recipe as JSON',
  invalid: (why: string) => `This is not valid JSON yet: ${why}`,
  changed: (paths: string) =>
    `The recipe has changed elsewhere since you began this edit (${paths}). Using your text replaces those changes.`,
  use: 'Use my text',
  discard: 'Discard the edit',
};
