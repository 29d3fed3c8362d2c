/**
 * A Session without an engine: datasets are really parsed, tokens are words, and a run follows a formula. Events come
 * in the order the interface promises, so that every state of the screens can be reached in seconds.
 */
import { type ErrorData, TabtuneError } from '../../../src/base/errors';
import { exportBy } from '../../../src/exports';
import { resolveRecipe } from '../../../src/recipe/defaults';
import { totalSteps } from '../../../src/recipe/forecast';
import { rewardOf } from '../../../src/rewards';
import type { LoadedAdapter, ModelInfo, Session, StorageItem } from '../../../src/session/api';
import { scoresOf } from './classes';
import { createScriptedComparison } from './comparison';
import { createScriptedDatasets } from './datasets';
import { deviceOf } from './device';
import { createScriptedHub, type HubScript } from './hub';
import { createScriptedKernels, type KernelsScript } from './kernels';
import { memoryOf, opens, trainedOf } from './memory';
import { answers } from './metrics';
import { factsOf } from './repositories';
import { createScriptedRuns, type RunsScript } from './runs';
import { createScriptedSelfInstruct } from './self-instruct';
import { sleep } from './sleep';
import { createScriptedTrials } from './trials';

export interface Script extends HubScript, RunsScript, KernelsScript {}

const model: ModelInfo = {
  source: 'builtin:stories',
  title: 'Stories 2M',
  architecture: 'llama',
  kind: 'decoder',
  parameters: 1_967_808,
  bytes: 3_939_696,
  dtype: 'BF16',
  vocabSize: 4096,
  contextLength: 512,
  hiddenSize: 128,
  layers: 6,
  licence: 'MIT',
  linearModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
  hasChatTemplate: true,
  templateGaps: [],
};

/** The engine's error for a model that cannot generate text. */
const noHead: ErrorData = {
  code: 'bad_model',
  message: 'This bert model has no language-modelling head, so it gives no logits over tokens.',
  where: 'model.source',
  action: 'Choose a checkpoint with its head, or another objective.',
};

export function createScriptedSession(script: Script): Session {
  const { stored, delete: deleteModel, persisted, ...hub } = createScriptedHub(script);
  const deleted = new Set<string>();
  /** The open model. */
  let opened = model;
  const { lengthsOf, ...datasets } = createScriptedDatasets();
  const { records, measured, ...runs } = createScriptedRuns(script, () => opened, { lengthsOf });
  /** A test drive has measured a step. */
  let driven = false;
  let adapters: LoadedAdapter[] = [];
  const load = (adapter: Omit<LoadedAdapter, 'active'>) => {
    const others = adapters.filter(({ id }) => id !== adapter.id).map((other) => ({ ...other, active: false }));
    adapters = [...others, { ...adapter, active: true }];
  };

  const selfInstruct = createScriptedSelfInstruct(script.stepMs);
  const comparison = createScriptedComparison({
    ...{ stepMs: script.stepMs, records },
    adapters: () => adapters,
    layers: () => opened.layers,
  });

  return {
    ...hub,
    ...datasets,
    ...runs,
    ...createScriptedTrials(script.stepMs, () => {
      driven = true;
    }),
    ...createScriptedKernels(script),
    device: async () => deviceOf(script.device),
    async tryReward(reward, answers) {
      const score = await rewardOf(reward).scorer?.(reward);
      return score ? answers.map((answer) => score({ ...answer, finished: true, tokens: [] })) : null;
    },
    async openModel(source, onProgress) {
      if (script.device === 'none') throw new TabtuneError(deviceOf('none').problem!);
      for (let part = 1; part <= 4; part++) {
        await sleep(60);
        onProgress?.((model.bytes * part) / 4, model.bytes);
      }
      opened = { ...model, source, ...factsOf(source) };
      return opened;
    },
    importModel: async (dropped) => `file:${dropped[0]?.path.split('/')[0]}`,
    async forecast(recipe) {
      await sleep(40);
      const lengths = await lengthsOf(recipe);
      const train = Math.round(lengths.length * (1 - recipe.dataset.validation_split));
      const steps = totalSteps(train, recipe);
      const adapter = trainedOf(recipe, opened);
      return {
        trainableParameters: adapter,
        totalParameters: opened.parameters + (opens(recipe) ? 0 : adapter),
        ...memoryOf(recipe, opened.parameters, adapter),
        totalSteps: steps,
        tokens: steps * 410,
        seconds: driven || measured() ? steps * 0.21 : null,
        blockers: opened.architecture === 'bert' ? [noHead] : [],
      };
    },
    async openRun(id) {
      const run = records.find((one) => one.id === id)!;
      const { method, objective } = run.recipe;
      const adapter = { id: `run:${id}`, name: run.name, method: method.type, objective: objective.type, runId: id };
      load({ ...adapter, settings: method, trainableParameters: run.trainableParameters });
      return { ...run };
    },
    async importAdapter(dropped) {
      const { name } = dropped[0]!.file;
      load({
        id: `file:${name}`,
        name,
        method: 'lora',
        objective: 'sft',
        settings: resolveRecipe({ version: 1, method: { type: 'lora' } }).method,
        runId: null,
        trainableParameters: 202_752,
      });
      return { name, trainableParameters: 202_752 };
    },
    listAdapters: async () => adapters.map((adapter) => ({ ...adapter })),
    async activateAdapter(id) {
      for (const adapter of adapters) adapter.active = adapter.id === id;
    },
    async removeAdapter(id) {
      adapters = adapters.filter((adapter) => adapter.id !== id);
    },
    classify: async (text, strength) => {
      await sleep(script.stepMs * 4);
      return scoresOf(adapters.find(({ active }) => active)?.objective, text, strength);
    },
    async generate(prompt, options, onText, signal) {
      const known = answers.find(([asked]) => asked === prompt) ?? answers[0]!;
      const words = known[options.adapterStrength > 0 ? 2 : 1].split(' ');
      for (let i = 1; i <= words.length && !signal?.aborted; i++) {
        await sleep(script.stepMs);
        onText(words.slice(0, i).join(' '));
      }
      return words.join(' ');
    },
    comparison: async () => comparison,
    selfInstruct: async () => selfInstruct,
    async exportAs(id, { onProgress }) {
      const exported = {
        method: adapters.find(({ active }) => active)!.settings,
        objective: 'sft',
        family: 'llama',
      } as const;
      const total = opened.bytes * (id === 'merged-f32' ? 2 : 1);
      for (let part = 1; part <= 4; part++) {
        await sleep(script.stepMs * 8);
        onProgress({ phase: 'writing', done: (total * part) / 4, total });
      }
      onProgress({ phase: 'checking', done: 0, total: 1 });
      await sleep(script.stepMs * 8);
      const files = [
        { path: id === 'peft' ? 'adapter_config.json' : 'model.safetensors', blob: new Blob([new Uint8Array(64)]) },
        { path: 'README.md', blob: new Blob(['# pirate-chat']) },
      ];
      const proof = {
        ...{
          texts: 9,
          tokens: 301,
          maxLogitDifference: 2.1e-6,
          largestLogit: 14.2,
          sameChoices: 301,
          unproven: null,
          carried: 0.9998,
          rounding: null,
        },
        perplexity: { before: 8.1, after: 8.1 },
      };
      return { id, fileName: exportBy(id).fileName('pirate-chat', exported), files, bytes: total, notes: [], proof };
    },
    embed: async (texts) => texts.map(() => new Float32Array(64)),
    storage: async () => {
      const items: StorageItem[] = [
        ...stored(),
        {
          id: 'dataset/replies.csv',
          kind: 'dataset',
          name: 'replies.csv',
          bytes: 184_000,
          createdAt: Date.now() - 9e6,
        },
        ...records.map((run) => ({
          id: `run/${run.id}`,
          kind: 'run' as const,
          name: run.name,
          bytes: 4_900_000,
          createdAt: run.createdAt,
        })),
      ];
      const kept = items.filter(({ id }) => !deleted.has(id));
      const usage = kept.reduce((sum, { bytes }) => sum + bytes, 5_600_000);
      return { usage, quota: 10_700_000_000, persisted: persisted(), items: kept };
    },
    async deleteStored(id) {
      deleted.add(id);
      deleteModel(id);
    },
    workersClosed: async () => true,
    async eraseEverything() {},
    close() {},
  };
}
