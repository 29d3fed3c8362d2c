/** English of the Model page and of the Hub's dialogs. */
import type { Download, Quantization } from '../../hub/descriptions';

export const modelText = {
  openFolder: 'Open model folder',
  openGguf: 'Open GGUF file',
  inUseStopFirst: 'A run is using the open model. Stop it first.',
  beingImported: 'A model is already being imported.',
  importing: 'Checking the model and copying it into this browser.',
  welcome: {
    title: 'Teach a small language model to answer like your examples, in this tab',
    text: 'Everything is set up for a first try: a tiny model, and a few hundred answers from a friendly pirate. Press **Start training**, then compare the result with the original model. After that, bring your own examples.',
  },
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

export const fitText = {
  fits: (bytes: string, precision: string) => `Fits this GPU${precision}: ${bytes} to train`,
  tight: (bytes: string, precision: string) => `Tight on this GPU${precision}: ${bytes} to train`,
  tooBig: (bytes: string, precision: string) => `Too big for this GPU: ${bytes} to train${precision}`,
  unknown: (bytes: string, precision: string) => `Needs ${bytes} of GPU memory to train${precision}`,
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
  toDownload: (bytes: string) => `${bytes} to download`,
  showAll: (count: number) => `Show all ${count} models`,
  own: {
    title: 'Your own model',
    text: 'Drop a model folder in the Hugging Face layout (`config.json`, `tokenizer.json` and safetensors), or a `.gguf` file, anywhere on this page.',
  },
};

const downloadStates: Record<Download['state'], string> = {
  waiting: 'Waiting',
  downloading: 'Downloading',
  paused: 'Paused',
  verifying: 'Verifying',
  done: 'Downloaded',
  failed: 'Failed',
};

export const downloadText = {
  title: 'Downloads',
  states: downloadStates,
  stopped: 'Stopped',
  lastActive: (when: string) => `, last active ${when}`,
  amount: (loaded: string, total: string) => `${loaded} of ${total}`,
  verifying: (amount: string) => `Verifying: ${amount}`,
  rate: (bytes: string) => `${bytes}/s`,
  downloaded: (title: string) => `${title} downloaded`,
  retry: 'Retry',
  open: 'Open',
  pauseLabel: (title: string) => `Pause the download of ${title}`,
  resumeLabel: (title: string) => `Resume the download of ${title}`,
  retryLabel: (title: string) => `Retry the download of ${title}`,
  cancelLabel: (title: string) => `Cancel the download of ${title}`,
  openLabel: (title: string) => `Open ${title}`,
  cancelQuestion: (title: string) => `Cancel the download of ${title}?`,
  cancelAction: 'Cancel the download',
  cancelConsequence: (bytes: string) =>
    `This deletes the ${bytes} downloaded so far. To continue later, even after a reload, pause it instead.`,
};

export const hubText = {
  title: 'Any model from the Hugging Face Hub',
  settings: 'Address and token',
  nameOrAddress: 'Name or address',
  placeholder: 'smollm2, or HuggingFaceTB/SmolLM2-135M-Instruct',
  enterFirst: 'Enter a name, a few words or an address first.',
  show: 'Show details',
  search: 'Search',
  searchAgain: 'Search again',
  hint: (mirror: string | null) =>
    `Only model names and files are requested${mirror === null ? '' : `, from ${mirror}`}. Your examples stay on this device.`,
  searching: (words: string) => `Searching for “${words}”`,
  nothing: (words: string) => `Nothing on the Hub matches “${words}”. Try fewer words, or paste the model’s address.`,
  found: (models: string, words: string) => `${models} for “${words}”`,
  unsupported: 'not supported',
  gated: 'gated',
  private: 'private',
  downloads: (count: string) => `${count} downloads`,
  likes: ' likes',
  noLicence: 'no licence stated',
};

const precisionHelp: Record<Quantization, string> = {
  none: 'The weights exactly as published.',
  q8: 'Half the memory of 16-bit, with almost no loss. Converted while loading.',
  nf4: 'A quarter of the memory of 16-bit; what QLoRA trains on. Converted while loading.',
};

export const hubModelText = {
  looking: 'Asking the Hub about this model. No weights are downloaded yet.',
  modelPage: 'Model page',
  origin: (revision: string) => `, ${revision} at commit `,
  downloads: (count: string) => `, ${count} downloads`,
  noAccess: 'Its files are not accessible yet: see above.',
  nothingUsable: 'It has no files that Tabtune can open.',
  alreadyDownloading: 'It is already being downloaded.',
  noRoom: (needed: string, left: string) => `It needs ${needed}, but this page has only ${left} of storage left.`,
  open: 'Open',
  download: 'Download and open',
  downloadBytes: (bytes: string) => `Download and open, ${bytes}`,
  encoder: {
    title: 'This model reads text but does not generate it',
    text: 'It can be trained to classify texts, to tag words, or on more text from your domain, but not to answer.',
  },
  files: 'Files',
  safetensors: (dtype: string) => `Safetensors, ${dtype}`,
  downloadedSize: (bytes: string) => `downloaded, ${bytes}`,
  precision: 'Precision on the GPU',
  precisionHelp,
  fileList: (files: string, bytes: string) => `${files}, ${bytes} to download`,
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

export const hubSettingsText = {
  title: 'Hugging Face Hub',
  description: 'Where models are downloaded from, and your access token. Public models need no changes here.',
  save: 'Save',
  address: 'Hub address',
  addressHint: (official: string) => `${official}, or a mirror with the same routes.`,
  tokenHint:
    'For gated and private models. Kept in memory only, sent only to this address, and forgotten when the tab is closed or reloaded.',
};

export const deviceText = {
  title: 'This device',
  looking: 'Looking for a GPU.',
  unnamed: 'Unnamed GPU',
  software: 'software renderer',
  softwareTitle: 'This is a software renderer, not a GPU',
  softwareText:
    'Everything works and the results are the same, but it is tens to hundreds of times slower. If this computer has a GPU, turn on hardware acceleration in the browser’s settings. The built-in model is still usable.',
  gpu: 'GPU',
  largestBuffer: 'Largest buffer',
  largestBinding: 'Largest binding',
  features: 'Features',
  featureNames: {
    'shader-f16': '16-bit floats',
    subgroups: 'subgroups',
    'timestamp-query': 'timestamps',
  } as Record<string, string>,
  noFeatures: 'none',
  memoryUnknown: 'Browsers do not report how much memory a GPU has. The run card shows what a run needs.',
};
