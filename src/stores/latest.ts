/**
 * Runs asynchronous work of which only the newest result counts. `run` resolves to undefined if a newer call has started
 * meanwhile, so a slow answer never replaces a newer one on the screen.
 */
export function latestOnly() {
  let ticket = 0;
  return {
    async run<T>(work: () => Promise<T>): Promise<{ value: T } | { error: unknown } | undefined> {
      const mine = ++ticket;
      try {
        const value = await work();
        return mine === ticket ? { value } : undefined;
      } catch (error) {
        return mine === ticket ? { error } : undefined;
      }
    },
    /** Discards the results of all calls in progress. */
    cancel() {
      ticket++;
    },
  };
}
