/**
 * Batched decoding: how long a token of 1, 4 and 8 rows takes, with SmolLM2-135M's shapes and those of the built-in model (random
 * weights, bf16), sampled at temperature 1 after prompts of 25 to 32 tokens, which are read before the clock starts: the fastest of
 * many steps. And drawing 8 tokens from vocabularies of 49,152 and 151,936 on the device, compared with
 * reading the logits and drawing here; and one token of a streamed answer in the same way.
 */
import * as tf from '@tensorflow/tfjs-core';
import { generateBatch } from '../src/engine/generation/generate-batch';
import { drawNext } from '../src/engine/generation/next-token';
import type { SamplingOptions } from '../src/engine/generation/options';
import { sampleToken } from '../src/engine/generation/sampler';
import { disposeInputs } from '../src/engine/kernels/inputs';
import { drawToken, type SampleAttrs, STEPS, sampleTokens } from '../src/engine/kernels/sampling/sample-tokens';
import { loadModel } from '../src/engine/models';
import type { LanguageModel } from '../src/engine/models/model';
import { readFloats } from '../src/engine/webgpu/backend';
import { trimMemory } from '../src/engine/webgpu/dispatch';
import { beginWork } from '../src/engine/webgpu/pool';
import { llamaConfig, type Shape } from './random-llama';
import { randomWeights } from './random-weights';

interface Contender {
  name: string;
  shape: Shape;
  /** Steps that are timed. */
  steps: number;
}

const CONTENDERS: Contender[] = [
  {
    name: 'decode built-in bf16',
    shape: { hidden: 192, layers: 4, heads: 6, kvHeads: 2, intermediate: 512, vocab: 2048 },
    steps: 96,
  },
  {
    name: 'decode smollm2-135m bf16',
    shape: { hidden: 576, layers: 30, heads: 9, kvHeads: 3, intermediate: 1536, vocab: 49152 },
    steps: 24,
  },
];
const BATCHES = [1, 4, 8];
const RUNS = 3;

export interface DecodingRow {
  name: string;
  /** Of a token of every row. */
  ours_ms: number;
  /** Of all rows together. */
  tokens_per_second: number;
  /** Relative to a batch of 1. */
  cost_to_one: number | null;
}

export const decodingRows = CONTENDERS.flatMap(({ name }) => BATCHES.map((batch) => `${name} b${batch}`));

/** The fastest of a few runs after a first one, which compiles shaders. */
async function fastest(run: () => Promise<unknown>): Promise<number> {
  let best = Infinity;
  for (let i = 0; i <= RUNS; i++) {
    const start = performance.now();
    await run();
    if (i > 0) best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** The fastest step, in milliseconds. */
async function measureBatch(model: LanguageModel, batch: number, steps: number): Promise<number> {
  const prompts = Array.from({ length: batch }, (_, b) =>
    Int32Array.from({ length: 32 - b }, (_, i) => (i * 37 + b * 11) % model.vocabSize),
  );
  const options = { temperature: 1, topK: 0, topP: 1, stopTokenIds: [], seed: 1, draw: 0, maxNewTokens: steps + 1 };
  // It is asked whether to stop before every pass, and once before the first.
  const asked: number[] = [];
  const answers = await generateBatch(model, {}, prompts, options, () => {
    asked.push(performance.now());
    return false;
  });
  if (answers.some(({ ids }) => ids.length !== steps + 1)) throw new Error('An answer has another length.');
  const times = asked.slice(1).map((at, i) => at - asked[i]!);
  return Math.min(...times.slice(-steps));
}

/** Measures the rows with these names. */
export async function measureDecoding(wanted: string[], say: (text: string) => void): Promise<DecodingRow[]> {
  const rows: DecodingRow[] = [];
  for (const { name, shape, steps } of CONTENDERS) {
    const batches = BATCHES.filter((batch) => wanted.includes(`${name} b${batch}`));
    if (batches.length === 0) continue;
    disposeInputs();
    trimMemory();
    const weights = randomWeights(shape, (tensor) => (tensor.includes('norm') ? 'F32' : 'BF16'));
    const model = await loadModel(llamaConfig(shape), weights);
    let one: number | null = null;
    for (const batch of batches) {
      const ms = await measureBatch(model, batch, steps);
      say(`${name} b${batch}: ${ms.toFixed(1)} ms a step`);
      if (batch === 1) one = ms;
      rows.push({
        name: `${name} b${batch}`,
        ours_ms: ms,
        tokens_per_second: (1000 * batch) / ms,
        cost_to_one: one === null ? null : ms / one,
      });
    }
    model.dispose();
  }
  return rows;
}

/** SmolLM2's and Qwen's. */
const VOCABULARIES = [49_152, 151_936];
const DRAWN = 8;
const ATTRS: [string, SampleAttrs][] = [
  ['plain', { temperature: 1, topK: 0, topP: 1 }],
  ['greedy', { temperature: 0, topK: 0, topP: 1 }],
  ['top-k 50, top-p 0.95', { temperature: 1, topK: 50, topP: 0.95 }],
];

const DRAWS = VOCABULARIES.flatMap((vocab) => ATTRS.map(([name, attrs]) => ({ vocab, name, attrs })));

export const drawRows = DRAWS.map(({ vocab, name }) => `draw b${DRAWN} v${vocab} ${name}`);

/** The kernel compared with reading all logits and drawing here. */
export async function measureDraw(index: number) {
  const { vocab, attrs } = DRAWS[index]!;
  const logits = tf.keep(tf.randomNormal([DRAWN, vocab], 0, 3, 'float32', 1));
  const draws = tf.tensor2d(
    Array.from({ length: DRAWN }, (_, i) => [i, ((i * 7919 + 5) * 104_729) % STEPS]),
    [DRAWN, 2],
    'int32',
  );
  const ours_ms = await fastest(async () => {
    beginWork();
    const drawn = sampleTokens(logits, draws, attrs);
    const read = readFloats(drawn);
    drawn.dispose();
    await read;
  });
  const reference_ms = await fastest(async () => {
    beginWork();
    const values = await readFloats(logits);
    for (let i = 0; i < DRAWN; i++) drawToken(values.subarray(i * vocab, (i + 1) * vocab), 0.5, attrs);
  });
  tf.dispose([logits, draws]);
  return { name: drawRows[index]!, ours_ms, reference_ms, ratio: reference_ms / ours_ms };
}

const ONE: [string, SamplingOptions][] = [
  ['plain', { temperature: 1, topP: 1, seed: 1 }],
  ['greedy', { temperature: 0, topP: 1, seed: 1 }],
  ['top-p 0.95', { temperature: 0.8, topP: 0.95, seed: 1 }],
];
const ONES = VOCABULARIES.flatMap((vocab) => ONE.map(([name, options]) => ({ vocab, name, options })));

export const drawOneRows = ONES.map(({ vocab, name }) => `draw-one v${vocab} ${name}`);

/** A token of a streamed answer, compared with reading all logits and sorting here. */
export async function measureDrawOne(index: number) {
  const { vocab, options } = ONES[index]!;
  const logits = tf.keep(tf.randomNormal([1, vocab], 0, 4, 'float32', 1));
  let position = 0;
  const ours_ms = await fastest(async () => {
    beginWork();
    await drawNext(logits.clone(), position++, options);
  });
  const reference_ms = await fastest(async () => {
    beginWork();
    sampleToken(await readFloats(logits), position++, options);
  });
  logits.dispose();
  return { name: drawOneRows[index]!, ours_ms, reference_ms, ratio: reference_ms / ours_ms };
}
