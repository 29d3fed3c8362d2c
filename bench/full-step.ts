/**
 * A step of full fine-tuning of a small Llama (width 128, 2 layers, 4 heads, feed-forward 512, vocabulary 1024, tied, bf16) on one
 * batch of 4×128 tokens: the fastest of a few, and its dispatches.
 */
import type { NextTokenBatch } from '../src/data/types';
import { disposeInputs } from '../src/engine/kernels/inputs';
import { createMethod } from '../src/engine/methods';
import { loadModel } from '../src/engine/models';
import { sft } from '../src/engine/objectives/sft';
import { createOptimizer } from '../src/engine/optim/optimizer';
import { freshState, recordStep } from '../src/engine/run/loop';
import { counters, forgetGpuPeak, gpuBytes } from '../src/engine/webgpu/backend';
import { trimMemory } from '../src/engine/webgpu/dispatch';
import { resolveRecipe } from '../src/recipe/defaults';
import { llamaConfig, randomSource, type Shape } from './random-llama';

export interface FullStep {
  shape: Shape;
  batch: number;
  length: number;
}

export const CASE: FullStep = {
  shape: { hidden: 128, layers: 2, heads: 4, kvHeads: 4, intermediate: 512, vocab: 1024 },
  batch: 4,
  length: 128,
};
/** The first one compiles shaders and does not count. */
const STEPS = 8;
export const LEARNING_RATE = 1e-3;

export const nameOf = ({ shape, batch, length }: FullStep) =>
  `full-step b${batch} t${length} w${shape.hidden} l${shape.layers} v${shape.vocab}`;

export const FULL_STEP = nameOf(CASE);

export const idsOf = ({ shape, batch, length }: FullStep) =>
  Int32Array.from({ length: batch * length }, (_, i) => (i * 37 + (i >> 3) * 11) % shape.vocab);

export interface FullStepRow {
  name: string;
  ours_ms: number;
  dispatches: number;
  /** At the peak of training, base and optimiser included. */
  gpu_bytes: number;
}

/** Full fine-tuning that goes a step at a time, always on the same batch. */
export async function openFullStep(given: FullStep) {
  const { shape, batch: batchSize, length } = given;
  const { method: section, training } = resolveRecipe({
    version: 1,
    method: { type: 'full' },
    training: { learning_rate: LEARNING_RATE, lr_scheduler_type: 'constant', max_grad_norm: 1 },
  });
  const model = await loadModel(llamaConfig(shape), randomSource(shape));
  const method = await createMethod(model, section, { seed: 42 });
  const optimizer = createOptimizer(method.trainable, training, { rate: method.rate });
  const ids = idsOf(given);
  const batch: NextTokenBatch = {
    ...{ kind: 'next_token', batchSize, length, ids, labels: ids, starts: null },
    ...{ lengths: new Int32Array(batchSize).fill(length), targetCount: batchSize * (length - 1) },
  };
  const setup = {
    ...{ model, method, objective: sft, optimizer, settings: training, totalSteps: Infinity },
    batches: { stepsPerEpoch: Infinity, microBatches: () => [batch], evaluation: () => [] },
  };
  const state = freshState();
  return {
    async step(): Promise<number> {
      const { loss, finite } = await recordStep(setup, state).stats;
      if (!finite) throw new Error(`Step ${state.step} of full fine-tuning was not finite.`);
      return loss;
    },
    dispose() {
      optimizer.dispose();
      method.dispose();
      model.dispose();
    },
  };
}

export async function measureFullStep(say: (text: string) => void): Promise<FullStepRow> {
  disposeInputs();
  trimMemory();
  forgetGpuPeak();
  const before = gpuBytes().allocated;
  const full = await openFullStep(CASE);
  const losses: number[] = [];
  let fastest = Infinity;
  let dispatches = 0;
  for (let step = 0; step < STEPS; step++) {
    const recorded = counters.dispatches;
    const start = performance.now();
    losses.push(await full.step());
    if (step > 0) fastest = Math.min(fastest, performance.now() - start);
    dispatches = counters.dispatches - recorded;
  }
  say(`${FULL_STEP}: loss ${losses[0]!.toFixed(4)} -> ${losses.at(-1)!.toFixed(4)}`);
  const gpu_bytes = gpuBytes().peak - before;
  full.dispose();
  return { name: FULL_STEP, ours_ms: fastest, dispatches, gpu_bytes };
}
