/**
 * Hub models stored in this browser. Each has a directory named by repository and commit, with a manifest that lists
 * its files and how many bytes of each have arrived. A model can be opened once every file is verified.
 */

import { refuse } from '../base/bad-model';
import { TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';
import { type FileStore, opfs } from '../storage/opfs';
import { hubSource, isCommit, parseHubName, parsePinned } from './hub-id';
import type { RepositoryFile } from './hub-info';
import type { ModelFolder } from './types';

export interface CachedFile extends RepositoryFile {
  /** Bytes [0, received) are on disk. */
  received: number;
  /** The server's version tag for those bytes. */
  etag: string | null;
  /** Size and hash matched once the file was complete. */
  verified: boolean;
}

export interface Manifest {
  version: 1;
  /** `hf:ORG/NAME@COMMIT`, followed by `/FILE.gguf` for a GGUF file. */
  source: string;
  /** Branches and tags that pointed to this commit when it was requested. */
  revisions: string[];
  licence: string | null;
  files: CachedFile[];
  createdAt: number;
  /** When bytes were last added. */
  updatedAt: number;
}

const MANIFEST = 'manifest.json';
const USED = 'used.txt';

/** The path of a model file in its directory. The prefix avoids clashes with the two names above. */
export const storedFile = (name: string): string => `files/${name}`;

/** The Web Lock held while writing or deleting the model. */
export const modelLock = (source: string): string => `tabtune-model-${source}`;

export const isComplete = ({ files }: Manifest): boolean => files.every(({ verified }) => verified);

export const bytesOf = (files: readonly { size: number }[]): number => files.reduce((sum, { size }) => sum + size, 0);

export const receivedOf = ({ files }: Manifest): number => files.reduce((sum, { received }) => sum + received, 0);

export function newManifest(
  source: string,
  about: { revision: string | null; licence: string | null; files: RepositoryFile[]; now: number },
): Manifest {
  const { revision, licence, files, now } = about;
  return {
    version: 1,
    source,
    revisions: isCommit(revision) ? [] : [revision ?? 'main'],
    licence,
    files: files.map(({ name, size, sha256, sha1 }) => ({
      name,
      size,
      sha256,
      sha1,
      received: 0,
      etag: null,
      verified: false,
    })),
    createdAt: now,
    updatedAt: now,
  };
}

/** Null if the manifest is missing or unreadable; the model then counts as not downloaded. */
export async function readManifest(source: string, store: FileStore = opfs): Promise<Manifest | null> {
  const blob = await store.blob(source, MANIFEST);
  if (!blob) return null;
  try {
    const manifest = parseUntrusted(await blob.text()) as Manifest;
    return manifest.version === 1 && manifest.source === source && Array.isArray(manifest.files) ? manifest : null;
  } catch {
    return null;
  }
}

export function writeManifest(manifest: Manifest, store: FileStore = opfs): Promise<void> {
  return store.replace(manifest.source, MANIFEST, JSON.stringify(manifest));
}

/** Every stored model, complete or not, newest first. */
export async function listManifests(store: FileStore = opfs): Promise<Manifest[]> {
  const sources = await store.directories();
  const manifests = await Promise.all(sources.map((source) => readManifest(source, store)));
  return manifests.filter((manifest) => manifest !== null).sort((a, b) => b.createdAt - a.createdAt);
}

/** When the model was last opened; null if never. */
export async function lastUsed(source: string, store: FileStore = opfs): Promise<number | null> {
  const time = Number(await (await store.blob(source, USED))?.text());
  return time > 0 ? time : null;
}

export function markUsed(source: string, now: number, store: FileStore = opfs): Promise<void> {
  return store.replace(source, USED, String(now));
}

/** The complete stored model for a source; if the source has no commit, the newest download of its revision. */
export async function findCached(source: string, store: FileStore = opfs): Promise<Manifest | null> {
  const wanted = parseHubName(source);
  if (isCommit(wanted.revision)) {
    const manifest = await readManifest(hubSource(wanted), store);
    return manifest && isComplete(manifest) ? manifest : null;
  }
  const revision = wanted.revision ?? 'main';
  const same = ({ id, file }: typeof wanted) => id.toLowerCase() === wanted.id.toLowerCase() && file === wanted.file;
  const found = (await listManifests(store)).filter(
    (manifest) => manifest.revisions.includes(revision) && same(parsePinned(manifest.source)) && isComplete(manifest),
  );
  return found[0] ?? null;
}

/** Opens a completely downloaded model as a folder. Throws `bad_model` if it is not here. */
export async function openCachedModel(source: string, store: FileStore = opfs): Promise<ModelFolder> {
  const manifest = await findCached(source, store);
  if (!manifest) refuse(source, 'This model has not been downloaded to this browser.', 'Download it first.');
  const { id, revision } = parsePinned(manifest.source);
  const files = new Map(manifest.files.map((file) => [file.name, file]));
  const opened = new Map<string, Promise<Blob>>();
  const open = async (name: string): Promise<Blob> => {
    const file =
      files.get(name) ?? refuse(name, `The downloaded copy of ${id} has no such file.`, 'Choose another model.');
    const blob = await store.blob(manifest.source, storedFile(name));
    if (blob?.size === file.size) return blob;
    throw gone(name, `${blob?.size ?? 'no'} bytes instead of ${file.size}`);
  };
  const read = async (name: string, start?: number, end?: number): Promise<ArrayBuffer> => {
    const opening = opened.get(name) ?? open(name);
    opened.set(name, opening);
    try {
      return await (await opening).slice(start, end).arrayBuffer();
    } catch (cause) {
      opened.delete(name);
      throw cause instanceof TabtuneError ? cause : gone(name, String(cause));
    }
  };
  return {
    source,
    title: id.slice(id.indexOf('/') + 1),
    licence: manifest.licence ?? undefined,
    commit: revision,
    files: [...files.keys()],
    has: (name) => files.has(name),
    size: (name) => files.get(name)?.size,
    text: async (name) => new TextDecoder().decode(await read(name)),
    bytes: read,
    hash: async (name) => files.get(name)?.sha256 ?? files.get(name)?.sha1 ?? undefined,
  };
}

/** The browser or another tab deleted the file. */
function gone(where: string, details: string): TabtuneError {
  return new TabtuneError({
    code: 'storage',
    message: 'A model file in the browser’s storage is missing or damaged.',
    where,
    action: 'Delete the model under Storage, then download it again.',
    details,
  });
}
