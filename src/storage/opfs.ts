/**
 * The origin private file system, which stores downloaded models, as directories of files. Large files are written at
 * offsets through sync access handles, which exist only in workers. Everything else also works on the page.
 */
import { TabtuneError } from '../base/errors';
import { within } from '../base/patience';
import { silentStorage, storageError } from './errors';

/** A file open for writing. Nobody else can open it for writing at the same time. */
export interface OpenFile {
  size(): number;
  read(into: Uint8Array, at: number): number;
  write(bytes: Uint8Array, at: number): void;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** Directories one level deep. Names may be any text. */
export interface FileStore {
  directories(): Promise<string[]>;
  /** Null if there is no such file. */
  blob(directory: string, name: string): Promise<Blob | null>;
  /** Replaces a small file atomically: a crash leaves either the old or the new one. */
  replace(directory: string, name: string, text: string): Promise<void>;
  /** Opens a file, creating it if necessary. */
  open(directory: string, name: string): Promise<OpenFile>;
  /** Deletes a directory and its contents, if it exists. */
  remove(directory: string): Promise<void>;
}

const PATIENCE_MS = 120_000;

/** The folder under the file system's root. It must never change, because people's models are in it. */
const ROOT = 'models';

/** File names cannot contain slashes. Percent-encoding decodes the same everywhere. */
const encode = (name: string): string => encodeURIComponent(name).replace(/\./g, '%2E');
const decode = (name: string): string => decodeURIComponent(name);

const isMissing = (cause: unknown): boolean => (cause as { name?: string })?.name === 'NotFoundError';

const isThere = (): boolean => typeof globalThis.navigator?.storage?.getDirectory === 'function';

async function root(): Promise<FileSystemDirectoryHandle> {
  if (!isThere()) {
    throw new TabtuneError({
      code: 'storage',
      message: 'This browser does not allow this page to store models.',
      action: 'Use a newer browser, and open the page over https or from localhost, not in a private window.',
    });
  }
  return (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
}

async function mapped<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await within(work(), PATIENCE_MS, () => silentStorage(doing, PATIENCE_MS));
  } catch (cause) {
    throw storageError(cause, doing);
  }
}

async function orNull<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (cause) {
    if (isMissing(cause)) return null;
    throw cause;
  }
}

export const opfs: FileStore = {
  directories: () =>
    mapped('listing the models', async () => {
      const names: string[] = [];
      // Without a file system, nothing is stored.
      if (!isThere()) return names;
      for await (const [name, handle] of (await root()).entries()) {
        if (handle.kind === 'directory') names.push(decode(name));
      }
      return names.sort();
    }),

  blob: (directory, name) =>
    mapped(`reading ${name}`, () =>
      orNull(async () => {
        const inside = await (await root()).getDirectoryHandle(encode(directory));
        return (await inside.getFileHandle(encode(name))).getFile();
      }),
    ),

  replace: (directory, name, text) =>
    mapped(`saving ${name}`, async () => {
      const inside = await (await root()).getDirectoryHandle(encode(directory), { create: true });
      const file = await inside.getFileHandle(encode(name), { create: true });
      // Writes to a temporary file, which replaces the original when closed.
      const stream = await file.createWritable();
      await stream.write(text);
      await stream.close();
    }),

  open: (directory, name) =>
    mapped(`opening ${name}`, async () => {
      const inside = await (await root()).getDirectoryHandle(encode(directory), { create: true });
      const file = await inside.getFileHandle(encode(name), { create: true });
      const handle = await file.createSyncAccessHandle();
      const guarded = <T>(work: () => T): T => {
        try {
          return work();
        } catch (cause) {
          throw storageError(cause, `saving ${name}`);
        }
      };
      return {
        size: () => guarded(() => handle.getSize()),
        read: (into, at) => guarded(() => handle.read(into as Uint8Array<ArrayBuffer>, { at })),
        write: (bytes, at) =>
          guarded(() => {
            for (let done = 0; done < bytes.length; ) {
              const written = handle.write(bytes.subarray(done) as Uint8Array<ArrayBuffer>, { at: at + done });
              if (written === 0) throw new DOMException('nothing was written', 'QuotaExceededError');
              done += written;
            }
            // Chrome counts bytes as written that are beyond the quota.
            if (handle.getSize() < at + bytes.length) {
              throw new DOMException('the file is shorter than what was written', 'QuotaExceededError');
            }
          }),
        truncate: (size) => guarded(() => handle.truncate(size)),
        flush: () => guarded(() => handle.flush()),
        close: () => handle.close(),
      };
    }),

  remove: (directory) =>
    mapped('deleting the model', async () => {
      const parent = await root();
      await orNull(() => parent.removeEntry(encode(directory), { recursive: true }));
    }),
};
