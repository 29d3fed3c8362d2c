/**
 * Throttles progress: turns are told at once, bytes at intervals. What was told last is also repeated, so that a silent connection
 * shows as a rate that falls to zero.
 */
const TELL_EVERY_MS = 150;
const REPEAT_MS = 500;

export function seldom<T>(
  onProgress: (progress: T) => void,
  isTurn: (now: T, before: T) => boolean,
): { tell(progress: T): void; end(): void } {
  let last: T | null = null;
  let at = 0;
  const send = () => {
    if (!last) return;
    at = Date.now();
    onProgress(last);
  };
  const timer = setInterval(send, REPEAT_MS);
  return {
    tell(progress) {
      const turn = last === null || isTurn(progress, last);
      last = progress;
      if (turn || Date.now() - at >= TELL_EVERY_MS) send();
    },
    end: () => clearInterval(timer),
  };
}
