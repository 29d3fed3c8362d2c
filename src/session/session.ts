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
import type { Connection } from '../rpc/rpc';
import type { FileStore } from '../storage/opfs';
import { readMetrics, readSamples } from '../storage/runs';
import { clearScratch } from '../storage/scratch';
import { requestPersistence, storageUsage } from '../storage/usage';
import type { DataWorkerApi } from '../workers/data/edit-dataset';
import type { DownloadApi } from '../workers/download/service';
import type { EngineApi } from '../workers/engine/api';
import type { PlanApi } from '../workers/plan/service';
import type { RewardApi } from '../workers/reward/service';
import type { UploadApi } from '../workers/upload/service';
import type { TrainingNeeds } from './active-run';
import { AdapterSession } from './adapters';
import type { GenerationOptions, Session } from './api';
import { classify } from './classify';
import { CodeHost } from './code-host';
import type { Comparison } from './comparison-types';
import {
  connectCode,
  connectData,
  connectDownloads,
  connectEngine,
  connectPlanner,
  connectUploads,
} from './connections';
import { ContinuedRecipes } from './continued';
import { DataHost } from './data-host';
import { DataSession } from './datasets';
import { deviceOf } from './device';
import { embed } from './embed';
import { EngineHost } from './engine-host';
import { ForecastSession } from './forecast';
import { GpuMemory } from './gpu-memory';
import { HubSession } from './hub';
import { KernelCalls } from './kernels';
import { LoadedAdapters } from './loaded-adapters';
import { ModelSession } from './models';
import { NO_DEVICE } from './no-device';
import { ownDatasetCalls } from './own-dataset-calls';
import { Planner } from './planner';
import { Reader } from './reader';
import { rewardModelFiles } from './reward-models';
import { RewardSession } from './rewards';
import type { PageLocks } from './run-guard';
import { SelfInstructCalls } from './self-instruct-calls';
import { StorageSession } from './storage';
import { modelName } from './stored-name';
import { StreamText } from './stream-text';
import { TrainingSession } from './training';
import { TrialSession } from './trial';
import { withKernels } from './with-kernels';

/** Parts that a test can replace. */
export interface SessionParts {
  connectEngine?: () => Connection<EngineApi>;
  connectData?: () => Connection<DataWorkerApi>;
  connectCode?: () => Connection<RewardApi>;
  connectDownloads?: () => Connection<DownloadApi>;
  connectUploads?: () => Connection<UploadApi>;
  connectPlanner?: () => Connection<PlanApi>;
  /** What is known about the GPU's memory. */
  memory?: GpuMemory;
  /** Where downloaded models are stored. */
  store?: FileStore;
  locks?: PageLocks | null;
  /** What was asked for, and where: `?kernels=` or `--kernels`. */
  kernels?: { text: string; where: string };
}

const comparing = chunk(() => import('./comparison'));
const measuring = chunk(() => import('./losses'));
const exporting = chunk(() => import('./exporting'));
const exportedRuns = chunk(() => import('./export-training'));

export function createSession(parts: SessionParts = {}): Session {
  const locks = parts.locks === undefined ? (globalThis.navigator?.locks ?? null) : parts.locks;
  const { start, problem } = withKernels(parts.connectEngine ?? connectEngine, parts.kernels);
  const engine = new EngineHost(start);
  const device = problem ? async () => ({ ...NO_DEVICE, problem }) : deviceOf(engine);
  const data = new DataHost(parts.connectData ?? connectData);
  const code = new CodeHost(parts.connectCode ?? connectCode);
  const reader = new Reader(parts.connectData ?? connectData);
  parseLargeHeaders(reader.parseHeader);
  const planner = new Planner(parts.connectPlanner ?? connectPlanner);
  const memory = parts.memory ?? new GpuMemory();

  const storage = new StorageSession(locks, () => training.current);
  const onSave = () => storage.onSave();
  const hub = new HubSession({
    connect: parts.connectDownloads ?? connectDownloads,
    connectUploads: parts.connectUploads ?? connectUploads,
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
  const scoring = new RewardSession(data, code, models);
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
  const needs: TrainingNeeds = {
    engine,
    locks,
    memory,
    device,
    plan: (...run) => forecasts.plan(...run),
    model: (section) => models.ensure(section),
    dataset: (recipe) => datasets.open(recipe.dataset),
    tokenize: (recipe) => datasets.tokenize(recipe),
    written: (recipe) => datasets.written(recipe),
    baseText: (recipe) => datasets.baseText(recipe),
    encodeText: async (text) => (await data.encodeTexts(models.require().tokenizer, [text], 4096))[0]!,
    encodePrompt: (prompt, system) => data.encodePrompt(models.require().tokenizer, prompt, system),
    decode: (ids) => data.decode(models.require().tokenizer, ids),
    score: (rewards, answers) => scoring.score(rewards, answers),
    checkRewards: (rewards, examples) => scoring.check(rewards, examples),
    continued: (recipe) => continued.of(recipe),
    adapterFiles,
    rewardModels: (recipe) => rewardModelFiles(recipe, adapterFiles),
    datasetFingerprint: (recipe) => datasets.fingerprint(recipe.dataset),
    baseFingerprint: (recipe) => datasets.baseFingerprint(recipe),
    onSave,
  };
  const training = new TrainingSession(needs);
  const trials = new TrialSession({
    ...needs,
    onPace: (source, rate) => training.notePace(source, rate),
    assertIdle: (action) => training.assertIdle(action),
  });

  const writing = new SelfInstructCalls({
    ...{ engine, data, models, loaded, onSave },
    ready: (work) => storage.ready(work),
    assertIdle(action) {
      training.assertIdle(action);
      trials.assertIdle(action);
    },
  });

  /** Nothing else has the engine's one model. */
  function assertIdle(action: string): void {
    training.assertIdle(action);
    trials.assertIdle(action);
    writing.assertIdle(action);
  }

  /** What a run, or another model, is more important than. */
  const endOthers = () => Promise.all([trials.end(), writing.end(), kernels.end()]);
  const kernels = new KernelCalls(engine, assertIdle);

  /** An adapter that cannot be continued keeps a run from starting, as the forecast says, but no data from being shown. */
  const shown = (recipe: Recipe) => continued.of(recipe).catch(() => recipe);

  /** A run as another trainer can make it. */
  const exportedTraining = async (recipe: Recipe, signal?: AbortSignal) =>
    (await exportedRuns()).trainingData(needs, recipe, signal);

  const exported = { engine, data, models, adapters, datasets, reader };
  const lossNeeds = { engine, models, datasets, loaded };

  let compared: Promise<Comparison> | null = null;
  /** One, since it knows what it holds on the GPU; a chunk that could not be fetched is asked for again. */
  function comparison(): Promise<Comparison> {
    compared ??= comparing().then(({ createComparison }) =>
      createComparison({
        ...{ engine, data, models, datasets, loaded, memory, device },
        continued: shown,
        ready: (work) => {
          assertIdle('comparing models');
          return storage.ready(work);
        },
        stored: (work) => storage.ready(work),
        onSave,
      }),
    );
    compared.catch(() => {
      compared = null;
    });
    return compared;
  }

  async function generate(
    prompt: string,
    options: GenerationOptions,
    onText: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<string> {
    assertIdle('answering a prompt');
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
      await endOthers();
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

    openDataset: (section, how) => storage.ready(() => datasets.open(section, how)),
    importDataset: (file) => storage.ready(() => datasets.import(file)),
    ...ownDatasetCalls(data, datasets, (work) => storage.ready(work)),
    tokenize: (recipe, onProgress) => storage.ready(async () => datasets.tokenize(await shown(recipe), onProgress)),
    viewTokens: (recipe, row) => storage.ready(async () => datasets.viewTokens(await shown(recipe), row)),

    nearDuplicates: (section, ...how) => storage.ready(() => datasets.nearDuplicates(section, ...how)),
    leaks: (recipe, ...how) => storage.ready(async () => datasets.leaks(await shown(recipe), ...how)),

    augmentPreview: (recipe, ...how) => storage.ready(async () => datasets.augmentPreview(await shown(recipe), ...how)),
    augmentDataset: (recipe, ...how) => storage.ready(async () => datasets.augment(await shown(recipe), ...how)),

    async exampleLosses(recipe, ...how) {
      training.assertIdle('measuring the examples');
      const { exampleLosses } = await measuring();
      return storage.ready(async () => exampleLosses(lossNeeds, await shown(recipe), ...how));
    },
    async tokenLosses(recipe, row) {
      training.assertIdle('measuring the tokens');
      const { tokenLosses } = await measuring();
      return storage.ready(async () => tokenLosses(lossNeeds, await shown(recipe), row));
    },

    forecast: (recipe) => storage.ready(() => forecasts.forecast(recipe)),

    keptKernels: () => kernels.keptKernels(),
    measureKernels: (onProgress, signal) => kernels.measureKernels(onProgress, signal),
    chooseKernels: (timed) => kernels.chooseKernels(timed),

    testDrive: (recipe, onProgress, signal) => storage.ready(() => trials.testDrive(recipe, onProgress, signal)),
    findRate: (recipe, onPoint, signal) => storage.ready(() => trials.findRate(recipe, onPoint, signal)),
    train: (recipe) => storage.ready(() => endOthers().then(() => training.train(recipe))),
    resumeRun: (...run) => storage.ready(() => endOthers().then(() => training.resumeRun(...run))),
    tryReward: (reward, answers) => storage.ready(() => scoring.tryOn(reward, answers)),
    saveRun: () => training.save(),
    pause: () => training.pause(),
    resume: () => training.resume(),
    stop: () => training.stop(),
    subscribe: (listener) => training.subscribe(listener),

    runs: () => storage.runs(),
    runMetrics: (runId) => storage.ready(() => readMetrics(runId)),
    runSamples: (runId) => storage.ready(() => readSamples(runId)),
    async labelRun(runId, change) {
      const record = await storage.labelRun(runId, change);
      training.relabel(record);
      loaded.rename(runId, record.name);
      return record;
    },
    deleteRun: (runId) => storage.deleteRun(runId),
    async openRun(runId) {
      assertIdle('opening another run');
      const record = await storage.ready(() => adapters.openRun(runId));
      loaded.note(record.name, record.trainableParameters);
      return record;
    },
    async importAdapter(files) {
      assertIdle('opening an adapter');
      const adapter = await adapters.import(files);
      loaded.note(adapter.name, adapter.trainableParameters);
      return adapter;
    },
    listAdapters: async () => loaded.list(),
    async activateAdapter(id) {
      assertIdle('changing the adapter');
      await loaded.activate(id);
    },
    async removeAdapter(id) {
      assertIdle('removing an adapter');
      await loaded.remove(id);
    },

    generate,
    async classify(text, strength) {
      assertIdle('classifying a text');
      return classify({ engine, data, models }, text, strength);
    },
    async embed(texts) {
      assertIdle('embedding texts');
      return embed({ engine, data, models }, texts);
    },
    comparison,
    selfInstruct: () => writing.api(),
    async exportAs(id, job) {
      assertIdle('exporting');
      const { exportAs } = await exporting();
      return storage.ready(() => exportAs({ ...exported, training: exportedTraining, continued: shown }, id, job));
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
    pushing: () => hub.pushing(),
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
      await clearScratch();
      await storage.erase();
      memory.forget();
    },

    close() {
      engine.close();
      data.close();
      code.close();
      reader.close();
      parseLargeHeaders(null);
      planner.close();
      hub.close();
    },
  };
}

function badPrompt(message: string, action: string): TabtuneError {
  return new TabtuneError({ code: 'bad_data', message, where: 'prompt', action });
}
