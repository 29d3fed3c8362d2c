/**
 * A weight in the form that kernels take: its parts as inputs (`weight`, `weight1`, …) and the rest as attributes, because
 * tfjs kernels accept only tensors and plain values.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Weight, WeightFormat } from '../../types';
import type { View } from '../kernel';
import { weightWords } from './weight-formats';
import { widen } from './weight-reference';

export interface WeightAttrs {
  format: WeightFormat;
  /** [out, in] */
  out: number;
  in: number;
  /** Rows of each part. */
  rows: number[];
}

/** A weight in the form that recorded dispatches read. */
export interface WeightOperand {
  parts: { tensor: tf.TensorInfo; rows: number }[];
  format: WeightFormat;
}

const inputName = (part: number) => (part === 0 ? 'weight' : `weight${part}`);

export function weightInputs({ parts }: Weight): Record<string, tf.Tensor> {
  return Object.fromEntries(parts.map(({ tensor }, i) => [inputName(i), tensor]));
}

export function weightAttrs({ parts, format, shape }: Weight): WeightAttrs {
  return { format, out: shape[0]!, in: shape[1]!, rows: parts.map((p) => p.rows) };
}

/** The weight among a kernel's inputs. */
export function weightOperand(inputs: Record<string, tf.TensorInfo>, attrs: WeightAttrs): WeightOperand {
  return {
    parts: attrs.rows.map((rows, i) => ({ tensor: inputs[inputName(i)]!, rows })),
    format: attrs.format,
  };
}

/** The weight among the tensors that a gradient receives. */
export function weightOf(inputs: Record<string, tf.Tensor>, attrs: WeightAttrs): Weight {
  return {
    parts: attrs.rows.map((rows, i) => ({ tensor: inputs[inputName(i)]!, rows })),
    format: attrs.format,
    shape: [attrs.out, attrs.in],
  };
}

/** A float32 matrix (LoRA's A or B, a trainable weight) as an operand. */
export const denseOperand = (tensor: tf.TensorInfo): WeightOperand => ({
  parts: [{ tensor, rows: tensor.shape[0]! }],
  format: 'f32',
});

/** A float32 matrix as a weight. */
export const denseWeight = (tensor: tf.Tensor): Weight => ({
  parts: [{ tensor, rows: tensor.shape[0]! }],
  format: 'f32',
  shape: tensor.shape,
});

/** The reference's view of a weight: all its values in float32. */
export function widenWeight(inputs: Record<string, View>, attrs: WeightAttrs): Float32Array {
  const { format, out, in: width, rows } = attrs;
  if (rows.length === 1) return widen(inputs.weight!.data, format, out * width);
  const values = new Float32Array(out * width);
  let at = 0;
  rows.forEach((count, i) => {
    values.set(widen(inputs[inputName(i)]!.data, format, count * width), at);
    at += count * width;
  });
  return values;
}

/** Whether each part has the length that its rows and format require. */
export function weightFits(inputs: Record<string, { shape: number[] }>, attrs: WeightAttrs): boolean {
  return attrs.rows.every((rows, i) => {
    const words = inputs[inputName(i)]?.shape.reduce((a, b) => a * b, 1);
    return words === weightWords(attrs.format, rows, attrs.in);
  });
}

/** Throws if a gradient is requested for a weight that cannot be trained. */
export function requireTrainable(kernel: string, { format, rows }: WeightAttrs): void {
  if (format !== 'f32') throw new Error(`${kernel}: a weight stored as ${format} is frozen and has no gradient.`);
  if (rows.length > 1) throw new Error(`${kernel}: a weight in ${rows.length} parts is frozen and has no gradient.`);
}
