/** The rate of a download over its last seconds, and what it says about the rest. */
const WINDOW_MS = 6000;
/** Before this the first burst would be taken for the rate. */
const ENOUGH_MS = 1000;

export class Meter {
  private samples: { time: number; loaded: number }[] = [];

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Bytes a second; null until it can be told. What was there already, and a file begun anew, are no rate. */
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
