/**
 * What a run will take, before anything of it is computed: steps, trainable parameters and GPU memory. Pure arithmetic.
 * Shapes: M tokens in a micro-batch (rows × padded length), d hidden, i intermediate, r LoRA's rank.
 */
import type { LoraMethod, TrainingSection } from './types';

/** A model of the Llama kind, as its config.json has it. */
export interface LlamaShape {
  hidden: number;
  intermediate: number;
  layers: number;
  heads: number;
  kvHeads: number;
  /** hidden / heads unless the config says otherwise. */
  headDim?: number;
  vocab: number;
  /** GPU bytes of the frozen weights, as stored. */
  bytesOfWeights: number;
  /** Every linear of the model by its path, the output projection included where it has weights of its own. */
  linears: LinearShape[];
}

export interface LinearShape {
  path: string;
  inFeatures: number;
  outFeatures: number;
}

const f32 = 4;

/** Optimiser steps of one epoch, as transformers' Trainer counts them: an epoch's last, smaller step counts. */
export function stepsPerEpoch(
  trainExamples: number,
  training: Pick<TrainingSection, 'per_device_train_batch_size' | 'gradient_accumulation_steps'>,
): number {
  const microBatches = Math.ceil(trainExamples / training.per_device_train_batch_size);
  return Math.ceil(microBatches / training.gradient_accumulation_steps);
}

/** Optimiser steps of the run: max_steps where it is set, else that many epochs, rounded up. */
export function totalSteps(trainExamples: number, training: TrainingSection): number {
  if (training.max_steps > 0) return training.max_steps;
  return Math.ceil(training.num_train_epochs * stepsPerEpoch(trainExamples, training));
}

/** Does PEFT's `target_modules` mean this linear? Names match whole or as the path's end; all-linear spares the output. */
export function isTarget(path: string, targets: LoraMethod['target_modules']): boolean {
  if (targets === 'all-linear') return path !== 'lm_head' && !path.endsWith('.lm_head');
  return targets.some((name) => path === name || path.endsWith(`.${name}`));
}

/** Numbers that a LoRA run trains: A is [r, in] and B is [out, r] for every target. */
export function loraParameters(linears: LinearShape[], method: Pick<LoraMethod, 'r' | 'target_modules'>): number {
  return linears
    .filter(({ path }) => isTarget(path, method.target_modules))
    .reduce((sum, { inFeatures, outFeatures }) => sum + method.r * (inFeatures + outFeatures), 0);
}

/** The shapes of a Llama's linears from its config, under Hugging Face's module paths; without the output projection. */
export function llamaLinears(shape: Omit<LlamaShape, 'linears' | 'vocab' | 'bytesOfWeights'>): LinearShape[] {
  const { hidden, intermediate, layers, heads, kvHeads, headDim = hidden / heads } = shape;
  const block: [path: string, inFeatures: number, outFeatures: number][] = [
    ['self_attn.q_proj', hidden, heads * headDim],
    ['self_attn.k_proj', hidden, kvHeads * headDim],
    ['self_attn.v_proj', hidden, kvHeads * headDim],
    ['self_attn.o_proj', heads * headDim, hidden],
    ['mlp.gate_proj', hidden, intermediate],
    ['mlp.up_proj', hidden, intermediate],
    ['mlp.down_proj', intermediate, hidden],
  ];
  return Array.from({ length: layers }, (_, layer) =>
    block.map(([path, inFeatures, outFeatures]) => ({
      path: `model.layers.${layer}.${path}`,
      inFeatures,
      outFeatures,
    })),
  ).flat();
}

export interface MemoryForecast {
  weights: number;
  /** Adapter weights and their gradients. */
  adapter: number;
  /** Adam's two moments. */
  optimizer: number;
  activations: number;
  logits: number;
}

/**
 * GPU bytes of a LoRA run at its widest moment. Weights stay as stored; everything trained or computed is f32.
 * Activations are what the backward pass of each block needs, plus the widest block's temporaries once:
 * block input, both norms' outputs and the middle residual (4 d); queries, keys and values before and after the rotary
 * embedding, of which values are stored once (2 q + 3 kv); attention's output and its log-sum-exp (q + heads); gate, up
 * and their product (3 i); LoRA's inner product for each target (r).
 * Logits are never whole: `logitsChunk` tokens at a time, with their gradient.
 */
export function loraMemory(
  shape: LlamaShape,
  method: Pick<LoraMethod, 'r' | 'target_modules'>,
  batch: { rows: number; length: number },
  { logitsChunk = 256 } = {},
): MemoryForecast {
  const { hidden, intermediate, layers, heads, kvHeads, headDim = hidden / heads, vocab } = shape;
  const tokens = batch.rows * batch.length;
  const q = heads * headDim;
  const kv = kvHeads * headDim;
  const targets = shape.linears.filter(({ path }) => isTarget(path, method.target_modules)).length;
  const block = 4 * hidden + 3 * q + 3 * kv + heads + 3 * intermediate;
  const temporaries = 2 * hidden + 3 * intermediate + q + 2 * kv;
  // After the blocks: the last hidden states, normed, and the gradient that comes back.
  const ends = 3 * hidden;
  const adapter = loraParameters(shape.linears, method) * f32;
  return {
    weights: shape.bytesOfWeights,
    adapter: 2 * adapter,
    optimizer: 2 * adapter,
    activations: tokens * (layers * block + targets * method.r + temporaries + ends) * f32,
    logits: 2 * Math.min(tokens, logitsChunk) * vocab * f32,
  };
}

export function totalBytes(memory: MemoryForecast): number {
  return memory.weights + memory.adapter + memory.optimizer + memory.activations + memory.logits;
}
