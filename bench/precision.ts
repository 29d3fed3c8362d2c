/**
 * SmolLM2-135M's shapes (width 576, 30 layers, 9 heads over 3, feed-forward 1536, vocabulary 49152, tied) with random weights
 * in each precision: the speed of a forward pass over 1×64 tokens and of a LoRA r 8 step on all linear layers, and the bytes
 * they take.
 */

import { disposeInputs } from '../src/engine/kernels/inputs';
import { createLora } from '../src/engine/methods/lora';
import { loadModel } from '../src/engine/models';
import type { StoredType } from '../src/engine/models/model';
import type { Quantization } from '../src/engine/models/upload';
import { sft } from '../src/engine/objectives/sft';
import { createOptimizer } from '../src/engine/optim/optimizer';
import { evaluate, wholeText } from '../src/engine/run/evaluate';
import { freshState, recordStep } from '../src/engine/run/loop';
import type { Weight } from '../src/engine/types';
import { counters, gpuBytes } from '../src/engine/webgpu/backend';
import { trimMemory } from '../src/engine/webgpu/dispatch';
import { resolveRecipe } from '../src/recipe/defaults';
import { llamaConfig, type Shape } from './random-llama';
import { randomWeights } from './random-weights';

const SHAPE: Shape = { hidden: 576, layers: 30, heads: 9, kvHeads: 3, intermediate: 1536, vocab: 49152 };
const TOKENS = 64;
export const LORA = { r: 8, lora_alpha: 16, lora_dropout: 0, target_modules: 'all-linear' as const, use_rslora: false };
/** The first run compiles shaders and does not count. */
const RUNS = 3;

interface Precision {
  name: string;
  quantization: Quantization;
  typeOf(tensor: string): StoredType;
}

/** Layers whose value and down projections get more bits from llama-quantize (use_more_bits in llama-quant.cpp). */
const moreBits = (i: number, n: number) =>
  i < Math.floor(n / 8) || i >= Math.floor((7 * n) / 8) || (i - Math.floor(n / 8)) % 3 === 2;

/**
 * What llama-quantize makes of this model as Q4_K_M: rows of 576 are not whole K-quant blocks, so Q4_K becomes Q5_0 and Q6_K
 * becomes Q8_0 everywhere except in down_proj.
 */
function likeLlamaQuantize(tensor: string): StoredType {
  if (tensor.includes('norm')) return 'F32';
  if (tensor.includes('embed')) return 'Q8_0';
  const more = moreBits(Number(/layers\.(\d+)/.exec(tensor)![1]), SHAPE.layers);
  if (tensor.includes('down_proj')) return more ? 'Q6_K' : 'Q4_K';
  return tensor.includes('v_proj') && more ? 'Q8_0' : 'Q5_0';
}

const PRECISIONS: Precision[] = [
  { name: 'f32', quantization: 'none', typeOf: () => 'F32' },
  { name: 'bf16', quantization: 'none', typeOf: () => 'BF16' },
  { name: 'nf4 (embedding bf16)', quantization: 'nf4', typeOf: () => 'BF16' },
  { name: 'q4_k_m (rows of 576: q5_0, q8_0)', quantization: 'none', typeOf: likeLlamaQuantize },
];

export interface PrecisionRow {
  name: string;
  forward_tokens_per_second: number;
  step_tokens_per_second: number;
  /** Per step. */
  ours_ms: number;
  dispatches: number;
  gpu_bytes: number;
  /** Bits per parameter, scales included, in the linear layers and in the whole model. */
  linear_bits: number;
  model_bits: number;
}

export const precisionRows = PRECISIONS.map(({ name }) => rowName(name));

function rowName(precision: string): string {
  return `smollm2-135m lora-step b1 t${TOKENS} r${LORA.r} ${precision}`;
}

function size({ shape }: Weight): number {
  return shape.reduce((product, n) => product * n, 1);
}

const bytesOf = (weights: Weight[]) =>
  weights.flatMap((w) => w.parts).reduce((sum, { tensor }) => sum + tensor.size * 4, 0);

async function fastest(run: () => Promise<unknown>): Promise<number> {
  let best = Infinity;
  for (let i = 0; i <= RUNS; i++) {
    const start = performance.now();
    await run();
    if (i > 0) best = Math.min(best, performance.now() - start);
  }
  return best;
}

export async function measurePrecision(index: number, say: (text: string) => void): Promise<PrecisionRow> {
  const { name, quantization, typeOf } = PRECISIONS[index]!;
  disposeInputs();
  trimMemory();
  const before = gpuBytes().allocated;
  const start = performance.now();
  const model = await loadModel(
    llamaConfig(SHAPE),
    randomWeights(SHAPE, (tensor) => (tensor.includes('norm') ? 'F32' : typeOf(tensor))),
    { quantization },
  );
  say(`${name}: loaded in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  const linears = model.linears.map((m) => m.weight);
  const head = model.heads.lm!.weight;
  const small = model.parameters - [...linears, head].reduce((sum, w) => sum + size(w), 0);

  const settings = { ...resolveRecipe({ version: 1 }).training, lr_scheduler_type: 'constant' as const };
  const method = createLora(model, LORA, 42);
  const optimizer = createOptimizer(method.trainable, settings);
  const batch = wholeText(Int32Array.from({ length: TOKENS }, (_, i) => (i * 7919 + 3) % SHAPE.vocab));
  const setup = {
    model,
    method,
    objective: sft,
    optimizer,
    batches: { stepsPerEpoch: RUNS + 1, microBatches: () => [batch], evaluation: () => [] },
    settings,
    totalSteps: RUNS + 1,
    checkpointing: false,
  };
  const state = freshState();
  const forward = await fastest(() => evaluate({ model, method: null, objective: sft }, [batch]));
  let dispatches = 0;
  const step = await fastest(async () => {
    const recorded = counters.dispatches;
    const { loss, finite } = await recordStep(setup, state).stats;
    if (!finite) throw new Error(`A step with ${name} weights was not finite.`);
    dispatches = counters.dispatches - recorded;
    say(`${name}: loss ${loss.toFixed(4)}`);
  });
  const row: PrecisionRow = {
    name: rowName(name),
    forward_tokens_per_second: (1000 * TOKENS) / forward,
    step_tokens_per_second: (1000 * TOKENS) / step,
    ours_ms: step,
    dispatches,
    gpu_bytes: gpuBytes().allocated - before,
    linear_bits: (8 * bytesOf(linears)) / linears.reduce((sum, w) => sum + size(w), 0),
    model_bits: (8 * (bytesOf([...linears, head]) + 4 * small)) / model.parameters,
  };
  if (quantization === 'nf4' && !(row.linear_bits <= 4.6)) {
    throw new Error(`NF4 takes ${row.linear_bits} bits per parameter.`);
  }
  optimizer.dispose();
  method.dispose();
  model.dispose();
  return row;
}
