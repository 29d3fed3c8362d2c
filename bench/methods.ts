/**
 * A training step of each method compared with LoRA's, on one small Llama (width 256, 3 layers, 4 heads over 2, feed-forward
 * 704, vocabulary 1024, tied, bf16) and one batch of 2×64 tokens: how long it takes, and how many bytes. All of them learn
 * written answers, except the methods where a head is the point (feature extraction, gradual unfreezing): these classify
 * texts into two classes and are compared with LoRA on the same task. Step times are the fastest of a few; for gradual
 * unfreezing, the mean over its stages, since each unfreezes one more block.
 */
import type { Batch, TaskData } from '../src/data/types';
import { disposeInputs } from '../src/engine/kernels/inputs';
import { createMethod } from '../src/engine/methods';
import { loadModel } from '../src/engine/models';
import type { LanguageModel } from '../src/engine/models/model';
import { withTaskHead } from '../src/engine/models/with-head';
import { createObjective } from '../src/engine/objectives';
import { createOptimizer } from '../src/engine/optim/optimizer';
import { freshState, recordStep } from '../src/engine/run/loop';
import { counters, forgetGpuPeak, gpuBytes } from '../src/engine/webgpu/backend';
import { trimMemory } from '../src/engine/webgpu/dispatch';
import { resolveRecipe } from '../src/recipe/defaults';
import type { RecipeInput } from '../src/recipe/types';
import { llamaConfig, randomSource, type Shape } from './random-llama';

const SHAPE: Shape = { hidden: 256, layers: 3, heads: 4, kvHeads: 2, intermediate: 704, vocab: 1024 };
const BATCH = 2;
const LENGTH = 64;
/** Per stage, after a first run that compiles shaders and does not count. */
const RUNS = 3;

type Task = 'sft' | 'classification';

interface Contender {
  name: string;
  task: Task;
  method: RecipeInput['method'];
  quantization?: 'nf4';
  /** Parts of the run that differ in what is trained. */
  stages?: number;
}

const LORA = { type: 'lora', r: 8, lora_alpha: 16, target_modules: 'all-linear' } as const;
const CONTENDERS: Contender[] = [
  { name: 'lora r8', task: 'sft', method: LORA },
  { name: 'qlora nf4 r8', task: 'sft', method: LORA, quantization: 'nf4' },
  { name: 'dora r8', task: 'sft', method: { ...LORA, use_dora: true } },
  { name: 'ia3', task: 'sft', method: { type: 'ia3' } },
  { name: 'bottleneck double_seq_bn', task: 'sft', method: { type: 'bottleneck', config: 'double_seq_bn' } },
  { name: 'bottleneck seq_bn', task: 'sft', method: { type: 'bottleneck', config: 'seq_bn' } },
  { name: 'prefix_tuning v16', task: 'sft', method: { type: 'prefix_tuning', num_virtual_tokens: 16 } },
  {
    name: 'prompt_tuning v16',
    task: 'sft',
    method: { type: 'prompt_tuning', num_virtual_tokens: 16, prompt_tuning_init: 'RANDOM' },
  },
  { name: 'p_tuning v16', task: 'sft', method: { type: 'p_tuning', num_virtual_tokens: 16 } },
  { name: 'full', task: 'sft', method: { type: 'full' } },
  { name: 'lora r8', task: 'classification', method: LORA },
  { name: 'head', task: 'classification', method: { type: 'head' } },
  {
    name: 'gradual_unfreezing',
    task: 'classification',
    method: { type: 'gradual_unfreezing' },
    stages: SHAPE.layers + 1,
  },
  { name: 'full', task: 'classification', method: { type: 'full' } },
];

export interface MethodRow {
  name: string;
  /** Per step. */
  ours_ms: number;
  dispatches: number;
  /** At the peak of training, base and optimiser included. */
  gpu_bytes: number;
  trainable_parameters: number;
  /** Relative to LoRA on the same task. */
  step_to_lora: number | null;
  bytes_to_lora: number | null;
}

export const methodRows = CONTENDERS.map(
  ({ name, task }) => `${task}-step w${SHAPE.hidden} l${SHAPE.layers} b${BATCH} t${LENGTH} ${name}`,
);

const CLASSES: TaskData = { problemType: 'single_label_classification', labels: ['no', 'yes'] };

function batchFor(task: Task): Batch {
  const size = BATCH * LENGTH;
  const ids = Int32Array.from({ length: size }, (_, i) => (i * 37 + (i >> 3) * 11) % SHAPE.vocab);
  const shape = { batchSize: BATCH, length: LENGTH, ids, lengths: new Int32Array(BATCH).fill(LENGTH) };
  if (task === 'sft') {
    return { kind: 'next_token', ...shape, labels: ids, starts: null, targetCount: BATCH * (LENGTH - 1) };
  }
  const targets = Float32Array.from({ length: BATCH }, (_, i) => i % 2);
  return { kind: 'text_targets', ...shape, targets, width: 1, targetCount: BATCH };
}

const objectives = { sft: { type: 'sft' }, classification: { type: 'sequence_classification' } } as const;

async function measure({ name, task, method: given, quantization = undefined, stages = 1 }: Contender) {
  const {
    method: section,
    objective,
    training,
  } = resolveRecipe({
    version: 1,
    method: given,
    objective: objectives[task],
    training: { learning_rate: 1e-4, lr_scheduler_type: 'constant', max_grad_norm: 1 },
  });
  disposeInputs();
  trimMemory();
  forgetGpuPeak();
  const before = gpuBytes().allocated;
  const base = await loadModel(llamaConfig(SHAPE), randomSource(SHAPE), { quantization: quantization ?? 'none' });
  const data = task === 'sft' ? null : CLASSES;
  const model: LanguageModel = data ? await withTaskHead(base, data, { seed: 42 }) : base;
  const method = await createMethod(model, section, { seed: 42 });
  const optimizer = createOptimizer(method.trainable, training, { rate: method.rate });
  const batch = batchFor(task);
  const totalSteps = stages * (RUNS + 1);
  const setup = {
    model,
    method,
    objective: createObjective(objective, { maskTokenId: null, vocabSize: SHAPE.vocab, task: data }),
    optimizer,
    batches: { stepsPerEpoch: totalSteps, microBatches: () => [batch], evaluation: () => [] },
    settings: training,
    totalSteps,
  };
  const state = freshState();
  const fastest: number[] = [];
  const losses: number[] = [];
  let dispatches = 0;
  for (let step = 0; step < totalSteps; step++) {
    const run = step % (RUNS + 1);
    const recorded = counters.dispatches;
    const start = performance.now();
    const { loss, finite } = await recordStep(setup, state).stats;
    const took = performance.now() - start;
    if (!finite) throw new Error(`A step of ${name} was not finite.`);
    losses.push(loss);
    dispatches = counters.dispatches - recorded;
    if (run === 1) fastest.push(took);
    else if (run > 1) fastest.push(Math.min(fastest.pop()!, took));
  }
  const measured = {
    ours_ms: fastest.reduce((sum, ms) => sum + ms, 0) / fastest.length,
    dispatches,
    gpu_bytes: gpuBytes().peak - before,
    trainable_parameters: [...method.trainable.values()].reduce((sum, t) => sum + t.size, 0),
  };
  optimizer.dispose();
  method.dispose();
  if (model !== base) model.dispose();
  base.dispose();
  return { measured, losses };
}

/** Measures the rows with these indices, in order; LoRA's come first, and the others are compared with them. */
export async function measureMethods(indices: number[], say: (text: string) => void): Promise<MethodRow[]> {
  const rows: MethodRow[] = [];
  const lora: Partial<Record<Task, MethodRow>> = {};
  for (const i of indices) {
    const contender = CONTENDERS[i]!;
    const { measured, losses } = await measure(contender);
    say(`${methodRows[i]}: loss ${losses[0]!.toFixed(4)} -> ${losses.at(-1)!.toFixed(4)}`);
    const row: MethodRow = { name: methodRows[i]!, ...measured, step_to_lora: null, bytes_to_lora: null };
    if (contender.method === LORA && !contender.quantization) lora[contender.task] = row;
    const reference = lora[contender.task];
    if (reference) {
      row.step_to_lora = row.ours_ms / reference.ours_ms;
      row.bytes_to_lora = row.gpu_bytes / reference.gpu_bytes;
    }
    rows.push(row);
  }
  return rows;
}
