/**
 * The memory that a run takes, found by running it: the real model, method, optimiser, loop and generation over tfjs's
 * real backend, on a device that only counts (counting-device.ts). Nothing is computed and no weight is read, so it
 * takes about a second even for models far larger than memory. It takes over tfjs's only backend, so it needs its own
 * worker.
 */

import { classKey, type SeenProducts } from '../../base/product-class';
import type { TaskData } from '../../base/task';
import { methodOf } from '../../methods';
import type { MethodSection, ModelSection, ObjectiveSection, TrainingSection } from '../../recipe/types';
import { generateBatch } from '../generation/generate-batch';
import { SAMPLE_TOKENS } from '../generation/options';
import { beginTogether, requireCache } from '../generation/room';
import { keptZeros } from '../kernels/in-place';
import { disposeInputs } from '../kernels/inputs';
import { watchProducts } from '../kernels/products/variants';
import { methodShapes } from '../methods';
import { inference } from '../methods/method';
import { countParameters } from '../methods/parameter-count';
import type { NamedTensors } from '../methods/tensors';
import { loadModel } from '../models';
import type { LanguageModel, StoredType, WeightSource } from '../models/model';
import type { Objective, View } from '../objectives/objective';
import { gpuBackend, rangeOf } from '../webgpu/backend';
import { bufferCount } from '../webgpu/buffers';
import { createCountingDevice, type DeviceTraits, type Refusal } from '../webgpu/counting-device';
import { installDevice } from '../webgpu/device';
import { type Shader, watchShaders } from '../webgpu/pipelines';
import { KEEP_BYTES, trimPool } from '../webgpu/pool';
import { assembleRun } from './assemble';
import { EVERY_OTHER, rehearsed, SAMPLED } from './dry-answers';
import { type BatchShape, baseBatches, dryBatches } from './dry-batches';
import { evaluate } from './evaluate';
import { freshState, trainLoop } from './loop';

export interface DryRun {
  device: DeviceTraits;
  /** config.json */
  config: Record<string, unknown>;
  /** How each tensor of the checkpoint is stored. */
  tensors: [name: string, tensor: { dtype: StoredType; shape: number[] }][];
  /** How the frozen weights are kept. */
  quantization: ModelSection['quantization'];
  method: MethodSection;
  objective: ObjectiveSection;
  /** The head that the data need; null without one. */
  task: { problemType: TaskData['problemType']; labels: number } | null;
  /** Tokens of the longest piece of base text; 0 without any. */
  base: number;
  training: TrainingSection;
  checkpointing: boolean;
  /** Optimiser steps on the answers to one batch of prompts; left out where each step has micro-batches of its own. */
  stepsPerBatch?: number;
  /** The shapes that occur, the widest first. */
  batches: BatchShape[];
  /** Of the evaluation before and after training; empty when nothing is held out. */
  evaluation: BatchShape[];
  /** Tokens of the prompts that are answered at every evaluation. */
  prompts: number[];
}

type Part = 'weights' | 'adapter' | 'gradients' | 'optimizer' | 'activations' | 'logits' | 'cache';

export type { Shader };

export interface DryRunResult {
  /** GPU bytes at the run's widest moment, and what they are for. */
  bytes: number;
  parts: Record<Part, number>;
  /** The largest buffer that exceeds a limit of the device, however much memory it has; null if none does. */
  refusal: (Refusal & { part: Part }) | null;
  trainableParameters: number;
  totalParameters: number;
  /** What there is a choice of kernels for. */
  products: SeenProducts[];
  /** What the run needs compiled, if its kernels are the usual ones. */
  shaders: Shader[];
}

/** Shared zeros by size: many weights have the same size, and nothing writes to them. */
function zeroBytes(): (bytes: number) => ArrayBuffer {
  const bySize = new Map<number, ArrayBuffer>();
  return (bytes) => {
    let buffer = bySize.get(bytes);
    if (!buffer) {
      buffer = new ArrayBuffer(bytes);
      bySize.set(bytes, buffer);
    }
    return buffer;
  };
}

/** The checkpoint's shapes and formats, without its bytes. */
function shapesOnly(tensors: DryRun['tensors']): WeightSource {
  const all = new Map(tensors);
  return {
    info: (name) => all.get(name),
    read: (name) => Promise.reject(new Error(`A dry run reads no weights, but was asked for ${name}.`)),
  };
}

/** Zeros for what a method of many tensors would draw at random; undefined for the others. */
function zeroTensors(model: LanguageModel, section: MethodSection): NamedTensors | undefined {
  const shapes = methodShapes(model, section);
  if (!shapes) return undefined;
  const bytesOf = zeroBytes();
  const zeros = ({ shape }: { shape: number[] }) => ({
    shape,
    data: new Float32Array(bytesOf(shape.reduce((product, n) => product * n, 4))),
  });
  return new Map([...shapes].map(([name, shape]) => [name, zeros(shape)]));
}

const taskData = (task: DryRun['task']): TaskData | null =>
  task && { problemType: task.problemType, labels: Array.from({ length: task.labels }, (_, i) => String(i)) };

/** By then the widest batch has come twice, so that a pool above its free size no longer grows. */
const ENOUGH_PASSES = 4;

export async function dryRun(plan: DryRun): Promise<DryRunResult> {
  const { config, tensors, quantization, training, checkpointing, prompts } = plan;
  let refusal: DryRunResult['refusal'] = null;
  const device = createCountingDevice(plan.device, (found) => {
    if (!refusal || found.bytes > refusal.bytes) refusal = { ...found, part: count.part as Part };
  });
  await installDevice(device, plan.device, plan.device.software);
  const count = bufferCount(device);
  const products = new Map<string, SeenProducts>();
  if (!plan.device.software) {
    watchProducts((shape) => {
      const key = classKey(shape);
      const before = products.get(key);
      products.set(key, { shape: before?.shape ?? shape, count: (before?.count ?? 0) + 1 });
    });
  }
  const shaders: Shader[] = [];
  watchShaders((shader) => shaders.push(shader));
  const owned: { dispose(): void }[] = [];
  try {
    count.part = 'weights' satisfies Part;
    const source = shapesOnly(tensors);
    const load = { shapesOnly: true, quantization };
    const base = await loadModel(config, source, load);
    owned.push(base);
    count.part = 'adapter' satisfies Part;
    const section = plan.method;
    const values = (model: LanguageModel) => zeroTensors(model, section);
    const run = await assembleRun(base, {
      method: section,
      objective: plan.objective,
      training,
      task: taskData(plan.task),
      maskTokenId: 0,
      head: { source, load },
      values,
      valueModel: values,
      // A text that virtual tokens start from: any will do.
      initText: methodOf(section).initText?.(section) ? Int32Array.of(0) : undefined,
      continued: 'init_adapter' in section && section.init_adapter !== null ? values : null,
      baseText: plan.base > 0 ? (kind) => baseBatches(kind, plan.base) : null,
      fisher: async ({ optimizer }) => keptZeros([optimizer.layout.size]),
      attached(methods) {
        // tfjs uploads a tensor when it is first used; by then another part would be counted.
        for (const { trainable, constants = new Map() } of methods) {
          for (const tensor of [...trainable.values(), ...constants.values()]) rangeOf(gpuBackend(), tensor);
        }
        count.part = 'optimizer' satisfies Part;
      },
    });
    owned.push(run);
    const { attached, baseText, optimizer, reference, value } = run;
    const { model, method } = attached;
    const cached: LanguageModel = {
      ...model,
      createCache: (rows, capacity) => {
        const before = count.part;
        count.part = 'cache' satisfies Part;
        const cache = requireCache(model)(rows, capacity);
        count.part = before;
        return cache;
      },
    };
    const objective: Objective = {
      ...run.objective,
      // What the reference says is computed in the steps, where it takes no less.
      before: undefined,
      ...rehearsed(run.objective, cached, method, () => {
        count.part = 'activations' satisfies Part;
      }),
      loss(pass, batch) {
        count.part = 'activations' satisfies Part;
        // After the last block, a batch allocates for its logits.
        const policy: View = {
          ...pass.policy,
          hidden(rows, states) {
            const hidden = pass.policy.hidden(rows, states);
            count.part = 'logits' satisfies Part;
            return hidden;
          },
        };
        const result = run.objective.loss({ ...pass, policy }, batch);
        count.part = 'activations' satisfies Part;
        return result;
      },
    };
    const samples = async () => {
      if (baseText) await evaluate({ model, method, objective: baseText.objective }, baseText.measured);
      // Different ones, as those of a run: equal ones would be read once.
      const asked = prompts.map((length, i) => new Int32Array(length).fill(i));
      let passes = 1 + beginTogether(asked).length + SAMPLED;
      const options = { temperature: 0, topP: 1, topK: 0, seed: 0, draw: 0, stopTokenIds: [] };
      const hooks = method.hooks(inference());
      await generateBatch(cached, hooks, asked, { ...options, maxNewTokens: SAMPLE_TOKENS }, () => passes-- <= 0);
    };
    const batches = dryBatches(plan, objective.batches);
    const state = freshState();
    await trainLoop(
      {
        ...{ model, method, objective, reference, value, optimizer, batches },
        ...{ tokens: { stop: [], pad: 0 }, outside: EVERY_OTHER },
        settings: { ...training, eval_steps: 0, save_steps: Number.MAX_SAFE_INTEGER, early_stopping_patience: 0 },
        totalSteps: batches.steps,
        checkpointing,
      },
      state,
      {
        pauseRequested: () => false,
        takeSaveRequest: () => false,
        stopRequested: () => state.pass >= ENOUGH_PASSES && count.peak > KEEP_BYTES,
        resumed: async () => {},
      },
      {
        phase: () => {},
        step: () => {},
        evaluation: () => {},
        samples,
        checkpoint: async () => void (await optimizer.save()),
        saved: () => {},
      },
    );

    const parameters = countParameters(model, method);
    const at = (part: Part) => count.peakParts.get(part) ?? 0;
    // Two of the optimiser's flat tensors are the sum of the gradients, and what the adapter's trainable tensors are views of.
    const gradients = optimizer.layout.size * 4;
    const trained = gradients;
    return {
      bytes: count.peak,
      parts: {
        weights: at('weights'),
        adapter: at('adapter') + trained,
        gradients,
        optimizer: at('optimizer') - gradients - trained,
        activations: at('activations'),
        logits: at('logits'),
        cache: at('cache'),
      },
      refusal,
      trainableParameters: parameters.trainable,
      totalParameters: parameters.total,
      products: [...products.values()],
      shaders,
    };
  } finally {
    watchProducts(null);
    watchShaders(null);
    for (const thing of owned.reverse()) thing.dispose();
    disposeInputs();
    trimPool();
  }
}
