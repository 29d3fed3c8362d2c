/**
 * Measures this device in a worker of its own, which ends with the measurement. Not part of the session: nothing that is open takes part,
 * and the code arrives only with its page.
 */
import { TabtuneError } from '../base/errors';
import { hearRequests } from '../base/requests';
import type { BenchmarkProgress, BenchmarkResult } from '../benchmark/result';
import { type Connection, connect } from '../rpc/rpc';
import type { BenchmarkApi } from '../workers/benchmark/service';

/** The longest single thing that is measured takes seconds, on a CPU some of a minute. */
const SILENCE_MS = 5 * 60_000;

function connectBenchmark(): Connection<BenchmarkApi> {
  const worker = new Worker(new URL('../workers/benchmark/benchmark-worker.ts', import.meta.url), {
    type: 'module',
    name: 'benchmark',
  });
  return connect<BenchmarkApi>(hearRequests(worker, 'benchmark'), { name: 'benchmark' });
}

/** Rejects with `cancelled` when the signal fires; the worker and its GPU memory are gone at once. */
export async function benchmark(
  onProgress: (progress: BenchmarkProgress) => void,
  signal: AbortSignal,
  start: () => Connection<BenchmarkApi> = connectBenchmark,
): Promise<BenchmarkResult> {
  const connection = start();
  const cancel = () =>
    connection.terminate(new TabtuneError({ code: 'cancelled', message: 'The benchmark was cancelled.' }));
  signal.addEventListener('abort', cancel);
  let visible = !document.hidden;
  const look = () => {
    visible &&= !document.hidden;
  };
  document.addEventListener('visibilitychange', look);
  try {
    const words = {
      message: 'The benchmark has not gone on for five minutes and was stopped.',
      where: 'benchmark',
      action: 'Close other tabs that use the GPU, and try again.',
    };
    const measured = await connection.withoutSilence(SILENCE_MS, words).run(onProgress);
    return {
      ...measured,
      app: __TABTUNE_VERSION__,
      when: new Date().toISOString(),
      browser: navigator.userAgent,
      visible,
    };
  } finally {
    document.removeEventListener('visibilitychange', look);
    signal.removeEventListener('abort', cancel);
    connection.terminate();
  }
}
