/**
 * Tokenising a dataset in a worker that may never return from a row. The worker says now and then which row it has come
 * to; when it stops saying so it is ended, and the row that it was at is left out of the next attempt.
 */
import type { TabtuneError } from '../base/errors';
import { LONG_ROW, lettersOf } from '../data/encode-row';
import type { ParsedDataset, TokenizedDataset } from '../data/types';

/** A row of this many letters a second, on a slow machine with the slowest tokeniser. */
const LETTERS_A_SECOND = 25_000;
/** What a row may take besides: a busy machine stops threads for seconds, and an innocent row must not be left out. */
const PATIENCE_SECONDS = 10;
/** What the worker has said already may still wait for a busy page. */
const GRACE_MS = 100;
/** If more rows than this are slow, it is not the rows. */
const MOST_LEFT_OUT = 3;

export interface Attempt {
  leftOut: readonly number[];
  /** Every row is told: a stop can then be blamed on the right one. */
  careful: boolean;
  onRow(at: number): void;
}

/** Milliseconds for one row. */
export const patienceFor = (letters: number) => 1000 * (PATIENCE_SECONDS + letters / LETTERS_A_SECOND);

/**
 * `attempt` tokenises in the present worker, and `end` ends that worker. Throws what the worker throws; if rows keep
 * hanging, `timeout`, with the words that `tooSlow` has for a row.
 */
export async function tokenizeRows(
  parsed: Pick<ParsedDataset, 'examples'>,
  attempt: (attempt: Attempt) => Promise<TokenizedDataset>,
  end: () => void,
  tooSlow: (row: number) => TabtuneError,
): Promise<TokenizedDataset> {
  const leftOut: number[] = [];
  let careful = false;
  for (;;) {
    let at = -1;
    const watch = new Watch();
    const letters = (i: number) => lettersOf(parsed.examples[i]!);
    const work = attempt({
      leftOut,
      careful,
      onRow(i) {
        at = i;
        if (i < parsed.examples.length) watch.start(patienceFor(letters(i)));
        else watch.stop();
      },
    });
    const stalled = await Promise.race([work.then(() => false), watch.stalled]).finally(() => watch.stop());
    if (!stalled) return work;
    work.catch(() => {});
    end();
    const { row } = parsed.examples[at]!;
    if (leftOut.length === MOST_LEFT_OUT) throw tooSlow(row);
    // Rows are not all told at first, so the one that was told last may be innocent.
    if (careful || letters(at) >= LONG_ROW) leftOut.push(row);
    careful = true;
  }
}

class Watch {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stall: (value: true) => void = () => {};
  readonly stalled = new Promise<true>((resolve) => {
    this.stall = resolve;
  });

  start(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = setTimeout(() => this.stall(true), GRACE_MS);
    }, milliseconds);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
