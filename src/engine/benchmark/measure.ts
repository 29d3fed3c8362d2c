/** How things are timed: until the GPU has done them, several times. */
import type { Spread } from '../../benchmark/result';

/** Samples of each measurement. */
const SAMPLES = 5;
/** Runs of a sample. */
const MOST = 10_000;

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)]!, least: sorted[0]!, most: sorted.at(-1)! };
}

/** Turns milliseconds into another unit; a rate turns the smallest into the largest. */
export function inUnits({ median, least, most }: Spread, unit: (ms: number) => number): Spread {
  const [a, b] = [unit(least), unit(most)];
  return { median: unit(median), least: Math.min(a, b), most: Math.max(a, b) };
}

/**
 * Milliseconds of one `run`. `record` records so many runs and resolves when the GPU has done them. The first run compiles and does not
 * count; the number of runs of a sample is at least `least`, and grows until a sample takes `sampleMs`.
 */
export async function timeOf(
  record: (runs: number) => Promise<void>,
  { sampleMs, samples = SAMPLES, least = 1 }: { sampleMs: number; samples?: number; least?: number },
): Promise<Spread> {
  await record(1);
  let runs = least;
  let took = await clocked(() => record(runs));
  while (took < sampleMs && runs < MOST) {
    runs = Math.min(MOST, Math.max(2 * runs, Math.ceil((1.2 * runs * sampleMs) / Math.max(took, 0.01))));
    took = await clocked(() => record(runs));
  }
  const times = [took / runs];
  while (times.length < samples) times.push((await clocked(() => record(runs))) / runs);
  return spreadOf(times);
}

export async function clocked(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
