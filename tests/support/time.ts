/** Time in tests that run in Node, where a busy machine must not decide what they say. */

/** The real timers, also while a test has replaced the global ones. */
const { setTimeout, setImmediate } = globalThis;

/** Lets every promise run that is settled by now, and what follows from it, before the test goes on. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits until something is so; fails by the test's own time limit. */
export async function until<T>(look: () => T | undefined | null | false): Promise<T> {
  for (;;) {
    const value = look();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/**
 * Seconds of work that this process has done. Unlike a clock, they do not count what other programs do meanwhile; they do depend on
 * the machine, so a limit on them must be one that only a hang or a square cost reaches.
 */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
