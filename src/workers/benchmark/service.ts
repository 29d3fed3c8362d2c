/** What the benchmark worker does: opens a device of its own, measures it, and gives it back. */
import type { BenchmarkProgress, BenchmarkResult } from '../../benchmark/result';
import { BENCHMARK_VERSION } from '../../benchmark/result';
import { runBenchmark } from '../../engine/benchmark/run';
import { openDevice } from '../../engine/webgpu/device';
import { resolveRecipe } from '../../recipe/defaults';
import { report } from '../engine/device-report';

/** What only the page knows is left to it. */
export type DeviceResult = Omit<BenchmarkResult, 'app' | 'browser' | 'visible' | 'when'>;

export interface BenchmarkApi {
  run(onProgress: (progress: BenchmarkProgress) => void): Promise<DeviceResult>;
}

export function createBenchmarkService(): BenchmarkApi {
  return {
    async run(onProgress) {
      const engine = await openDevice();
      try {
        const { vendor, architecture, description, software, features, subgroupSizes, limits } = report(engine);
        const measured = await runBenchmark(engine, resolveRecipe({ version: 1 }).training, onProgress);
        return {
          tabtune_benchmark: BENCHMARK_VERSION,
          adapter: { vendor, architecture, description, software, features, subgroup_sizes: subgroupSizes, limits },
          ...measured,
        };
      } finally {
        engine.release();
      }
    },
  };
}
