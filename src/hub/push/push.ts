/**
 * Sends files to a repository of the Hub: makes it if needed, uploads what is large and not there yet, and commits everything at once.
 * Until the commit nothing is to be seen there. It can be cut at any point and started again.
 */
import { TabtuneError } from '../../base/errors';
import { Sha256 } from '../../storage/sha256';
import type { HubSettings } from '../descriptions';
import { isSafePath } from '../hub-id';
import { type Fetch, pause } from '../hub-requests';
import { BACK_OFF, delayFor } from '../retry';
import { fitCard } from './card';
import { type CommitFile, type FileMode, PushClient } from './client';
import { ConflictError, TakenError } from './errors';
import { checkRepo } from './names';
import { sendObject } from './object';
import type { Put } from './put';
import type { PartialUpload, Pushed, PushFile, PushOrder, PushProgress, PushTarget, Remembered } from './types';

export interface PushJob {
  order: PushOrder;
  settings: HubSettings;
  /** Uploads that have begun, of this or other orders. */
  partials: PartialUpload[];
  put: Put;
  onProgress(progress: PushProgress): void;
  remember(what: Remembered): void;
  signal: AbortSignal;
  backOff?: readonly number[];
  fetch?: Fetch;
}

const HASHED_AT_ONCE = 4 * 2 ** 20;

interface Sized extends PushFile {
  mode: FileMode;
  /** As the Hub names its bytes: SHA-256 of large files, git's blob id of others. */
  oid: string;
}

export const pushFiles = (job: PushJob): Promise<Pushed> => new Push(job).run();

class Push {
  private id: string;
  private readonly client: PushClient;
  private readonly notes: string[] = [];

  constructor(private readonly job: PushJob) {
    this.id = job.order.repo;
    this.client = new PushClient(job.settings, (id) => this.renamed(id), job.fetch);
  }

  async run(): Promise<Pushed> {
    const { order, signal } = this.job;
    checkRepo(order.repo);
    checkPaths(order.files);
    this.tell('preparing', null, 0, 0);
    const files = await this.withFittingCard(order.files);
    const target = await this.open();
    const modes = await this.client.modes(this.id, files, signal);
    const ignored = modes.filter((mode) => mode.ignored).map(({ path }) => path);
    if (ignored.length > 0) this.notes.push(`Left out by the repository’s .gitignore: ${ignored.join(', ')}.`);
    const sized = await this.hashed(
      files,
      modes.filter((mode) => !mode.ignored),
    );
    const changed = sized.filter(({ mode, oid }) => mode.oid !== oid);
    if (changed.length === 0 && target.commit !== null) {
      this.notes.push('The repository holds exactly these files already, so there is no new commit.');
      return this.pushed(target.commit);
    }
    await this.upload(changed.filter(({ mode }) => mode.mode === 'lfs'));
    this.tell('committing', null, 0, 0);
    return this.pushed(await this.commit(changed, target.commit));
  }

  /** The repository, made if it is not there. */
  private async open(): Promise<PushTarget> {
    const { order, signal } = this.job;
    const found = await this.client.target(this.id, signal);
    if (found) {
      if (found.id !== this.id) this.renamed(found.id);
      if (!order.addTo) throw new TakenError({ where: found.id }, found.id, true);
      return found;
    }
    await this.client.create(this.id, order.private, signal);
    const made = await this.client.target(this.id, signal);
    if (!made) throw this.notMade('It was created, but cannot be read.');
    // A server that does not know the request may make it as it likes.
    if (made.private !== order.private) {
      throw this.notMade(`It was made ${made.private ? 'private' : 'public'}, as the owner’s settings may demand.`);
    }
    return made;
  }

  private notMade(why: string): TabtuneError {
    return new TabtuneError({
      code: 'access',
      message: `${this.id} is not as you asked for. ${why} Nothing was uploaded.`,
      where: this.id,
      action: 'Look at it on the Hub. To use it as it is, push again and confirm.',
    });
  }

  /** Before anything is made or sent, because the Hub would refuse everything for it in the end. */
  private async withFittingCard(files: PushFile[]): Promise<PushFile[]> {
    const card = files.find(({ path }) => path === 'README.md');
    if (!card) return files;
    const { text, notes } = await fitCard(await card.blob.text(), (content) =>
      this.client.cardErrors(content, this.job.signal),
    );
    this.notes.push(...notes);
    return files.map((file) => (file === card ? { path: card.path, blob: new Blob([text]) } : file));
  }

  private async hashed(files: PushFile[], modes: FileMode[]): Promise<Sized[]> {
    const { remember } = this.job;
    const byPath = new Map(files.map((file) => [file.path, file]));
    const large = modes.filter(({ mode, path }) => mode === 'lfs' && byPath.get(path)!.sha256 === undefined);
    const total = large.reduce((sum, { path }) => sum + byPath.get(path)!.blob.size, 0);
    const sized: Sized[] = [];
    let done = 0;
    for (const mode of modes) {
      const file = byPath.get(mode.path)!;
      if (mode.mode === 'regular') sized.push({ ...file, mode, oid: await gitBlobId(file.blob) });
      else if (file.sha256 !== undefined) sized.push({ ...file, mode, oid: file.sha256 });
      else {
        const oid = await this.sha256(file.blob, (bytes) => this.tell('hashing', file.path, done + bytes, total));
        done += file.blob.size;
        remember({ kind: 'hash', path: file.path, sha256: oid });
        sized.push({ ...file, mode, oid });
      }
    }
    return sized;
  }

  private async sha256(blob: Blob, onHashed: (bytes: number) => void): Promise<string> {
    const hash = new Sha256();
    for (let at = 0; at < blob.size; at += HASHED_AT_ONCE) {
      this.job.signal.throwIfAborted();
      const piece = new Uint8Array(await blob.slice(at, at + HASHED_AT_ONCE).arrayBuffer());
      hash.update(piece);
      onHashed(at + piece.length);
      // Lets a cancellation in.
      await pause(0, this.job.signal);
    }
    return hash.digest();
  }

  private async upload(files: Sized[]): Promise<void> {
    const { partials, put, remember, signal, backOff } = this.job;
    // Storage keeps the same bytes once, under whatever names.
    const once = [...new Map(files.map((file) => [file.oid, file])).values()];
    const total = once.reduce((sum, { blob }) => sum + blob.size, 0);
    let done = 0;
    for (const { path, blob, oid } of once) {
      const same = (one: PartialUpload) =>
        one.sha256 === oid && one.size === blob.size && one.repo === this.id && one.endpoint === this.client.endpoint;
      const partial = partials.find(same) ?? null;
      const onSent = (bytes: number) => this.tell('uploading', path, done + bytes, total);
      const file = { path, blob, sha256: oid };
      await sendObject({ client: this.client, put, repo: this.id, file, partial, remember, onSent, signal, backOff });
      done += blob.size;
    }
  }

  /**
   * If others commit meanwhile, once more after theirs. An answer may be lost although the commit was made; its parent keeps it from
   * being made twice.
   */
  private async commit(files: Sized[], parent: string | null): Promise<string> {
    const { order, signal, backOff = BACK_OFF } = this.job;
    const content: CommitFile[] = await Promise.all(
      files.map(async ({ path, blob, mode, oid }) =>
        mode.mode === 'lfs'
          ? { path, sha256: oid, size: blob.size }
          : { path, bytes: new Uint8Array(await blob.arrayBuffer()) },
      ),
    );
    let after = parent;
    for (let failures = 0; ; failures++) {
      try {
        return await this.client.commit(this.id, { message: order.message, parent: after, files: content }, signal);
      } catch (cause) {
        signal.throwIfAborted();
        const conflict = cause instanceof ConflictError;
        const delay = conflict ? 0 : delayFor(cause, backOff[failures]);
        if (delay === null) throw cause;
        await pause(delay, signal);
        const now = await this.client.target(this.id, signal);
        if (now && now.commit !== after) {
          if (await this.holds(files)) return now.commit!;
          if (after !== parent) throw cause;
          after = now.commit;
          this.notes.push('The repository was changed meanwhile. Your commit follows that change.');
        } else if (conflict) throw cause;
      }
    }
  }

  /** Whether the repository has all of these files now. */
  private async holds(files: Sized[]): Promise<boolean> {
    const modes = await this.client.modes(this.id, files, this.job.signal);
    return files.every(({ path, oid }) => modes.some((mode) => mode.path === path && mode.oid === oid));
  }

  private renamed(id: string): void {
    if (id === this.id) return;
    this.notes.push(`${this.id} is now called ${id}. The files went there.`);
    this.id = id;
  }

  private pushed(commit: string): Pushed {
    return { id: this.id, url: `${this.client.endpoint}/${this.id}`, commit, notes: this.notes };
  }

  private tell(phase: PushProgress['phase'], file: string | null, done: number, total: number): void {
    this.job.onProgress({ phase, file, done, total });
  }
}

function checkPaths(files: readonly PushFile[]): void {
  const seen = new Set<string>();
  for (const { path } of files) {
    const good = isSafePath(path) && !/^\.git(\/|$)/i.test(path) && !seen.has(path);
    seen.add(path);
    if (good) continue;
    throw new TabtuneError({
      code: 'internal',
      message: `A repository cannot hold a file called ${path}, or it is listed twice.`,
      where: path,
    });
  }
  if (files.length === 0) throw new TabtuneError({ code: 'internal', message: 'There are no files to push.' });
}

async function gitBlobId(blob: Blob): Promise<string> {
  const bytes = await new Blob([`blob ${blob.size}\0`, blob]).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-1', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
