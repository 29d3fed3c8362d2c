/** Test drives of a scripted session, and its range test: a loss that falls, is flat, and diverges. */
import { TabtuneError } from '../../../src/base/errors';
import { suggestRate } from '../../../src/metrics/rate-range';
import type { RatePoint, TrialApi } from '../../../src/session/api';
import { sleep } from './sleep';

/** Rejects as soon as the signal fires. */
const part = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const cancelled = () => reject(new TabtuneError({ code: 'cancelled', message: 'The trial was cancelled.' }));
    if (signal?.aborted) cancelled();
    signal?.addEventListener('abort', cancelled);
    void sleep(ms).then(() => resolve());
  });

const lossAt = (i: number): number => (i < 44 ? 2.6 - 1.4 / (1 + Math.exp((28 - i) / 4)) : 1.2 + 0.5 * (i - 44) ** 2);

export const createScriptedTrials = (stepMs: number, measured: () => void): TrialApi => ({
  async testDrive(recipe, onProgress, signal) {
    for (let done = 0; done <= 6; done++) {
      onProgress(done, 6);
      await part(stepMs, signal);
    }
    measured();
    const { per_device_train_batch_size: rows, gradient_accumulation_steps: batches } = recipe.training;
    return {
      ...{ secondsPerStep: 0.21, tokensPerSecond: 3600, gpuBytes: 4.2e8, gradNorm: 1.7, finite: true },
      ...{ lossBefore: 2.61, lossAfter: 2.48 },
      learned: { examples: 225, masked: 0, endless: 3 },
      quicker: batches > 1 ? { batchSize: rows * 2, accumulation: Math.ceil(batches / 2), secondsPerStep: 0.14 } : null,
    };
  },
  async findRate(_recipe, onPoint, signal) {
    const points: RatePoint[] = [];
    for (let i = 0; i < 50; i++) {
      await part(stepMs / 2, signal);
      const smoothed = lossAt(i);
      const point = { rate: 10 ** (-6 + i / 10), loss: smoothed + 0.15 * Math.sin(7 * i), smoothed };
      points.push(point);
      onPoint(point);
    }
    return { points, diverged: true, suggested: suggestRate(points) };
  },
});
