/** The private file system in memory, with a disk that can be full. */
import { storageError } from '../../src/storage/errors';
import type { FileStore, OpenFile } from '../../src/storage/opfs';

export class MemoryStore implements FileStore {
  readonly files = new Map<string, Map<string, Uint8Array>>();
  capacity = Infinity;
  private readonly open_ = new Set<string>();

  private directory(name: string): Map<string, Uint8Array> {
    const found = this.files.get(name) ?? new Map<string, Uint8Array>();
    this.files.set(name, found);
    return found;
  }

  get used(): number {
    let sum = 0;
    for (const files of this.files.values()) for (const bytes of files.values()) sum += bytes.length;
    return sum;
  }

  private put(directory: string, name: string, bytes: Uint8Array): void {
    const before = this.directory(directory).get(name)?.length ?? 0;
    if (this.used - before + bytes.length > this.capacity) {
      throw storageError(new DOMException('full', 'QuotaExceededError'), `saving ${name}`);
    }
    this.directory(directory).set(name, bytes);
  }

  async directories(): Promise<string[]> {
    return [...this.files.keys()].sort();
  }

  async blob(directory: string, name: string): Promise<Blob | null> {
    const bytes = this.files.get(directory)?.get(name);
    return bytes ? new Blob([new Uint8Array(bytes)]) : null;
  }

  async replace(directory: string, name: string, text: string): Promise<void> {
    this.put(directory, name, new TextEncoder().encode(text));
  }

  async open(directory: string, name: string): Promise<OpenFile> {
    const key = `${directory}//${name}`;
    if (this.open_.has(key)) throw new DOMException('open already', 'NoModificationAllowedError');
    this.open_.add(key);
    if (!this.directory(directory).has(name)) this.put(directory, name, new Uint8Array());
    const bytes = () => this.directory(directory).get(name)!;
    return {
      size: () => bytes().length,
      read: (into, at) => {
        const part = bytes().subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      write: (part, at) => {
        const grown = new Uint8Array(Math.max(bytes().length, at + part.length));
        grown.set(bytes());
        grown.set(part, at);
        this.put(directory, name, grown);
      },
      truncate: (size) => {
        const cut = new Uint8Array(size);
        cut.set(bytes().subarray(0, size));
        this.put(directory, name, cut);
      },
      flush: () => {},
      close: () => void this.open_.delete(key),
    };
  }

  async remove(directory: string): Promise<void> {
    if ([...this.open_].some((key) => key.startsWith(`${directory}//`))) {
      throw new DOMException('open', 'NoModificationAllowedError');
    }
    this.files.delete(directory);
  }
}
