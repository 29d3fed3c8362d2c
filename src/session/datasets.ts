/** The session's datasets: where their bytes come from, their examples, and their tokens for the open model. */
import { sha256 } from '../base/digest';
import { TabtuneError } from '../base/errors';
import type { AugmentOptions } from '../data/augment';
import { isMix } from '../data/mix';
import { weighted } from '../data/mix-weights';
import type { Leak, NearGroup } from '../data/near-duplicates';
import type { ParsedDataset, TokenizedDataset, TokenizedExample, TokenView } from '../data/types';
import type { WrittenRow, WrittenRows } from '../data/written-row';
import { textObjective } from '../objectives';
import { lengthInputs } from '../recipe/length-inputs';
import { fieldsAboutTheFile, mixOf, readingOf } from '../recipe/sections';
import type { DatasetSection, Recipe } from '../recipe/types';
import { deleteFile, listFiles, noteFile, putFiles, readFile } from '../storage/files';
import { originalId } from '../storage/original-id';
import type { FileFacts, InputFingerprint } from '../storage/types';
import type { AugmentPreview, Progress } from '../workers/data/api';
import { builtinUrl, fetchBytes, noSuch } from './builtin-datasets';
import type { DataHost, DatasetFile, Reading } from './data-host';
import { alone, mixedFile, type SourceSection } from './mixed-file';
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

/** A part of them must not take the page or the worker long. */
const WRITTEN_AT_ONCE = 500;

interface Cached {
  model: OpenModel;
  key: string;
  result: Promise<TokenizedDataset>;
}

export const fileOf = (source: string) => `dataset/${source.slice('file:'.length)}`;

export class DataSession {
  private cached: Cached | null = null;
  /** By file and recipe: the longest limit that fits in memory, null if every example does. */
  private readonly fitting = new Map<string, number | null>();
  private base: { model: OpenModel; key: string; result: Promise<TokenizedExample[]> } | null = null;
  /** How each dataset was last opened, so that it is read the same way after an edit. */
  private readonly sections = new Map<string, SourceSection>();
  /** What the files held that were read in this tab, by their keys. */
  private readonly contents = new Map<string, InputFingerprint>();
  /** Counts writes in this tab, because timestamps alone cannot distinguish two quick edits. */
  private writes = 0;

  constructor(private readonly needs: DataNeeds) {}

  async open(section: SourceSection, how?: Reading): Promise<ParsedDataset> {
    this.sections.set(section.source, section);
    const dataset = await this.needs.data.parse(await this.file(section), how);
    void this.note(section, { examples: dataset.examples.length });
    return dataset;
  }

  /** The examples of a dataset, which stays as the screen has opened it. */
  async examples(section: DatasetSection): Promise<ParsedDataset> {
    return this.needs.data.parse(await this.file(section));
  }

  /** Reads a file again after it has been written, in the way that it was opened. */
  async reopen(source: string): Promise<ParsedDataset> {
    return this.open(this.sectionOf(source));
  }

  /** The person's own file that is open, for an edit. The rows of a mix have other numbers than in their files. */
  openFile(source: string): Promise<DatasetFile> {
    const section = this.sectionOf(source);
    const own = source.startsWith('file:');
    if (own && !isMix(section)) return this.file(section);
    throw new TabtuneError({
      code: 'bad_data',
      message: own ? 'The rows of a mix cannot be edited.' : 'Built-in datasets cannot be edited.',
      where: source,
      action: own ? 'Open the file by itself to edit its rows.' : 'Open a file of your own to edit its rows.',
    });
  }

  /** Stores a file in this browser under its name, in place of another, and returns its source. */
  async import(file: File): Promise<string> {
    const source = `file:${storedName(file.name, 'dataset.txt')}`;
    await this.store(source, [{ id: fileOf(source), source: file }]);
    await deleteFile(originalId(fileOf(source)));
    return source;
  }

  /** What was read under a key of its own has been stored under this source. */
  async adopt(key: string, section: SourceSection, examples: number): Promise<void> {
    this.sections.set(section.source, section);
    this.needs.data.rename(key, (await this.file(section)).key);
    await this.note(section, { examples, addedAt: Date.now() });
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

  /** The rows of both sides for another trainer's files. */
  async written(recipe: Recipe): Promise<WrittenRows> {
    const { rows } = await this.tokenize(recipe);
    const file = await this.file(recipe.dataset);
    const { dataset, objective, training } = recipe;
    const side = (wanted: Int32Array) =>
      this.needs.data.look(file, async (worker) => {
        const written: WrittenRow[] = [];
        for (let at = 0; at < wanted.length; at += WRITTEN_AT_ONCE) {
          const part = wanted.subarray(at, at + WRITTEN_AT_ONCE);
          written.push(...(await worker.writeRows(part, dataset, objective)));
        }
        return written;
      });
    const weights = mixOf(dataset).map(({ weight }) => weight);
    let train = rows.train;
    if (weights.length > 1 || weights[0] !== 1) {
      const { examples } = await this.examples(dataset);
      const from = new Map(examples.map((example) => [example.row, example.from ?? 0]));
      train = Int32Array.from(weighted([...train], (row) => from.get(row)!, weights, training.seed));
    }
    return { train: await side(train), validation: await side(rows.validation) };
  }

  async viewTokens(recipe: Recipe, row: number): Promise<TokenView> {
    const model = this.needs.model(recipe.model.source);
    const { maxLength } = await this.tokenize(recipe);
    return this.needs.data.viewTokens(model.tokenizer, await this.file(recipe.dataset), recipe, row, maxLength);
  }

  async augmentPreview(recipe: Recipe, options: AugmentOptions, most: number): Promise<AugmentPreview> {
    const { rows } = await this.tokenize(recipe);
    const file = await this.file(recipe.dataset);
    return this.needs.data.look(file, (worker) => worker.augmentPreview(options, rows.validation, most));
  }

  /** Stores the dataset with its new examples as another one, and returns its source. */
  async augment(recipe: Recipe, options: AugmentOptions, onProgress: Progress, signal?: AbortSignal): Promise<string> {
    const { rows } = await this.tokenize(recipe);
    const file = await this.file(recipe.dataset);
    const bytes = await this.needs.data.look(file, (worker) =>
      worker.augment(options, rows.validation, onProgress, signal),
    );
    const stem = file.name.replace(/\.[^.]*$/, '').slice(0, 80);
    const taken = new Set((await listFiles('dataset')).map(({ name }) => name));
    let name = `${stem} augmented.jsonl`;
    for (let n = 2; taken.has(name); n++) name = `${stem} augmented (${n}).jsonl`;
    return this.import(new File([bytes], name));
  }

  async nearDuplicates(section: DatasetSection, onProgress: Progress, signal?: AbortSignal): Promise<NearGroup[]> {
    const file = await this.file(section);
    return this.needs.data.look(file, (worker) => worker.nearDuplicates(onProgress, signal));
  }

  async leaks(recipe: Recipe, onProgress: Progress, signal?: AbortSignal): Promise<Leak[]> {
    const { rows } = await this.tokenize(recipe);
    const file = await this.file(recipe.dataset);
    return this.needs.data.look(file, (worker) => worker.leaks(rows.train, rows.validation, onProgress, signal));
  }

  /** Text like the base model's training data, if replay, EWC or the measurement of forgetting needs it. */
  async baseText(recipe: Recipe): Promise<TokenizedExample[]> {
    const section = baseSection(recipe);
    if (section === null) return [];
    const { maxLength } = await this.tokenize(recipe);
    return this.baseTextOf(recipe.model.source, section, maxLength);
  }

  /** The text of a recipe, or the built-in one, in pieces of at most so many tokens. */
  async someBaseText(recipe: Pick<Recipe, 'model' | 'dataset'>, maxLength: number): Promise<TokenizedExample[]> {
    const source = recipe.dataset.base_text ?? BUILTIN_BASE_TEXT;
    return this.baseTextOf(recipe.model.source, asBaseText(recipe.dataset, source), maxLength);
  }

  private async baseTextOf(
    modelSource: string,
    section: DatasetSection,
    maxLength: number,
  ): Promise<TokenizedExample[]> {
    const model = this.needs.model(modelSource);
    const file = await this.file(section);
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

  /** Writes what a source consists of. Throws if a run needs the source as it is. */
  async store(source: string, files: { id: string; source: Blob | Uint8Array }[]): Promise<void> {
    this.needs.onSave();
    await this.needs.whileUnused(source, () => putFiles(files));
    this.writes++;
  }

  private sectionOf(source: string): SourceSection {
    const section = this.sections.get(source);
    if (!section) throw noSuch(source, 'This dataset is not open.');
    return section;
  }

  /** For the shelf: what is in a file, and how it was read. Nothing depends on it, so a failure is no one's concern. */
  private async note(section: SourceSection, facts: FileFacts): Promise<void> {
    // What a file is mixed with is no part of it.
    if (!section.source.startsWith('file:') || isMix(section)) return;
    const reading = Object.fromEntries(
      fieldsAboutTheFile.filter((name) => name in section).map((name) => [name, section[name as keyof SourceSection]]),
    );
    await noteFile(fileOf(section.source), { ...facts, reading }).catch(() => {});
  }

  /** How to read a dataset. The key distinguishes files stored one after another under the same name. */
  private async file(section: SourceSection): Promise<DatasetFile> {
    const { source } = section;
    const reading = readingOf(section);
    if (isMix(section)) {
      const onRead = async (key: string, bytes: ArrayBuffer) => void this.contents.set(key, await fingerprintOf(bytes));
      return mixedFile(section, (one) => this.file(one), onRead);
    }
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
  return source === null ? null : asBaseText(dataset, source);
}

const asBaseText = (dataset: DatasetSection, source: string): DatasetSection => ({
  ...dataset,
  ...{ source, format: 'auto', columns: null, ...alone },
});

const fingerprintOf = async (bytes: ArrayBuffer): Promise<InputFingerprint> => ({
  sha256: await sha256(bytes),
  bytes: bytes.byteLength,
});

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
