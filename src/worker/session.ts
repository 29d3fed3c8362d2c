/**
 * The session: one model, one dataset, one adapter and at most one run, with two workers behind them. It is the single
 * place that knows what is open; the workers can die at any time and are given it again.
 */
import { TabtuneError } from '../base/errors';
import { importModelFolder } from '../hub/folder';
import { readMetrics, readSamples } from '../storage/runs';
import { storageUsage } from '../storage/usage';
import type { DeviceReport, GenerationOptions, Session } from './api';
import { DataHost } from './data-host';
import type { DataWorkerApi } from './edit-dataset';
import type { EngineApi } from './engine-api';
import { EngineHost } from './engine-host';
import { type Connection, connect } from './rpc';
import type { PageLocks } from './run-guard';
import { AdapterDesk } from './session-adapter';
import { DataDesk } from './session-data';
import { forecast } from './session-forecast';
import { ModelDesk } from './session-model';
import { StorageDesk } from './session-storage';
import { TrainingDesk } from './session-training';
import { storedName } from './stored-name';
import { StreamText } from './stream-text';

/** What a test may put in place of the real thing. */
export interface SessionParts {
  connectEngine?: () => Connection<EngineApi>;
  connectData?: () => Connection<DataWorkerApi>;
  locks?: PageLocks | null;
}

function connectEngine(): Connection<EngineApi> {
  const worker = new Worker(new URL('./engine-worker.ts', import.meta.url), { type: 'module', name: 'engine' });
  return connect<EngineApi>(worker, { name: 'engine' });
}

function connectData(): Connection<DataWorkerApi> {
  const worker = new Worker(new URL('./data-worker.ts', import.meta.url), { type: 'module', name: 'data' });
  return connect<DataWorkerApi>(worker, { name: 'data worker' });
}

export function createSession(parts: SessionParts = {}): Session {
  const locks = parts.locks === undefined ? (globalThis.navigator?.locks ?? null) : parts.locks;
  const engine = new EngineHost(parts.connectEngine ?? connectEngine);
  const data = new DataHost(parts.connectData ?? connectData);

  const storage = new StorageDesk(locks, () => training.current);
  const onSave = () => storage.onSave();
  const models = new ModelDesk({ engine, data });
  const datasets = new DataDesk({ data, model: (source) => models.require(source), onSave });
  const adapters = new AdapterDesk({ engine, models, device });
  const training = new TrainingDesk({
    engine,
    locks,
    model: (source) => models.ensure(source),
    dataset: (recipe) => datasets.open(recipe.dataset),
    tokenize: (recipe) => datasets.tokenize(recipe),
    encodePrompt: (prompt, system) => data.encodePrompt(models.require().tokenizer, prompt, system),
    decode: (ids) => data.decode(models.require().tokenizer, ids),
    adapterFiles: (source) => adapters.files(source),
    onSave,
  });

  let known: Promise<DeviceReport> | null = null;
  /** Asked once; a machine without WebGPU is asked again, since a setting may have been changed. */
  async function device(): Promise<DeviceReport> {
    known ??= engine.watch((api) => api.device());
    try {
      const report = await known;
      if (report.problem) known = null;
      return report;
    } catch (cause) {
      known = null;
      throw cause;
    }
  }

  async function generate(
    prompt: string,
    options: GenerationOptions,
    onText: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<string> {
    training.assertIdle('an answer');
    const { tokenizer, tokens, info } = models.require();
    const ids = await data.encodePrompt(tokenizer, prompt);
    if (ids.length === 0) throw badPrompt('The prompt is empty.', 'Write something to answer.');
    if (ids.length >= info.contextLength) {
      const message = `The prompt has ${ids.length} tokens, and ${info.title} reads at most ${info.contextLength}.`;
      throw badPrompt(message, 'Shorten the prompt.');
    }
    if (signal?.aborted) return '';
    const stream = new StreamText((soFar) => data.decode(tokenizer, soFar), onText);
    const settings = { ...options, stopTokenIds: tokens.stopTokenIds };
    const answer = await engine.use((api) => api.generate(ids, settings, (id) => stream.push(id), signal));
    return stream.finish(answer);
  }

  return {
    device,

    async openModel(source, onProgress) {
      training.assertIdle('opening a model');
      datasets.forgetTokens();
      return (await storage.ready(() => models.open(source, onProgress))).info;
    },
    importModel: (files) =>
      storage.ready(async () => {
        const name = modelName(files);
        onSave();
        await importModelFolder(name, files);
        return `file:${name}`;
      }),

    openDataset: (section) => storage.ready(() => datasets.open(section)),
    importDataset: (file) => storage.ready(() => datasets.import(file)),
    editDataset: (source, row, fields) => storage.ready(() => datasets.edit(source, row, fields)),
    tokenize: (recipe) => storage.ready(() => datasets.tokenize(recipe)),
    viewTokens: (recipe, row) => storage.ready(() => datasets.viewTokens(recipe, row)),

    forecast: (recipe) =>
      storage.ready(() =>
        forecast(
          {
            engine,
            device,
            model: (source) => models.require(source),
            tokenize: (resolved) => datasets.tokenize(resolved),
          },
          recipe,
        ),
      ),

    train: (recipe) => storage.ready(() => training.train(recipe)),
    resumeRun: (runId) => storage.ready(() => training.resumeRun(runId)),
    pause: () => training.pause(),
    resume: () => training.resume(),
    stop: () => training.stop(),
    subscribe: (listener) => training.subscribe(listener),

    runs: () => storage.runs(),
    runMetrics: (runId) => storage.ready(() => readMetrics(runId)),
    runSamples: (runId) => storage.ready(() => readSamples(runId)),
    deleteRun: (runId) => storage.deleteRun(runId),
    async openRun(runId) {
      training.assertIdle('opening another run');
      return storage.ready(() => adapters.openRun(runId));
    },
    async importAdapter(files) {
      training.assertIdle('opening an adapter');
      return adapters.import(files);
    },

    generate,
    async exportAdapter() {
      training.assertIdle('the export');
      return storage.ready(() => adapters.export());
    },

    storage: () => storage.ready(storageUsage),
    deleteStored: (id) => storage.delete(id),
    eraseEverything: () => storage.erase(),

    close() {
      engine.close();
      data.close();
    },
  };
}

/** The dropped folder's own name; where files were chosen one by one there is none. */
function modelName(files: { path: string }[]): string {
  const config = files.find(({ path }) => /(^|\/)config\.json$/.test(path)) ?? files[0];
  return storedName(config?.path.split('/').at(-2) ?? '', 'my-model');
}

function badPrompt(message: string, action: string): TabtuneError {
  return new TabtuneError({ code: 'bad_data', message, where: 'prompt', action });
}
