/** English of what surrounds the pages: the rail, the tools, the dialogs, the commands and the banners. */
import type { RunStatus } from '../../storage/types';
import type { PageName } from '../../stores/pages';

interface PageText {
  title: string;
  /** For the bar of a narrow screen. */
  short: string;
  lead: string;
}

export const pageText: Record<PageName, PageText> = {
  model: {
    title: 'Model',
    short: 'Model',
    lead: 'The model you start from. Most methods leave it unchanged and train a small adapter.',
  },
  data: {
    title: 'Data',
    short: 'Data',
    lead: 'The examples to learn from: answers, labels, tags or plain text.',
  },
  recipe: {
    title: 'Recipe',
    short: 'Recipe',
    lead: 'How the model is trained. The defaults work well for a first run.',
  },
  train: {
    title: 'Train',
    short: 'Train',
    lead: 'Watch the run. It continues in the background while this tab is open.',
  },
  compare: {
    title: 'Compare & Export',
    short: 'Compare',
    lead: 'Ask models side by side, measure what training has changed, then export the result.',
  },
  runs: {
    title: 'Runs',
    short: 'Runs',
    lead: 'Every run in this browser, to find, compare and start again.',
  },
};

export const shell = {
  brand: 'Tabtune',
  skip: 'Skip to the open page',
  steps: 'Steps',
  run: 'Run',
  progress: 'Progress',
  menu: 'Menu',
  theme: 'Theme',
  themes: { system: 'System', light: 'Light', dark: 'Dark' },
  storage: 'Storage',
  shortcuts: 'Keyboard shortcuts',
  commands: 'Commands',
  privacy: 'Nothing leaves this device',
  settings: 'Settings',
  help: 'Help',
  helpOn: (page: string) => `Help on ${page}`,
  report: 'Report a fault',
  drop: {
    title: 'Drop anywhere',
    text: 'A dataset, a model folder, a GGUF file, a recipe or an adapter. It stays on this device.',
    unreadable: 'The files could not be read.',
  },
  interrupted: {
    title: (name: string, step: number, total: number) => `“${name}” stopped at step ${step} of ${total}`,
    /** `saved` is unknown for a run of an older version. */
    text: (when: string, saved: number | undefined) =>
      `Last active ${when}. ${
        saved === undefined
          ? 'It resumes from its last checkpoint, or from the start if it has none yet.'
          : `Everything up to step ${saved} is saved, and it resumes from there.`
      }`,
  },
  changedInputs: {
    title: 'Resume with other data or another model?',
    action: 'Resume anyway',
    again: 'Start a new run',
  },
  framed: {
    code: 'internal' as const,
    message: 'Tabtune does not run inside another page.',
    action: 'Open its address in its own tab.',
  },
  update: {
    offered: 'A new version of Tabtune is available.',
    taken: 'Tabtune was updated in another tab. This one still runs the previous version.',
    action: 'Reload to update',
  },
  loadFailed: {
    message: 'This part of Tabtune could not be loaded.',
    action: 'Check the connection and reload the page. A new version may have been published since you opened it.',
  },
  crashed: {
    message: 'This part of Tabtune stopped because of an error in it.',
    action: 'Try again, or reload the page. Everything that was saved is still there.',
  },
};

/** The line under each page's name in the rail. */
export const stateText = {
  couldNotBeOpened: 'Could not be opened',
  model: {
    noWebGpu: 'WebGPU is not available',
    downloading: (name: string, percent: number) => `Downloading ${name}, ${percent} %`,
    opening: 'Opening',
    openingAt: (percent: number) => `Opening, ${percent} %`,
    /** Quantised weights are not as large as the file is. */
    bits: { q8: '8-bit', nf4: '4-bit' },
  },
  data: { reading: 'Reading' },
  train: {
    notStarted: 'Not started',
    starting: 'Starting',
    pausedAt: (step: number, total: number) => `Paused at step ${step} of ${total}`,
    stoppedAt: (step: number, total: number) => `Stopped at step ${step} of ${total}`,
    failed: 'Ended with an error',
    finished: 'Finished',
    finishedWith: (loss: string) => `Finished · best validation loss ${loss}`,
    finishedEarning: (reward: string) => `Finished · best held-out reward ${reward}`,
    finishedWithTraining: (loss: string) => `Finished · training loss ${loss}`,
  },
  compare: {
    loading: 'Loading the adapter',
    ready: (name: string) => `${name} is ready`,
    later: 'After training',
  },
  runs: { none: 'None yet', best: (count: string, loss: string) => `${count}, best ${loss}` },
};

export const shortcutText = {
  goTo: (title: string) => `Go to ${title}`,
  command: 'Find a command',
  pause: 'Pause or resume the run',
  list: 'Show this list',
  close: 'Close the open dialog or menu',
  chart: 'On a chart: step through the values',
  edit: 'On an example: edit it',
  singleKeys: 'Single-key shortcuts',
  singleKeysHint: 'Turn these off if you use voice control. Ctrl or Cmd with K always works.',
};

export const commandText = {
  find: 'Find a command',
  placeholder: 'Type a command',
  nothing: 'No matching command. Try “data”, “theme” or “export”.',
  groups: {
    run: 'Run',
    pages: 'Pages',
    model: 'Model',
    data: 'Data',
    recipe: 'Recipe',
    export: 'Export',
    screen: 'Screen',
    help: 'Help',
  },
  runCard: 'Run details',
  hub: 'Hub address and token',
  findModel: 'Find a model on the Hub',
  advanced: 'Go to Advanced: every field of the recipe',
  settings: 'Settings',
  help: (topic: string) => `Help: ${topic}`,
  report: 'Report a fault',
  startTraining: 'Start training',
  resume: 'Resume the run',
  pause: 'Pause the run',
  stop: 'Stop the run',
  goTo: (title: string) => `Go to ${title}`,
  openDataset: 'Open a dataset file',
  writeExamples: 'Let the model write examples',
  saveRecipe: 'Save the recipe as a file',
  resetRecipe: 'Reset the recipe to the defaults',
  exportAdapter: 'Export the adapter as a zip',
  exportModel: 'Export the model as a zip',
  exportMerged: 'Export the merged model as a zip',
  lightTheme: 'Light theme',
  darkTheme: 'Dark theme',
  systemTheme: 'System theme',
  storage: 'Storage: data kept in this browser',
  privacy: 'How to check that nothing leaves this device',
};

export const storageText = {
  description: 'Everything that Tabtune keeps in this browser, on this device.',
  eraseEverything: 'Erase everything',
  eraseQuestion: 'Erase everything?',
  eraseConsequence:
    'This deletes all datasets, models, runs and checkpoints in this browser, and your settings. It cannot be undone. Files that you have exported stay on your disk.',
  kinds: {
    model: { title: 'Models', empty: 'None yet. Models that you download or drop in appear here.' },
    run: { title: 'Runs', empty: 'None yet. Runs that you train appear here, with their checkpoints.' },
    dataset: { title: 'Datasets', empty: 'None yet. Dataset files that you drop in appear here.' },
    prompts: { title: 'Prompt sets', empty: 'None yet. Sets of prompts that you save on Compare appear here.' },
    draft: { title: 'Drafts', empty: 'None yet. Examples that a model is writing for you are kept here.' },
    votes: { title: 'Votes', empty: 'None yet. Votes on answers that you give on Compare appear here.' },
  },
  used: (used: string) => `**${used}** used.`,
  usedOf: (used: string, quota: string, share: string) =>
    `**${used}** used of the ${quota} that this browser allows (${share}).`,
  unfinished: (total: string, when: string) => `Unfinished download of ${total}, started ${when}`,
  stored: (when: string) => `Stored ${when}`,
  storedAndOpened: (when: string, opened: string) => `Stored ${when}, last opened ${opened}`,
  storedNeverOpened: (when: string) => `Stored ${when}, never opened`,
  delete: 'Delete',
  deleteItem: (name: string) => `Delete ${name}`,
  deleteQuestion: (name: string) => `Delete ${name}?`,
  consequences: {
    run: 'This deletes its curves and checkpoints, and cannot be undone. Export the adapter first if you want to keep it.',
    hubModel: (bytes: string) =>
      `This frees ${bytes}. The model can be downloaded again. Its runs are kept, but cannot be compared or resumed until then.`,
    ownModel: 'Only the copy in this browser is deleted; your own files are kept.',
    dataset: 'Only the copy in this browser is deleted, with the edits made here; your own file is kept.',
    prompts: 'This cannot be undone. Export the set first if you want to keep it.',
    draft: 'This cannot be undone. Datasets that were made of it stay.',
    votes: 'This cannot be undone. Datasets that were made of them stay.',
  },
  persisted: 'The browser keeps this until you delete it.',
  refused:
    'The browser declined for now. It often agrees after you bookmark the page, install it as an app, or visit it a few more times.',
  notPersisted: 'The browser may delete this when the disk is full.',
  persist: 'Keep my data',
};

/** Of the browser's tab, so the news comes first. */
export const titleText = {
  starting: 'Starting · Tabtune',
  progress: (percent: number) => `${percent} % · Tabtune`,
  paused: (percent: number) => `Paused at ${percent} % · Tabtune`,
  ended: (outcome: string, run: string) => `${outcome} · ${run} · Tabtune`,
  outcomes: {
    completed: 'Done',
    early_stopped: 'Done',
    stopped: 'Stopped',
    failed: 'Failed',
    interrupted: 'Interrupted',
  } as { stopped: string } & Partial<Record<RunStatus, string>>,
};
