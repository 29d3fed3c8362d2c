/**
 * The person's own datasets: adding a file without harm to what is open, the list of those that are kept, and edits with undo.
 * Fetched when it is first needed.
 */
import { sha256 } from '../base/digest';
import { TabtuneError } from '../base/errors';
import type { DatasetEdit } from '../data/edits';
import type { ParsedDataset } from '../data/types';
import type { ReadingSection } from '../recipe/sections';
import { listDatasets, listFiles, readFile } from '../storage/files';
import { originalId } from '../storage/original-id';
import type { DataHost, Reading } from './data-host';
import { type DataSession, fileOf } from './datasets';
import type { AddedDataset, OwnDataset } from './own-datasets-types';
import { storedName } from './stored-name';

/** What a file was before each edit and after each undo. Browsers keep large blobs on disk. */
interface History {
  past: Blob[];
  future: Blob[];
}

const MOST_STEPS = 200;
const MOST_BYTES = 500_000_000;

export class OwnDatasets {
  private readonly histories = new Map<string, History>();
  private added = 0;

  constructor(
    private readonly data: DataHost,
    private readonly datasets: DataSession,
  ) {}

  /**
   * Reads a dropped file, and stores it only if it can be used: what is open stays open until then. A file that is stored
   * already is not stored twice; another one of the same name gets a name of its own.
   */
  async add(file: File, section: ReadingSection, how: Reading = {}): Promise<AddedDataset> {
    const stored = await listFiles('dataset');
    const bytes = await readBytes(file, how);
    const wanted = storedName(file.name, 'dataset.txt');
    for (const { id, name, size } of stored) {
      if (size !== bytes.length || !isVersionOf(name, wanted)) continue;
      if ((await sha256(await readFile(id))) !== (await sha256(bytes))) continue;
      const source = `file:${name}`;
      return { source, dataset: await this.datasets.open({ ...section, source }, how) };
    }
    const name = freeName(wanted, new Set(stored.map(({ name }) => name)));
    const key = `added ${++this.added}`;
    const dataset = await this.data.parse({ key, name, section, read: async () => bytes.buffer }, how);
    how.signal?.throwIfAborted();
    const source = `file:${name}`;
    await this.datasets.store(source, [{ id: fileOf(source), source: file }]);
    await this.datasets.adopt(key, { ...section, source }, dataset.examples.length);
    return { source, dataset };
  }

  async list(): Promise<OwnDataset[]> {
    const files = await listDatasets();
    return files.map(({ name, size, createdAt, facts = {}, edited }) => ({
      source: `file:${name}`,
      name,
      bytes: size,
      addedAt: facts.addedAt ?? createdAt,
      examples: facts.examples ?? null,
      reading: facts.reading ?? {},
      edited,
    }));
  }

  async edit(source: string, edit: DatasetEdit): Promise<ParsedDataset> {
    const file = await this.datasets.openFile(source);
    const before = await file.read();
    const after = await this.data.editDataset(file, edit);
    const original = await has(originalId(fileOf(source)));
    await this.write(source, after, original ? null : before);
    const history = this.historyOf(source);
    history.past.push(new Blob([before]));
    history.future = [];
    trim(history);
    return this.datasets.reopen(source);
  }

  undo(source: string): Promise<ParsedDataset> {
    const { past, future } = this.historyOf(source);
    return this.step(source, past, future);
  }

  redo(source: string): Promise<ParsedDataset> {
    const { past, future } = this.historyOf(source);
    return this.step(source, future, past);
  }

  /** Puts back the file that the person added. It can be undone like an edit. */
  async reset(source: string): Promise<ParsedDataset> {
    const before = await readFile(fileOf(source));
    await this.write(source, await readFile(originalId(fileOf(source))), null);
    const history = this.historyOf(source);
    history.past.push(new Blob([before]));
    history.future = [];
    return this.datasets.reopen(source);
  }

  private async step(source: string, from: Blob[], to: Blob[]): Promise<ParsedDataset> {
    const wanted = from.at(-1);
    if (!wanted) throw new TabtuneError({ code: 'internal', message: 'There is nothing to undo.', where: source });
    const now = await readFile(fileOf(source));
    await this.write(source, await wanted.arrayBuffer(), null);
    from.pop();
    to.push(new Blob([now]));
    return this.datasets.reopen(source);
  }

  private async write(source: string, bytes: ArrayBuffer, original: ArrayBuffer | null): Promise<void> {
    const id = fileOf(source);
    await this.datasets.store(source, [
      { id, source: new Uint8Array(bytes) },
      ...(original ? [{ id: originalId(id), source: new Uint8Array(original) }] : []),
    ]);
  }

  private historyOf(source: string): History {
    const known = this.histories.get(source);
    if (known) return known;
    const history: History = { past: [], future: [] };
    this.histories.set(source, history);
    return history;
  }
}

/** Drops the oldest steps. */
function trim({ past }: History): void {
  let bytes = past.reduce((sum, { size }) => sum + size, 0);
  while (past.length > MOST_STEPS || (bytes > MOST_BYTES && past.length > 1)) bytes -= past.shift()!.size;
}

const has = async (id: string): Promise<boolean> => (await listFiles('original')).some((file) => file.id === id);

const ending = (name: string) => /\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0] ?? '';
const stem = (name: string) => name.slice(0, name.length - ending(name).length);

/** `replies.csv`, or else `replies (2).csv` and so on. */
function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${stem(wanted)} (${n})${ending(wanted)}`;
    if (!taken.has(name)) return name;
  }
}

function isVersionOf(name: string, wanted: string): boolean {
  if (name === wanted) return true;
  const rest = stem(name).slice(stem(wanted).length);
  return name.startsWith(stem(wanted)) && ending(name) === ending(wanted) && /^ \(\d+\)$/.test(rest);
}

/** The bytes of a dropped file, with progress. */
async function readBytes(file: File, { onProgress, signal }: Reading): Promise<Uint8Array<ArrayBuffer>> {
  signal?.throwIfAborted();
  try {
    const bytes = new Uint8Array(file.size);
    const reader = file.stream().getReader();
    let at = 0;
    for (;;) {
      const { done, value } = await reader.read();
      signal?.throwIfAborted();
      if (done) return at === bytes.length ? bytes : bytes.slice(0, at);
      bytes.set(value, at);
      at += value.length;
      onProgress?.({ stage: 'bytes', done: at, total: file.size });
    }
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw TabtuneError.from(cause, {
      code: 'bad_data',
      message: 'The file could not be read. It may have been changed, moved or deleted after you chose it.',
      where: file.name,
      action: 'Choose it again.',
    });
  }
}
