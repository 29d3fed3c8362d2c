/** The rate of a download over the last few seconds, and the time left at that rate. */
const WINDOW_MS = 6000;
/** Earlier than this, the first burst would be mistaken for the rate. */
const ENOUGH_MS = 1000;

export class Meter {
  private samples: { time: number; loaded: number }[] = [];

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Bytes per second; null until known. Bytes already on disk and files that start over do not count. */
  add(loaded: number): number | null {
    const time = this.now();
    if (loaded < (this.samples.at(-1)?.loaded ?? 0)) this.samples = [];
    this.samples.push({ time, loaded });
    while (this.samples.length > 2 && time - this.samples[1]!.time >= WINDOW_MS) this.samples.shift();
    const first = this.samples[0]!;
    const elapsed = time - first.time;
    return elapsed < ENOUGH_MS ? null : ((loaded - first.loaded) * 1000) / elapsed;
  }
}

export const secondsLeft = (rate: number | null, bytes: number): number | null =>
  rate !== null && rate > 0 ? bytes / rate : null;
