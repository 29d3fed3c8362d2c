/**
 * The page's side of the data worker. Every call has a deadline and names its tokeniser and dataset, so that a worker
 * restarted after a deadline can be given them again. Calls run one at a time, so that a deadline never kills the
 * worker because of another call.
 */
import { type ErrorData, TabtuneError } from '../base/errors';
import type { DatasetEdit } from '../data/edits';
import type { EncodedForTask } from '../data/encode-input';
import { lettersOf } from '../data/encode-row';
import { Pieces } from '../data/pieces';
import type { PromptStyle, WrittenChats } from '../data/prompt-style';
import type { ReadingProgress } from '../data/reading-progress';
import type { Example, ParsedDataset, TokenizedDataset, TokenizedExample, TokenView } from '../data/types';
import type { ReadingSection } from '../recipe/sections';
import type { ObjectiveType, Recipe } from '../recipe/types';
import type { RewardSection, ScoredAnswer } from '../rewards';
import { type Connection, type Remote, transfer } from '../rpc/rpc';
import type { ReadingPart, TokenizerInfo } from '../workers/data/api';
import type { DataWorkerApi } from '../workers/data/edit-dataset';
import { endless } from './reward-errors';
import { type Attempt, patienceFor, tokenizeRows } from './tokenize-rows';
import { faulty, naming, preparing, type Tokenizer } from './tokenizer-faults';

export type { Tokenizer };

/** A dataset that can be read more than once. */
export interface DatasetFile {
  /** Equal keys mean the same bytes, read in the same way. */
  key: string;
  /** File name, from which the parser infers the file type. */
  name: string;
  section: ReadingSection;
  read(): Promise<ArrayBuffer>;
}

const seconds = (n: number) => n * 1000;
const deadlines = {
  openTokenizer: seconds(30),
  parse: seconds(120),
  /**
   * The first prompt after opening a model, which reveals a tokeniser that loops. It takes a twentieth of a second, but a busy
   * machine may stop a thread for seconds.
   */
  probe: seconds(10),
  prompt: seconds(10),
  decode: seconds(10),
  /** For one answer. */
  reward: seconds(10),
  dataset: (characters: number) => seconds(60 + characters / 20_000),
};

function charactersOf(parsed: ParsedDataset, row?: number): number {
  let sum = 0;
  for (const example of parsed.examples) if (row === undefined || example.row === row) sum += lettersOf(example);
  return sum;
}

/** How the reading of a dataset is followed, and stopped. */
export interface Reading {
  onProgress?: (progress: ReadingProgress) => void;
  signal?: AbortSignal;
}

const cancelled = (where: string): ErrorData => ({ code: 'cancelled', message: 'Reading was cancelled.', where });

export class DataHost {
  private connection: Connection<DataWorkerApi> | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  /** What the current worker has open. */
  private tokenizer: Tokenizer | null = null;
  private parsedKey: string | null = null;
  /**
   * What was tokenised last, and whether the current worker did it. For a model without a chat template, the data
   * decides how prompts are formatted.
   */
  private tokenized: { tokenizer: Tokenizer; again(): Promise<unknown>; here: boolean } | null = null;
  /** The last parsed dataset, which outlives the worker. */
  private last: { key: string; parsed: ParsedDataset } | null = null;

  constructor(private readonly start: () => Connection<DataWorkerApi>) {}

  /** Whether the browser keeps the worker from reaching other servers. */
  closedByBrowser(): Promise<boolean> {
    return this.inTurn(() => this.connected().within(deadlines.prompt).closedByBrowser());
  }

  /** Opens a model's tokeniser and tries its chat template once. */
  openTokenizer(tokenizer: Tokenizer): Promise<TokenizerInfo> {
    return this.inTurn(async () => {
      const info = await this.sendTokenizer(tokenizer);
      const words = faulty(tokenizer, 'Preparing the first prompt took longer than 10 seconds and was stopped.');
      await this.tolerate((connection) => connection.within(deadlines.probe, words).encodePrompt('Hello'));
      return info;
    });
  }

  /** Parses a dataset, or returns the previous result for the same bytes. */
  parse(dataset: DatasetFile, how: Reading = {}): Promise<ParsedDataset> {
    return this.inTurn(async () =>
      this.last?.key === dataset.key ? this.last.parsed : await this.sendDataset(dataset, how),
    );
  }

  /** The dataset that was parsed last under one key is from now on known under another: its file has been stored. */
  rename(from: string, to: string): void {
    if (this.last?.key === from) this.last.key = to;
    if (this.parsedKey === from) this.parsedKey = to;
  }

  /** Returns the dataset's bytes after an edit. */
  editDataset(dataset: DatasetFile, edit: DatasetEdit): Promise<ArrayBuffer> {
    return this.inTurn(async () => {
      const bytes = await dataset.read();
      const words = { message: 'Editing the file took too long and was stopped.', where: dataset.name };
      return this.connected()
        .within(deadlines.parse, words)
        .editDataset(dataset.name, transfer(bytes), dataset.section, edit);
    });
  }

  /** A row that never ends is left out and told. `memoryLength` is the most tokens that are sure to fit in memory. */
  tokenize(
    tokenizer: Tokenizer,
    dataset: DatasetFile,
    recipe: Recipe,
    contextLength: number,
    memoryLength?: number,
    onProgress?: (done: number, total: number) => void,
  ): Promise<TokenizedDataset> {
    const { dataset: section, objective, training } = recipe;
    const work = async () => {
      await this.ensureTokenizer(tokenizer);
      const parsed = await this.ensureDataset(dataset);
      const words = faulty(tokenizer, 'Tokenising the examples took too long and was stopped.', dataset.name);
      const deadline = deadlines.dataset(charactersOf(parsed));
      const attempt = async ({ leftOut, careful, onRow }: Attempt) => {
        await this.ensureTokenizer(tokenizer);
        await this.ensureDataset(dataset);
        const pieces = new Pieces();
        const rest = await this.connected()
          .within(deadline, words)
          .tokenize(
            ...([section, objective, contextLength, training.seed, memoryLength, leftOut, careful, onRow] as const),
            (part, examples) => pieces.add(part, examples),
          );
        return pieces.join(rest);
      };
      const tooSlow = (row: number) =>
        new TabtuneError({
          code: 'timeout',
          ...faulty(tokenizer, 'Tokenising several rows took too long and was stopped.', `row ${row}`),
        });
      return tokenizeRows(parsed, attempt, () => this.drop(), tooSlow, onProgress);
    };
    return this.inTurn(async () => {
      const result = await work();
      this.tokenized = { tokenizer, again: work, here: true };
      return result;
    });
  }

  /** Looks at a whole dataset. The worker answers others meanwhile, so it is no one's turn. */
  async look<T>(dataset: DatasetFile, work: (worker: Remote<DataWorkerApi>) => Promise<T>): Promise<T> {
    const { worker } = await this.inTurn(async () => {
      await this.ensureDataset(dataset);
      const words = { message: 'Looking through the examples took too long and was stopped.', where: dataset.name };
      return { worker: this.connected().withoutSilence(deadlines.parse, words) };
    });
    return work(worker);
  }

  viewTokens(
    tokenizer: Tokenizer,
    dataset: DatasetFile,
    recipe: Recipe,
    row: number,
    maxLength: number,
  ): Promise<TokenView> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      const parsed = await this.ensureDataset(dataset);
      const words = faulty(tokenizer, 'Tokenising this example took too long and was stopped.', `row ${row}`);
      return this.connected()
        .within(patienceFor(charactersOf(parsed, row)), words)
        .viewTokens(row, recipe.dataset, recipe.objective, maxLength);
    });
  }

  promptStyle(tokenizer: Tokenizer): Promise<PromptStyle> {
    return this.asBefore(tokenizer, (api) => api.promptStyle());
  }

  encodePrompt(tokenizer: Tokenizer, ...of: Parameters<DataWorkerApi['encodePrompt']>): Promise<Int32Array> {
    return this.asBefore(tokenizer, (api) => api.encodePrompt(...of));
  }

  writeChats(tokenizer: Tokenizer, ...of: Parameters<DataWorkerApi['writeChats']>): Promise<WrittenChats> {
    return this.asBefore(tokenizer, (api) => api.writeChats(...of));
  }

  /** As the data that were tokenised last are written. */
  private asBefore<T>(tokenizer: Tokenizer, ask: (api: Remote<DataWorkerApi>) => Promise<T>): Promise<T> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      await this.writeAsBefore(tokenizer);
      return ask(this.connected().within(deadlines.prompt, preparing(tokenizer)));
    });
  }

  encodeBegun(tokenizer: Tokenizer, ask: string, begun: string): Promise<Int32Array> {
    return this.soon(tokenizer, deadlines.prompt, preparing(tokenizer), (api) => api.encodeBegun(ask, begun));
  }

  encodeTexts(tokenizer: Tokenizer, texts: string[], maxLength: number): Promise<Int32Array[]> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      const characters = texts.reduce((sum, text) => sum + text.length, 0);
      const words = faulty(tokenizer, 'Tokenising the texts took too long and was stopped.');
      return this.connected().within(deadlines.dataset(characters), words).encodeTexts(texts, maxLength);
    });
  }

  tokenizeBaseText(
    tokenizer: Tokenizer,
    name: string,
    bytes: ArrayBuffer,
    maxLength: number,
    objective: ObjectiveType,
  ): Promise<TokenizedExample[]> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      const deadline = deadlines.dataset(bytes.byteLength);
      const words = faulty(tokenizer, 'Tokenising the base text took too long and was stopped.', name);
      return this.connected().within(deadline, words).tokenizeBaseText(name, transfer(bytes), maxLength, objective);
    });
  }

  encodeForTask(tokenizer: Tokenizer, input: string | string[], maxLength: number): Promise<EncodedForTask> {
    const words = faulty(tokenizer, 'Tokenising the text took too long and was stopped.');
    return this.soon(tokenizer, deadlines.prompt, words, (api) => api.encodeForTask(input, maxLength));
  }

  encodeAnswer(tokenizer: Tokenizer, prompt: string, answer: string, maxLength: number): Promise<Int32Array> {
    const words = faulty(tokenizer, 'Tokenising the answer took too long and was stopped.');
    return this.soon(tokenizer, deadlines.prompt, words, (api) => api.encodeAnswer(prompt, answer, maxLength));
  }

  decode(tokenizer: Tokenizer, ids: Int32Array): Promise<string> {
    const words = faulty(tokenizer, 'Turning an answer into text took too long and was stopped.');
    return this.soon(tokenizer, deadlines.decode, words, (api) => api.decode(ids));
  }

  decodeAll(tokenizer: Tokenizer, texts: Int32Array[]): Promise<string[]> {
    const words = faulty(tokenizer, 'Turning answers into text took too long and was stopped.');
    return this.soon(tokenizer, deadlines.decode, words, (api) => api.decodeAll(texts));
  }

  /** A reward that stays with one answer for long is ended. */
  scoreAnswers(reward: RewardSection, answers: ScoredAnswer[]): Promise<(number | null)[]> {
    return this.inTurn(async () => {
      let at = 0;
      const onAnswer = (next: number) => {
        at = next;
      };
      const worker = this.connected().withoutSilence(deadlines.reward);
      return worker.scoreAnswers(reward, answers, onAnswer).catch((cause: unknown) => {
        throw TabtuneError.from(cause, { code: 'internal', message: '' }).code === 'timeout'
          ? endless(reward, at)
          : cause;
      });
    });
  }

  close(): void {
    this.connection?.terminate();
  }

  /** A short call with a model's tokeniser, in its turn. */
  private soon<T>(
    tokenizer: Tokenizer,
    deadline: number,
    words: Omit<ErrorData, 'code'>,
    call: (api: Remote<DataWorkerApi>) => Promise<T>,
  ): Promise<T> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      return call(this.connected().within(deadline, words));
    });
  }

  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.queue.then(action);
    this.queue = result.catch(() => {});
    return result;
  }

  /** Ends the current worker; the next call starts another. */
  private drop(): void {
    this.connection?.terminate();
    this.connection = null;
  }

  /** The current worker, or a new one without any state if the last one died. */
  private connected(): Connection<DataWorkerApi> {
    if (!this.connection || this.connection.death) {
      this.connection = this.start();
      this.tokenizer = null;
      this.parsedKey = null;
      if (this.tokenized) this.tokenized.here = false;
    }
    return this.connection;
  }

  /** Throws only if the worker died. Errors of a single example or prompt are reported elsewhere. */
  private async tolerate(action: (connection: Connection<DataWorkerApi>) => Promise<unknown>): Promise<void> {
    const connection = this.connected();
    try {
      await action(connection);
    } catch (cause) {
      if (connection.death) throw cause;
    }
  }

  private async ensureTokenizer(tokenizer: Tokenizer): Promise<void> {
    this.connected();
    if (this.tokenizer !== tokenizer) await this.sendTokenizer(tokenizer);
  }

  private async ensureDataset(dataset: DatasetFile): Promise<ParsedDataset> {
    this.connected();
    if (this.parsedKey === dataset.key && this.last?.key === dataset.key) return this.last.parsed;
    return this.sendDataset(dataset);
  }

  /** A new worker must see the data again to format prompts in the same way. */
  private async writeAsBefore(tokenizer: Tokenizer): Promise<void> {
    const before = this.tokenized;
    if (!before || before.tokenizer !== tokenizer || before.here) return;
    try {
      await before.again();
      before.here = true;
    } catch {
      // The data may have been deleted. Then the prompt is formatted as if there had been none.
      this.tokenized = null;
      await this.ensureTokenizer(tokenizer);
    }
  }

  private async sendTokenizer(tokenizer: Tokenizer): Promise<TokenizerInfo> {
    const connection = this.connected();
    this.tokenizer = null;
    if (this.tokenized) this.tokenized.here = false;
    const worker = connection.within(deadlines.openTokenizer, {
      message: `Opening the tokeniser of ${tokenizer.title} took too long and was stopped.`,
      where: 'tokenizer.json',
      action: 'Choose another model.',
    });
    const info = await worker.openTokenizer(tokenizer.files).catch((cause: unknown) => {
      throw naming(tokenizer, cause);
    });
    this.tokenizer = tokenizer;
    return info;
  }

  private async sendDataset(
    { key, name, section, read }: DatasetFile,
    { onProgress, signal }: Reading = {},
  ): Promise<ParsedDataset> {
    signal?.throwIfAborted();
    const bytes = await read();
    signal?.throwIfAborted();
    const connection = this.connected();
    this.parsedKey = null;
    // A parser looks at no messages before it has ended.
    const stop = () => connection.terminate(TabtuneError.from(signal?.reason, cancelled(name)));
    signal?.addEventListener('abort', stop, { once: true });
    const examples: Example[] = [];
    const onPart = (part: ReadingPart) => {
      if ('progress' in part) onProgress?.(part.progress);
      else for (const example of part.examples) examples.push(example);
    };
    try {
      const parsed = await connection
        .within(deadlines.parse, {
          message: `Reading ${name} took longer than two minutes and was stopped.`,
          where: name,
          action: 'Split the file, or use a smaller one.',
        })
        .parse(name, transfer(bytes), section, onPart);
      const whole = examples.length > 0 ? { ...parsed, examples } : parsed;
      this.parsedKey = key;
      this.last = { key, parsed: whole };
      return whole;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }
}
