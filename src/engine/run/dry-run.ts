/**
 * What a run takes, found by running it: the real model, method, optimiser, loop and generation over tfjs's real backend,
 * on a device that only counts (counting-device.ts). Nothing is computed and no weight is read, so that a second is enough
 * for models that no memory here could hold. It takes over tfjs's one backend: it belongs into a worker of its own.
 */
import type { Batch, BatchKind, BatchSource, TaskData } from '../../data/types';
import type { MethodSection, ModelSection, ObjectiveSection, TrainingSection } from '../../recipe/types';
import { generate } from '../generation/generate';
import { keptZeros } from '../kernels/in-place';
import { disposeInputs } from '../kernels/inputs';
import { createMethod } from '../methods';
import { countParameters } from '../methods/count';
import { loraShapes } from '../methods/lora';
import { inference } from '../methods/method';
import type { NamedTensors } from '../methods/tensors';
import { loadModel } from '../models';
import type { LanguageModel, StoredType, WeightSource } from '../models/model';
import { withTaskHead } from '../models/with-head';
import { createObjective } from '../objectives';
import type { Objective, View } from '../objectives/objective';
import { IGNORED } from '../objectives/tokens';
import { createOptimizer } from '../optim/optimizer';
import { bufferOf, gpuBackend } from '../webgpu/backend';
import { bufferCount } from '../webgpu/buffers';
import { createCountingDevice, type DeviceTraits, type Refusal } from '../webgpu/counting-device';
import { installDevice } from '../webgpu/device';
import { KEEP_BYTES, trimPool } from '../webgpu/pool';
import { evaluate } from './evaluate';
import { freshState, trainLoop } from './loop';

/** A micro-batch as far as memory goes: `targets` of its tokens have a loss. */
export interface BatchShape {
  rows: number;
  length: number;
  targets: number;
}

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
  /** The head that the data ask for; null without one. */
  task: { problemType: TaskData['problemType']; labels: number } | null;
  /** Tokens of the longest piece of base text; 0 without any. */
  base: number;
  training: TrainingSection;
  checkpointing: boolean;
  /** The shapes that occur, the widest first. */
  batches: BatchShape[];
  /** Of the evaluation before and after training; empty when nothing is held out. */
  evaluation: BatchShape[];
  /** Tokens of the prompts that are answered at every evaluation. */
  prompts: number[];
}

type Part = 'weights' | 'adapter' | 'gradients' | 'optimizer' | 'activations' | 'logits';

export interface DryRunResult {
  /** GPU bytes at the run's widest moment, and what they are for. */
  bytes: number;
  parts: Record<Part, number>;
  /** What the device would refuse whatever memory it has; null when nothing. */
  refusal: (Refusal & { part: Part }) | null;
  trainableParameters: number;
  totalParameters: number;
}

/** Zeros by size, shared: weights of a kind have the same sizes, and nobody writes into them. */
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

/** The checkpoint's shapes and formats; its bytes are never asked for. */
function shapesOnly(tensors: DryRun['tensors']): WeightSource {
  const all = new Map(tensors);
  return {
    info: (name) => all.get(name),
    read: (name) => Promise.reject(new Error(`A dry run reads no weights, but was asked for ${name}.`)),
  };
}

const beginsAsText = (method: MethodSection): boolean =>
  method.type === 'prompt_tuning' || (method.type === 'prefix_tuning' && method.prefix_tuning_init_text !== '');

/** Zeros for what an adapter of many tensors would draw at random; undefined where a method has few. */
function zeroTensors(model: LanguageModel, method: MethodSection): NamedTensors | undefined {
  if (method.type !== 'lora') return undefined;
  const bytesOf = zeroBytes();
  const zeros = ({ shape }: { shape: number[] }) => ({
    shape,
    data: new Float32Array(bytesOf(shape.reduce((product, n) => product * n, 4))),
  });
  return new Map([...loraShapes(model, method)].map(([name, shape]) => [name, zeros(shape)]));
}

/** The model with the head that the data ask for. */
async function withHead(base: LanguageModel, { task, quantization, tensors }: DryRun): Promise<LanguageModel> {
  if (!task) return base;
  return withTaskHead(base, taskData(task)!, {
    seed: 0,
    source: shapesOnly(tensors),
    load: { shapesOnly: true, quantization },
  });
}

/** A batch of zeros. `width` is the number of targets of a text. */
function batchOf(kind: BatchKind, { rows, length, targets }: BatchShape, width = 1): Batch {
  const padded = {
    batchSize: rows,
    length,
    ids: new Int32Array(rows * length),
    lengths: new Int32Array(rows).fill(length),
    targetCount: targets,
  };
  switch (kind) {
    case 'next_token':
      return { kind, ...padded, labels: labelsOf(rows, length, targets), starts: null };
    case 'token_labels':
      return { kind, ...padded, labels: labelsOf(rows, length, targets) };
    case 'text_targets':
      return { kind, ...padded, targets: new Float32Array(rows * width), width };
    case 'hidden_tokens':
      return { kind, ...padded, special: new Uint8Array(rows * length) };
  }
}

/** So many labels of class 0. Position 0 of a row is predicted from nothing, and has none. */
function labelsOf(rows: number, length: number, targets: number): Int32Array {
  const labels = new Int32Array(rows * length).fill(IGNORED);
  for (let left = targets, i = 0; left > 0 && i < labels.length; i++) {
    if (i % length === 0) continue;
    labels[i] = 0;
    left--;
  }
  return labels;
}

/** The batches in steps of two, since further micro-batches add no memory; the widest comes twice. */
function batchSource(
  { batches, evaluation, training, task }: DryRun,
  kind: BatchKind,
): BatchSource & { steps: number } {
  const size = Math.min(2, training.gradient_accumulation_steps);
  const width = task?.problemType === 'multi_label_classification' ? task.labels : 1;
  const make = (shape: BatchShape) => batchOf(kind, shape, width);
  const [widest, second, ...others] = batches.map(make) as [Batch, ...Batch[]];
  const all = [widest, second ?? widest, widest, ...(others.length > 0 ? others : [widest])];
  const steps = Math.ceil(all.length / size);
  const held = evaluation.map(make);
  return {
    steps,
    stepsPerEpoch: steps,
    microBatches: (step) => all.slice(step * size, (step + 1) * size),
    evaluation: () => held,
  };
}

const taskData = (task: DryRun['task']): TaskData | null =>
  task && { problemType: task.problemType, labels: Array.from({ length: task.labels }, (_, i) => String(i)) };

/** By then the widest batch has come twice, so that a pool past its free size grows no more. */
const ENOUGH_PASSES = 4;

const SAMPLE_TOKENS = 40;
/** After these the buffers of a token are used again and again. */
const SAMPLED = 3;

export async function dryRun(plan: DryRun): Promise<DryRunResult> {
  const { config, tensors, quantization, training, checkpointing, prompts } = plan;
  let refusal: DryRunResult['refusal'] = null;
  const device = createCountingDevice(plan.device, (found) => {
    if (!refusal || found.bytes > refusal.bytes) refusal = { ...found, part: count.part as Part };
  });
  await installDevice(device, plan.device, plan.device.software);
  const count = bufferCount(device);
  const owned: { dispose(): void }[] = [];
  try {
    count.part = 'weights' satisfies Part;
    const base = await loadModel(config, shapesOnly(tensors), { shapesOnly: true, quantization });
    owned.push(base);
    count.part = 'adapter' satisfies Part;
    const model = await withHead(base, plan);
    if (model !== base) owned.push(model);
    const method = await createMethod(model, plan.method, {
      seed: training.seed,
      values: zeroTensors(model, plan.method),
      // A text that virtual tokens begin as: any will do.
      initText: beginsAsText(plan.method) ? Int32Array.of(0) : undefined,
    });
    owned.push(method);
    const tensorsOf = (own: typeof method.trainable | undefined) => [...(own?.values() ?? [])];
    for (const tensor of [...tensorsOf(method.trainable), ...tensorsOf(method.constants)]) {
      bufferOf(gpuBackend(), tensor);
    }
    count.part = 'optimizer' satisfies Part;
    const optimizer = createOptimizer(method.trainable, training);
    owned.push(optimizer);
    const penalised = training.ewc_lambda > 0 || training.l2_sp_alpha > 0;
    if (penalised) optimizer.setPenalty({ alpha: 1, lambda: 1, fisher: keptZeros([optimizer.layout.size]) });

    const info = { maskTokenId: 0, vocabSize: model.vocabSize, task: taskData(plan.task) };
    const trained = createObjective(plan.objective, info);
    // What a batch asks for after the last block is for its logits.
    const objective: Objective = {
      ...trained,
      loss(pass, batch) {
        count.part = 'activations' satisfies Part;
        const policy: View = {
          ...pass.policy,
          hidden(rows, states) {
            const hidden = pass.policy.hidden(rows, states);
            count.part = 'logits' satisfies Part;
            return hidden;
          },
        };
        const result = trained.loss({ ...pass, policy }, batch);
        count.part = 'activations' satisfies Part;
        return result;
      },
    };
    const samples = async () => {
      if (plan.base > 0 && model.head) {
        const objective = createObjective(
          model.kind === 'decoder' ? { type: 'pretraining' } : { type: 'masked_lm', mlm_probability: 0.15 },
          info,
        );
        const text = batchOf(objective.batches, { rows: 1, length: plan.base, targets: plan.base - 1 });
        await evaluate({ model, method, objective }, [text]);
      }
      for (const length of prompts) {
        const enough = new AbortController();
        let tokens = 0;
        await generate(
          model,
          method.hooks(inference()),
          new Int32Array(length),
          { temperature: 0, topP: 1, seed: 0, maxNewTokens: SAMPLE_TOKENS, stopTokenIds: [] },
          () => ++tokens === SAMPLED && enough.abort(),
          enough.signal,
        );
      }
    };
    const batches = batchSource(plan, objective.batches);
    const state = freshState();
    await trainLoop(
      {
        model,
        method,
        objective,
        optimizer,
        batches,
        settings: { ...training, eval_steps: 0, save_steps: Number.MAX_SAFE_INTEGER, early_stopping_patience: 0 },
        totalSteps: batches.steps,
        checkpointing,
      },
      state,
      {
        pauseRequested: () => false,
        stopRequested: () => state.pass >= ENOUGH_PASSES && count.peak > KEEP_BYTES,
        resumed: async () => {},
      },
      {
        phase: () => {},
        step: () => {},
        evaluation: () => {},
        samples,
        checkpoint: async () => void (await optimizer.save()),
      },
    );

    const parameters = countParameters(model, method);
    const at = (part: Part) => count.peakParts.get(part) ?? 0;
    const gradients = parameters.trainable * 4;
    return {
      bytes: count.peak,
      parts: {
        weights: at('weights'),
        adapter: at('adapter'),
        // One flat tensor of the optimiser's is the sum of the gradients.
        gradients,
        optimizer: at('optimizer') - gradients,
        activations: at('activations'),
        logits: at('logits'),
      },
      refusal,
      trainableParameters: parameters.trainable,
      totalParameters: parameters.total,
    };
  } finally {
    for (const thing of owned.reverse()) thing.dispose();
    disposeInputs();
    trimPool();
  }
}
