/**
 * Downloads the files of one model in chunks written at their offsets. A download can stop at any byte and resume there
 * after a pause, a broken connection, a reload or a crash. A file counts once its size and hash on disk are right.
 */
import { TabtuneError } from '../base/errors';
import type { FileStore, OpenFile } from '../storage/opfs';
import { Sha256 } from '../storage/sha256';
import { bytesOf, type CachedFile, type Manifest, receivedOf, storedFile, writeManifest } from './cache';
import type { HubClient, Part } from './hub-client';
import { OtherVersion } from './hub-errors';
import { parsePinned } from './hub-id';
import { pause } from './hub-requests';
import { BACK_OFF, delayFor } from './retry';

export interface Progress {
  state: 'downloading' | 'verifying';
  file: string;
  /** Bytes of the model, or of `file` while it is being verified. */
  loaded: number;
  total: number;
  /** A notice for people while the download continues, or null. */
  note: string | null;
}

export interface DownloadJob {
  manifest: Manifest;
  store: FileStore;
  client: HubClient;
  signal: AbortSignal;
  onProgress(progress: Progress): void;
  /** Milliseconds to wait before each retry. */
  backOff?: readonly number[];
  /** How long a connection may be silent, in milliseconds. */
  silence?: number;
}

/** Bytes per request: small enough that losing one costs little, large enough that request overhead does not matter. */
const CHUNK = 16 * 2 ** 20;
/** How often the manifest is updated. */
const SAVE_EVERY_MS = 1000;
const VERIFY_BYTES = 4 * 2 ** 20;
const SILENCE_MS = 45_000;
/** How often a file is restarted after it changed on the server or failed its checksum. */
const RESTARTS = 2;

/** Resolves once every file is downloaded and verified. Rejects with a TabtuneError, or the signal's reason. */
export async function downloadFiles(job: DownloadJob): Promise<void> {
  for (const file of job.manifest.files) if (!file.verified) await new FileDownload(job, file).run();
}

class FileDownload {
  private note: string | null = null;
  private restarts = 0;
  /** Set for a server that sends a new ETag with every response; then only the hash decides. */
  private ignoreEtag = false;
  /** Bytes recorded in the manifest, and the chain of its writes. */
  private saved = 0;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly job: DownloadJob,
    private readonly file: CachedFile,
  ) {}

  async run(): Promise<void> {
    const { store, manifest } = this.job;
    const handle = await store.open(manifest.source, storedFile(this.file.name));
    // Saved by time, not by bytes: even on a slow connection a crash loses about a second of progress at most.
    const timer = setInterval(() => {
      if (this.file.received !== this.saved) void this.save(handle).catch(() => {});
    }, SAVE_EVERY_MS);
    try {
      // After a crash the manifest may claim more bytes than reached the disk.
      this.file.received = Math.min(this.file.received, handle.size());
      do {
        await this.fetchAll(handle);
      } while (!(await this.verify(handle)));
      handle.truncate(this.file.size);
      this.file.verified = true;
      await this.save(handle);
    } finally {
      clearInterval(timer);
      await this.saving.catch(() => {});
      handle.close();
    }
  }

  private async fetchAll(handle: OpenFile): Promise<void> {
    const { signal, backOff = BACK_OFF } = this.job;
    let failures = 0;
    while (this.file.received < this.file.size) {
      const before = this.file.received;
      try {
        await this.fetchChunk(handle);
        failures = 0;
      } catch (cause) {
        await this.save(handle);
        signal.throwIfAborted();
        if (cause instanceof OtherVersion) {
          this.startAgain(handle, cause);
          continue;
        }
        if (this.file.received > before) failures = 0;
        const delay = delayFor(cause, backOff[failures]);
        if (delay === null) throw cause;
        failures++;
        await pause(delay, signal);
      }
    }
    await this.save(handle);
  }

  /** Restarts the file from its first byte, or throws if that was tried often enough. */
  private startAgain(handle: OpenFile, cause: OtherVersion): void {
    const again = this.restarts++ < RESTARTS;
    if (!again) {
      if (cause.details?.startsWith('ETag') !== true || !this.hasHash) throw cause;
      this.ignoreEtag = true;
    }
    this.reset(handle, `${this.file.name} changed on the server during the download, so it is being fetched again.`);
  }

  private get hasHash(): boolean {
    return this.file.sha256 !== null || this.file.sha1 !== null;
  }

  private async fetchChunk(handle: OpenFile): Promise<void> {
    const { client, manifest, signal, silence = SILENCE_MS } = this.job;
    const { id, revision } = parsePinned(manifest.source);
    const { file } = this;
    const end = Math.min(file.size, file.received + CHUNK);
    const quiet = new AbortController();
    let timer = setTimeout(() => quiet.abort(), silence);
    const stillness = AbortSignal.any([signal, quiet.signal]);
    let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
    try {
      const part = await client.part(id, revision, file.name, file.received, end, stillness);
      reader = part.body.getReader();
      this.checkVersion(part);
      while (file.received < end) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(timer);
        timer = setTimeout(() => quiet.abort(), silence);
        if (file.received === 0 && looksLikeHtml(value, file.name)) throw client.htmlInstead(id, file.name);
        const bytes = value.subarray(0, end - file.received);
        handle.write(bytes, file.received);
        file.received += bytes.length;
        this.tell();
      }
    } catch (cause) {
      if (signal.aborted || cause instanceof TabtuneError) throw cause;
      const silent = quiet.signal.aborted ? new Error(`no data for ${silence} ms`) : cause;
      throw client.broken(silent, id, file.name);
    } finally {
      clearTimeout(timer);
      await reader?.cancel().catch(() => {});
    }
    if (file.received < end) throw client.broken(new Error(`ended at byte ${file.received} of ${end}`), id, file.name);
  }

  /** Bytes from two versions of a file must not be joined. */
  private checkVersion({ etag, size }: Part): void {
    const { file } = this;
    const name = etag === null ? null : etag.replace(/^W\//, '').replace(/"/g, '');
    const other = file.received > 0 && file.etag !== null && name !== null && name !== file.etag && !this.ignoreEtag;
    if (name !== null) file.etag = name;
    if (other) throw new OtherVersion(file.name, `ETag ${name} instead of the one before`);
    if (size !== null && size !== file.size) {
      throw new OtherVersion(file.name, `${size} bytes instead of ${file.size}`);
    }
  }

  private reset(handle: OpenFile, note: string): void {
    this.file.received = 0;
    this.file.etag = null;
    this.note = note;
    handle.truncate(0);
    this.tell();
  }

  /** Reads the file back from disk and checks its hash. False if it must be fetched again. */
  private async verify(handle: OpenFile): Promise<boolean> {
    const { file } = this;
    this.report('verifying', 0, file.size);
    const found = await this.hash(handle);
    if (found === (file.sha256 ?? file.sha1)) return true;
    this.reset(handle, `The checksum of ${file.name} is wrong, so it is being fetched again.`);
    await this.save(handle);
    if (this.restarts++ < RESTARTS) return false;
    throw new TabtuneError({
      code: 'network',
      message: `${file.name} differs from the Hub’s copy: its checksum is wrong.`,
      where: file.name,
      action: 'A proxy or filter may be changing or cutting off downloads. Try again on another network.',
      details: `${found} instead of ${file.sha256 ?? file.sha1}`,
    });
  }

  /** Null if the Hub gives no hash. */
  private async hash(handle: OpenFile): Promise<string | null> {
    const { sha256, sha1, size } = this.file;
    const read = (start: number, length: number) => {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const got = handle.read(bytes.subarray(done), start + done);
        if (got === 0) break;
        done += got;
      }
      return bytes;
    };
    if (sha256 !== null) {
      const hash = new Sha256();
      for (let at = 0; at < size; at += VERIFY_BYTES) {
        hash.update(read(at, Math.min(VERIFY_BYTES, size - at)));
        this.report('verifying', Math.min(at + VERIFY_BYTES, size), size);
        // Lets a pause or cancellation take effect.
        await pause(0, this.job.signal);
      }
      return hash.digest();
    }
    if (sha1 === null) return null;
    // A git blob id. Files outside LFS are small.
    const header = new TextEncoder().encode(`blob ${size}\0`);
    const whole = new Uint8Array(header.length + size);
    whole.set(header);
    whole.set(read(0, size), header.length);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', whole));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /** Flushes the bytes first, then writes the manifest that relies on them. */
  private save(handle: OpenFile): Promise<void> {
    const { manifest, store } = this.job;
    this.saving = this.saving
      .catch(() => {})
      .then(() => {
        handle.flush();
        this.saved = this.file.received;
        manifest.updatedAt = Date.now();
        return writeManifest(manifest, store);
      });
    return this.saving;
  }

  private tell(): void {
    const { manifest } = this.job;
    this.report('downloading', receivedOf(manifest), bytesOf(manifest.files));
  }

  private report(state: Progress['state'], loaded: number, total: number): void {
    this.job.onProgress({ state, file: this.file.name, loaded, total, note: this.note });
  }
}

function looksLikeHtml(bytes: Uint8Array, name: string): boolean {
  if (/\.(md|html?|txt)$/i.test(name)) return false;
  return /^\s*<(!doctype\s+html|html|head)\b/i.test(new TextDecoder().decode(bytes.subarray(0, 200)));
}
