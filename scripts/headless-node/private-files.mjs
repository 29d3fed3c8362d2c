// The origin private file system of a browser, in a folder: what src/storage uses of it.
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openAsBlob, openSync, readSync, writeSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** A browser's error in the place of the system's. */
function domError(cause, name) {
  const kinds = { ENOENT: 'NotFoundError', ENOSPC: 'QuotaExceededError', EDQUOT: 'QuotaExceededError' };
  return new DOMException(`${name}: ${cause.message}`, kinds[cause.code] ?? 'InvalidStateError');
}

async function mapped(name, work) {
  try {
    return await work();
  } catch (cause) {
    throw domError(cause, name);
  }
}

function mappedNow(name, work) {
  try {
    return work();
  } catch (cause) {
    throw domError(cause, name);
  }
}

/** A file opened for reading and writing in place. */
class AccessHandle {
  constructor(name, file) {
    this.name = name;
    this.fd = mappedNow(name, () => openSync(file, 'r+'));
  }
  getSize() {
    return mappedNow(this.name, () => fstatSync(this.fd).size);
  }
  read(into, { at = 0 } = {}) {
    return mappedNow(this.name, () => readSync(this.fd, into, 0, into.byteLength, at));
  }
  write(bytes, { at = 0 } = {}) {
    return mappedNow(this.name, () => writeSync(this.fd, bytes, 0, bytes.byteLength, at));
  }
  truncate(size) {
    mappedNow(this.name, () => ftruncateSync(this.fd, size));
  }
  flush() {
    mappedNow(this.name, () => fsyncSync(this.fd));
  }
  close() {
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }
}

class FileHandle {
  kind = 'file';
  constructor(name, place) {
    this.name = name;
    this.place = place;
  }
  /** Its bytes are read when somebody asks for them. */
  getFile() {
    return mapped(this.name, async () => new File([await openAsBlob(this.place)], this.name));
  }
  /** What is written replaces the file when it is closed. */
  async createWritable() {
    const pieces = [];
    const { name, place } = this;
    return {
      write: async (piece) => void pieces.push(piece),
      close: () =>
        mapped(name, async () => {
          const beside = `${place}.${process.pid}.new`;
          await writeFile(beside, new Uint8Array(await new Blob(pieces).arrayBuffer()));
          await rename(beside, place);
        }),
    };
  }
  async createSyncAccessHandle() {
    return new AccessHandle(this.name, this.place);
  }
}

class DirectoryHandle {
  kind = 'directory';
  constructor(name, place) {
    this.name = name;
    this.place = place;
  }
  inside(name) {
    if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
      throw new TypeError(`${name}: not a name of a file.`);
    }
    return path.join(this.place, name);
  }
  getDirectoryHandle(name, { create = false } = {}) {
    const place = this.inside(name);
    return mapped(name, async () => {
      if (create) await mkdir(place, { recursive: true });
      if (!(await stat(place)).isDirectory()) throw new Error('not a folder');
      return new DirectoryHandle(name, place);
    });
  }
  getFileHandle(name, { create = false } = {}) {
    const place = this.inside(name);
    return mapped(name, async () => {
      await (await open(place, create ? 'a' : 'r')).close();
      return new FileHandle(name, place);
    });
  }
  removeEntry(name, { recursive = false } = {}) {
    const place = this.inside(name);
    return mapped(name, () => rm(place, { recursive }));
  }
  async *entries() {
    for (const entry of await mapped(this.name, () => readdir(this.place, { withFileTypes: true }))) {
      const place = path.join(this.place, entry.name);
      const handle = entry.isDirectory() ? new DirectoryHandle(entry.name, place) : new FileHandle(entry.name, place);
      yield [entry.name, handle];
    }
  }
}

/** A `getDirectory` for navigator.storage. */
export const privateFiles = (folder) => async () => {
  await mapped(folder, () => mkdir(folder, { recursive: true }));
  return new DirectoryHandle('', folder);
};
