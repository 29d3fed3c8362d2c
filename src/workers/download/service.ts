/** Downloads as a worker of their own does them: files are written where they will lie, off the page's thread. */
import {
  bytesOf,
  isComplete,
  type Manifest,
  modelLock,
  readManifest,
  receivedOf,
  writeManifest,
} from '../../hub/cache';
import type { HubSettings } from '../../hub/descriptions';
import { downloadFiles, type Progress } from '../../hub/downloader';
import { HubClient } from '../../hub/hub-client';
import { type FileStore, opfs } from '../../storage/opfs';
import { ensureSpace } from '../../storage/usage';

export interface DownloadApi {
  /**
   * Fetches what is missing of a model and verifies it; of one that is here in part, the manifest that lies with it
   * counts. Waits for another tab that is at it. Rejects with `cancelled` when the signal fires.
   */
  download(
    manifest: Manifest,
    settings: HubSettings,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

export interface DownloadParts {
  store?: FileStore;
  locks?: Pick<LockManager, 'request'> | null;
  backOff?: readonly number[];
}

/** A page that draws more often than this gains nothing. */
const TELL_EVERY_MS = 150;
const REPEAT_MS = 500;

export function createDownloadService(parts: DownloadParts = {}): DownloadApi {
  const { store = opfs, backOff } = parts;
  const locks = parts.locks === undefined ? (globalThis.navigator?.locks ?? null) : parts.locks;

  async function fetchModel(
    given: Manifest,
    settings: HubSettings,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const manifest = merge(given, await readManifest(given.source, store));
    if (!isComplete(manifest)) await ensureSpace(bytesOf(manifest.files) - receivedOf(manifest));
    await writeManifest(manifest, store);
    const client = new HubClient(settings);
    const progress = seldom(onProgress);
    try {
      await downloadFiles({ manifest, store, client, signal, onProgress: progress.tell, backOff });
    } finally {
      progress.end();
    }
  }

  return {
    async download(manifest, settings, onProgress, signal) {
      const work = () => fetchModel(manifest, settings, onProgress, signal);
      await (locks ? locks.request(modelLock(manifest.source), { signal }, work) : work());
    },
  };
}

/** What is here already of files that are still the same. */
function merge(given: Manifest, known: Manifest | null): Manifest {
  if (!known) return given;
  const files = given.files.map((file) => {
    const old = known.files.find(({ name }) => name === file.name);
    const same = old && old.size === file.size && old.sha256 === file.sha256 && old.sha1 === file.sha1;
    return same ? old : file;
  });
  const revisions = [...new Set([...known.revisions, ...given.revisions])];
  return { ...given, files, revisions, createdAt: known.createdAt };
}

/**
 * Passes on changes of state and file at once, bytes now and then, and where it stands once in a while: a connection
 * that has gone silent shows as a rate that falls to nothing.
 */
function seldom(onProgress: (progress: Progress) => void): { tell(progress: Progress): void; end(): void } {
  let last: Progress | null = null;
  let at = 0;
  const send = () => {
    if (!last) return;
    at = Date.now();
    onProgress(last);
  };
  const timer = setInterval(send, REPEAT_MS);
  return {
    tell(progress) {
      const turn = progress.state !== last?.state || progress.file !== last.file || progress.note !== last.note;
      last = progress;
      if (turn || Date.now() - at >= TELL_EVERY_MS) send();
    },
    end: () => clearInterval(timer),
  };
}
