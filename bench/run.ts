/**
 * Our training step compared with the same step in stock tfjs ops, on one page and one device; a larger model in several
 * precisions (precision.ts); a step of full fine-tuning (full-step.ts), and beside jax-js (beside-jax.ts); every method compared with LoRA (methods.ts); batched decoding (decoding.ts); and steps that learn from
 * answers (answers.ts).
 *
 * The step compared with tfjs: LoRA r 8 on all linear layers of a Llama (width 128, 4 layers, 4 heads, feed-forward 352,
 * vocabulary 512), batch 4, length 64, gradient clipping and Adam(W). Both start from the same weights; their first losses
 * must agree.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { NextTokenBatch } from '../src/data/types';
import { createLora } from '../src/engine/methods/lora';
import { loadModel } from '../src/engine/models';
import { sft } from '../src/engine/objectives/sft';
import { createOptimizer } from '../src/engine/optim/optimizer';
import { freshState, recordStep } from '../src/engine/run/loop';
import { counters, flush, gpuBackend, gpuBytes, SUBMIT_BATCH } from '../src/engine/webgpu/backend';
import { openDevice } from '../src/engine/webgpu/device';
import { trimMemory } from '../src/engine/webgpu/dispatch';
import { resolveRecipe } from '../src/recipe/defaults';
import { answerRows, type DpoRow, type GrpoRow, measureAnswers } from './answers';
import { type JaxRow, jaxRows, measureBesideJax } from './beside-jax';
import {
  type DecodingRow,
  decodingRows,
  drawOneRows,
  drawRows,
  measureDecoding,
  measureDraw,
  measureDrawOne,
} from './decoding';
import { FULL_STEP, type FullStepRow, measureFullStep } from './full-step';
import { type MethodRow, measureMethods, methodRows } from './methods';
import { LORA, measurePrecision, type PrecisionRow, precisionRows } from './precision';
import { llamaConfig, randomSource, type Shape } from './random-llama';
import { createStockStep } from './stock-llama';

interface Compared {
  name: string;
  ours_ms: number;
  reference_ms: number;
  /** reference / ours: how many times faster. */
  ratio: number;
}

interface Row extends Compared {
  dispatches: number;
  gpu_bytes: number;
  gpu_bytes_step_3: number;
  reference_dispatches: number;
}

type AnyRow = Compared | Row | JaxRow | FullStepRow | PrecisionRow | MethodRow | DecodingRow | DpoRow | GrpoRow;

const STEP = 'llama-lora-step w128 l4 h4 f352 v512 b4 t64 r8';
const SHAPE: Shape = { hidden: 128, layers: 4, heads: 4, kvHeads: 4, intermediate: 352, vocab: 512 };
const BATCH = 4;
const LENGTH = 64;
const LEARNING_RATE = 1e-3;
/** Memory is compared between these two steps. */
const FIRST = 3;
const LAST = 200;

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function exampleBatch(): NextTokenBatch {
  const size = BATCH * LENGTH;
  const ids = Int32Array.from({ length: size }, (_, i) => (i * 37 + (i >> 3) * 11) % SHAPE.vocab);
  return {
    kind: 'next_token',
    batchSize: BATCH,
    length: LENGTH,
    ids,
    labels: ids.slice(),
    starts: null,
    lengths: new Int32Array(BATCH).fill(LENGTH),
    targetCount: BATCH * (LENGTH - 1),
  };
}

async function trainingStep(say: (text: string) => void): Promise<Row> {
  const batch = exampleBatch();
  const settings = {
    ...resolveRecipe({ version: 1 }).training,
    learning_rate: LEARNING_RATE,
    lr_scheduler_type: 'constant' as const,
    weight_decay: 0,
    max_grad_norm: 1,
  };
  const model = await loadModel(llamaConfig(SHAPE), randomSource(SHAPE));
  const method = createLora(model, LORA, 42);
  const values = new Map([...method.trainable].map(([name, t]) => [name, t.clone()]));

  // Stock tfjs first, with its default of 15 dispatches per submit.
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', 15);
  const stock = createStockStep(SHAPE, { r: LORA.r, alpha: LORA.lora_alpha, values }, LEARNING_RATE);
  const stockBatch = { ids: batch.ids, labels: batch.labels, batch: BATCH, length: LENGTH };
  const stockLosses: number[] = [];
  const stockTimes: number[] = [];
  let stockDispatches = 0;
  for (let i = 0; i < 6; i++) {
    const before = counters.dispatches;
    const start = performance.now();
    stockLosses.push(await stock.step(stockBatch));
    flush(gpuBackend());
    await gpuBackend().queue.onSubmittedWorkDone();
    // The first step compiles shaders.
    if (i > 0) stockTimes.push(performance.now() - start);
    stockDispatches = counters.dispatches - before;
    say(`stock step ${i + 1}: loss ${stockLosses.at(-1)!.toFixed(5)}`);
  }
  stock.dispose();
  for (const t of values.values()) t.dispose();
  trimMemory();
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', SUBMIT_BATCH);

  const optimizer = createOptimizer(method.trainable, settings);
  const setup = {
    model,
    method,
    objective: sft,
    optimizer,
    batches: { stepsPerEpoch: LAST, microBatches: () => [batch], evaluation: () => [] },
    settings,
    totalSteps: LAST,
  };
  const state = freshState();
  const losses: number[] = [];
  const times: number[] = [];
  let dispatches = 0;
  let bytesAtFirst = 0;
  for (let i = 1; i <= LAST; i++) {
    const before = counters.dispatches;
    const start = performance.now();
    const { loss, finite } = await recordStep(setup, state).stats;
    if (!finite) throw new Error(`Step ${i} was not finite.`);
    if (i > 1) times.push(performance.now() - start);
    losses.push(loss);
    dispatches = counters.dispatches - before;
    if (i === FIRST) bytesAtFirst = gpuBytes().allocated;
  }
  say(`our steps: loss ${losses[0]!.toFixed(5)} -> ${losses.at(-1)!.toFixed(5)}`);
  for (const i of [0, 1, 2]) {
    const gap = Math.abs(losses[i]! - stockLosses[i]!) / stockLosses[i]!;
    if (!(gap < 1e-3))
      throw new Error(`Step ${i + 1}: our loss ${losses[i]} differs from the stock loss ${stockLosses[i]}.`);
  }
  const bytes = gpuBytes().allocated;
  optimizer.dispose();
  method.dispose();
  model.dispose();
  const ours = median(times);
  const reference = median(stockTimes);
  return {
    name: STEP,
    ours_ms: ours,
    reference_ms: reference,
    ratio: reference / ours,
    dispatches,
    gpu_bytes: bytes,
    gpu_bytes_step_3: bytesAtFirst,
    reference_dispatches: stockDispatches,
  };
}

export interface BenchResult {
  adapter: string;
  rows: AnyRow[];
}

/** Runs every row with `filter` in its name. */
export async function runBench(filter: string, say: (text: string) => void): Promise<BenchResult> {
  const device = await openDevice();
  const adapter = [device.vendor, device.architecture, device.description].filter(Boolean).join(' ');
  say(adapter);
  const wanted = (name: string) => name.includes(filter);
  const rows: AnyRow[] = [];
  if (wanted(STEP)) rows.push(await trainingStep(say));
  if (wanted(FULL_STEP)) rows.push(await measureFullStep(say));
  for (const [i, name] of jaxRows.entries()) if (wanted(name)) rows.push(await measureBesideJax(i, say));
  for (const [i, name] of precisionRows.entries()) if (wanted(name)) rows.push(await measurePrecision(i, say));
  const methods = [...methodRows.keys()].filter((i) => wanted(methodRows[i]!));
  rows.push(...(await measureMethods(methods, say)));
  for (const [i, name] of drawRows.entries()) if (wanted(name)) rows.push(await measureDraw(i));
  for (const [i, name] of drawOneRows.entries()) if (wanted(name)) rows.push(await measureDrawOne(i));
  rows.push(...(await measureDecoding(decodingRows.filter(wanted), say)));
  rows.push(...(await measureAnswers(answerRows.filter(wanted), say)));
  return { adapter, rows };
}
