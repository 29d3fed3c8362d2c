/** The interface of every optimiser: a rule that updates ranges of the flat buffers, and the state that it keeps. */
import type * as tf from '@tensorflow/tfjs-core';
import type { TrainingSection } from '../../recipe/types';
import type { Layout, Place, Range } from './flat-layout';

export type OptimizerSettings = Pick<
  TrainingSection,
  'adam_beta1' | 'adam_beta2' | 'adam_epsilon' | 'weight_decay' | 'max_grad_norm'
> &
  Partial<Pick<TrainingSection, 'optim' | 'sgd_momentum' | 'ema_decay'>>;

/** Flat float32 tensors [N]; `stats` [4] from grad-norm.ts says how much to clip gradients, and whether to update at all. */
export interface FlatBuffers {
  params: tf.Tensor;
  grads: tf.Tensor;
  stats: tf.Tensor;
}

/** A flat tensor of state, and which piece of it belongs to each trainable tensor. */
export interface StatePart {
  /** A checkpoint stores it as `PREFIX/NAME`. */
  prefix: string;
  tensor: tf.Tensor;
  /** In values, or in bytes if `bytes` is set; null if this tensor has no such state. */
  piece(place: Place): { offset: number; shape: number[] } | null;
  /** The tensor is int32 words of four bytes; bytes between pieces have the value `gap`. */
  bytes?: { gap: number };
}

export interface UpdateRule {
  /** Updates parameters and state of the ranges in place. */
  update(buffers: FlatBuffers, ranges: Range[], learningRate: number): void;
  parts: StatePart[];
  dispose(): void;
}

export interface RuleKind {
  /** See LayoutOptions. */
  block?(size: number): number;
  create(layout: Layout, settings: OptimizerSettings): UpdateRule;
}

/** State with one value per parameter. */
export const perValue = (prefix: string, tensor: tf.Tensor): StatePart => ({
  prefix,
  tensor,
  piece: ({ offset, shape }) => ({ offset, shape }),
});

/** Learning rate and weight decay of a range. */
export const pace = (range: Range, learningRate: number, weightDecay: number) => ({
  learningRate: learningRate * range.rate,
  weightDecay: range.decays ? weightDecay : 0,
});
