/** The model of a session: its folder is checked, its tokenizer opened and its template tried before weights are read. */
import { TabtuneError } from '../base/errors';
import type { TokenizerFiles, TokenizerInfo } from '../data/worker-api';
import { openModelFolder } from '../hub/open';
import type { ModelFolder } from '../hub/types';
import type { ModelInfo } from './api';
import type { DataHost, Tokenizer } from './data-host';
import type { EngineHost } from './engine-host';
import { pageUrl } from './page-url';

export interface OpenModel {
  source: string;
  info: ModelInfo;
  folder: ModelFolder;
  tokenizer: Tokenizer;
  tokens: TokenizerInfo;
}

export interface ModelNeeds {
  engine: EngineHost;
  data: DataHost;
}

/** Files that belong to a tokenizer, in a Hugging Face folder. */
export const tokenizerFileNames = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
] as const;

async function tokenizerFiles(folder: ModelFolder): Promise<TokenizerFiles> {
  if (!folder.has('tokenizer.json')) {
    throw new TabtuneError({
      code: 'bad_model',
      message: 'The model folder has no tokenizer.json.',
      where: 'tokenizer.json',
      action: 'Add the tokenizer.json of this model to the folder; older formats (vocab.txt, *.model) are not read.',
    });
  }
  const read = (name: string) => (folder.has(name) ? folder.text(name) : Promise.resolve(null));
  const [tokenizerJson, tokenizerConfig, specialTokensMap, chatTemplate, generationConfig] = await Promise.all([
    folder.text('tokenizer.json'),
    read('tokenizer_config.json'),
    read('special_tokens_map.json'),
    read('chat_template.jinja'),
    read('generation_config.json'),
  ]);
  return { tokenizerJson, tokenizerConfig, specialTokensMap, chatTemplate, generationConfig };
}

const nameOf = (source: string) => source.replace(/^[a-z]+:/, '');

export class ModelDesk {
  private model: OpenModel | null = null;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly needs: ModelNeeds) {}

  get current(): OpenModel | null {
    return this.model;
  }

  /** The open model; throws when there is none, or it is not the one wanted. */
  require(source?: string): OpenModel {
    if (this.model && (source === undefined || this.model.source === source)) return this.model;
    throw new TabtuneError({
      code: 'bad_model',
      message: source === undefined ? 'No model is open.' : `The model ${nameOf(source)} is not open.`,
      where: 'model.source',
      action: 'Open the model first.',
    });
  }

  open(source: string, onProgress?: (loaded: number, total: number) => void): Promise<OpenModel> {
    return this.inTurn(() => this.read(source, onProgress));
  }

  /** The open model when it is this one already, or is about to be. */
  ensure(source: string): Promise<OpenModel> {
    return this.inTurn(async () => (this.model?.source === source ? this.model : this.read(source)));
  }

  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.queue.then(action);
    this.queue = result.catch(() => {});
    return result;
  }

  private async read(source: string, onProgress?: (loaded: number, total: number) => void): Promise<OpenModel> {
    const { engine, data } = this.needs;
    // Whatever comes of it, the model before is no longer to be used: the engine frees it before it loads the next.
    this.model = null;
    const folder = await openModelFolder(source, { baseUrl: pageUrl() });
    const tokenizer = { files: await tokenizerFiles(folder), title: nameOf(source) };
    const tokens = await data.openTokenizer(tokenizer);
    const loaded = await engine.loadModel(source, onProgress);
    tokenizer.title = loaded.title;
    const info: ModelInfo = { ...loaded, hasChatTemplate: tokens.hasChatTemplate };
    this.model = { source, info, folder, tokenizer, tokens };
    return this.model;
  }
}
