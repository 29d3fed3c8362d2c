/** The model of a session: its folder is checked, its tokenizer opened and its template tried before weights are read. */
import { OTHER_MODEL, refuse } from '../base/bad-model';
import { TabtuneError } from '../base/errors';
import { pageUrl } from '../base/page-url';
import { MAX_TEMPLATE_BYTES, type TokenizerInfo, type TokenizerSource } from '../data/worker-api';
import { readFamilyConfig } from '../families';
import { CONFIG } from '../families/config';
import { CONFIG_LIMIT, TOKENIZER_LIMIT } from '../hub/check';
import { isHubSource } from '../hub/hub-id';
import { openModelFolder } from '../hub/open';
import { readJson } from '../hub/read-json';
import type { ModelFolder } from '../hub/types';
import type { ModelSection } from '../recipe/types';
import type { ModelInfo } from './api';
import type { DataHost, Tokenizer } from './data-host';
import type { EngineHost } from './engine-host';

export interface OpenModel {
  source: string;
  /** How the engine keeps the weights. */
  quantization: ModelSection['quantization'];
  info: ModelInfo;
  folder: ModelFolder;
  tokenizer: Tokenizer;
  tokens: TokenizerInfo;
}

export interface ModelNeeds {
  engine: EngineHost;
  data: DataHost;
  /** A model of the Hub that is here, by its commit. */
  locate(source: string): Promise<string>;
}

/** Files that belong to a tokenizer, in a Hugging Face folder. */
export const tokenizerFileNames = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
] as const;

/** Bytes. The largest known are Gemma 3's: 33 MB, and 1.2 MB of configuration. */
const LIMITS: Record<string, number> = {
  'tokenizer.json': TOKENIZER_LIMIT,
  'tokenizer_config.json': 16 * 2 ** 20,
  'special_tokens_map.json': 16 * 2 ** 20,
  'chat_template.jinja': MAX_TEMPLATE_BYTES,
  'generation_config.json': 2 ** 20,
};

async function tokenizerFiles(folder: ModelFolder): Promise<TokenizerSource> {
  if (!folder.has('tokenizer.json')) {
    throw new TabtuneError({
      code: 'bad_model',
      message: 'The model folder has no tokenizer.json.',
      where: 'tokenizer.json',
      action: 'Add the tokenizer.json of this model to the folder; older formats (vocab.txt, *.model) are not read.',
    });
  }
  // The page must not be made to hold a file that the data worker would refuse.
  for (const [name, limit] of Object.entries(LIMITS)) {
    const size = folder.size(name) ?? 0;
    if (size > limit) refuse(name, `${name} has ${size} bytes; up to ${limit} are read.`, OTHER_MODEL);
  }
  const { config } = readFamilyConfig(await readJson(folder, CONFIG, CONFIG_LIMIT));
  const read = (name: string) => (folder.has(name) ? folder.text(name) : Promise.resolve(null));
  const [tokenizerJson, tokenizerConfig, specialTokensMap, chatTemplate, generationConfig] = await Promise.all([
    // Rebuilding one takes a second or two: the data worker does it, while the page stays awake.
    folder.vocabulary ?? folder.text('tokenizer.json'),
    read('tokenizer_config.json'),
    read('special_tokens_map.json'),
    read('chat_template.jinja'),
    read('generation_config.json'),
  ]);
  const embeddings = config.vocab_size;
  return { tokenizerJson, tokenizerConfig, specialTokensMap, chatTemplate, generationConfig, embeddings };
}

const nameOf = (source: string) => source.replace(/^[a-z]+:/, '');

export class ModelSession {
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

  open(section: ModelSection, onProgress?: (loaded: number, total: number) => void): Promise<OpenModel> {
    return this.inTurn(() => this.read(section, onProgress));
  }

  /** The open model when it is this one in this precision already, or is about to be. */
  ensure(section: ModelSection): Promise<OpenModel> {
    const { source, quantization } = section;
    return this.inTurn(async () => {
      const same = this.model?.source === source && this.model.quantization === quantization;
      return this.model && same ? this.model : this.read(section);
    });
  }

  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.queue.then(action);
    this.queue = result.catch(() => {});
    return result;
  }

  private async read(
    { source, quantization }: ModelSection,
    onProgress?: (loaded: number, total: number) => void,
  ): Promise<OpenModel> {
    const { engine, data } = this.needs;
    // Whatever comes of it, the model before is no longer to be used: the engine frees it before it loads the next.
    this.model = null;
    const place = isHubSource(source) ? await this.needs.locate(source) : source;
    const folder = await openModelFolder(place, { baseUrl: pageUrl() });
    const tokenizer = { files: await tokenizerFiles(folder), title: nameOf(source) };
    const tokens = await data.openTokenizer(tokenizer);
    const loaded = await engine.loadModel(place, onProgress, quantization);
    tokenizer.title = loaded.title;
    const info: ModelInfo = { ...loaded, source, hasChatTemplate: tokens.hasChatTemplate };
    this.model = { source, quantization, info, folder, tokenizer, tokens };
    return this.model;
  }
}
