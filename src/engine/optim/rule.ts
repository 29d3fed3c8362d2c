/** What every optimiser is to the rest: a rule that updates ranges of the flat buffers, and the state that it keeps. */
import type * as tf from '@tensorflow/tfjs-core';
import type { TrainingSection } from '../../recipe/types';
import type { Layout, Place, Range } from './layout';

export type OptimizerSettings = Pick<
  TrainingSection,
  'adam_beta1' | 'adam_beta2' | 'adam_epsilon' | 'weight_decay' | 'max_grad_norm'
> &
  Partial<Pick<TrainingSection, 'optim' | 'sgd_momentum' | 'ema_decay'>>;

/** Flat float32 tensors [N]; `stats` [4] of grad-norm.ts says by how much gradients are clipped, and whether to go on. */
export interface FlatBuffers {
  params: tf.Tensor;
  grads: tf.Tensor;
  stats: tf.Tensor;
}

/** A flat tensor of state, and which piece of it belongs to a trainable tensor. */
export interface StatePart {
  /** A checkpoint has it as `PREFIX/NAME`. */
  prefix: string;
  tensor: tf.Tensor;
  /** In values, or in bytes where `bytes` is set; null where this tensor has no such state. */
  piece(place: Place): { offset: number; shape: number[] } | null;
  /** The tensor is int32 words of four bytes; those between pieces are this. */
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

/** A part as long as the parameters, with a value for each of theirs. */
export const perValue = (prefix: string, tensor: tf.Tensor): StatePart => ({
  prefix,
  tensor,
  piece: ({ offset, shape }) => ({ offset, shape }),
});

/** Rate and weight decay of a range. */
export const pace = (range: Range, learningRate: number, weightDecay: number) => ({
  learningRate: learningRate * range.rate,
  weightDecay: range.decays ? weightDecay : 0,
});
