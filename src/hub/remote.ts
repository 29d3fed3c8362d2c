/** A model's files on the Hub as a folder, read with range requests, to inspect a model before downloading it. */
import { refuse } from '../base/bad-model';
import type { HubClient } from './hub-client';
import type { RepositoryFile } from './hub-info';
import type { ModelFolder } from './types';

/** Files up to this size are fetched whole and kept in memory while the folder is in use. */
const KEEP_BYTES = 2 ** 20;

export function remoteFolder(
  client: HubClient,
  id: string,
  commit: string,
  list: readonly RepositoryFile[],
  source: string,
  signal?: AbortSignal,
): ModelFolder {
  const files = new Map(list.map((file) => [file.name, file]));
  const kept = new Map<string, Promise<ArrayBuffer>>();
  const whole = (file: RepositoryFile): Promise<ArrayBuffer> => {
    const known = kept.get(file.name);
    if (known) return known;
    const bytes = client.bytes(id, commit, file, signal);
    kept.set(file.name, bytes);
    bytes.catch(() => kept.delete(file.name));
    return bytes;
  };
  const bytes = async (name: string, start = 0, end?: number): Promise<ArrayBuffer> => {
    const file = files.get(name) ?? refuse(name, `${id} has no such file.`, 'Choose another model.');
    const to = Math.min(end ?? file.size, file.size);
    const from = Math.min(start, to);
    if (file.size <= KEEP_BYTES) return (await whole(file)).slice(from, to);
    if (from === to) return new ArrayBuffer(0);
    return client.range(id, commit, name, from, to, signal);
  };
  return {
    source,
    title: id.slice(id.indexOf('/') + 1),
    commit,
    files: [...files.keys()],
    has: (name) => files.has(name),
    size: (name) => files.get(name)?.size,
    text: async (name) => new TextDecoder().decode(await bytes(name)),
    bytes,
  };
}
