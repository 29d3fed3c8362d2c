/** English of the Model page and of the Hub's dialogs. */
import type { Quantization } from '../../hub/descriptions';

export const modelText = {
  openFolder: 'Open model folder',
  openGguf: 'Open GGUF file',
  inUseStopFirst: 'A run is using the open model. Stop it first.',
  beingImported: 'A model is already being imported.',
  importing: 'Checking the model and copying it into this browser.',
  noWebGpu: {
    title: 'How to get WebGPU',
    text: 'Tabtune trains on your GPU through WebGPU, which newer browsers offer. Without it you can look around, but not train.',
    steps: [
      '**Chrome or Edge 121 or newer** on Windows, macOS or ChromeOS has it enabled.',
      '**Linux:** open `chrome://flags`, enable **Unsafe WebGPU** and **Vulkan**, and restart the browser.',
      '**Still nothing?** Open `chrome://gpu`: hardware acceleration may be off in the browser’s settings, or the graphics driver may be too old.',
      '**Remote desktops and virtual machines** often have no GPU.',
    ],
  },
};

export const welcomeText = {
  title: 'Teach a small language model with examples, in this tab',
  what: 'A tiny model and examples to learn from are already here, and nothing leaves this device. Choose what to teach it, press **Start training**, and then try the result beside the original.',
  demos: {
    sorting: {
      name: 'Sort customer messages',
      what: 'It learns to tell praise, complaints and questions apart, and is tested on messages it has not seen.',
      takes: '240 messages · about a minute without a GPU',
    },
    chat: {
      name: 'Answer like a pirate',
      what: 'It learns to talk like a pirate from its own answers, and keeps most of what it knew before.',
      takes: '700 answers · a few minutes without a GPU',
    },
  },
  own: 'Then bring examples of your own: drop a spreadsheet or a text file anywhere on this page.',
};

/** Facts about a model, here and on the Hub. */
export const factText = {
  architecture: 'Architecture',
  shape: (layers: number, width: string) => `${layers} layers, width ${width}`,
  parameters: 'Parameters',
  storedAs: (dtype: string) => `stored as ${dtype}`,
  sizeStoredAs: (bytes: string, dtype: string) => `${bytes}, stored as ${dtype}`,
  onTheGpu: 'On the GPU',
  unchanged: 'unchanged',
  quantisedFrom: (dtype: string) => `quantised from ${dtype}`,
  source: 'Source',
  builtin: 'comes with Tabtune',
  ownDisk: 'your disk, kept in this browser',
  commit: (commit: string) => `commit ${commit}`,
  licence: 'Licence',
  noLicence: 'not stated',
  seeModelPage: 'see the model page',
  context: 'Context',
  contextLength: (tokens: string) => `${tokens} tokens`,
  vocabulary: (size: string) => `${size} in the vocabulary`,
  chatTemplate: 'Chat template',
  yes: 'yes',
  none: 'none',
  plainTemplate: 'a plain template is used',
  templateGaps: (gaps: readonly string[]) => (gaps.length > 0 ? `it ${gaps.join('; ')}` : undefined),
  loraTargets: 'Layers LoRA can target',
  details: 'Details',
};

export const openingText = {
  title: 'Opening the model',
  loaded: 'Model loaded',
  amount: (loaded: string, total: string) => `${loaded} of ${total}`,
  startingEngine: 'Starting the engine',
  showOnHub: 'Show it on the Hub',
};

export const precisionNames: Record<Quantization, string> = {
  none: 'As published',
  q8: '8-bit',
  nf4: '4-bit (NF4)',
};

/** A renderer in software uses the computer's own memory. */
const memoryOf = (software: boolean) => (software ? 'this computer’s memory' : 'this GPU');

export const fitText = {
  fits: (bytes: string, precision: string, software: boolean) =>
    `Fits ${memoryOf(software)}${precision}: ${bytes} to train`,
  tight: (bytes: string, precision: string, software: boolean) =>
    `Tight ${software ? 'in' : 'on'} ${memoryOf(software)}${precision}: ${bytes} to train`,
  tooBig: (bytes: string, precision: string, software: boolean) =>
    `Too big for ${memoryOf(software)}: ${bytes} to train${precision}`,
  unknown: (bytes: string, precision: string, software: boolean) =>
    `Needs ${bytes} of ${software ? 'memory' : 'GPU memory'} to train${precision}`,
  inPrecision: (precision: string) => ` in ${precision}`,
};

export const shelfText = {
  title: 'Choose a model',
  builtIn: 'built in',
  downloaded: 'downloaded',
  downloading: 'downloading',
  unfinished: 'unfinished',
  gated: 'gated',
  fromDisk: 'from your disk',
  kept: 'Kept in this browser, even after a reload.',
  toDownload: (bytes: string) => `about ${bytes} to download`,
  showAll: (count: number) => `Show all ${count} models`,
  own: {
    title: 'Your own model',
    text: 'Drop a model folder in the Hugging Face layout (`config.json`, `tokenizer.json` and safetensors), or a `.gguf` file, anywhere on this page.',
  },
};

export const accessText = {
  gated: 'This model is gated: you must accept its terms first',
  private: 'This model is private',
  openPage: 'Open its page',
  acceptTerms: ', log in and accept the terms.',
  notAcceptedYet: ' Your token is valid, but its account has not accepted them yet.',
  createToken: 'Create a read token ',
  inAccount: 'in your account',
  anyToken: '.',
  tokenWithAccess: ' that can access this model.',
  enterToken: 'Enter it here. It is kept in memory only, and forgotten when this tab is closed or reloaded.',
  token: 'Access token',
  tokenPlaceholder: 'hf_…',
  tokenSet: 'A token is set; enter another to replace it',
  enterFirst: 'Enter a token first.',
  useToken: 'Use this token',
  checkAgain: 'Check again',
};
