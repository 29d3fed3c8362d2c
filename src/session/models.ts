/** The session's model. Its folder is checked, its tokeniser opened and its template tried before weights are read. */
import { TabtuneError } from '../base/errors';
import { pageUrl } from '../base/page-url';
import type { AdapterModel } from '../formats/adapter-format';
import { modelFingerprint } from '../hub/fingerprint';
import { isHubSource } from '../hub/hub-id';
import { openModelFolder } from '../hub/open';
import type { ModelFolder } from '../hub/types';
import type { ModelSection } from '../recipe/types';
import type { InputFingerprint } from '../storage/types';
import type { TokenizerInfo } from '../workers/data/api';
import type { ModelInfo } from './api';
import type { DataHost, Tokenizer } from './data-host';
import type { EngineHost } from './engine-host';
import { tokenizerFiles } from './tokenizer-files';

export interface OpenModel {
  source: string;
  /** How the engine stores the weights. */
  quantization: ModelSection['quantization'];
  info: ModelInfo;
  /** What decides whether an adapter fits it. */
  adapterModel: AdapterModel;
  folder: ModelFolder;
  tokenizer: Tokenizer;
  tokens: TokenizerInfo;
  /** Of the files as they were read. */
  fingerprint: InputFingerprint;
}

export interface ModelNeeds {
  engine: EngineHost;
  data: DataHost;
  /** The source, with its commit, of a downloaded Hub model. */
  locate(source: string): Promise<string>;
}

const nameOf = (source: string) => source.replace(/^[a-z]+:/, '');

export class ModelSession {
  private model: OpenModel | null = null;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly needs: ModelNeeds) {}

  get current(): OpenModel | null {
    return this.model;
  }

  /** The open model. Throws if there is none, or if it is not the requested one. */
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

  /** Opens the model unless it is already open, or being opened, at this precision. */
  ensure(section: ModelSection): Promise<OpenModel> {
    const { source, quantization } = section;
    return this.inTurn(async () => {
      const same = this.model?.source === source && this.model.quantization === quantization;
      return this.model && same && (await this.isCurrent(this.model)) ? this.model : this.read(section);
    });
  }

  /** False if other files have been stored under its name since it was opened, here or in another tab. */
  private async isCurrent({ source, fingerprint }: OpenModel): Promise<boolean> {
    if (source.startsWith('builtin:')) return true;
    try {
      const place = isHubSource(source) ? await this.needs.locate(source) : source;
      const stored = await modelFingerprint(await openModelFolder(place, { baseUrl: pageUrl() }));
      return stored.sha256 === fingerprint.sha256;
    } catch {
      // Deleted meanwhile. What is open still works; if it has to be loaded again, that says what is missing.
      return true;
    }
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
    // Even if this fails, the previous model cannot be used: the engine frees it before it loads the next.
    this.model = null;
    const place = isHubSource(source) ? await this.needs.locate(source) : source;
    const folder = await openModelFolder(place, { baseUrl: pageUrl() });
    const tokenizer = { files: await tokenizerFiles(folder), title: nameOf(source) };
    const tokens = await data.openTokenizer(tokenizer);
    const fingerprint = await modelFingerprint(folder);
    const { adapterModel, ...loaded } = await engine.loadModel(place, onProgress, quantization);
    tokenizer.title = loaded.title;
    const { hasChatTemplate, templateGaps } = tokens;
    const info: ModelInfo = { ...loaded, source, hasChatTemplate, templateGaps };
    this.model = { source, quantization, info, adapterModel, folder, tokenizer, tokens, fingerprint };
    return this.model;
  }
}
