/**
 * The small networks that can produce virtual tokens (PEFT's reparameterisations): an embedding [P, w] followed by linear layers
 * with biases and an activation between them. All of it is trained, and discarded when the virtual tokens are saved.
 */
import * as tf from '@tensorflow/tfjs-core';
import { activation } from '../kernels/pointwise/activation';
import { linear } from '../kernels/products/linear';
import { normals, uniforms } from './initial-values';
import type { TensorMaker } from './tensors';

export interface NetworkShape {
  /** P */
  rows: number;
  /** Width of the embedding, then of each linear layer's output. */
  widths: number[];
  /** Name of PEFT's Sequential, whose indices also count the activations. */
  name: 'mlp_head' | 'transform';
  between: 'relu' | 'tanh';
}

/** What PEFT's names of a network's tensors begin with. */
export const NETWORK = 'prompt_encoder.';

/** PEFT's name of the embedding that is the network's input. */
export const NETWORK_EMBEDDING = `${NETWORK}embedding.weight`;

export interface PromptNetwork {
  trainable: [string, tf.Tensor][];
  /** [P, last width] */
  run(): tf.Tensor;
}

export function promptNetwork(
  { rows, widths, name, between }: NetworkShape,
  seed: number,
  maker: TensorMaker,
): PromptNetwork {
  const trainable: [string, tf.Tensor][] = [];
  const make = (at: string, shape: number[], initial: () => Float32Array): tf.Tensor => {
    const tensor = maker.make(at, shape, initial);
    trainable.push([at, tensor]);
    return tensor;
  };
  const first = widths[0]!;
  const embedding = make(NETWORK_EMBEDDING, [rows, first], () => normals(rows * first, seed));
  const linears = widths.slice(1).map((out, i) => {
    const width = widths[i]!;
    const bound = 1 / Math.sqrt(width);
    const at = `${NETWORK}${name}.${2 * i}`;
    const weight = make(`${at}.weight`, [out, width], () => uniforms(out * width, seed, 2 * i + 1, bound));
    const bias = make(`${at}.bias`, [out], () => uniforms(out, seed, 2 * i + 2, bound));
    return { weight: { parts: [{ tensor: weight, rows: out }], format: 'f32' as const, shape: [out, width] }, bias };
  });
  const act = (x: tf.Tensor) => (between === 'relu' ? activation(x, 'relu') : tf.tanh(x));
  return {
    trainable,
    run: () => linears.reduce((x, module, i) => linear(module, i === 0 ? x : act(x)), embedding),
  };
}
