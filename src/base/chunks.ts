/**
 * Code that is not needed at first, in its own chunks: fetched when it is first used, or once the page has nothing else to do,
 * because from then on the page must work without a network.
 */
import { TabtuneError } from './errors';

const loads: (() => Promise<unknown>)[] = [];
let ahead = false;

/** Those that are being fetched ahead. */
const fetching = new Set<Promise<unknown>>();

// A chunk that cannot be fetched now is requested again when it is used.
function fetchNow(load: () => Promise<unknown>): void {
  const done: Promise<unknown> = load()
    .catch(() => {})
    .then(() => fetching.delete(done));
  fetching.add(done);
}

/** For code that could not be fetched. */
export const missing = (cause: unknown): TabtuneError =>
  TabtuneError.from(cause, {
    code: 'internal',
    message: 'A part of Tabtune could not be loaded.',
    action: 'Check the connection and try again, or reload the page.',
  });

/** A module that `load` imports, ready to be fetched ahead. Where it cannot be fetched, the error says so. */
export function chunk<T>(load: () => Promise<T>): () => Promise<T> {
  const fetched = () =>
    load().catch((cause) => {
      throw missing(cause);
    });
  loads.push(fetched);
  // Named by a chunk that came late itself. The caller is still being evaluated.
  if (ahead) queueMicrotask(() => fetchNow(fetched));
  return fetched;
}

/** Fetches all of them, and ends when each is here or could not be fetched, those that a late one named included. */
export async function fetchChunks(): Promise<void> {
  ahead = true;
  for (const load of loads) {
    // Each in a task of its own: all of them together would hold up the page.
    await new Promise((resolve) => setTimeout(resolve));
    fetchNow(load);
  }
  while (fetching.size > 0) await Promise.all(fetching);
}

/** Modules that could not be fetched, and how often. */
const failures = new Map<string, number>();

/**
 * For an import that failed: the first time, that is the answer. The browser may repeat it for ever without asking again, so later
 * ones ask under another address. The build puts this behind every import of a chunk (scripts/import-again.mjs).
 */
async function importAgain(cause: unknown, address: string): Promise<unknown> {
  const failed = failures.get(address) ?? 0;
  failures.set(address, failed + 1);
  if (failed === 0) throw cause;
  return import(/* @vite-ignore */ `${address}?again=${failed}`);
}
Object.assign(globalThis, { importAgain });
