/**
 * Large byte strings in IndexedDB. A single record of a few hundred megabytes fails or crashes the tab, so bytes are
 * split into chunks of at most 16 MiB, each with its SHA-256. Chunks are written first, under a new blob id, and count
 * only once a manifest that lists them is committed. Anything left by a crash is therefore invisible, and
 * `collectGarbage` deletes it.
 */
import { get, set } from 'idb-keyval';
import { sha256, sha256OfText } from '../base/digest';
import { type ErrorCode, TabtuneError } from '../base/errors';
import { guarded, keysOf, openDatabase, store, transact, type WriteTransaction } from './database';
import { damaged } from './errors';

export const CHUNK_BYTES = 16 * 2 ** 20;

/** Lists the chunks of a blob, with keys [blob, 0], [blob, 1], …; all but the last have the same size. */
export interface BlobManifest {
  blob: string;
  /** Total bytes. */
  size: number;
  chunks: { size: number; sha256: string }[];
}

export type BytesSource = Blob | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** For errors about the source: its name and the error code. */
export interface SourceContext {
  where: string;
  code: Extract<ErrorCode, 'bad_data' | 'bad_model' | 'internal'>;
}

/** The same for the same bytes, and known without reading them: the hash of the chunks' hashes. */
function contentHash({ chunks }: BlobManifest): Promise<string> {
  return sha256OfText(chunks.map((chunk) => chunk.sha256).join());
}

async function* cutBlob(blob: Blob): AsyncGenerator<ArrayBuffer> {
  for (let start = 0; start < blob.size; start += CHUNK_BYTES) {
    yield await blob.slice(start, start + CHUNK_BYTES).arrayBuffer();
  }
}

async function* cutPieces(pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<ArrayBuffer> {
  let chunk = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  for await (const piece of pieces) {
    for (let start = 0; start < piece.length; ) {
      const part = piece.subarray(start, start + CHUNK_BYTES - filled);
      chunk.set(part, filled);
      filled += part.length;
      start += part.length;
      if (filled === CHUNK_BYTES) {
        yield chunk.buffer;
        // A new buffer, because the old one may still be on its way into the database.
        chunk = new Uint8Array(CHUNK_BYTES);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield chunk.slice(0, filled).buffer;
}

/** Errors from reading the source are reported as errors of the file, not of storage. */
async function* readSource(source: BytesSource, context: SourceContext): AsyncGenerator<ArrayBuffer> {
  try {
    if (source instanceof Blob) yield* cutBlob(source);
    else yield* cutPieces(source instanceof Uint8Array ? [source] : source);
  } catch (cause) {
    throw TabtuneError.from(cause, {
      code: context.code,
      message: 'The file could not be read. It may have been changed, moved or deleted after you chose it.',
      where: context.where,
      action: 'Choose it again.',
    });
  }
}

/**
 * Writes the chunks and returns their manifest for the caller to commit. Call it inside `writing()`. On error, no
 * chunks are left behind.
 */
export async function writeBlob(source: BytesSource, context: SourceContext): Promise<BlobManifest> {
  const blob = crypto.randomUUID();
  const manifest: BlobManifest = { blob, size: 0, chunks: [] };
  try {
    for await (const bytes of readSource(source, context)) {
      const hash = await sha256(bytes);
      await guarded(`saving ${context.where}`, () => set([blob, manifest.chunks.length], bytes, store('chunks')));
      manifest.chunks.push({ size: bytes.byteLength, sha256: hash });
      manifest.size += bytes.byteLength;
    }
    return manifest;
  } catch (cause) {
    await discardBlobs([manifest]);
    throw cause;
  }
}

/** Deletes chunks that no manifest lists (yet, or any longer). Never throws: leftovers are garbage-collected later. */
export async function discardBlobs(manifests: readonly BlobManifest[]): Promise<void> {
  try {
    await transact('deleting', ['chunks'], 'relaxed', async (transaction) => deleteBlobs(transaction, manifests));
  } catch {
    // Left for collectGarbage.
  }
}

/** Deletes the chunks of manifests inside a transaction that includes `chunks`. */
export async function deleteBlobs(transaction: WriteTransaction, manifests: readonly BlobManifest[]): Promise<void> {
  await Promise.all(manifests.map(({ blob }) => transaction.objectStore('chunks').delete(keysOf(blob))));
}

/** Reads a blob, checking every chunk it touches against the manifest. Keeps the last chunk in memory. */
export class BlobReader {
  private last: { index: number; bytes: Promise<ArrayBuffer> } | null = null;

  constructor(
    private readonly manifest: BlobManifest,
    private readonly what: string,
    /** What people should do if it is damaged. */
    private readonly action: string,
  ) {}

  get size(): number {
    return this.manifest.size;
  }

  /** Of the whole content. */
  hash(): Promise<string> {
    return contentHash(this.manifest);
  }

  /** Bytes [start, end), clipped to the blob. */
  async read(start = 0, end = this.size): Promise<ArrayBuffer> {
    const to = Math.min(end, this.size);
    const from = Math.min(start, to);
    const result = new Uint8Array(to - from);
    const stride = this.manifest.chunks[0]?.size ?? 1;
    for (let position = from; position < to; ) {
      const index = Math.floor(position / stride);
      const offset = position - index * stride;
      const part = new Uint8Array(await this.chunk(index)).subarray(offset, offset + to - position);
      result.set(part, position - from);
      position += part.length;
    }
    return result.buffer;
  }

  private chunk(index: number): Promise<ArrayBuffer> {
    if (this.last?.index === index) return this.last.bytes;
    const entry = { index, bytes: this.load(index) };
    this.last = entry;
    // A failed read is retried next time.
    entry.bytes.catch(() => {
      if (this.last === entry) this.last = null;
    });
    return entry.bytes;
  }

  private async load(index: number): Promise<ArrayBuffer> {
    const { blob, chunks } = this.manifest;
    const bytes = await guarded(`reading ${this.what}`, () => get<ArrayBuffer>([blob, index], store('chunks')));
    const expected = chunks[index];
    const hash = bytes && (await sha256(bytes));
    if (!bytes || !expected || bytes.byteLength !== expected.size || hash !== expected.sha256) {
      const found = bytes ? `${bytes.byteLength} bytes, sha256 ${hash}` : 'nothing';
      throw damaged(
        this.what,
        this.action,
        `chunk ${index}: expected ${expected?.size} bytes, sha256 ${expected?.sha256}; found ${found}`,
      );
    }
    return bytes;
  }
}

const WRITE_LOCK = 'tabtune-storage-write';
let writers = 0;

/**
 * Runs a write of chunks and manifest during which no tab collects garbage: writers share a Web Lock that the collector
 * needs exclusively.
 */
export async function writing<T>(work: () => Promise<T>): Promise<T> {
  writers++;
  try {
    const locks = globalThis.navigator?.locks;
    return locks ? await locks.request(WRITE_LOCK, { mode: 'shared' }, work) : await work();
  } finally {
    writers--;
  }
}

/**
 * Deletes chunks that no manifest lists, left by writes that a crash or a full disk interrupted. Does nothing while
 * anything is being written. Returns the number of blobs deleted.
 */
export async function collectGarbage(): Promise<number> {
  if (writers > 0) return 0;
  const locks = globalThis.navigator?.locks;
  if (!locks) return sweep();
  return locks.request(WRITE_LOCK, { mode: 'exclusive', ifAvailable: true }, (lock) => (lock ? sweep() : 0));
}

function sweep(): Promise<number> {
  return guarded('cleaning up', async () => {
    const db = await openDatabase();
    const transaction = db.transaction(['files', 'checkpoints', 'chunks'], 'readwrite');
    const [files, checkpoints, keys] = await Promise.all([
      transaction.objectStore('files').getAll() as Promise<BlobManifest[]>,
      transaction.objectStore('checkpoints').getAll() as Promise<{ versions: BlobManifest[] }[]>,
      transaction.objectStore('chunks').getAllKeys() as Promise<[string, number][]>,
    ]);
    const named = new Set([...files, ...checkpoints.flatMap(({ versions }) => versions)].map(({ blob }) => blob));
    const garbage = new Set(keys.map(([blob]) => blob).filter((blob) => !named.has(blob)));
    for (const blob of garbage) transaction.objectStore('chunks').delete(keysOf(blob));
    await transaction.done;
    return garbage.size;
  });
}
