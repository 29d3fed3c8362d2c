/** EngineApi over the engine: one device, one model, one adapter on it, one run at a time. */
import { TabtuneError } from '../../base/errors';
import { pageUrl } from '../../base/page-url';
import { Pieces } from '../../data/pieces';
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
import { tokenLosses } from '../../engine/run/token-losses';
import type { Hooks } from '../../engine/types';
import { forgetGpuPeak } from '../../engine/webgpu/backend';
import { type EngineDevice, openDevice, tensorRuntimeVersion } from '../../engine/webgpu/device';
import { trimMemory } from '../../engine/webgpu/dispatch';
import { type CheckedModel, checkModelFolder } from '../../hub/check';
import { baseModelName } from '../../hub/hub-id';
import { openModelFolder } from '../../hub/open';
import { summarizeModel } from '../../hub/summary';
import { settleTies } from '../../hub/ties';
import type { ModelSummary } from '../../hub/types';
import { openWeights } from '../../hub/weights';
import type { Recipe } from '../../recipe/types';
import { NO_DEVICE } from '../../session/no-device';
import { adapterFiles, adapterNotes } from './adapter-files';
import { adapterModel } from './adapter-model';
import { type HeadSource, type OpenAdapter, openAdapter } from './adapters';
import type { EngineApi } from './api';
import { BatchAnswers } from './batch-answers';
import { answerTogether, measureBaseText, measureChanges, measureExamples } from './compare';
import { report, untilFailure } from './device-report';
import { type Held, HeldAdapters, hooksOf, type On } from './held';
import { assertMerges, tensorsOf } from './merge';
import type { MergeModel } from './merged-tensors';
import { openRun } from './open-run';
import { proveAdapter, proveModel } from './prove';
import { RunControl } from './run-control';
import { EngineKernels, watchedBy } from './run-kernels';
import { startOfRun } from './start-of-run';
import { checkpointHead } from './stored-head';
import { runTraining } from './train';
import { findRate, testDrive } from './trial';
import { writeModel } from './write-model';

interface OpenModel {
  /** Without a classification head; methods and new heads are attached to it. */
  base: LanguageModel;
  /** With the checkpoint's classification head, if it has one. */
  model: LanguageModel;
  head: HeadSource;
  checked: CheckedModel;
  summary: ModelSummary;
}

/** What an adapter says of the model that it is for. */
const baseNames = ({ folder: { baseModel, source, commit } }: CheckedModel) => ({
  name: baseModel ?? baseModelName(source),
  revision: commit ?? null,
});

const VERSIONS: Record<string, string> = { tabtune: __TABTUNE_VERSION__, tfjs: tensorRuntimeVersion };

export function createEngineService(): EngineApi {
  let device: Promise<EngineDevice> | null = null;
  let open: OpenModel | null = null;
  let adapter: OpenAdapter | null = null;
  let control: RunControl | null = null;
  let pieces = new Pieces();
  const held = new HeldAdapters();
  const together = new BatchAnswers();
  const kernels = new EngineKernels(__TABTUNE_VERSION__);

  const engine = (): Promise<EngineDevice> => {
    device ??= openDevice().then((opened) => kernels.open(opened));
    return device;
  };

  const onDevice = <T>(work: () => Promise<T>): Promise<T> => untilFailure(engine, work);

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

  const at = (on: On): Held => {
    if (on !== null && on !== 'active') return held.get(on.key);
    if (on === 'active' && adapter) return adapter;
    return { model: current().model, method: null, dispose: () => {} };
  };

  const labelled = async ({ model }: Pick<Held, 'model'>, hooks: Hooks, ids: Int32Array) => {
    const scores = await onDevice(() => textScores(model, hooks, ids));
    const { labels, problemType } = requireHead(model, 'classification');
    return { labels, problemType, probabilities: probabilities(problemType, labels.length, scores) };
  };

  const merged = (): MergeModel => {
    const { model, checked } = current();
    return { checked, model: adapter?.model ?? model, method: adapter?.method ?? null };
  };

  const ofRun = (runId: string, recipe: Recipe) => {
    return openRun(runId, recipe, current());
  };

  const dropAdapter = () => {
    adapter?.dispose();
    adapter = null;
  };

  const putAdapter = (next: OpenAdapter) => {
    dropAdapter();
    adapter = next;
    const trainableParameters = [...next.method.trainable.values()].reduce((sum, t) => sum + t.size, 0);
    return { trainableParameters, settings: next.settings };
  };

  const assertIdle = () => {
    if (!control) return;
    throw new TabtuneError({ code: 'internal', message: 'A run is already in progress.', action: 'Stop it first.' });
  };

  /** Something that uses the open model as a run does, and leaves nothing behind. */
  const trial = async <T>(
    signal: AbortSignal | undefined,
    work: (base: LanguageModel, head: HeadSource, stopped: () => boolean) => Promise<T>,
  ): Promise<T> => {
    assertIdle();
    const { base, head } = current();
    const mine = new RunControl();
    control = mine;
    signal?.addEventListener('abort', () => mine.stop());
    try {
      return await onDevice(async () => {
        disposeInputs();
        trimMemory();
        forgetGpuPeak();
        return work(base, head, () => mine.stopRequested() || signal?.aborted === true);
      });
    } finally {
      mine.stop(); // it may still be running where the device failed beside it
      control = null;
      disposeInputs();
      trimMemory();
    }
  };

  return {
    async useKernels(asked) {
      kernels.asked = asked;
    },
    async keptKernels() {
      await engine();
      return kernels.kept();
    },
    measureKernels: (onProgress, signal) =>
      trial(signal, (_base, _head, stopped) => kernels.measure({ stopped, onProgress })),
    async chooseKernels(timed) {
      assertIdle();
      await engine();
      return kernels.choose(timed);
    },

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
        held.clear();
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

    async addExamples(at, part, examples) {
      if (at === 0) pieces = new Pieces();
      pieces.add(part, examples);
    },

    async train(given, onEvent) {
      const joined = pieces.join(given);
      assertIdle();
      const { base, head } = current();
      control = new RunControl();
      held.clear();
      dropAdapter();
      try {
        return await onDevice(async () => {
          const job = await kernels.begin(joined, watchedBy(control!, onEvent));
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
        kernels.end();
        control = null;
      }
    },

    async save() {
      control?.save();
    },
    testDrive(job, batchSizes, onProgress, signal) {
      return trial(signal, (base, head, stopped) => testDrive(base, head, job, batchSizes, stopped, onProgress));
    },

    findRate(job, onPoint, signal) {
      return trial(signal, (base, head, stopped) => findRate(base, head, job, stopped, onPoint));
    },

    startOfRun: (job) => trial(undefined, (base, head) => startOfRun(base, head, job, baseNames(current().checked))),

    async scored(id, result) {
      control?.questions.answer(id, result);
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
        return { trainableParameters: 0, settings: null };
      });
    },

    openCheckpoint: (runId, recipe) => onDevice(async () => putAdapter(await ofRun(runId, recipe))),

    async runAdapter(runId, recipe) {
      const { checked } = current();
      return onDevice(async () => {
        const opened = await ofRun(runId, recipe);
        try {
          return await adapterFiles(opened, baseNames(checked));
        } finally {
          opened.dispose();
        }
      });
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
      const base = baseNames(checked);
      return onDevice(async () => ({ files: await adapterFiles(loaded, base), notes: adapterNotes(loaded, bare) }));
    },

    mergedTensors: async () => tensorsOf(merged()),

    async writeModel(layout, place, onProgress, signal) {
      if (adapter) assertMerges(adapter.settings);
      return onDevice(() => writeModel(merged(), layout, place, onProgress, signal));
    },

    async proveModel(files, proof, onProgress, signal) {
      return onDevice(() => proveModel(merged(), files, proof, onProgress, signal));
    },

    async proveAdapter(files, proof, onProgress, signal) {
      const { base, head } = current();
      return onDevice(() => proveAdapter(merged(), base, files, head, proof, onProgress, signal));
    },

    async generate(prompt, { adapterStrength, ...options }, onToken, signal) {
      const { model, hooks } = tuned(adapterStrength);
      return onDevice(() => generate(model, hooks, prompt, options, onToken, signal));
    },

    async answerTogether(prompts, { adapterStrength, ...options }, onToken, signal) {
      const on = tuned(adapterStrength);
      return onDevice(() => together.write(on, prompts, options, onToken, signal));
    },
    endAnswer: async (prompt) => together.end(prompt),

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
      return labelled({ model }, hooks, ids);
    },

    async held() {
      return held.keys;
    },
    async release(keep) {
      held.release(keep);
    },
    async hold(key, from) {
      const { base, head } = current();
      await onDevice(() => held.hold(key, from, { base, head }));
    },
    async answer(columns, onToken, signal) {
      const jobs = columns.map((job) => ({ held: at(job.on), job }));
      return onDevice(() => answerTogether(jobs, onToken, signal));
    },
    async classifyOn(on, ids, strength) {
      const found = at(on);
      return labelled(found, hooksOf(found, strength), ids);
    },
    async measureExamples(on, job, onProgress, signal) {
      return onDevice(() => measureExamples(at(on), job, onProgress, signal));
    },
    async tokenLosses(on, ids) {
      const { model, method } = at(on);
      return onDevice(() => tokenLosses(model, method, ids));
    },
    async baseTextLoss(on, text, signal) {
      return onDevice(() => measureBaseText(at(on), text, signal));
    },
    async layerChanges(on, onProgress, signal) {
      return onDevice(() => measureChanges(at(on), onProgress, signal));
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
