/**
 * The page's side of the data worker. Every call has a deadline and names its tokeniser and dataset, so that a worker
 * restarted after a deadline can be given them again. Calls run one at a time, so that a deadline never kills the
 * worker because of another call.
 */
import { type ErrorData, TabtuneError } from '../base/errors';
import { lettersOf } from '../data/encode-row';
import type { TokenizerSource } from '../data/tokenizer-files';
import type { ParsedDataset, TokenizedDataset, TokenizedExample, TokenView } from '../data/types';
import type { ReadingSection } from '../recipe/sections';
import type { ObjectiveType, Recipe } from '../recipe/types';
import { type Connection, transfer } from '../rpc/rpc';
import type { EncodedForTask, TokenizerInfo } from '../workers/data/api';
import type { DataWorkerApi } from '../workers/data/edit-dataset';
import { type Attempt, patienceFor, tokenizeRows } from './tokenize-rows';

export interface Tokenizer {
  files: TokenizerSource;
  /** The model's title, for messages. */
  title: string;
}

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
  dataset: (characters: number) => seconds(60 + characters / 20_000),
};

function charactersOf(parsed: ParsedDataset, row?: number): number {
  let sum = 0;
  for (const example of parsed.examples) if (row === undefined || example.row === row) sum += lettersOf(example);
  return sum;
}

/** The error for a model's own code that runs past its deadline. */
function faulty({ title }: Tokenizer, message: string, where?: string): Omit<ErrorData, 'code'> {
  return {
    message,
    where,
    action: `Shorten or split what is very long. If it is short, the chat template or tokeniser of ${title} is faulty: choose another model.`,
  };
}

/** Adds the model's name to errors, because the worker knows only its files. */
function naming({ title }: Tokenizer, cause: unknown): unknown {
  if (!(cause instanceof TabtuneError) || cause.code !== 'bad_model') return cause;
  const { where } = cause;
  return new TabtuneError({ ...cause.toData(), where: where === undefined ? title : `${title}, ${where}` });
}

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
  parse(dataset: DatasetFile): Promise<ParsedDataset> {
    return this.inTurn(async () =>
      this.last?.key === dataset.key ? this.last.parsed : await this.sendDataset(dataset),
    );
  }

  /** Returns the dataset's bytes with one row changed. */
  editRow(dataset: DatasetFile, row: number, fields: Record<string, string>): Promise<ArrayBuffer> {
    return this.inTurn(async () => {
      const bytes = await dataset.read();
      const words = { message: 'Editing the file took too long and was stopped.', where: dataset.name };
      return this.connected()
        .within(deadlines.parse, words)
        .editRow(dataset.name, transfer(bytes), dataset.section, row, fields);
    });
  }

  /** A row that never ends is left out and told. `memoryLength` is the most tokens that are sure to fit in memory. */
  tokenize(
    tokenizer: Tokenizer,
    dataset: DatasetFile,
    recipe: Recipe,
    contextLength: number,
    memoryLength?: number,
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
        return this.connected()
          .within(deadline, words)
          .tokenize(section, objective, contextLength, training.seed, memoryLength, leftOut, careful, onRow);
      };
      const tooSlow = (row: number) =>
        new TabtuneError({
          code: 'timeout',
          ...faulty(tokenizer, 'Tokenising several rows took too long and was stopped.', `row ${row}`),
        });
      return tokenizeRows(parsed, attempt, () => this.drop(), tooSlow);
    };
    return this.inTurn(async () => {
      const result = await work();
      this.tokenized = { tokenizer, again: work, here: true };
      return result;
    });
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

  encodePrompt(tokenizer: Tokenizer, prompt: string, system?: string): Promise<Int32Array> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      await this.writeAsBefore(tokenizer);
      const words = faulty(tokenizer, 'Preparing the prompt took too long and was stopped.');
      return this.connected().within(deadlines.prompt, words).encodePrompt(prompt, system);
    });
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
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      const words = faulty(tokenizer, 'Tokenising the text took too long and was stopped.');
      return this.connected().within(deadlines.prompt, words).encodeForTask(input, maxLength);
    });
  }

  decode(tokenizer: Tokenizer, ids: Int32Array): Promise<string> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      const words = faulty(tokenizer, 'Turning an answer into text took too long and was stopped.');
      return this.connected().within(deadlines.decode, words).decode(ids);
    });
  }

  close(): void {
    this.connection?.terminate();
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

  private async sendDataset({ key, name, section, read }: DatasetFile): Promise<ParsedDataset> {
    const bytes = await read();
    const connection = this.connected();
    this.parsedKey = null;
    const parsed = await connection
      .within(deadlines.parse, {
        message: `Reading ${name} took longer than two minutes and was stopped.`,
        where: name,
        action: 'Split the file, or use a smaller one.',
      })
      .parse(name, transfer(bytes), section);
    this.parsedKey = key;
    this.last = { key, parsed };
    return parsed;
  }
}
