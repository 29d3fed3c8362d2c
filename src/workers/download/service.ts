/** Downloads models in a worker, writing files in place off the page's thread. */
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
import { seldom } from '../seldom';

export interface DownloadApi {
  /**
   * Fetches the missing parts of a model and verifies it. For a partial download, the stored manifest says what is
   * missing. Waits if another tab is downloading the model. Rejects with `cancelled` when the signal fires.
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
    const isTurn = (now: Progress, before: Progress) =>
      now.state !== before.state || now.file !== before.file || now.note !== before.note;
    const progress = seldom(onProgress, isTurn);
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

/** The given manifest, with the progress already made on files that have not changed. */
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
