/**
 * A session in which only the GPU is fake: rpc, the data layer, storage (in memory) and the built-in model and datasets
 * are real, and the test scripts the engine.
 */
import 'fake-indexeddb/auto';
import { readFile } from 'node:fs/promises';
import variant from '@jitl/quickjs-wasmfile-release-sync';
import { newQuickJSWASMModuleFromVariant } from 'quickjs-emscripten-core';
import { vi } from 'vitest';
import { type ErrorData, TabtuneError } from '../../../src/base/errors';
import { tellPageUrl } from '../../../src/base/page-url';
import type { TaskData } from '../../../src/data/types';
import type { Proof } from '../../../src/exports/export';
import type { AdapterFiles, AdapterModel } from '../../../src/formats/adapter-format';
import { resolveRecipe } from '../../../src/recipe/defaults';
import type { Recipe, RecipeInput } from '../../../src/recipe/types';
import { connect, serve } from '../../../src/rpc/rpc';
import type { RunSummary, Session, TrainEvent } from '../../../src/session/api';
import { GpuMemory } from '../../../src/session/gpu-memory';
import { createSession } from '../../../src/session/session';
import { saveCheckpoint } from '../../../src/storage/checkpoints';
import type { RunRecord } from '../../../src/storage/types';
import { type DataWorkerApi, editDataset } from '../../../src/workers/data/edit-dataset';
import { readFiles } from '../../../src/workers/data/read-files';
import { createDataApi } from '../../../src/workers/data/service';
import type {
  AnswerJob,
  EngineApi,
  EngineEvent,
  ExamplesJob,
  PageScores,
  TrainJob,
} from '../../../src/workers/engine/api';
import type { HeldFrom, On } from '../../../src/workers/engine/held';
import type { PlanApi } from '../../../src/workers/plan/service';
import { createRewardApi, type RewardApi } from '../../../src/workers/reward/service';
import { turn, until } from '../../support/time';
import { defineWebGpuNames } from '../../webgpu-names';
import { storiesModel } from './adapter-folder';
import { FakeLocks, FakeWorker } from './fake-worker';
import { device, memoryStore, scriptedKernels, summary } from './stage-device';

defineWebGpuNames();

export { device, memoryStore, until };

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
  readonly proof = (texts: Int32Array[]): Proof => ({
    texts: texts.length,
    tokens: texts.reduce((sum, { length }) => sum + length, 0),
    ...{ maxLogitDifference: 1e-6, largestLogit: 9, sameChoices: 256, perplexity: { before: 3, after: 3 } },
    ...{ unproven: null, carried: 1, rounding: null },
  });
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
  together: EngineApi['answerTogether'] = async (of) => of.map(() => ({ ids: new Int32Array(), finished: true }));
  /** What is held to be compared, and what was asked of it. */
  readonly held = new Map<string, HeldFrom>();
  readonly asked: AnswerJob[][] = [];
  readonly measured: { on: On; job: ExamplesJob }[] = [];
  stopped = 0;
  /** It answers, but the run goes on. */
  deaf = false;
  workers: FakeWorker[] = [];
  device = device;

  /** What the engine answers to a test drive or a range test. */
  // biome-ignore lint/suspicious/noExplicitAny: it answers both.
  tried: (trial: { job: TrainJob; signal: AbortSignal | undefined }) => Promise<any> = () => new Promise(() => {});

  /** What the page has said of answers. */
  readonly scored: (PageScores | ErrorData)[] = [];

  /** Of the built-in model (public/models/stories/config.json). */
  adapterModel: AdapterModel = storiesModel();

  api(): EngineApi {
    const log = (call: string) => this.calls.push(call);
    return {
      ...scriptedKernels(log),
      testDrive: (job, sizes, onProgress, signal) => {
        log(`testDrive ${sizes.join(' ')}`.trim());
        onProgress(0, 3);
        return this.tried({ job, signal });
      },
      findRate: (job, onPoint, signal) => {
        log('findRate');
        onPoint({ rate: 1e-6, loss: 2, smoothed: 2 });
        return this.tried({ job, signal });
      },
      startOfRun: async () => {
        log('startOfRun');
        return { adapter: null, tensors: new Map() };
      },
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
      scored: async (id, result) => {
        log(`scored ${id}`);
        this.scored.push(result);
      },
      mergedTensors: async () => [],
      writeModel: async () => {
        log('writeModel');
        return { task: this.mergedTask, blob: new Blob([new ArrayBuffer(8)]), outputApart: this.outputApart };
      },
      proveModel: async (files, { texts }) => {
        log('proveModel');
        this.checkedFolder = files;
        return this.proof(texts);
      },
      proveAdapter: async (_files, { texts }) => {
        log('proveAdapter');
        return this.proof(texts);
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
              onEvent({ type: 'checkpoint', step, everySeconds: 30 });
            },
            end: (reason = 'completed') =>
              resolve({ run: { ...job.run, step: 7, totalSteps: 7 }, summary: summary(job, reason) }),
            fail: (error) => reject(new TabtuneError(error)),
          });
        });
      },
      addExamples: async (at, part, examples) => void log(`addExamples ${at} ${part} ${examples.length}`),
      save: async () => void log('save'),
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
        return { trainableParameters: adapter ? 99 : 0, settings: null };
      },
      openCheckpoint: async (runId) => {
        log(`openCheckpoint ${runId}`);
        return { trainableParameters: 99, settings: null };
      },
      runAdapter: async (runId) => {
        log(`runAdapter ${runId}`);
        return this.exported;
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
      answerTogether: async (prompts, options, onToken, signal) => {
        log('answerTogether');
        return this.together(prompts, options, onToken, signal);
      },
      endAnswer: async (prompt) => void log(`endAnswer ${prompt}`),
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
      held: async () => [...this.held.keys()],
      release: async (keep) => {
        for (const key of this.held.keys()) if (!keep.includes(key)) this.held.delete(key);
      },
      hold: async (key, from) => {
        log(`hold ${key}`);
        this.held.set(key, from);
      },
      answer: async (columns, onToken, signal) => {
        this.asked.push(columns);
        return Promise.all(
          columns.map(async ({ maxNewTokens }, column) => {
            const ids: number[] = [];
            for (const id of this.answers.slice(0, maxNewTokens)) {
              await turn();
              if (signal?.aborted) break;
              ids.push(id);
              onToken(column, id);
            }
            return Int32Array.from(ids);
          }),
        );
      },
      classifyOn: async () => ({
        labels: ['no', 'yes'],
        problemType: 'single_label_classification',
        probabilities: Float32Array.of(0.25, 0.75),
      }),
      measureExamples: async (on, job, onProgress) => {
        this.measured.push({ on, job });
        onProgress(job.examples.length, job.examples.length);
        const losses = Float32Array.from(job.examples, (_, i) => i + (on === null ? 1 : 0));
        return { loss: 2, perplexity: Math.exp(2), losses, metrics: {} };
      },
      tokenLosses: async (on, ids) => Float32Array.from(ids, (_, i) => (i === 0 ? Number.NaN : on === null ? 2 : 1)),
      baseTextLoss: async (on) => (on === null ? 1 : 1.5),
      layerChanges: async () => [],
      loseDevice: async () => {},
    };
  }

  /** The current worker dies silently, as when its process crashes. */
  crash(): void {
    this.workers.at(-1)!.crash();
  }
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
      const shaders: PlanApi['shaders'] = async (run) => (await service).shaders(run);
      serve({ plan, shaders }, { port: worker.port, locks: worker.locks });
      return connect<PlanApi>(worker, { name: 'planner', locks: pageLocks });
    },
    memory,
    // The interpreter is real, too.
    connectCode: () => {
      const worker = new FakeWorker(locks);
      const api = createRewardApi(() => newQuickJSWASMModuleFromVariant(variant));
      serve(api, { port: worker.port, locks: worker.locks });
      return connect<RewardApi>(worker, { name: 'reward worker', locks: pageLocks });
    },
    connectData: () => {
      const worker = new FakeWorker(locks);
      dataWorkers.push(worker);
      const api = Object.assign(createDataApi(), readFiles, { editDataset }, data);
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
