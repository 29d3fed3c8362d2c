/** What the forward passes of all families call instead of modules, so that methods and checkpointing can step in. */
import type * as tf from '@tensorflow/tfjs-core';
import type { ActivationName } from '../../families/activation';
import { type Activation, activation } from '../kernels/activation';
import { linear } from '../kernels/linear';
import type { Hooks, LinearModule } from '../types';
import type { Loader } from './weights';

/** Applies a linear module, or what the hooks put in its place: x [M, in] -> [M, out] (+ residual). */
export type Apply = (module: LinearModule, x: tf.Tensor, residual?: tf.Tensor | null) => tf.Tensor;

export const applyWith =
  (hooks: Hooks): Apply =>
  (module, x, residual = null) =>
    hooks.linear?.(module, x, residual) ?? linear(module, x, residual);

/** The blocks one after the other: `paths` are theirs, `run` computes one. */
export function runBlocks(
  hooks: Hooks,
  paths: string[],
  x: tf.Tensor,
  run: (layer: number, x: tf.Tensor) => tf.Tensor,
): tf.Tensor {
  return paths.reduce(
    (before, path, layer) =>
      hooks.block ? hooks.block(path, layer, before, (input) => run(layer, input)) : run(layer, before),
    x,
  );
}

/** transformers has several names for one function. */
const KERNELS: Record<ActivationName, Activation> = {
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  silu: 'silu',
  swish: 'silu',
  relu: 'relu',
};

export const activate = (x: tf.Tensor, name: ActivationName): tf.Tensor => activation(x, KERNELS[name]);

/** A norm's weight and bias. */
export interface NormWeights {
  weight: tf.Tensor;
  bias: tf.Tensor;
}

/** A LayerNorm of width `d`, with its bias. */
export async function loadNorm(load: Loader, path: string, d: number): Promise<NormWeights> {
  return { weight: await load.vector(`${path}.weight`, d), bias: await load.vector(`${path}.bias`, d) };
}
