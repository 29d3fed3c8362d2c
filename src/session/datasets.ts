/** The session's datasets: where their bytes come from, their examples, and their tokens for the open model. */
import { sha256 } from '../base/digest';
import { TabtuneError } from '../base/errors';
import { pageUrl } from '../base/page-url';
import type { ParsedDataset, TokenizedDataset, TokenizedExample, TokenView } from '../data/types';
import { textObjective } from '../objectives';
import { lengthInputs } from '../recipe/length-inputs';
import { readingOf } from '../recipe/sections';
import type { DatasetSection, Recipe } from '../recipe/types';
import { listFiles, putFile, readFile } from '../storage/files';
import type { InputFingerprint } from '../storage/types';
import type { DataHost, DatasetFile } from './data-host';
import type { OpenModel } from './models';
import { storedName } from './stored-name';

export interface DataNeeds {
  data: DataHost;
  /** The open model. Throws if it is not the one in the recipe. */
  model(source: string): OpenModel;
  /** The longest limit that is sure to fit in memory, if that is less than the longest example; otherwise null. */
  lengthThatFits?(recipe: Recipe, tokenized: TokenizedDataset): Promise<number | null>;
  /** Replaces what is stored under a source. Throws if a run needs it. */
  whileUnused<T>(source: string, work: () => Promise<T>): Promise<T>;
  /** Called before something of value is stored. */
  onSave(): void;
}

interface Cached {
  model: OpenModel;
  key: string;
  result: Promise<TokenizedDataset>;
}

/** The fields of an entry in datasets/index.json that are used here. */
interface ListedDataset {
  name: string;
  file: string;
}

const fileOf = (source: string) => `dataset/${source.slice('file:'.length)}`;

export class DataSession {
  private cached: Cached | null = null;
  /** By file and recipe: the longest limit that fits in memory, null if every example does. */
  private readonly fitting = new Map<string, number | null>();
  private base: { model: OpenModel; key: string; result: Promise<TokenizedExample[]> } | null = null;
  /** How each dataset was last opened, so that it is read the same way after an edit. */
  private readonly sections = new Map<string, DatasetSection>();
  /** What the files held that were read in this tab, by their keys. */
  private readonly contents = new Map<string, InputFingerprint>();
  /** Counts writes in this tab, because timestamps alone cannot distinguish two quick edits. */
  private writes = 0;

  constructor(private readonly needs: DataNeeds) {}

  async open(section: DatasetSection): Promise<ParsedDataset> {
    this.sections.set(section.source, section);
    return this.needs.data.parse(await this.file(section));
  }

  /** Changes a row of a stored file and reads the file again. */
  async edit(source: string, row: number, fields: Record<string, string>): Promise<ParsedDataset> {
    const section = this.sections.get(source);
    if (!section) throw noSuch(source, 'This dataset is not open.');
    if (!source.startsWith('file:')) {
      throw new TabtuneError({
        code: 'bad_data',
        message: 'Built-in datasets cannot be edited.',
        where: source,
        action: 'Open a file of your own to edit its rows.',
      });
    }
    const bytes = await this.needs.data.editRow(await this.file(section), row, fields);
    await this.store(fileOf(source), new Uint8Array(bytes));
    return this.open(section);
  }

  /** Stores a dropped file in this browser and returns its source. */
  async import(file: File): Promise<string> {
    const name = storedName(file.name, 'dataset.txt');
    await this.store(`dataset/${name}`, file);
    return `file:${name}`;
  }

  /** `onProgress` is told now and then how many of the examples are done. */
  async tokenize(recipe: Recipe, onProgress?: (done: number, total: number) => void): Promise<TokenizedDataset> {
    if (recipe.dataset.max_length !== 'auto' || !this.needs.lengthThatFits) {
      return this.tokenizeUpTo(recipe, undefined, onProgress);
    }
    const file = await this.file(recipe.dataset);
    const key = JSON.stringify([file.key, lengthInputs(recipe)]);
    if (!this.fitting.has(key)) {
      const whole = await this.tokenizeUpTo(recipe, undefined, onProgress);
      this.fitting.set(key, await this.needs.lengthThatFits(recipe, whole));
    }
    return this.tokenizeUpTo(recipe, this.fitting.get(key) ?? undefined);
  }

  private async tokenizeUpTo(
    recipe: Recipe,
    memoryLength?: number,
    onProgress?: (done: number, total: number) => void,
  ): Promise<TokenizedDataset> {
    const model = this.needs.model(recipe.model.source);
    const file = await this.file(recipe.dataset);
    const context = roomBesideVirtual(recipe, model.info.contextLength);
    const { dataset, objective, training } = recipe;
    const key = JSON.stringify([file.key, dataset, objective, training.seed, context, memoryLength ?? null]);
    if (this.cached?.model === model && this.cached.key === key) return this.cached.result;
    const result = this.needs.data.tokenize(model.tokenizer, file, recipe, context, memoryLength, onProgress);
    const entry: Cached = { model, key, result };
    this.cached = entry;
    result.catch(() => {
      if (this.cached === entry) this.cached = null;
    });
    return result;
  }

  async viewTokens(recipe: Recipe, row: number): Promise<TokenView> {
    const model = this.needs.model(recipe.model.source);
    const { maxLength } = await this.tokenize(recipe);
    return this.needs.data.viewTokens(model.tokenizer, await this.file(recipe.dataset), recipe, row, maxLength);
  }

  /** Text like the base model's training data, if replay, EWC or the measurement of forgetting needs it. */
  async baseText(recipe: Recipe): Promise<TokenizedExample[]> {
    const section = baseSection(recipe);
    if (section === null) return [];
    const model = this.needs.model(recipe.model.source);
    const file = await this.file(section);
    const { maxLength } = await this.tokenize(recipe);
    const key = JSON.stringify([file.key, maxLength, model.info.kind]);
    if (this.base?.model === model && this.base.key === key) return this.base.result;
    const objective = textObjective(model.info.kind).type;
    const result = file
      .read()
      .then((bytes) => this.needs.data.tokenizeBaseText(model.tokenizer, file.name, bytes, maxLength, objective));
    const entry = { model, key, result };
    this.base = entry;
    result.catch(() => {
      if (this.base === entry) this.base = null;
    });
    return result;
  }

  /** Of a dataset's bytes. They are read again only if they have not been read in this tab. */
  async fingerprint(section: DatasetSection): Promise<InputFingerprint> {
    const file = await this.file(section);
    if (!this.contents.has(file.key)) await file.read();
    return this.contents.get(file.key)!;
  }

  /** Of the text that replay, EWC or the measurement of forgetting uses; null without. */
  async baseFingerprint(recipe: Recipe): Promise<InputFingerprint | null> {
    const section = baseSection(recipe);
    return section === null ? null : this.fingerprint(section);
  }

  /** The tokens are large and useless without their model. */
  forgetTokens(): void {
    this.fitting.clear();
    this.cached = null;
    this.base = null;
  }

  private async store(id: string, bytes: Blob | Uint8Array): Promise<void> {
    this.needs.onSave();
    await this.needs.whileUnused(`file:${id.slice('dataset/'.length)}`, () => putFile(id, bytes));
    this.writes++;
  }

  /** How to read a dataset. The key distinguishes files stored one after another under the same name. */
  private async file(section: DatasetSection): Promise<DatasetFile> {
    const { source } = section;
    const reading = readingOf(section);
    const make = (version: string, name: string, read: () => Promise<ArrayBuffer>): DatasetFile => {
      const key = JSON.stringify([source, version, reading]);
      return {
        key,
        name,
        section: reading,
        read: async () => {
          const bytes = await read();
          // Before they are handed to the worker.
          this.contents.set(key, await fingerprintOf(bytes));
          return bytes;
        },
      };
    };
    if (source.startsWith('builtin:')) {
      const url = await builtinUrl(source);
      return make(url.pathname, url.pathname.split('/').at(-1)!, () => fetchBytes(url, source));
    }
    if (!source.startsWith('file:')) throw noSuch(source, 'A dataset source must start with builtin: or file:.');
    const id = fileOf(source);
    const stored = (await listFiles('dataset')).find((file) => file.id === id);
    if (!stored) throw noSuch(source, `${source.slice('file:'.length)} is not stored in this browser.`);
    return make(`${stored.createdAt}/${stored.size}/${this.writes}`, stored.name, () => readFile(id));
  }
}

/** Text like the built-in model's training data. */
const BUILTIN_BASE_TEXT = 'builtin:base-text';

/** The base text in the recipe, or else the built-in model's if something needs it. */
function baseSection({ model, dataset, training }: Recipe): DatasetSection | null {
  const needed = training.replay_ratio > 0 || training.ewc_lambda > 0;
  const usual = needed && model.source.startsWith('builtin:') ? BUILTIN_BASE_TEXT : null;
  const source = dataset.base_text ?? usual;
  return source === null ? null : { ...dataset, source, format: 'auto', columns: null };
}

const fingerprintOf = async (bytes: ArrayBuffer): Promise<InputFingerprint> => ({
  sha256: await sha256(bytes),
  bytes: bytes.byteLength,
});

function noSuch(source: string, message: string): TabtuneError {
  return new TabtuneError({
    code: 'bad_data',
    message,
    where: source,
    action: 'Add the file again, or choose another dataset.',
  });
}

const builtins = new Map<string, URL>();

/** Looks up a built-in dataset in datasets/index.json, because its name does not give its file type. */
async function builtinUrl(source: string): Promise<URL> {
  const known = builtins.get(source);
  if (known) return known;
  const folder = new URL('datasets/', pageUrl());
  const bytes = await fetchBytes(new URL('index.json', folder), source);
  const list = JSON.parse(new TextDecoder().decode(bytes)) as ListedDataset[] | { datasets: ListedDataset[] };
  for (const { name, file } of Array.isArray(list) ? list : list.datasets) {
    builtins.set(`builtin:${name}`, new URL(file, folder));
  }
  const found = builtins.get(source);
  if (!found) throw noSuch(source, `There is no built-in dataset called ${source.slice('builtin:'.length)}.`);
  return found;
}

async function fetchBytes(url: URL, source: string): Promise<ArrayBuffer> {
  let problem: string;
  try {
    const response = await fetch(url);
    if (response.ok) return await response.arrayBuffer();
    problem = `HTTP ${response.status}`;
  } catch (cause) {
    problem = String(cause);
  }
  throw new TabtuneError({
    code: 'network',
    message: 'A built-in dataset could not be loaded.',
    where: source,
    action: 'Check your connection and try again.',
    details: `${url.pathname}: ${problem}`,
  });
}

/** The maximum tokens of a text, because virtual tokens also take up context. The recipe is as its run has it. */
function roomBesideVirtual({ method }: Pick<Recipe, 'method'>, contextLength: number): number {
  const virtual = 'num_virtual_tokens' in method ? method.num_virtual_tokens : 0;
  // At least half of the context is left for the text.
  if (virtual <= contextLength / 2) return contextLength - virtual;
  if ('init_adapter' in method && method.init_adapter !== null) {
    throw new TabtuneError({
      code: 'bad_adapter',
      message: `The adapter’s ${virtual} virtual tokens leave too little room in this model’s context of ${contextLength} tokens.`,
      where: 'method.init_adapter',
      action: 'Continue it on a model with a longer context, or start a new adapter.',
    });
  }
  throw new TabtuneError({
    code: 'bad_recipe',
    message: `${virtual} virtual tokens leave too little room in this model’s context of ${contextLength} tokens.`,
    where: 'method.num_virtual_tokens',
    action: `Use at most ${Math.floor(contextLength / 2)} virtual tokens.`,
  });
}
