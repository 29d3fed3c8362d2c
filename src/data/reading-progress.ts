/**
 * How far the reading of a file has come. A thread reads one file at a time, so whoever listens is kept here instead of being
 * handed through every parser.
 */
export interface ReadingProgress {
  /** The file's bytes are read first; then rows are cut out of them, and turned into examples. */
  stage: 'bytes' | 'rows' | 'examples';
  done: number;
  /** Null while it is unknown. */
  total: number | null;
}

const TELL_EVERY_MS = 100;
/** A power of two: the clock is looked at once in so many rows. */
const LOOK_EVERY = 512;

let listener: ((progress: ReadingProgress) => void) | null = null;
let told = 0;

/** `tell` is told now and then, until the next call; null for nobody. */
export function listenToReading(tell: ((progress: ReadingProgress) => void) | null): void {
  listener = tell;
  told = performance.now();
}

/** Called for every row, so it must cost next to nothing. */
export function tellReading(stage: ReadingProgress['stage'], done: number, total: number | null = null): void {
  if (listener === null || (done & (LOOK_EVERY - 1)) !== 0) return;
  const now = performance.now();
  if (now - told < TELL_EVERY_MS) return;
  told = now;
  listener({ stage, done, total });
}
