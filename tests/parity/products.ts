/** The product kernels as functions of tensors, with inputs, for tests on either backend. */
import * as tf from '@tensorflow/tfjs-core';
import { linearCrossEntropy } from '../../src/engine/kernels/losses/cross-entropy';
import { linear } from '../../src/engine/kernels/products/linear';
import { linears } from '../../src/engine/kernels/products/linears';
import { loraLinear } from '../../src/engine/kernels/products/lora-linear';
import type { Weight, WeightFormat } from '../../src/engine/types';
import { alignView, moveIntoView, viewOf } from '../../src/engine/webgpu/views';
import { f32ToBf16 } from '../../src/formats/half';
import { intValues, type Op, randomValues, type Values } from '../kernel-helpers';

/** A random weight as a model stores it: f32, or bf16 with two values per word. */
export function weightValues(shape: [number, number], format: WeightFormat, seed: number): Values {
  const values = randomValues(shape, seed);
  if (format === 'f32') return values;
  const words = new Int32Array(Math.ceil(values.data.length / 2));
  new Uint16Array(words.buffer).set(f32ToBf16(values.data as Float32Array));
  return { data: words, shape: [words.length] };
}

/** The weight that a tensor of `weightValues` holds. */
export const weightOn = (tensor: tf.Tensor, format: WeightFormat, shape: [number, number]): Weight => ({
  parts: [{ tensor, rows: shape[0] }],
  format,
  shape,
});

export interface LinearCase {
  m: number;
  k: number;
  n: number;
  format?: WeightFormat;
  /** Replaces the random numbers. */
  weight?: Values;
  bias?: boolean;
  residual?: boolean;
}

/** The inputs are x, weight, and bias and residual if the case has them. */
export function linearCase({ m, k, n, format = 'f32', weight, bias, residual }: LinearCase): {
  op: Op;
  inputs: Values[];
} {
  const inputs = [randomValues([m, k], 1), weight ?? weightValues([n, k], format, 2)];
  if (bias) inputs.push(randomValues([n], 3));
  if (residual) inputs.push(randomValues([m, n], 4));
  const op: Op = (x, weight, ...rest) => [
    linear(
      { weight: weightOn(weight!, format, [n, k]), bias: bias ? rest[0]! : null },
      x!,
      residual ? rest[bias ? 1 : 0]! : null,
    ),
  ];
  return { op, inputs };
}

export interface LoraCase extends LinearCase {
  rank: number;
  scale: number;
  /** The LoRA branch has its own input, as with dropout. */
  branch?: boolean;
}

/** Inputs: x, weight, A, B, then the branch's input, bias and residual if the case has them. `wanted`: all with a gradient. */
export function loraCase({ m, k, n, rank, scale, format = 'f32', weight, bias, residual, branch }: LoraCase): {
  op: Op;
  inputs: Values[];
  wanted: number[];
} {
  const inputs = [
    randomValues([m, k], 1),
    weight ?? weightValues([n, k], format, 2),
    randomValues([rank, k], 3),
    randomValues([n, rank], 4),
  ];
  const wanted = [0, 2, 3];
  const add = (values: Values) => inputs.push(values) - 1;
  const xlAt = branch ? add(randomValues([m, k], 5)) : -1;
  const biasAt = bias ? add(randomValues([n], 6)) : -1;
  const residualAt = residual ? add(randomValues([m, n], 7)) : -1;
  if (branch) wanted.push(xlAt);
  if (residual) wanted.push(residualAt);
  const op: Op = (...t) => [
    loraLinear(
      { path: 'test', weight: weightOn(t[1]!, format, [n, k]), bias: t[biasAt] ?? null },
      t[0]!,
      { a: t[2]!, b: t[3]!, scale, xl: t[xlAt] },
      t[residualAt] ?? null,
    ),
  ];
  return { op, inputs, wanted };
}

export interface LinearsCase {
  m: number;
  k: number;
  layers: { n: number; rank: number; scale?: number; format?: WeightFormat; weight?: Values }[];
  format?: WeightFormat;
  bias?: boolean;
  /** Of a layer alone. */
  residual?: boolean;
  /** The rate of the LoRAs' dropout. */
  dropout?: number;
  /** Weights, factors and biases share one buffer of each kind. */
  joined?: boolean;
}

/** Makes the tensors ranges of one buffer, in this order. */
export function join(tensors: tf.Tensor[]): void {
  let size = 0;
  const places = tensors.map((t) => {
    const at = size;
    size = alignView(size + t.size);
    return at;
  });
  const owner = tf.zeros([size], tensors[0]!.dtype as 'float32' | 'int32');
  tensors.forEach((t, i) => {
    moveIntoView(t, owner, places[i]!);
  });
  owner.dispose();
}

/**
 * Inputs: x, of each layer the weight, A and B if its rank is not 0, and the bias, then the residual. `wanted`: all with a
 * gradient.
 */
export function linearsCase({ m, k, layers, format, bias, residual, dropout = 0, joined }: LinearsCase): {
  op: Op;
  inputs: Values[];
  wanted: number[];
} {
  const inputs = [randomValues([m, k], 1)];
  const wanted = [0];
  const add = (values: Values) => inputs.push(values) - 1;
  const learned = (values: Values) => {
    wanted.push(inputs.length);
    return add(values);
  };
  const places = layers.map(({ n, rank, format: own = format ?? 'f32', weight }, s) => ({
    ...{ n, format: own, weight: add(weight ?? weightValues([n, k], own, 10 * s + 2)) },
    a: rank > 0 ? learned(randomValues([rank, k], 10 * s + 3)) : -1,
    b: rank > 0 ? learned(randomValues([n, rank], 10 * s + 4)) : -1,
    bias: bias ? add(randomValues([n], 10 * s + 5)) : -1,
  }));
  const residualAt = residual ? learned(randomValues([m, layers[0]!.n], 6)) : -1;
  const op: Op = (...t) => {
    if (joined) {
      const groups = [places.map((p) => p.weight), places.flatMap((p) => [p.a, p.b]), places.map((p) => p.bias)];
      for (const group of groups) {
        const own = group.filter((at) => at >= 0).map((at) => t[at]!);
        if (own.length > 0 && !viewOf(own[0]!) && own.every(({ dtype }) => dtype === own[0]!.dtype)) join(own);
      }
    }
    return linears(
      places.map((p) => ({
        path: 'test',
        weight: weightOn(t[p.weight]!, p.format, [p.n, k]),
        bias: t[p.bias] ?? null,
      })),
      t[0]!,
      {
        loras: places.map((p, s) =>
          p.a < 0 ? null : { a: t[p.a]!, b: t[p.b]!, scale: layers[s]!.scale ?? 1.5, tag: 7 + s },
        ),
        dropout: dropout > 0 ? { p: dropout, seed: 2 ** 32 - 3, step: 5 } : null,
        residual: t[residualAt],
      },
    );
  };
  return { op, inputs, wanted };
}

export interface CrossEntropyCase {
  /** Rows of hidden states. */
  tokens: number;
  width: number;
  vocab: number;
  format?: WeightFormat;
  /** Replaces the random numbers. */
  weight?: Values;
  scale?: number;
  withGradient?: boolean;
  /** Every n-th row has no target; 0: all have one. */
  skipEvery?: number;
  /** Entries of -1 after the rows, and one before them. */
  padding?: number;
  /** Scale of the hidden states. */
  size?: number;
  bias?: boolean;
  softcap?: number;
  smoothing?: number;
  /** The weight (f32) and the bias, if there is one, are trained. */
  trains?: boolean;
}

/**
 * The inputs are hidden, weight, rows, targets, and bias if the case has one. The rows are not in order. `wanted`: all with a
 * gradient.
 */
export function crossEntropyCase(c: CrossEntropyCase): { op: Op; inputs: Values[]; wanted: number[] } {
  const { tokens, width, vocab, format = 'f32', scale = 0.125, withGradient = true, skipEvery = 0, padding = 0 } = c;
  const rows = Array.from({ length: tokens }, (_, i) => tokens - 1 - i).filter((i) => !skipEvery || i % skipEvery > 0);
  const targets = rows.map((r) => (r * 7919 + 3) % vocab);
  if (padding > 0) {
    rows.unshift(-1);
    targets.unshift(-1);
  }
  for (let i = 0; i < padding; i++) {
    rows.push(-1);
    targets.push(-1);
  }
  const inputs = [
    randomValues([tokens, width], 1, c.size ?? 1),
    c.weight ?? weightValues([vocab, width], format, 2),
    intValues(rows, [rows.length]),
    intValues(targets, [rows.length]),
  ];
  if (c.bias) inputs.push(randomValues([vocab], 3));
  const { softcap, smoothing, trains = false } = c;
  const op: Op = (hidden, weight, r, t, bias) => [
    linearCrossEntropy(hidden!, weightOn(weight!, format, [vocab, width]), r!, t!, {
      scale,
      withGradient,
      bias,
      softcap,
      smoothing,
      trainsWeight: trains,
      trainsBias: trains,
    }),
  ];
  return { op, inputs, wanted: [0, ...(trains ? [1, ...(c.bias ? [4] : [])] : [])] };
}
