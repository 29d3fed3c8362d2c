/** Files of exports, with several tabs that share the browser's file system and its locks. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { clearScratch, openScratch, takeScratchFolder } from '../../../src/storage/scratch';
import { FakeLocks } from '../session/fake-worker';

/** As much of the origin private file system as is used here. */
class Directory {
  readonly kind = 'directory';
  readonly inside = new Map<string, Directory | StoredFile>();
  /** Happens once, before anything is listed. */
  beforeListing: (() => Promise<void>) | null = null;

  async getDirectoryHandle(name: string): Promise<Directory> {
    const found = this.inside.get(name) ?? new Directory();
    this.inside.set(name, found);
    return found as Directory;
  }

  async getFileHandle(name: string): Promise<StoredFile> {
    const found = this.inside.get(name) ?? new StoredFile();
    this.inside.set(name, found);
    return found as StoredFile;
  }

  async removeEntry(name: string): Promise<void> {
    if (!this.inside.delete(name)) throw new DOMException(`There is no ${name}.`, 'NotFoundError');
  }

  async *entries() {
    const before = this.beforeListing;
    this.beforeListing = null;
    await before?.();
    yield* [...this.inside];
  }
}

class StoredFile {
  readonly kind = 'file';
  bytes: number[] = [];

  async createSyncAccessHandle() {
    return {
      truncate: (size: number) => void this.bytes.splice(size),
      write: (piece: Uint8Array, { at }: { at: number }) => {
        this.bytes.splice(at, piece.length, ...piece);
        return piece.length;
      },
      getSize: () => this.bytes.length,
      flush: () => {},
      close: () => {},
    };
  }

  getFile = async () => new Blob([new Uint8Array(this.bytes)]);
}

let root: Directory;
let locks: FakeLocks;

/** Opens a tab, whose export has written a file. */
async function openTab() {
  const tab = {};
  vi.stubGlobal('navigator', { storage: { getDirectory: async () => root }, locks: locks.for(tab) });
  const folder = await takeScratchFolder();
  const file = await openScratch(folder, 'weights-1');
  file.write(Uint8Array.of(1, 2, 3).buffer);
  await file.finish();
  return { folder, close: () => locks.drop(tab) };
}

const exported = async () => root.getDirectoryHandle('exports');
const folders = async () => [...(await exported()).inside.keys()];
const files = async (folder: string) => [...(await (await exported()).getDirectoryHandle(folder)).inside.keys()];

beforeEach(() => {
  root = new Directory();
  locks = new FakeLocks();
});
afterEach(() => void vi.unstubAllGlobals());

it('a tab that opens leaves the files of another that is open', async () => {
  const first = await openTab();
  const second = await openTab();
  expect(await folders()).toEqual([first.folder, second.folder]);
  expect(await files(first.folder)).toEqual(['weights-1']);
});

it('a tab that opens deletes what tabs that are gone have left, and nothing else', async () => {
  const [first, second] = [await openTab(), await openTab()];
  first.close();
  const third = await openTab();
  expect(await folders()).toEqual([second.folder, third.folder]);
  expect(await files(second.folder)).toEqual(['weights-1']);
});

it('a tab that exports again deletes its own files only', async () => {
  const [first, second] = [await openTab(), await openTab()];
  await clearScratch(second.folder);
  expect(await folders()).toEqual([first.folder]);
  expect(await files(first.folder)).toEqual(['weights-1']);
});

it('two tabs that open at the same time leave each other’s files', async () => {
  const found: { folder: string }[] = [];
  (await exported()).beforeListing = async () => void found.push(await openTab());
  const first = await openTab();
  expect(await folders()).toEqual([found[0]!.folder, first.folder]);
  expect(await files(found[0]!.folder)).toEqual(['weights-1']);
});
