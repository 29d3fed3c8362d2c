/**
 * Files that people add, kept between visits: datasets as `dataset/NAME`, sets of prompts as `prompts/NAME`, what a model
 * is writing as `draft/NAME`, model
 * folders as `model/NAME/FILE`. A folder is stored completely or not at all. A dataset that has been edited has the file that
 * was added as `original/NAME` beside it.
 */
import { get } from 'idb-keyval';
import { TabtuneError } from '../base/errors';
import {
  type BlobManifest,
  BlobReader,
  type BytesSource,
  deleteBlobs,
  discardBlobs,
  type SourceContext,
  writeBlob,
  writing,
} from './chunks';
import { guarded, openDatabase, store, transact } from './database';
import { originalId } from './original-id';
import type { FileFacts, StoredFile } from './types';
import { ensureSpace } from './usage';

interface FileRecord extends StoredFile, BlobManifest {}

/** A file's id is its path in the store, which has only these folders. */
function check(id: string): void {
  const [kind, ...rest] = id.split('/');
  const valid =
    ['dataset', 'original', 'model', 'prompts', 'draft'].includes(kind!) &&
    rest.every((part) => part !== '' && part !== '..');
  if (valid && rest.length > 0) return;
  throw new TabtuneError({ code: 'internal', message: `"${id}" is not a valid name for a stored file.` });
}

const basename = (id: string): string => id.slice(id.lastIndexOf('/') + 1);
const entryOf = ({ id, name, size, createdAt, facts }: FileRecord): StoredFile => ({
  ...{ id, name, size, createdAt },
  ...(facts && { facts }),
});

/** The ids `folder/…`; '0' is the character after '/'. */
const inside = (folder: string): IDBKeyRange => IDBKeyRange.bound(`${folder}/`, `${folder}0`, false, true);

function context(id: string): SourceContext {
  return { where: basename(id), code: id.startsWith('model/') ? 'bad_model' : 'bad_data' };
}

/** Stores a file, replacing any with the same id. */
export async function putFile(id: string, source: BytesSource): Promise<StoredFile> {
  const [stored] = await put([{ id, source }], null);
  return stored!;
}

/** Stores several files in one step: all of them, or none. */
export function putFiles(files: { id: string; source: BytesSource }[]): Promise<StoredFile[]> {
  return put(files, null);
}

/** Stores all files of a model folder `model/NAME`, or none. Replaces any folder with that name. */
export function putFolder(folder: string, files: { name: string; source: BytesSource }[]): Promise<StoredFile[]> {
  return put(
    files.map(({ name, source }) => ({ id: `${folder}/${name}`, source })),
    folder,
  );
}

async function put(files: { id: string; source: BytesSource }[], folder: string | null): Promise<StoredFile[]> {
  for (const { id } of files) check(id);
  await ensureSpace(files.reduce((sum, { source }) => sum + knownSize(source), 0));
  return writing(async () => {
    const records: FileRecord[] = [];
    try {
      for (const { id, source } of files) {
        const manifest = await writeBlob(source, context(id));
        records.push({ id, name: basename(id), createdAt: Date.now(), ...manifest });
      }
      await transact('saving the file', ['files', 'chunks'], 'strict', async (transaction) => {
        const store = transaction.objectStore('files');
        const replaced: FileRecord[] = folder === null ? [] : await store.getAll(inside(folder));
        for (const { id } of folder === null ? records : []) replaced.push(...(await store.getAll(id)));
        for (const { id } of replaced) await store.delete(id);
        for (const record of records) {
          // What is known of a file stays with it when it is written again.
          const facts = replaced.find(({ id }) => id === record.id)?.facts;
          await store.put(facts ? { ...record, facts } : record, record.id);
        }
        await deleteBlobs(transaction, replaced);
      });
    } catch (cause) {
      await discardBlobs(records);
      throw cause;
    }
    return records.map(entryOf);
  });
}

function knownSize(source: BytesSource): number {
  if (source instanceof Blob) return source.size;
  return source instanceof Uint8Array ? source.length : 0;
}

/** Opens a file for reading in parts; null if there is no such file. */
export async function openFile(id: string): Promise<BlobReader | null> {
  const record = await guarded(`reading ${basename(id)}`, () => get<FileRecord>(id, store('files')));
  return record ? new BlobReader(record, record.name, 'Delete it and add it again.') : null;
}

/** Reads a whole file. Throws `storage` if it is missing or damaged. */
export async function readFile(id: string): Promise<ArrayBuffer> {
  const reader = await openFile(id);
  if (!reader) {
    throw new TabtuneError({
      code: 'storage',
      message: `${basename(id)} is not stored in this browser.`,
      where: basename(id),
      action: 'Add the file again.',
    });
  }
  return reader.read();
}

/** Lists stored files by id, or only those in `folder` (`dataset`, `model`, `model/NAME`). */
export function listFiles(folder?: string): Promise<StoredFile[]> {
  return guarded('listing the stored files', async () => {
    const db = await openDatabase();
    const records: FileRecord[] = await db.getAll('files', folder === undefined ? undefined : inside(folder));
    return records.map(entryOf);
  });
}

/** Notes what was found in a file. Nothing happens if there is no such file. */
export function noteFile(id: string, facts: FileFacts): Promise<void> {
  return transact('noting what is in a file', ['files'], 'relaxed', async (transaction) => {
    const store = transaction.objectStore('files');
    const record: FileRecord | undefined = await store.get(id);
    if (record) await store.put({ ...record, facts: { ...record.facts, ...facts } }, id);
  });
}

export interface StoredDataset extends StoredFile {
  /** It is not what the person added any more. */
  edited: boolean;
}

/** The datasets, each with whether it differs from the file that was added. */
export function listDatasets(): Promise<StoredDataset[]> {
  return guarded('listing the stored files', async () => {
    const db = await openDatabase();
    const [records, originals]: FileRecord[][] = await Promise.all([
      db.getAll('files', inside('dataset')),
      db.getAll('files', inside('original')),
    ]);
    const hashes = ({ chunks }: FileRecord) => chunks.map(({ sha256 }) => sha256).join();
    const before = new Map(originals!.map((record) => [originalId(record.id, 'dataset'), hashes(record)]));
    return records!.map((record) => {
      const first = before.get(record.id);
      return { ...entryOf(record), edited: first !== undefined && first !== hashes(record) };
    });
  });
}

/** Deletes the file `id` and every file in the folder `id`, if there are any. */
export function deleteFile(id: string): Promise<void> {
  check(id);
  return transact('deleting the file', ['files', 'chunks'], 'relaxed', async (transaction) => {
    const store = transaction.objectStore('files');
    const records: FileRecord[] = [...(await store.getAll(id)), ...(await store.getAll(inside(id)))];
    if (id.startsWith('dataset/')) records.push(...(await store.getAll(originalId(id))));
    for (const record of records) await store.delete(record.id);
    await deleteBlobs(transaction, records);
  });
}
