/** A model folder whose files are in memory or on disk. */
import type { ModelFolder } from './types';

/** `read` gives a file's bytes, or says what is wrong with it. */
export const blobFolder = (
  source: string,
  inside: ReadonlyMap<string, Blob>,
  read: (name: string, start?: number, end?: number) => Promise<ArrayBuffer>,
): ModelFolder => ({
  source,
  files: [...inside.keys()],
  has: (name) => inside.has(name),
  size: (name) => inside.get(name)?.size,
  text: async (name) => new TextDecoder().decode(await read(name)),
  bytes: read,
});
