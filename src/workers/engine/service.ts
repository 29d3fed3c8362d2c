/** EngineApi over the engine: one device, one model, one adapter on it, one run at a time. */
import { TabtuneError } from '../../base/errors';
import { pageUrl } from '../../base/page-url';
import { probabilities, textScores } from '../../engine/classification/classify';
import { embedTexts } from '../../engine/embedding/embed';
import { generate, textLogits } from '../../engine/generation/generate';
import { disposeInputs } from '../../engine/kernels/inputs';
import { inference } from '../../engine/methods/method';
import { loadModel } from '../../engine/models';
import { requireHead } from '../../engine/models/heads';
import type { LanguageModel } from '../../engine/models/model';
import { sft } from '../../engine/objectives/sft';
import { evaluate, wholeText } from '../../engine/run/evaluate';
import { type EngineDevice, openDevice, tensorRuntimeVersion, WANTED_LIMITS } from '../../engine/webgpu/device';
import { trimMemory } from '../../engine/webgpu/dispatch';
import { type CheckedModel, checkModelFolder } from '../../hub/check';
import { baseModelName } from '../../hub/hub-id';
import { openModelFolder } from '../../hub/open';
import { summarizeModel } from '../../hub/summary';
import { settleTies } from '../../hub/ties';
import type { ModelSummary } from '../../hub/types';
import { openWeights } from '../../hub/weights';
import { methodOf } from '../../methods';
import type { DeviceReport } from '../../session/api';
import { loadCheckpoint } from '../../storage/checkpoints';
import { getRun } from '../../storage/runs';
import { adapterFiles, adapterNotes } from './adapter-files';
import { adapterModel } from './adapter-model';
import { type HeadSource, type OpenAdapter, openAdapter, openMethod } from './adapters';
import type { EngineApi } from './api';
import { checkMerged } from './check-merged';
import { type MergeModel, mergeModel } from './merge';
import { checkpointValues } from './run-checkpoints';
import { RunControl } from './run-control';
import { checkpointHead } from './stored-head';
import { runTraining } from './train';

interface OpenModel {
  /** Without a classification head; methods and new heads are attached to it. */
  base: LanguageModel;
  /** With the checkpoint's classification head, if it has one. */
  model: LanguageModel;
  head: HeadSource;
  checked: CheckedModel;
  summary: ModelSummary;
}

/** How long a busy browser may take to report that the device behind a failed read is lost. */
const LOSS_PATIENCE_MS = 3000;

const VERSIONS: Record<string, string> = { tabtune: __TABTUNE_VERSION__, tfjs: tensorRuntimeVersion };

export function createEngineService(): EngineApi {
  let device: Promise<EngineDevice> | null = null;
  let open: OpenModel | null = null;
  let adapter: OpenAdapter | null = null;
  let control: RunControl | null = null;

  const engine = (): Promise<EngineDevice> => {
    device ??= openDevice();
    return device;
  };

  /** Rejects as soon as the device fails, when a read may never resolve. */
  const onDevice = async <T>(work: () => Promise<T>): Promise<T> => {
    const { failed } = await engine();
    try {
      return await Promise.race([work(), failed]);
    } catch (cause) {
      // A lost device fails reads before the loss is reported; the message must not depend on which comes first.
      const patience = pause(cause instanceof TabtuneError ? 50 : LOSS_PATIENCE_MS);
      const reason = await Promise.race([failed.catch((error: unknown) => error), patience]);
      throw reason instanceof TabtuneError ? reason : cause;
    }
  };

  const current = (): OpenModel => {
    if (!open) {
      throw new TabtuneError({
        code: 'bad_model',
        message: 'No model is open.',
        action: 'Choose a model first.',
      });
    }
    return open;
  };

  /** The model with its adapter's head and hooks. */
  const tuned = (strength: number) => {
    const { model } = current();
    return adapter ? { model: adapter.model, hooks: adapter.method.hooks(inference(strength)) } : { model, hooks: {} };
  };

  const merged = (): MergeModel => {
    const { model, checked } = current();
    return { checked, model: adapter?.model ?? model, method: adapter?.method ?? null };
  };

  const dropAdapter = () => {
    adapter?.dispose();
    adapter = null;
  };

  const putAdapter = (next: OpenAdapter) => {
    dropAdapter();
    adapter = next;
    return { trainableParameters: [...next.method.trainable.values()].reduce((sum, t) => sum + t.size, 0) };
  };

  return {
    async device() {
      try {
        return report(await engine());
      } catch (cause) {
        device = null; // the next call may find one
        const error = TabtuneError.from(cause, { code: 'no_webgpu', message: 'WebGPU could not be started.' });
        return { ...NO_DEVICE, problem: error.toData() };
      }
    },

    async loadModel(source, onProgress = () => {}, quantization = 'none') {
      return onDevice(async () => {
        dropAdapter();
        if (open && open.model !== open.base) open.model.dispose();
        open?.base.dispose();
        open = null;
        disposeInputs();
        trimMemory();
        const checked = await settleTies(await checkModelFolder(await openModelFolder(source, { baseUrl: pageUrl() })));
        const summary = await summarizeModel(checked);
        let loaded = 0;
        const weights = openWeights(checked, (bytes) => {
          loaded += bytes;
          onProgress(loaded, weights.bytes);
        });
        onProgress(0, weights.bytes);
        const config = checked.json;
        const base = await loadModel(config, weights, { quantization });
        try {
          open = { base, ...(await checkpointHead(base, checked, weights, quantization)), checked, summary };
        } catch (error) {
          base.dispose();
          throw error;
        }
        const linearModules = [...new Set(base.linears.map(({ path }) => path.slice(path.lastIndexOf('.') + 1)))];
        return { ...summary, linearModules, adapterModel: adapterModel(base) };
      });
    },

    async train(job, onEvent) {
      if (control) {
        throw new TabtuneError({
          code: 'internal',
          message: 'A run is already in progress.',
          action: 'Stop it first.',
        });
      }
      const { base, head } = current();
      control = new RunControl();
      dropAdapter();
      try {
        return await onDevice(async () => {
          // Memory left from answers and other runs would count as this run's.
          disposeInputs();
          trimMemory();
          const finished = await runTraining(base, head, job, control!, onEvent);
          putAdapter(finished.open);
          const deviceReport = report(await engine());
          return { run: finished.run, summary: { ...finished.summary, device: deviceReport, versions: VERSIONS } };
        });
      } catch (cause) {
        control.stop(); // the loop may still be running where the device failed beside it
        throw cause;
      } finally {
        control = null;
      }
    },

    async pause() {
      control?.pause();
    },
    async resume() {
      control?.resume();
    },
    async stop() {
      control?.stop();
    },

    async setAdapter(files) {
      const { base, head } = current();
      return onDevice(async () => {
        if (files) return putAdapter(await openAdapter(base, files, head));
        dropAdapter();
        return { trainableParameters: 0 };
      });
    },

    async openCheckpoint(runId, recipe) {
      const { base, head } = current();
      const checkpoint = (await loadCheckpoint(runId, 'best')) ?? (await loadCheckpoint(runId, 'latest'));
      if (!checkpoint) {
        throw new TabtuneError({
          code: 'storage',
          message: 'This run has no checkpoint yet.',
          action: 'Train it for at least one checkpoint (training.save_steps).',
        });
      }
      const task = (await getRun(runId))?.task ?? null;
      return onDevice(async () =>
        putAdapter(
          await openMethod(base, recipe.method, {
            objective: recipe.objective.type,
            task,
            seed: recipe.training.seed,
            values: checkpointValues(checkpoint.tensors),
            head,
          }),
        ),
      );
    },

    async exportAdapter() {
      const { base: bare, checked } = current();
      const loaded = adapter;
      if (!loaded) {
        throw new TabtuneError({
          code: 'bad_adapter',
          message: 'There is no adapter on the model.',
          action: 'Train one, open a finished run, or import one.',
        });
      }
      const { baseModel, source, commit } = checked.folder;
      const base = { name: baseModel ?? baseModelName(source), revision: commit ?? null };
      return onDevice(async () => ({ files: await adapterFiles(loaded, base), notes: adapterNotes(loaded, bare) }));
    },

    async mergeModel(dtype, onPiece, onProgress, signal) {
      if (adapter && !methodOf(adapter.settings).merges) {
        throw new TabtuneError({
          code: 'bad_adapter',
          message: `What ${adapter.settings.type} learns is not part of a weight, so it cannot be merged into the model.`,
          where: 'method.type',
          action: 'Export the adapter instead.',
        });
      }
      return onDevice(() => mergeModel(merged(), dtype, onPiece, onProgress, signal));
    },

    async checkMerged(folder, onProgress, signal) {
      return onDevice(() => checkMerged(merged(), folder, onProgress, signal));
    },

    async generate(prompt, { adapterStrength, ...options }, onToken, signal) {
      const { model, hooks } = tuned(adapterStrength);
      return onDevice(() => generate(model, hooks, prompt, options, onToken, signal));
    },

    async logits(ids, adapterStrength) {
      const { model, hooks } = tuned(adapterStrength);
      return onDevice(() => textLogits(model, hooks, ids));
    },

    async embed(texts, { adapterStrength, ...options }) {
      const { model, hooks } = tuned(adapterStrength);
      return onDevice(() => embedTexts(model, hooks, texts, options));
    },

    async classify(ids, adapterStrength) {
      const { model, hooks } = tuned(adapterStrength);
      const scores = await onDevice(() => textScores(model, hooks, ids));
      const { labels, problemType } = requireHead(model, 'classification');
      return { labels, problemType, probabilities: probabilities(problemType, labels.length, scores) };
    },

    async textLoss(ids) {
      const { base } = current();
      const measured = await onDevice(() => evaluate({ model: base, method: null, objective: sft }, [wholeText(ids)]));
      return measured?.loss ?? Number.NaN;
    },

    async loseDevice() {
      (await engine()).device.destroy();
    },
  };
}

const NO_DEVICE: DeviceReport = {
  available: false,
  vendor: '',
  architecture: '',
  description: '',
  software: false,
  features: [],
  limits: {},
  maxBufferSize: 0,
  maxStorageBufferBindingSize: 0,
  problem: null,
};

function report(engine: EngineDevice): DeviceReport {
  const { vendor, architecture, description, software, features, device } = engine;
  return {
    available: true,
    vendor,
    architecture,
    description,
    software,
    features,
    limits: Object.fromEntries(WANTED_LIMITS.map((name) => [name, device.limits[name]])),
    maxBufferSize: device.limits.maxBufferSize,
    maxStorageBufferBindingSize: device.limits.maxStorageBufferBindingSize,
    problem: null,
  };
}

const pause = (milliseconds: number) => new Promise<null>((resolve) => setTimeout(resolve, milliseconds, null));
