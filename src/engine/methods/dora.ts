/**
 * DoRA (Liu et al., 2024) as in PEFT's `DoraLinearLayer`: each row of a weight is a magnitude m times a direction, and LoRA
 * changes the direction.
 *
 *   W' = m / ‖W + s·B·A‖ · (W + s·B·A)        m [out], norms row by row, without a gradient (section 4.3)
 *   y = (m / ‖…‖) · (x·Wᵀ + s·x·Aᵀ·Bᵀ) + bias + residual
 *
 * Everything is computed in activation space, whatever the format of W (with a quantised W this is QDoRA): the norms come from
 * ‖W‖², computed once, and from products of A with W and with itself. A strength t between 0 and 1 scales s to s·t and replaces m
 * with the interpolation ‖W‖ + t·(m − ‖W‖).
 */
import * as tf from '@tensorflow/tfjs-core';
import { embedding } from '../kernels/moves/embedding';
import { doraNorm } from '../kernels/norms/dora-norm';
import { scaleColumns } from '../kernels/pointwise/scale-columns';
import { linear } from '../kernels/products/linear';
import { loraLinear } from '../kernels/products/lora-linear';
import { denseWeight } from '../kernels/products/weight';
import { isRecording, withoutTape } from '../kernels/tape';
import type { LinearModule } from '../types';

/** DoRA's tensors for a linear layer, in addition to LoRA's factors. */
export interface DoraTensors {
  /** m [out], trained */
  magnitude: tf.Tensor;
  /** ‖W‖² [out] */
  squares: tf.Tensor;
}

export interface DoraFactors {
  /** A [r, in] */
  a: tf.Tensor;
  /** B [out, r] */
  b: tf.Tensor;
  scale: number;
}

/** Output scales, cached during inference so that all tokens of a text share them. */
export type DoraCache = Map<string, tf.Tensor>;

/** m_t / ‖W + s·t·B·A‖, [out]; only m gets a gradient. */
function outputFactor(module: LinearModule, f: DoraFactors, d: DoraTensors, strength: number): tf.Tensor {
  const scale = f.scale * strength;
  const norm = withoutTape(() => {
    const wa = linear({ weight: module.weight, bias: null }, f.a);
    const aa = linear({ weight: denseWeight(f.a), bias: null }, f.a);
    return doraNorm({ squares: d.squares, b: f.b, wa, aa }, scale);
  });
  if (strength === 1) return tf.div(d.magnitude, norm);
  const start = withoutTape(() => tf.mul(tf.sqrt(d.squares), 1 - strength));
  return tf.div(tf.add(start, tf.mul(d.magnitude, strength)), norm);
}

function cachedFactor(module: LinearModule, f: DoraFactors, d: DoraTensors, options: DoraOptions): tf.Tensor {
  const cache = isRecording() ? undefined : options.cache;
  const known = cache?.get(module.path);
  if (known) return known;
  const factor = outputFactor(module, f, d, options.strength);
  cache?.set(module.path, tf.keep(factor));
  return factor;
}

interface DoraOptions {
  strength: number;
  cache?: DoraCache;
}

/** The layer that `turned` is the output of, with its LoRA: the bias comes after the magnitude. */
export const bare = (module: LinearModule): LinearModule => ({ ...module, bias: null });

/** What follows the product with the weight and its LoRA. */
export function doraOutput(
  module: LinearModule,
  turned: tf.Tensor,
  factors: DoraFactors,
  tensors: DoraTensors,
  options: DoraOptions,
  residual: tf.Tensor | null = null,
): tf.Tensor {
  const factor = cachedFactor(module, factors, tensors, options);
  return scaleColumns(turned, factor, { bias: module.bias, residual });
}

/**
 * Applies a linear layer with DoRA: x [M, in] -> [M, out]. `dropped` is x after dropout. As in PEFT, the adapted direction is
 * applied to `dropped` and the base weight to x.
 */
export function doraLinear(
  module: LinearModule,
  x: tf.Tensor,
  factors: DoraFactors,
  tensors: DoraTensors,
  options: DoraOptions & { dropped?: tf.Tensor },
  residual: tf.Tensor | null,
): tf.Tensor {
  const { strength, dropped } = options;
  const { a, b } = factors;
  const turned = loraLinear(bare(module), dropped ?? x, { a, b, scale: factors.scale * strength });
  if (!dropped) return doraOutput(module, turned, factors, tensors, options, residual);
  const factor = cachedFactor(module, factors, tensors, options);
  // x·Wᵀ + (factor − 1)·(dropped·Wᵀ) + factor·s·…, with the first two terms combined.
  return scaleColumns(turned, factor, { residual: linear(module, tf.sub(x, dropped), residual) });
}

/** The change of W when merging at full strength: m / ‖W + s·B·A‖ · (W + s·B·A) − W, [out, in]. */
export function doraDelta(module: LinearModule, { a, b, scale }: DoraFactors, magnitude: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const base = embedding(tf.range(0, module.weight.shape[0]!, 1, 'int32'), module.weight);
    const sum = tf.add(base, tf.mul(tf.matMul(b as tf.Tensor2D, a as tf.Tensor2D), scale));
    const norm = tf.maximum(tf.sqrt(tf.sum(tf.square(sum), 1)), 1e-30);
    return tf.sub(tf.mul(sum, tf.expandDims(tf.div(magnitude, norm), 1)), base);
  });
}
