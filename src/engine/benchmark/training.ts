/** Steps of LoRA on models with random weights: their speed, a minute of them, and the losses by which cards are compared. */
import type { StepRow } from '../../benchmark/result';
import type { NextTokenBatch } from '../../data/types';
import type { TrainingSection } from '../../recipe/types';
import { disposeInputs } from '../kernels/inputs';
import { createLora } from '../methods/lora';
import { loadModel } from '../models';
import type { LanguageModel, StoredType } from '../models/model';
import { sft } from '../objectives/sft';
import { createOptimizer } from '../optim/optimizer';
import { freshState, recordStep } from '../run/loop';
import { counters, forgetGpuPeak, gpuBytes } from '../webgpu/backend';
import { trimMemory } from '../webgpu/dispatch';
import { spreadOf } from './measure';
import { randomModel } from './random-weights';
import { fingerprintConfig, type ModelShape } from './shapes';

const LORA = { r: 16, lora_alpha: 32, lora_dropout: 0, target_modules: 'all-linear' as const, use_rslora: false };
const STORED: Record<ModelShape['formats'][number], StoredType> = { bf16: 'BF16', nf4: 'BF16', q4_k: 'Q4_K' };

export async function openModel({ config }: ModelShape, format: ModelShape['formats'][number]): Promise<LanguageModel> {
  disposeInputs();
  trimMemory();
  return loadModel(config, randomModel(config, STORED[format]), { quantization: format === 'nf4' ? 'nf4' : 'none' });
}

/** Whole rows of the same length; the ids run through the vocabulary. */
function batchOf(batchSize: number, length: number, vocab: number): NextTokenBatch {
  const ids = Int32Array.from({ length: batchSize * length }, (_, i) => (i * 7919 + (i >> 5) * 13 + 3) % vocab);
  return {
    kind: 'next_token',
    batchSize,
    length,
    ids,
    labels: ids.slice(),
    starts: null,
    lengths: new Int32Array(batchSize).fill(length),
    targetCount: batchSize * (length - 1),
  };
}

/** A run of LoRA that can be asked for one step after the other. */
function openRun(model: LanguageModel, batch: NextTokenBatch, training: TrainingSection) {
  const settings = { ...training, lr_scheduler_type: 'constant' as const, warmup_ratio: 0, weight_decay: 0 };
  const method = createLora(model, LORA, 42);
  const optimizer = createOptimizer(method.trainable, settings);
  const totalSteps = Number.MAX_SAFE_INTEGER;
  const setup = {
    ...{ model, method, objective: sft, optimizer, settings, totalSteps, checkpointing: false },
    batches: { stepsPerEpoch: totalSteps, microBatches: () => [batch], evaluation: () => [] },
  };
  const state = freshState();
  return {
    /** The loss before this step, and the milliseconds that JavaScript took to record it. */
    async step(): Promise<{ loss: number; js: number }> {
      const start = performance.now();
      const { stats } = recordStep(setup, state);
      const js = performance.now() - start;
      const { loss, finite } = await stats;
      if (!finite) throw new Error(`Step ${state.step} of the benchmark was not finite.`);
      return { loss, js };
    },
    dispose() {
      optimizer.dispose();
      method.dispose();
    },
  };
}

const noted = () => ({ ...counters });

export async function measureSteps(
  model: LanguageModel,
  names: { model: string; format: string },
  [batch, length]: readonly [number, number],
  samples: number,
  training: TrainingSection,
): Promise<StepRow> {
  forgetGpuPeak();
  const run = openRun(model, batchOf(batch, length, model.vocabSize), training);
  try {
    // Two compile and fill the caches.
    await run.step();
    await run.step();
    const times: number[] = [];
    const recording: number[] = [];
    let before = noted();
    for (let i = 0; i < samples; i++) {
      before = noted();
      const start = performance.now();
      recording.push((await run.step()).js);
      times.push(performance.now() - start);
    }
    const ms = spreadOf(times);
    return {
      ...names,
      ...{ batch, length, ms },
      tokens_per_second: (1000 * batch * length) / ms.median,
      dispatches: counters.dispatches - before.dispatches,
      submits: counters.submits - before.submits,
      bind_groups: counters.bindGroups - before.bindGroups,
      js_ms: spreadOf(recording).median,
      bytes: gpuBytes().peak,
    };
  } finally {
    run.dispose();
  }
}

/** Tokens a second in windows of `windowSeconds`, until `seconds` are over or `stopped`. */
export async function measureSustained(
  model: LanguageModel,
  { seconds, windowSeconds, batch, length }: { seconds: number; windowSeconds: number; batch: number; length: number },
  training: TrainingSection,
  onWindow: (windows: number) => void,
): Promise<number[]> {
  const run = openRun(model, batchOf(batch, length, model.vocabSize), training);
  const rates: number[] = [];
  try {
    await run.step();
    while (rates.length * windowSeconds < seconds) {
      const start = performance.now();
      let [steps, took] = [0, 0];
      while (took < 1000 * windowSeconds) {
        await run.step();
        steps++;
        took = performance.now() - start;
      }
      rates.push((1000 * steps * batch * length) / took);
      onWindow(rates.length);
    }
    return rates;
  } finally {
    run.dispose();
  }
}

/** The losses of three steps at a rate that moves them. */
export async function measureFingerprint(training: TrainingSection): Promise<number[]> {
  disposeInputs();
  trimMemory();
  const model = await loadModel(fingerprintConfig, randomModel(fingerprintConfig, 'F32'));
  const run = openRun(model, batchOf(2, 48, model.vocabSize), { ...training, learning_rate: 0.01 });
  try {
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) losses.push((await run.step()).loss);
    return losses;
  } finally {
    run.dispose();
    model.dispose();
  }
}
