/** The device of a scripted engine, what a run on it comes to, and a localStorage for Node. */
import type { DeviceReport, RunSummary } from '../../../src/session/api';
import type { EngineApi, TrainJob } from '../../../src/workers/engine/api';

/** An in-memory localStorage. */
export function memoryStore() {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  };
}

export const device: DeviceReport = {
  available: true,
  vendor: 'acme',
  architecture: 'one',
  description: 'Acme One',
  software: false,
  features: [],
  subgroupSizes: null,
  limits: {
    maxBufferSize: 2 ** 31,
    maxStorageBufferBindingSize: 2 ** 30,
    maxStorageBuffersPerShaderStage: 10,
    maxComputeWorkgroupStorageSize: 32_768,
    maxComputeInvocationsPerWorkgroup: 1024,
    maxComputeWorkgroupSizeX: 1024,
    maxComputeWorkgroupsPerDimension: 65_535,
  },
  maxBufferSize: 2 ** 31,
  maxStorageBufferBindingSize: 2 ** 30,
  problem: null,
};

export function summary(job: TrainJob, reason: RunSummary['reason']): RunSummary {
  return {
    recipe: job.recipe,
    reason,
    steps: 7,
    tokens: 100,
    seconds: 1,
    initialEvalLoss: null,
    finalEvalLoss: null,
    bestEvalLoss: null,
    bestStep: null,
    trainableParameters: 1,
    totalParameters: 2,
    gradientCheckpointing: job.checkpointing,
    fp16: null,
    microBatchesTogether: job.together,
    ...(job.run.kernels && { kernels: job.run.kernels }),
    dispatchesPerStep: 1,
    gpuBytes: 1,
    metrics: null,
    forgetting: null,
    weightChange: null,
    device,
    versions: {},
  };
}

/** An engine that has timed nothing yet. */
export function scriptedKernels(log: (call: string) => void) {
  const nothing = { asked: 'auto', choices: null } as const;
  return {
    useKernels: async (kernels) => void log(`useKernels ${kernels}`),
    keptKernels: async () => nothing,
    async measureKernels() {
      log('measureKernels');
      return nothing;
    },
    async chooseKernels(timed) {
      log(`chooseKernels ${timed}`);
      return nothing;
    },
  } satisfies Partial<EngineApi>;
}
