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

const SHAPE: Shape = { hidden: 128, layers: 2, heads: 4, kvHeads: 4, intermediate: 512, vocab: 1024 };
const BATCH = 4;
const LENGTH = 128;
/** The first one compiles shaders and does not count. */
const STEPS = 8;

export const FULL_STEP = `full-step b${BATCH} t${LENGTH} w${SHAPE.hidden} l${SHAPE.layers} v${SHAPE.vocab}`;

export interface FullStepRow {
  name: string;
  ours_ms: number;
  dispatches: number;
  /** At the peak of training, base and optimiser included. */
  gpu_bytes: number;
}

export async function measureFullStep(say: (text: string) => void): Promise<FullStepRow> {
  disposeInputs();
  trimMemory();
  forgetGpuPeak();
  const before = gpuBytes().allocated;
  const { method: section, training } = resolveRecipe({
    version: 1,
    method: { type: 'full' },
    training: { learning_rate: 1e-3, lr_scheduler_type: 'constant', max_grad_norm: 1 },
  });
  const model = await loadModel(llamaConfig(SHAPE), randomSource(SHAPE));
  const method = await createMethod(model, section, { seed: 42 });
  const optimizer = createOptimizer(method.trainable, training, { rate: method.rate });
  const size = BATCH * LENGTH;
  const ids = Int32Array.from({ length: size }, (_, i) => (i * 37 + (i >> 3) * 11) % SHAPE.vocab);
  const batch: NextTokenBatch = {
    ...{ kind: 'next_token', batchSize: BATCH, length: LENGTH, ids, labels: ids, starts: null },
    ...{ lengths: new Int32Array(BATCH).fill(LENGTH), targetCount: BATCH * (LENGTH - 1) },
  };
  const setup = {
    ...{ model, method, objective: sft, optimizer, settings: training, totalSteps: STEPS },
    batches: { stepsPerEpoch: STEPS, microBatches: () => [batch], evaluation: () => [] },
  };
  const state = freshState();
  const losses: number[] = [];
  let fastest = Infinity;
  let dispatches = 0;
  for (let step = 0; step < STEPS; step++) {
    const recorded = counters.dispatches;
    const start = performance.now();
    const { loss, finite } = await recordStep(setup, state).stats;
    if (step > 0) fastest = Math.min(fastest, performance.now() - start);
    if (!finite) throw new Error(`Step ${step + 1} of full fine-tuning was not finite.`);
    losses.push(loss);
    dispatches = counters.dispatches - recorded;
  }
  say(`${FULL_STEP}: loss ${losses[0]!.toFixed(4)} -> ${losses.at(-1)!.toFixed(4)}`);
  const gpu_bytes = gpuBytes().peak - before;
  optimizer.dispose();
  method.dispose();
  model.dispose();
  return { name: FULL_STEP, ours_ms: fastest, dispatches, gpu_bytes };
}
