/**
 * Runs asynchronous work of which only the newest result counts. `run` resolves to undefined when a newer call has
 * overtaken it, so that a slow answer never replaces a newer one on the screen.
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
    /** Makes every call in progress an overtaken one. */
    cancel() {
      ticket++;
    },
  };
}
