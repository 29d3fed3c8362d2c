/**
 * The small networks that virtual tokens may come out of (PEFT's reparameterisations): an embedding [P, w] through linears
 * with biases, an activation between them. Trained through and through, and thrown away when the virtual tokens are saved.
 */
import * as tf from '@tensorflow/tfjs-core';
import { activation } from '../kernels/pointwise/activation';
import { linear } from '../kernels/products/linear';
import { normals, uniforms } from './initial-values';
import type { TensorMaker } from './tensors';

export interface NetworkShape {
  /** P */
  rows: number;
  /** Of the embedding, then of each linear's output. */
  widths: number[];
  /** PEFT's numbers of the linears within its Sequential, which counts the activations too. */
  name: 'mlp_head' | 'transform';
  between: 'relu' | 'tanh';
}

/** What PEFT calls the embedding that a network begins with. */
export const NETWORK_EMBEDDING = 'prompt_encoder.embedding.weight';

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
    const at = `prompt_encoder.${name}.${2 * i}`;
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
