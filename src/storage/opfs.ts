/**
 * The origin's private file system, as directories of files: where downloaded models lie. Large files are written at
 * offsets through sync access handles, which exist in workers only; everything else works on the page too.
 */
import { TabtuneError } from '../base/errors';
import { storageError } from './errors';

/** A file that is open for writing; nobody else can open it so meanwhile. */
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
  /** Null when there is no such file. */
  blob(directory: string, name: string): Promise<Blob | null>;
  /** Replaces a small file as a whole: a crash leaves the old or the new one. */
  replace(directory: string, name: string, text: string): Promise<void>;
  /** Creates the file when there is none. */
  open(directory: string, name: string): Promise<OpenFile>;
  /** Deletes a directory with all in it; nothing happens when there is none. */
  remove(directory: string): Promise<void>;
}

/** The folder under the file system's root. For ever: people's models are in it. */
const ROOT = 'models';

/** File names know no slash; percent-encoding is read back the same everywhere. */
const encode = (name: string): string => encodeURIComponent(name).replace(/\./g, '%2E');
const decode = (name: string): string => decodeURIComponent(name);

const isMissing = (cause: unknown): boolean => (cause as { name?: string })?.name === 'NotFoundError';

const isThere = (): boolean => typeof globalThis.navigator?.storage?.getDirectory === 'function';

async function root(): Promise<FileSystemDirectoryHandle> {
  if (!isThere()) {
    throw new TabtuneError({
      code: 'storage',
      message: 'This browser does not let the page keep models.',
      action: 'Open the page over https or from localhost, outside private browsing, in a newer browser.',
    });
  }
  return (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
}

async function mapped<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
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
      // Where nothing can be kept, nothing is.
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
      // Writes beside the file, and takes its place when closed.
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
