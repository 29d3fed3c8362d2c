/**
 * A session in which only the GPU is fake: rpc, the data layer, storage (in memory) and the built-in model and datasets
 * are real, and the test scripts the engine.
 */
import 'fake-indexeddb/auto';
import { readFile } from 'node:fs/promises';
import { vi } from 'vitest';
import { type ErrorData, TabtuneError } from '../../../src/base/errors';
import { tellPageUrl } from '../../../src/base/page-url';
import type { TaskData } from '../../../src/data/types';
import type { AdapterFiles, AdapterModel } from '../../../src/formats/adapter-format';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { Recipe, RecipeInput } from '../../../src/recipe/types';
import { connect, serve } from '../../../src/rpc/rpc';
import type { DeviceReport, RunSummary, Session, TrainEvent } from '../../../src/session/api';
import { GpuMemory } from '../../../src/session/gpu-memory';
import { createSession } from '../../../src/session/session';
import { saveCheckpoint } from '../../../src/storage/checkpoints';
import type { RunRecord } from '../../../src/storage/types';
import { type DataWorkerApi, editRow } from '../../../src/workers/data/edit-dataset';
import { readFiles } from '../../../src/workers/data/read-files';
import { createDataApi } from '../../../src/workers/data/service';
import type { EngineApi, EngineEvent, TrainJob } from '../../../src/workers/engine/api';
import type { PlanApi } from '../../../src/workers/plan/service';
import { turn, until } from '../../support/time';
import { defineWebGpuNames } from '../../webgpu-names';
import { storiesModel } from './adapter-folder';
import { FakeLocks, FakeWorker } from './fake-worker';

defineWebGpuNames();

export { until };

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

/** One training call to the engine, controlled by the test. */
export interface Stint {
  job: TrainJob;
  emit(event: EngineEvent): void;
  /** Writes a real checkpoint and reports it. */
  checkpoint(step: number): Promise<void>;
  end(reason?: RunSummary['reason']): void;
  fail(error: ErrorData): void;
}

/** Records every call to the engine, and holds its answers. */
export class EngineScript {
  readonly calls: string[] = [];
  readonly stints: Stint[] = [];
  readonly adapters: (AdapterFiles | null)[] = [];
  /** The adapter that the engine exports. */
  exported: AdapterFiles = [
    {
      path: 'adapter_config.json',
      bytes: new TextEncoder().encode('{"peft_type": "LORA", "r": 16, "base_model_name_or_path": "stories"}'),
    },
    { path: 'adapter_model.safetensors', bytes: Uint8Array.of(1, 2, 3) },
  ];
  /** The task reported for the head of the merged model. */
  mergedTask: TaskData | null = null;
  outputApart = false;
  exportNotes: string[] = [];
  checkedFolder: { path: string; file: Blob }[] = [];
  answers: number[] = [];
  /** After these answers there is no end of tokens, until the call is aborted. */
  endless = false;
  /** What every call for a model waits for. */
  gate: Promise<void> | null = null;
  /** The kind of the next model opened. */
  kind: 'decoder' | 'encoder' = 'decoder';
  /** The last texts embedded, and the options. */
  embedded: { texts: Int32Array[]; options: unknown } | null = null;
  lastStrength: number | null = null;
  stopped = 0;
  /** It answers, but the run goes on. */
  deaf = false;
  workers: FakeWorker[] = [];
  device = device;

  /** Of the built-in model (public/models/stories/config.json). */
  adapterModel: AdapterModel = storiesModel();

  api(): EngineApi {
    const log = (call: string) => this.calls.push(call);
    return {
      device: async () => this.device,
      loadModel: async (source, onProgress, quantization = 'none') => {
        log(['loadModel', source, quantization].filter((word) => word !== 'none').join(' '));
        await this.gate;
        onProgress?.(1, 2);
        return {
          source,
          title: 'Stories 2M',
          architecture: 'llama',
          kind: this.kind,
          parameters: 1_967_808,
          bytes: 3_939_696,
          dtype: 'BF16',
          vocabSize: 2048,
          contextLength: 512,
          hiddenSize: 128,
          layers: 6,
          licence: 'MIT',
          linearModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
          adapterModel: this.adapterModel,
        };
      },
      mergeModel: async (_job, onPiece) => {
        log('mergeModel');
        onPiece(new ArrayBuffer(8));
        return { task: this.mergedTask, bytes: 8, outputApart: this.outputApart };
      },
      checkMerged: async ({ files }) => {
        log('checkMerged');
        this.checkedFolder = files;
        return { maxLogitDifference: 1e-6, largestLogit: 9 };
      },
      train: (job, onEvent) => {
        log(job.resume ? 'train resumed' : 'train');
        return new Promise((resolve, reject) => {
          this.stints.push({
            job,
            emit: onEvent,
            checkpoint: async (step) => {
              const tensors = new Map([['adapter/a', { shape: [1], data: Float32Array.of(step) }]]);
              await saveCheckpoint({ runId: job.run.id, step, state: {}, createdAt: 1 }, tensors, 'latest');
              onEvent({ type: 'checkpoint', step });
            },
            end: (reason = 'completed') =>
              resolve({ run: { ...job.run, step: 7, totalSteps: 7 }, summary: summary(job, reason) }),
            fail: (error) => reject(new TabtuneError(error)),
          });
        });
      },
      pause: async () => void log('pause'),
      resume: async () => void log('resume'),
      stop: async () => {
        log('stop');
        this.stopped++;
        if (!this.deaf) this.stints.at(-1)?.end('stopped');
      },
      setAdapter: async (adapter) => {
        log(adapter ? 'setAdapter' : 'setAdapter null');
        this.adapters.push(adapter);
        return { trainableParameters: adapter ? 99 : 0 };
      },
      openCheckpoint: async (runId) => {
        log(`openCheckpoint ${runId}`);
        return { trainableParameters: 99 };
      },
      exportAdapter: async () => ({ files: this.exported, notes: this.exportNotes }),
      generate: async (_prompt, { adapterStrength, maxNewTokens }, onToken, signal) => {
        log('generate');
        this.lastStrength = adapterStrength;
        const ids: number[] = [];
        for (const id of this.answers.slice(0, maxNewTokens)) {
          await turn();
          if (signal?.aborted) break;
          ids.push(id);
          onToken(id);
        }
        if (this.endless && signal?.aborted === false) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        }
        return Int32Array.from(ids);
      },
      logits: async () => new Float32Array(),
      embed: async (texts, options) => {
        this.embedded = { texts, options };
        return texts.map((_, i) => Float32Array.of(i, 1));
      },
      classify: async () => ({
        labels: ['no', 'yes'],
        problemType: 'single_label_classification',
        probabilities: Float32Array.of(0.25, 0.75),
      }),
      textLoss: async () => 1,
      loseDevice: async () => {},
    };
  }

  /** The current worker dies silently, as when its process crashes. */
  crash(): void {
    this.workers.at(-1)!.crash();
  }
}

function summary(job: TrainJob, reason: RunSummary['reason']): RunSummary {
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
    dispatchesPerStep: 1,
    gpuBytes: 1,
    metrics: null,
    forgetting: null,
    weightChange: null,
    device,
    versions: {},
  };
}

export interface Stage {
  session: Session;
  engine: EngineScript;
  events: TrainEvent[];
  locks: FakeLocks;
  dataWorkers: FakeWorker[];
  /** Replaces methods of the data worker, e.g. with ones that never return. */
  data: Partial<DataWorkerApi>;
}

/** The page's files, served from `public/`. */
export function servePublic(): void {
  tellPageUrl('http://localhost/');
  vi.stubGlobal('fetch', async (url: URL) => {
    const path = new URL(`../../../public${url.pathname}`, import.meta.url);
    const bytes = await readFile(path).catch(() => null);
    return bytes ? new Response(new Uint8Array(bytes)) : new Response('', { status: 404 });
  });
}

export function stage(locks = new FakeLocks(), memory = new GpuMemory(memoryStore(), 8)): Stage {
  const engine = new EngineScript();
  const page = {};
  const pageLocks = locks.for(page);
  vi.stubGlobal('navigator', { locks: pageLocks, gpu: {} });
  const dataWorkers: FakeWorker[] = [];
  const data: Partial<DataWorkerApi> = {};
  const session = createSession({
    locks: pageLocks,
    connectEngine: () => {
      const worker = new FakeWorker(locks);
      engine.workers.push(worker);
      serve(engine.api(), { port: worker.port, locks: worker.locks });
      return connect<EngineApi>(worker, { name: 'engine', locks: pageLocks });
    },
    // The planner is real, on its device that only counts bytes.
    connectPlanner: () => {
      const worker = new FakeWorker(locks);
      const service = import('../../../src/workers/plan/service').then((part) => part.createPlanService());
      const plan: PlanApi['plan'] = async (run) => (await service).plan(run);
      serve({ plan }, { port: worker.port, locks: worker.locks });
      return connect<PlanApi>(worker, { name: 'planner', locks: pageLocks });
    },
    memory,
    connectData: () => {
      const worker = new FakeWorker(locks);
      dataWorkers.push(worker);
      const api = Object.assign(createDataApi(), readFiles, { editRow }, data);
      serve(api, { port: worker.port, locks: worker.locks });
      return connect<DataWorkerApi>(worker, { name: 'data worker', locks: pageLocks });
    },
  });
  const events: TrainEvent[] = [];
  session.subscribe((event) => events.push(event));
  return { session, engine, events, locks, dataWorkers, data };
}

export const recipe = (input: Omit<RecipeInput, 'version'> = {}): Recipe => resolveRecipe({ version: 1, ...input });

export const metrics = (step: number, loss: number): EngineEvent => ({
  type: 'metrics',
  row: {
    kind: 'step',
    step,
    epoch: 0,
    loss,
    grad_norm: 1,
    learning_rate: 1,
    tokens: 10 * step,
    seconds: step,
    gpu_bytes: 1,
  },
  tokensPerSecond: 1,
  secondsLeft: 1,
});

export const names = (events: TrainEvent[]): string[] => events.map(({ type }) => type);

export function begun(run: RunRecord): EngineEvent {
  return { type: 'started', run: { ...run, totalSteps: 7 }, totalSteps: 7, stepsPerEpoch: 3, resumedFrom: 0 };
}
