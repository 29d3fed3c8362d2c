/**
 * Code that is not needed at first, in its own chunks: fetched when it is first used, or once the page has nothing else to do,
 * because from then on the page must work without a network.
 */
const loads: (() => Promise<unknown>)[] = [];

/** A module that `load` imports, ready to be fetched ahead. */
export function chunk<T>(load: () => Promise<T>): () => Promise<T> {
  loads.push(load);
  return load;
}

export function fetchChunks(): void {
  // A chunk that cannot be fetched now is requested again when it is used.
  for (const load of loads) load().catch(() => {});
}
