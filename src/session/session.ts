/**
 * The session: one model, one dataset, one adapter and at most one run, on top of the workers. Only the session knows
 * what is open. Workers can die at any time and have their state restored from here.
 */
import { chunk } from '../base/chunks';
import { TabtuneError } from '../base/errors';
import { parseLargeHeaders } from '../formats/large-headers';
import { importModelFolder } from '../hub/folder';
import { isHubSource } from '../hub/hub-id';
import type { Recipe } from '../recipe/types';
import { type Connection, connect } from '../rpc/rpc';
import type { FileStore } from '../storage/opfs';
import { readMetrics, readSamples } from '../storage/runs';
import { requestPersistence, storageUsage } from '../storage/usage';
import type { DataWorkerApi } from '../workers/data/edit-dataset';
import type { DownloadApi } from '../workers/download/service';
import type { EngineApi } from '../workers/engine/api';
import type { PlanApi } from '../workers/plan/service';
import { AdapterSession } from './adapters';
import type { DeviceReport, GenerationOptions, Session } from './api';
import { classify } from './classify';
import { ContinuedRecipes } from './continued';
import { DataHost } from './data-host';
import { DataSession } from './datasets';
import { embed } from './embed';
import { EngineHost } from './engine-host';
import { ForecastSession } from './forecast';
import { GpuMemory } from './gpu-memory';
import { HubSession } from './hub';
import { LoadedAdapters } from './loaded-adapters';
import { ModelSession } from './models';
import { Planner } from './planner';
import { Reader } from './reader';
import type { PageLocks } from './run-guard';
import { StorageSession } from './storage';
import { storedName } from './stored-name';
import { StreamText } from './stream-text';
import { TrainingSession } from './training';

/** Parts that a test can replace. */
export interface SessionParts {
  connectEngine?: () => Connection<EngineApi>;
  connectData?: () => Connection<DataWorkerApi>;
  connectDownloads?: () => Connection<DownloadApi>;
  connectPlanner?: () => Connection<PlanApi>;
  /** What is known about the GPU's memory. */
  memory?: GpuMemory;
  /** Where downloaded models are stored. */
  store?: FileStore;
  locks?: PageLocks | null;
}

function connectEngine(): Connection<EngineApi> {
  const worker = new Worker(new URL('../workers/engine/engine-worker.ts', import.meta.url), {
    type: 'module',
    name: 'engine',
  });
  return connect<EngineApi>(worker, { name: 'engine' });
}

function connectData(): Connection<DataWorkerApi> {
  const worker = new Worker(new URL('../workers/data/data-worker.ts', import.meta.url), {
    type: 'module',
    name: 'data',
  });
  return connect<DataWorkerApi>(worker, { name: 'data worker' });
}

function connectPlanner(): Connection<PlanApi> {
  const worker = new Worker(new URL('../workers/plan/plan-worker.ts', import.meta.url), {
    type: 'module',
    name: 'planner',
  });
  return connect<PlanApi>(worker, { name: 'planner' });
}

function connectDownloads(): Connection<DownloadApi> {
  const worker = new Worker(new URL('../workers/download/download-worker.ts', import.meta.url), {
    type: 'module',
    name: 'downloads',
  });
  return connect<DownloadApi>(worker, { name: 'download worker' });
}

/** The engine gives up on a silent browser before that, with a better sentence. */
const deviceLimit = {
  milliseconds: 90_000,
  words: {
    message: 'The GPU could not be opened within 90 seconds.',
    where: 'WebGPU',
    action: 'Restart the browser. If it happens again, update the graphics driver.',
  },
};

const merging = chunk(() => import('./export-merged'));

export function createSession(parts: SessionParts = {}): Session {
  const locks = parts.locks === undefined ? (globalThis.navigator?.locks ?? null) : parts.locks;
  const engine = new EngineHost(parts.connectEngine ?? connectEngine);
  const data = new DataHost(parts.connectData ?? connectData);
  const reader = new Reader(parts.connectData ?? connectData);
  parseLargeHeaders(reader.parseHeader);
  const planner = new Planner(parts.connectPlanner ?? connectPlanner);
  const memory = parts.memory ?? new GpuMemory();

  const storage = new StorageSession(locks, () => training.current);
  const onSave = () => storage.onSave();
  const hub = new HubSession({
    connect: parts.connectDownloads ?? connectDownloads,
    locks,
    store: parts.store,
    onSave,
    plan: (what) => forecasts.planModel(what),
  });
  const models = new ModelSession({ engine, data, locate: (source) => hub.locate(source) });
  const datasets = new DataSession({
    ...{ data, onSave },
    model: (source) => models.require(source),
    lengthThatFits: (recipe, tokenized) => forecasts.lengthThatFits(recipe, tokenized),
    whileUnused: (source, work) => storage.whileUnused([source], work),
  });
  const adapters = new AdapterSession({ engine, models, reader, device });
  const loaded = new LoadedAdapters(engine);
  const adapterFiles = (source: string) => adapters.files(source);
  const continued = new ContinuedRecipes({ model: (source) => models.require(source), adapterFiles });
  const forecasts = new ForecastSession({
    planner,
    memory,
    device,
    model: (source) => models.require(source),
    tokenize: (recipe) => datasets.tokenize(recipe),
    baseText: (recipe) => datasets.baseText(recipe),
    continued: (recipe) => continued.of(recipe),
    pace: (source) => training.paceOf(source),
  });
  const training = new TrainingSession({
    engine,
    locks,
    memory,
    device,
    plan: (recipe, model, tokenized) => forecasts.plan(recipe, model, tokenized),
    model: (section) => models.ensure(section),
    dataset: (recipe) => datasets.open(recipe.dataset),
    tokenize: (recipe) => datasets.tokenize(recipe),
    baseText: (recipe) => datasets.baseText(recipe),
    encodeText: async (text) => (await data.encodeTexts(models.require().tokenizer, [text], 4096))[0]!,
    encodePrompt: (prompt, system) => data.encodePrompt(models.require().tokenizer, prompt, system),
    decode: (ids) => data.decode(models.require().tokenizer, ids),
    continued: (recipe) => continued.of(recipe),
    adapterFiles,
    datasetFingerprint: (recipe) => datasets.fingerprint(recipe.dataset),
    baseFingerprint: (recipe) => datasets.baseFingerprint(recipe),
    onSave,
  });

  /** An adapter that cannot be continued keeps a run from starting, as the forecast says, but no data from being shown. */
  const shown = (recipe: Recipe) => continued.of(recipe).catch(() => recipe);

  let known: Promise<DeviceReport> | null = null;
  /** Cached, except for a machine without WebGPU, because a setting may change. */
  async function device(): Promise<DeviceReport> {
    known ??= engine.watch((api) => api.device(), deviceLimit);
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
    training.assertIdle('answering a prompt');
    const { tokenizer, tokens, info } = models.require();
    const ids = await data.encodePrompt(tokenizer, prompt);
    if (ids.length === 0) throw badPrompt('The prompt is empty.', 'Enter a prompt.');
    if (ids.length >= info.contextLength) {
      const message = `The prompt has ${ids.length} tokens, but ${info.title} can read at most ${info.contextLength}.`;
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

    async openModel(source, onProgress, quantization = 'none') {
      training.assertIdle('opening a model');
      datasets.forgetTokens();
      loaded.forget();
      return (await storage.ready(() => models.open({ source, quantization }, onProgress))).info;
    },
    importModel: (files) =>
      storage.ready(async () => {
        const name = modelName(files);
        const source = `file:${name}`;
        onSave();
        await storage.whileUnused([source], () => importModelFolder(name, files));
        return source;
      }),

    openDataset: (section) => storage.ready(() => datasets.open(section)),
    importDataset: (file) => storage.ready(() => datasets.import(file)),
    editDataset: (source, row, fields) => storage.ready(() => datasets.edit(source, row, fields)),
    tokenize: (recipe) => storage.ready(async () => datasets.tokenize(await shown(recipe))),
    viewTokens: (recipe, row) => storage.ready(async () => datasets.viewTokens(await shown(recipe), row)),

    forecast: (recipe) => storage.ready(() => forecasts.forecast(recipe)),

    train: (recipe) => storage.ready(() => training.train(recipe)),
    resumeRun: (runId, changed) => storage.ready(() => training.resumeRun(runId, changed)),
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
      const record = await storage.ready(() => adapters.openRun(runId));
      loaded.note(record.name, record.trainableParameters);
      return record;
    },
    async importAdapter(files) {
      training.assertIdle('opening an adapter');
      const adapter = await adapters.import(files);
      loaded.note(adapter.name, adapter.trainableParameters);
      return adapter;
    },
    listAdapters: async () => loaded.list(),
    async activateAdapter(id) {
      training.assertIdle('changing the adapter');
      await loaded.activate(id);
    },
    async removeAdapter(id) {
      training.assertIdle('removing an adapter');
      await loaded.remove(id);
    },

    generate,
    async classify(text, strength) {
      training.assertIdle('classifying a text');
      return classify({ engine, data, models }, text, strength);
    },
    async embed(texts) {
      training.assertIdle('embedding texts');
      return embed({ engine, data, models }, texts);
    },
    async exportAdapter() {
      training.assertIdle('exporting');
      return storage.ready(() => adapters.export());
    },

    async exportMerged(dtype, onProgress, signal) {
      training.assertIdle('exporting');
      const { exportMerged } = await merging();
      return storage.ready(() => exportMerged({ engine, data, models, adapters }, dtype, onProgress, signal));
    },

    hubSettings: () => hub.hubSettings(),
    setHubSettings: (settings) => hub.setHubSettings(settings),
    shelf: (onPlanned) => hub.shelf(onPlanned),
    searchHub: (query, signal) => hub.searchHub(query, signal),
    describeModel: (nameOrUrl, signal) => hub.describeModel(nameOrUrl, signal),
    watchDownloads: (listener) => hub.watchDownloads(listener),
    download: (source) => hub.download(source),
    pauseDownload: (source) => hub.pauseDownload(source),
    cancelDownload: async (source) => storage.whileUnused(await hub.namesOf(source), () => hub.cancelDownload(source)),
    persist: () => requestPersistence(),
    workersClosed: () => data.closedByBrowser(),

    async storage() {
      const [usage, models] = await Promise.all([storage.ready(storageUsage), hub.stored()]);
      const items = [...usage.items, ...models].sort((a, b) => b.createdAt - a.createdAt);
      return { ...usage, items };
    },
    async deleteStored(id) {
      if (!isHubSource(id)) return storage.delete(id);
      await storage.whileUnused(await hub.namesOf(id), () => hub.cancelDownload(id));
    },
    async eraseEverything() {
      await storage.assertErasable();
      await hub.erase();
      await storage.erase();
      memory.forget();
    },

    close() {
      engine.close();
      data.close();
      reader.close();
      parseLargeHeaders(null);
      planner.close();
      hub.close();
    },
  };
}

/** The name of the dropped folder or GGUF file. Files that were chosen individually have no folder name. */
function modelName(files: { path: string }[]): string {
  const config = files.find(({ path }) => /(^|\/)config\.json$/.test(path)) ?? files[0];
  const gguf = files.length === 1 && /([^/]+)\.gguf$/i.exec(files[0]!.path)?.[1];
  if (gguf) return storedName(gguf, 'my-model');
  return storedName(config?.path.split('/').at(-2) ?? '', 'my-model');
}

function badPrompt(message: string, action: string): TabtuneError {
  return new TabtuneError({ code: 'bad_data', message, where: 'prompt', action });
}
