/** A run on a tiny Llama from the fixtures, small enough for the CPU backend, that records everything it reports. */
import * as tf from '@tensorflow/tfjs-core';
import { createBatchSource } from '../../src/data/batches';
import type { TokenizedExample } from '../../src/data/types';
import { disposeInputs } from '../../src/engine/kernels/inputs';
import { createLora, loraShapes } from '../../src/engine/methods/lora';
import type { Method } from '../../src/engine/methods/method';
import type { NamedTensors } from '../../src/engine/methods/tensors';
import { loadModel } from '../../src/engine/models';
import type { LanguageModel, WeightSource } from '../../src/engine/models/model';
import type { Objective } from '../../src/engine/objectives/objective';
import { sft } from '../../src/engine/objectives/sft';
import { createOptimizer, type Optimizer, type StateTensors } from '../../src/engine/optim/optimizer';
import { attachMethod } from '../../src/engine/run/attach';
import {
  type Control,
  type EvaluationReport,
  freshState,
  type LoopCallbacks,
  type StepReport,
  type StopReason,
  type TrainSetup,
  type TrainState,
  trainLoop,
} from '../../src/engine/run/loop';
import type { Outside } from '../../src/engine/run/pass';
import { trainedTensors, VALUE_TASK } from '../../src/engine/run/value-model';
import type { Pace } from '../../src/objectives/objective';
import { resolveRecipe } from '../../src/recipe/defaults';
import type { MethodSection, TrainingSection } from '../../src/recipe/types';
import { fixtureJson, fixtureTensors } from '../fixture-files';

/** The token that ends an answer. */
export const STOP = 4;

export type TinyName = 'gqa-tied' | 'gqa-untied-odd' | 'mha-untied' | 'gqa-tied-bf16';

/** `change` may modify a tensor of the checkpoint (float32, in place). */
export async function tinyModel(
  name: TinyName,
  change: (tensor: string, values: Float32Array) => void = () => {},
): Promise<LanguageModel> {
  const config = await fixtureJson<Record<string, unknown>>(`llama/${name}/config.json`);
  const { source } = await fixtureTensors(`llama/${name}/model.safetensors`);
  const changed: WeightSource = {
    info: source.info,
    read: async (tensor, from, to) => {
      const bytes = await source.read(tensor, from, to);
      if (source.info(tensor)?.dtype === 'F32') change(tensor, new Float32Array(bytes));
      return bytes;
    },
  };
  return loadModel(config, changed);
}

export async function tinyExamples(name: TinyName): Promise<TokenizedExample[]> {
  const { examples } = await fixtureJson<{ examples: { ids: number[]; labels: number[] }[] }>(
    `llama/${name}/train_data.json`,
  );
  return examples.map(({ ids, labels }, row) => ({
    kind: 'next_token' as const,
    row,
    ids: Int32Array.from(ids),
    labels: Int32Array.from(labels),
    starts: null,
    truncatedBy: 0,
  }));
}

export interface TinyOptions {
  name?: TinyName;
  totalSteps?: number;
  dropout?: number;
  shuffle?: boolean;
  /** How many examples are held out, counted from the end. */
  validation?: number;
  settings?: Partial<TrainingSection>;
  objective?: Objective;
  checkpointing?: boolean;
  /** Instead of the fixture's. */
  examples?: TokenizedExample[];
  outside?: Outside;
  pace?: Pace | null;
  /** The adapter that the run continues, made by `seed`, not zero; it is also what the policy is compared with. */
  continues?: boolean;
  change?: (tensor: string, values: Float32Array) => void;
  /** Micro-batches that go through the model at once. */
  together?: number;
}

export interface Checkpoint {
  state: TrainState;
  tensors: StateTensors;
  best: boolean;
}

export interface Told {
  phases: string[];
  steps: StepReport[];
  evaluations: EvaluationReport[];
  samples: number[];
  checkpoints: Checkpoint[];
}

/** A run that can be started once; `dispose` frees everything. */
export interface TinyRun {
  model: LanguageModel;
  method: Method;
  optimizer: Optimizer;
  state: TrainState;
  told: Told;
  setup: TrainSetup;
  start(control?: Partial<Control>, callbacks?: Partial<LoopCallbacks>): Promise<StopReason>;
  /** Resumes from a checkpoint instead of starting anew. */
  restore(checkpoint: Checkpoint): void;
  dispose(): void;
}

/** Numbers for every tensor of an adapter, none of them zero. */
function adapterValues(model: LanguageModel, section: Parameters<typeof loraShapes>[1]): NamedTensors {
  let seed = 0;
  return new Map(
    [...loraShapes(model, section)].map(([name, { shape }]) => {
      seed++;
      const size = shape.reduce((product, n) => product * n, 1);
      return [name, { shape, data: Float32Array.from({ length: size }, (_, i) => 0.1 * Math.sin(seed + 7 * i)) }];
    }),
  );
}

/** A second adapter with a head of one score. */
const valueModel = (model: LanguageModel, section: Parameters<typeof createLora>[1], seed: number) =>
  attachMethod(model, { ...resolveRecipe({ version: 1 }).method, ...section } as MethodSection, {
    seed,
    task: VALUE_TASK,
  });

/** On the current backend: eight micro-batches of two per epoch, two micro-batches per step. */
export async function tinyRun({
  name = 'gqa-tied',
  totalSteps = 10,
  dropout = 0,
  shuffle = true,
  validation = 4,
  settings: changes = {},
  objective = sft,
  checkpointing = false,
  continues = false,
  examples: given,
  outside,
  pace = null,
  together = 1,
  change,
}: TinyOptions = {}): Promise<TinyRun> {
  const model = await tinyModel(name, change);
  const examples = given ?? (await tinyExamples(name));
  const settings: TrainingSection = {
    ...resolveRecipe({ version: 1 }).training,
    learning_rate: 5e-3,
    per_device_train_batch_size: 2,
    gradient_accumulation_steps: 2,
    eval_steps: 0,
    save_steps: 1000,
    early_stopping_patience: 0,
    ...changes,
  };
  const section = {
    r: 4,
    lora_alpha: 8,
    lora_dropout: dropout,
    target_modules: 'all-linear',
    use_rslora: false,
  } as const;
  const loaded = () => (continues ? adapterValues(model, section) : undefined);
  const method = createLora(model, section, settings.seed, loaded());
  const reference = continues ? createLora(model, section, settings.seed, loaded()) : null;
  const value = objective.usesValue ? await valueModel(model, section, settings.seed) : null;
  const optimizer = createOptimizer(trainedTensors(method, value), settings);
  const train = examples.slice(0, examples.length - validation);
  const held = examples.slice(examples.length - validation);
  const batches = createBatchSource(train, held, {
    batchSize: settings.per_device_train_batch_size,
    accumulation: settings.gradient_accumulation_steps,
    shuffle,
    seed: settings.seed,
    padTokenId: 0,
    ...{ pace, together },
  });
  const state = freshState();
  const setup: TrainSetup = {
    ...{ model, method, objective, reference, value, optimizer, batches },
    ...{ settings, totalSteps, checkpointing, outside, pace, tokens: { stop: [STOP], pad: 0 } },
  };
  const told: Told = { phases: [], steps: [], evaluations: [], samples: [], checkpoints: [] };
  return {
    model,
    method,
    optimizer,
    state,
    told,
    setup,
    start: (control = {}, callbacks = {}) =>
      trainLoop(
        setup,
        state,
        {
          pauseRequested: () => false,
          stopRequested: () => false,
          takeSaveRequest: () => false,
          resumed: async () => {},
          ...control,
        },
        {
          phase: (phase) => told.phases.push(phase),
          step: (report) => told.steps.push(report),
          evaluation: (e) => void told.evaluations.push(e),
          samples: async (step) => void told.samples.push(step),
          checkpoint: async (now, best) => {
            told.checkpoints.push({ state: structuredClone(now), tensors: await optimizer.save(), best });
          },
          saved: () => {},
          ...callbacks,
        },
      ),
    restore: (checkpoint) => {
      // As if through storage: plain JSON and copies of the tensors.
      Object.assign(state, JSON.parse(JSON.stringify(checkpoint.state)));
      optimizer.load(checkpoint.tensors, checkpoint.state.step);
    },
    dispose: () => {
      optimizer.dispose();
      reference?.dispose();
      value?.dispose();
      method.dispose();
      model.dispose();
    },
  };
}

/** Runs `body` on a new run and frees everything afterwards, the reused inputs included. */
export async function withRun<T>(options: TinyOptions, body: (run: TinyRun) => Promise<T>): Promise<T> {
  const run = await tinyRun(options);
  try {
    return await body(run);
  } finally {
    run.dispose();
    disposeInputs();
  }
}

/** What a step or an evaluation reports, without its timings. */
export const timeless = <T extends { seconds: number }>(reports: T[]) =>
  reports.map((report) => ({ ...report, seconds: 0, stepSeconds: 0 }));

export const numTensors = () => tf.memory().numTensors;
