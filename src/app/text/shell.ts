/** English of what surrounds the pages: the rail, the tools, the dialogs, the commands and the banners. */
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
    lead: 'Send the same prompt to the base and to the tuned model, then export the result.',
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
  drop: {
    title: 'Drop anywhere',
    text: 'A dataset, a model folder, a GGUF file, a recipe or an adapter. It stays on this device.',
    unreadable: 'The dropped files could not be read.',
  },
  interrupted: {
    title: (name: string, step: number, total: number) => `“${name}” stopped at step ${step} of ${total}`,
    text: (when: string) =>
      `Last active ${when}. It resumes from its last checkpoint, or from the start if it has none yet.`,
  },
  changedInputs: {
    title: 'Resume with other data or another model?',
    action: 'Resume anyway',
    again: 'Start a new run',
  },
  framed: {
    code: 'internal' as const,
    message: 'Tabtune does not start inside another page.',
    action: 'Open its address in a tab of its own.',
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
  },
  data: { reading: 'Reading' },
  train: {
    notStarted: 'Not started',
    starting: 'Starting',
    pausedAt: (step: number, total: number) => `Paused at step ${step} of ${total}`,
    stoppedAt: (step: number, total: number) => `Stopped at step ${step} of ${total}`,
    failed: 'Ended with an error',
    finished: 'Finished',
    finishedWith: (loss: string) => `Finished · loss ${loss}`,
  },
  compare: {
    loading: 'Loading the adapter',
    ready: (name: string) => `${name} is ready`,
    later: 'After training',
  },
};

export const privacyText = {
  description: 'Your examples, your prompts and the trained weights stay in this browser. You can check that yourself.',
  check: {
    title: 'How to check',
    steps: [
      'Open your browser’s developer tools (F12), choose **Network**, and use the app. You will see the files of this page and of the model arrive. None of your data is sent.',
      'Or let the page load completely, **disconnect from the network**, and train, compare and export. Everything works, because there is no server behind it.',
      'Read the code: Tabtune is open source.',
    ],
  },
  facts: {
    title: 'What happens where',
    items: [
      'Training and generation run on your GPU, through WebGPU, in a worker of this tab.',
      'Files that you drop, runs and checkpoints are kept in this browser’s storage, so a reload loses nothing. **Storage** lists and deletes them.',
      'This browser contacts the Hugging Face Hub only when you search for or download a model. The Hub sees your IP address and the model’s name, and nothing about your data.',
      'There is no account, no cookie and no telemetry.',
      'Exports are downloads that your browser saves to your disk.',
    ],
    closed:
      'The workers that hold your data can reach only the server of this page, and start no others. The browser enforces it.',
    open: '**The browser does not enforce** that the workers with your data reach only the server of this page, because this server does not send the policy for it. Tabtune’s own code keeps them from asking anyone else. `npm start` serves Tabtune with the policy.',
  },
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
  groups: { run: 'Run', pages: 'Pages', data: 'Data', recipe: 'Recipe', export: 'Export', screen: 'Screen' },
  startTraining: 'Start training',
  resume: 'Resume the run',
  pause: 'Pause the run',
  stop: 'Stop the run',
  goTo: (title: string) => `Go to ${title}`,
  openDataset: 'Open a dataset file',
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
  },
  persisted: 'The browser keeps this until you delete it.',
  refused:
    'The browser declined for now. It often agrees after you bookmark the page, install it as an app, or visit it a few more times.',
  notPersisted: 'The browser may delete this when the disk is full.',
  persist: 'Keep my data',
};
