/** Long work in small pieces: between them, the worker answers other calls, tells how far it is, and can be stopped. */
import { TabtuneError } from '../base/errors';
import type { Steps } from './near-duplicates';

/** Long enough to be of no cost, short enough for another call to wait. */
const PIECE_MS = 25;

/** Throws `cancelled` when the signal fires. */
export async function paced<T>(
  steps: Steps<T>,
  total: number,
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<T> {
  for (;;) {
    if (signal?.aborted) throw new TabtuneError({ code: 'cancelled', message: 'The check was cancelled.' });
    const until = performance.now() + PIECE_MS;
    let step = steps.next();
    while (!step.done && performance.now() < until) step = steps.next();
    if (step.done) return step.value;
    onProgress(step.value, total);
    await new Promise((resolve) => setTimeout(resolve));
  }
}
