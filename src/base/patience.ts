/** Ends for waits that nothing else ends: a GPU, a browser's storage or a server that never answers. */

/** Deadlines are counted in steps, so that a machine that slept meanwhile has not used up its patience. */
const STEPS = 10;

/** The promise's result, or `error()` if it has not settled after so many milliseconds awake. */
export function within<T>(promise: Promise<T>, milliseconds: number, error: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    let left = STEPS;
    const timer = setInterval(() => {
      left--;
      if (left > 0) return;
      clearInterval(timer);
      reject(error());
    }, milliseconds / STEPS);
    promise.then(resolve, reject).finally(() => clearInterval(timer));
  });
}
