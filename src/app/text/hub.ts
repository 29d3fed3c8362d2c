/** English of the Hub on the Model page: search, a model’s dialog, its settings, downloads. */
import type { Download, Quantization } from '../../hub/descriptions';

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

export const hubSettingsText = {
  title: 'Hugging Face Hub',
  description: 'Where models are downloaded from, and your access token. Public models need no changes here.',
  save: 'Save',
  address: 'Hub address',
  addressHint: (official: string) => `${official}, or a mirror with the same routes.`,
  tokenHint:
    'For gated and private models. Kept in memory only, sent only to this address, and forgotten when the tab is closed or reloaded.',
  elsewhere: {
    title: 'Reload with another Hub?',
    action: 'Reload',
    what: (endpoint: string) =>
      `The browser lets this page contact one Hub only. The page reloads with ${endpoint}, for this tab only; other tabs keep theirs.`,
    kept: 'Models, data, runs and the recipe stay as they are. Downloads pause and can be resumed.',
    token:
      'Models, data, runs and the recipe stay as they are. The token is not stored: enter it again after the reload.',
  },
};
