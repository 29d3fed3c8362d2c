/**
 * The page's side of the data worker: every call has a deadline, and each call names the tokenizer and the dataset that
 * it is about, so that a worker started again after a deadline is given them again. Calls go one after another: a
 * deadline must end the worker for the call that loops and for no innocent one.
 */
import { type ErrorData, TabtuneError } from '../base/errors';
import type { ParsedDataset, TokenizedDataset, TokenizedExample, TokenView } from '../data/types';
import type { EncodedForTask, TokenizerInfo, TokenizerSource } from '../data/worker-api';
import type { DatasetSection, ObjectiveType, Recipe } from '../recipe/types';
import { type Connection, transfer } from '../rpc/rpc';
import type { DataWorkerApi } from '../workers/data/edit-dataset';

export interface Tokenizer {
  files: TokenizerSource;
  /** The model's title, for messages. */
  title: string;
}

/** A dataset that can be read again. */
export interface DatasetFile {
  /** Equal keys mean the same bytes, read in the same way. */
  key: string;
  /** File name, for the parser to know its kind. */
  name: string;
  section: Pick<DatasetSection, 'format' | 'columns'>;
  read(): Promise<ArrayBuffer>;
}

const seconds = (n: number) => n * 1000;
const deadlines = {
  openTokenizer: seconds(30),
  parse: seconds(120),
  /** The first prompt after a model was opened: a tokenizer that loops shows here. */
  probe: seconds(2),
  prompt: seconds(10),
  decode: seconds(10),
  /** One example, plus what its own length may cost on a slow machine. */
  example: (characters: number) => seconds(Math.max(2, characters / 25_000)),
  dataset: (characters: number) => seconds(60 + Math.min(characters / 20_000, 1200)),
};

function charactersOf(parsed: ParsedDataset, row?: number): number {
  let sum = 0;
  for (const example of parsed.examples) {
    if (row !== undefined && example.row !== row) continue;
    if (example.kind === 'messages') for (const message of example.messages) sum += message.content.length;
    else if (example.kind === 'text' || example.kind === 'labelled') sum += example.text.length;
    else if (example.kind === 'tagged') for (const token of example.tokens) sum += token.length + 1;
    else sum += example.prompt.length + example.completion.length;
  }
  return sum;
}

/** What to say when a model's own code runs past its deadline. */
function faulty({ title }: Tokenizer, message: string, where?: string): Omit<ErrorData, 'code'> {
  return {
    message,
    where,
    action: `The chat template or tokenizer of ${title} may be faulty: choose another model, or remove very long examples.`,
  };
}

/** The worker knows a model's files and not its name. */
function naming({ title }: Tokenizer, cause: unknown): unknown {
  if (!(cause instanceof TabtuneError) || cause.code !== 'bad_model') return cause;
  const { where } = cause;
  return new TabtuneError({ ...cause.toData(), where: where === undefined ? title : `${title}, ${where}` });
}

export class DataHost {
  private connection: Connection<DataWorkerApi> | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  /** What the living worker has open. */
  private tokenizer: Tokenizer | null = null;
  private parsedKey: string | null = null;
  /**
   * What was tokenized last, and whether the living worker did it. How prompts are written for a model without a chat
   * template follows the data.
   */
  private tokenized: { tokenizer: Tokenizer; again(): Promise<unknown>; here: boolean } | null = null;
  /** The last dataset parsed; outlives the worker. */
  private last: { key: string; parsed: ParsedDataset } | null = null;

  constructor(private readonly start: () => Connection<DataWorkerApi>) {}

  /** Opens a model's tokenizer and tries its chat template once. */
  openTokenizer(tokenizer: Tokenizer): Promise<TokenizerInfo> {
    return this.inTurn(async () => {
      const info = await this.sendTokenizer(tokenizer);
      const words = faulty(tokenizer, 'The first prompt was not ready within 2 s.');
      await this.tolerate((connection) => connection.within(deadlines.probe, words).encodePrompt('Hello'));
      return info;
    });
  }

  /** Parses, or answers with what the same bytes gave before. */
  parse(dataset: DatasetFile): Promise<ParsedDataset> {
    return this.inTurn(async () =>
      this.last?.key === dataset.key ? this.last.parsed : await this.sendDataset(dataset),
    );
  }

  /** The dataset's bytes with one row changed. */
  editRow(dataset: DatasetFile, row: number, fields: Record<string, string>): Promise<ArrayBuffer> {
    return this.inTurn(async () => {
      const bytes = await dataset.read();
      const words = { message: 'The edit took too long and was stopped.', where: dataset.name };
      return this.connected()
        .within(deadlines.parse, words)
        .editRow(dataset.name, transfer(bytes), dataset.section, row, fields);
    });
  }

  /** The first example goes alone, so that a looping template is found in seconds. */
  tokenize(
    tokenizer: Tokenizer,
    dataset: DatasetFile,
    recipe: Recipe,
    contextLength: number,
  ): Promise<TokenizedDataset> {
    const { dataset: section, objective, training } = recipe;
    const work = async () => {
      await this.ensureTokenizer(tokenizer);
      const parsed = await this.ensureDataset(dataset);
      const row = parsed.examples[0]?.row;
      if (row !== undefined) {
        const words = faulty(tokenizer, 'The first example was not ready in time.', `row ${row}`);
        const deadline = deadlines.example(charactersOf(parsed, row));
        await this.tolerate((worker) =>
          worker.within(deadline, words).viewTokens(row, section, objective, contextLength),
        );
      }
      const words = faulty(tokenizer, 'Turning the examples into tokens took too long and was stopped.', dataset.name);
      return this.connected()
        .within(deadlines.dataset(charactersOf(parsed)), words)
        .tokenize(section, objective, contextLength, training.seed);
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
      const words = faulty(tokenizer, 'This example was not ready in time.', `row ${row}`);
      return this.connected()
        .within(deadlines.example(charactersOf(parsed, row)), words)
        .viewTokens(row, recipe.dataset, recipe.objective, maxLength);
    });
  }

  encodePrompt(tokenizer: Tokenizer, prompt: string, system?: string): Promise<Int32Array> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      await this.writeAsBefore(tokenizer);
      const words = faulty(tokenizer, 'The prompt was not ready in time.');
      return this.connected().within(deadlines.prompt, words).encodePrompt(prompt, system);
    });
  }

  encodeTexts(tokenizer: Tokenizer, texts: string[], maxLength: number): Promise<Int32Array[]> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      const characters = texts.reduce((sum, text) => sum + text.length, 0);
      const words = faulty(tokenizer, 'The texts were not ready in time.');
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
      const words = faulty(tokenizer, 'Turning the base text into tokens took too long and was stopped.', name);
      return this.connected().within(deadline, words).tokenizeBaseText(name, transfer(bytes), maxLength, objective);
    });
  }

  encodeForTask(tokenizer: Tokenizer, input: string | string[], maxLength: number): Promise<EncodedForTask> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      const words = faulty(tokenizer, 'The text was not ready in time.');
      return this.connected().within(deadlines.prompt, words).encodeForTask(input, maxLength);
    });
  }

  decode(tokenizer: Tokenizer, ids: Int32Array): Promise<string> {
    return this.inTurn(async () => {
      await this.ensureTokenizer(tokenizer);
      const words = faulty(tokenizer, 'An answer could not be turned into text in time.');
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

  /** The worker that lives; a new one, which knows nothing, where the last one died. */
  private connected(): Connection<DataWorkerApi> {
    if (!this.connection || this.connection.death) {
      this.connection = this.start();
      this.tokenizer = null;
      this.parsedKey = null;
      if (this.tokenized) this.tokenized.here = false;
    }
    return this.connection;
  }

  /** What is wrong with one example or prompt alone is told elsewhere; what ended the worker is told here. */
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

  /** A new worker has to see the data again before it writes prompts in the same way. */
  private async writeAsBefore(tokenizer: Tokenizer): Promise<void> {
    const before = this.tokenized;
    if (!before || before.tokenizer !== tokenizer || before.here) return;
    try {
      await before.again();
      before.here = true;
    } catch {
      // The data may have been deleted since: the prompt is then written as for a model that has seen none.
      this.tokenized = null;
      await this.ensureTokenizer(tokenizer);
    }
  }

  private async sendTokenizer(tokenizer: Tokenizer): Promise<TokenizerInfo> {
    const connection = this.connected();
    this.tokenizer = null;
    if (this.tokenized) this.tokenized.here = false;
    const worker = connection.within(deadlines.openTokenizer, {
      message: `The tokenizer of ${tokenizer.title} took too long to open and was stopped.`,
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
        message: `${name} took longer than two minutes to read and was stopped.`,
        where: name,
        action: 'Use a smaller file, or split this one.',
      })
      .parse(name, transfer(bytes), section);
    this.parsedKey = key;
    this.last = { key, parsed };
    return parsed;
  }
}
