/**
 * Files that are written once and read back soon: exports on their way to the disk. They lie in the origin private file system, so that
 * a model of gigabytes is never in memory. Only workers can write there.
 */
import { storageError } from './errors';

/** A file that grows, and is read when it is finished. */
export interface ScratchFile {
  write(bytes: ArrayBuffer): void;
  finish(): Promise<Blob>;
  /** Deletes it. */
  discard(): Promise<void>;
}

const ROOT = 'exports';
const lockOf = (folder: string) => `tabtune-export-${folder}`;
const DOING = 'the exported files';

const isThere = (): boolean => typeof globalThis.navigator?.storage?.getDirectory === 'function';

const directory = async () => (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });

/** Opens a new file in a folder of the tab's own; `inMemory` where the browser has no such file system. */
export async function openScratch(folder: string, name: string): Promise<ScratchFile> {
  if (!isThere()) return inMemory();
  try {
    const inside = await (await directory()).getDirectoryHandle(folder, { create: true });
    const handle = await inside.getFileHandle(name, { create: true });
    const file = await handle.createSyncAccessHandle();
    file.truncate(0);
    let at = 0;
    let closed = false;
    const close = () => {
      if (!closed) file.close();
      closed = true;
    };
    return {
      write(piece) {
        const bytes = new Uint8Array(piece);
        try {
          for (let done = 0; done < bytes.length; ) {
            const written = file.write(bytes.subarray(done), { at: at + done });
            if (written === 0) throw new DOMException('nothing was written', 'QuotaExceededError');
            done += written;
          }
        } catch (cause) {
          throw storageError(cause, DOING);
        }
        at += bytes.length;
        // Chrome counts bytes as written that are beyond the quota.
        if (file.getSize() < at) {
          throw storageError(
            new DOMException('the file is shorter than what was written', 'QuotaExceededError'),
            DOING,
          );
        }
      },
      async finish() {
        file.flush();
        close();
        return handle.getFile();
      },
      async discard() {
        close();
        await inside.removeEntry(name).catch(() => {});
      },
    };
  } catch (cause) {
    throw storageError(cause, DOING);
  }
}

function inMemory(): ScratchFile {
  let pieces: ArrayBuffer[] = [];
  return {
    write: (bytes) => void pieces.push(bytes),
    finish: async () => new Blob(pieces),
    async discard() {
      pieces = [];
    },
  };
}

/**
 * Takes a folder for this tab, for as long as the tab lives, and deletes those of tabs that are gone. Returns its name.
 */
export async function takeScratchFolder(): Promise<string> {
  const folder = crypto.randomUUID();
  const { locks } = navigator;
  if (!isThere() || !locks) return folder;
  await new Promise<void>((taken) => {
    // Held until the tab goes.
    void locks.request(lockOf(folder), () => {
      taken();
      return new Promise(() => {});
    });
  });
  await clearScratch();
  return folder;
}

/** Deletes the folders that no tab holds, or a single one. */
export async function clearScratch(only?: string): Promise<void> {
  if (!isThere()) return;
  try {
    const parent = await directory();
    const names: string[] = [];
    for await (const [name] of parent.entries()) names.push(name);
    // Asked after the list was made: a tab takes its lock before its folder is there.
    const held = new Set(((await navigator.locks?.query())?.held ?? []).map(({ name }) => name));
    for (const name of names) {
      if (only === undefined ? held.has(lockOf(name)) : name !== only) continue;
      // Another tab may delete the same, or a file may still be open in a tab that is just closing: it is tried again later.
      const removed = parent.removeEntry(name, { recursive: true });
      if (only === undefined) await removed.catch(() => {});
      else await removed;
    }
  } catch (cause) {
    throw storageError(cause, 'deleting old exports');
  }
}
