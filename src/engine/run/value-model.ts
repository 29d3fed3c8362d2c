/**
 * The value model of PPO: what reward a text will come to, token by token. It is a second method of the same kind on the same base,
 * with a head of one score, trained by the same optimiser; its tensors are named `value/…` there and in checkpoints, and nothing of
 * it is exported.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { TaskData } from '../../base/task';
import type { TrainingSection } from '../../recipe/types';
import type { Method } from '../methods/method';
import type { LanguageModel } from '../models/model';
import type { Hooks } from '../types';
import type { Live } from '../webgpu/live';
import { checkpointBlocks, frozenBelow, leanBlocks } from './checkpointing';
import { trainingHooks } from './training-hooks';

export const VALUE = 'value/';

/** As TRL's users make it: AutoModelForSequenceClassification with num_labels 1. */
export const VALUE_TASK: TaskData = { problemType: 'regression', labels: ['value'] };

/** A model and what is trained on it. */
export interface Side {
  model: LanguageModel;
  method: Method;
}

/** All that the optimiser trains, the policy's under their own names. */
export function trainedTensors(policy: Method, value: Side | null): Map<string, tf.Tensor> {
  const own = [...policy.trainable];
  const others = value ? [...value.method.trainable].map(([name, tensor]) => [VALUE + name, tensor] as const) : [];
  return new Map<string, tf.Tensor>([...own, ...others]);
}

/** What a function of the policy's names says of all. */
export const ofEither =
  <T>(policy: (name: string) => T, value: (name: string) => T) =>
  (name: string): T =>
    name.startsWith(VALUE) ? value(name.slice(VALUE.length)) : policy(name);

/** Those of one side, under its own names. */
export function partOf<T>(side: 'policy' | 'value', all: ReadonlyMap<string, T>): Map<string, T> {
  return new Map(
    [...all].flatMap(([name, item]): [string, T][] => {
      if (name.startsWith(VALUE)) return side === 'value' ? [[name.slice(VALUE.length), item]] : [];
      return side === 'policy' ? [[name, item]] : [];
    }),
  );
}

/** The hooks of one side of a training pass. */
export function sideHooks(
  { model, method }: Side,
  settings: TrainingSection,
  pass: Live,
  learning: Map<string, tf.Tensor>,
  checkpointing: boolean,
): Hooks {
  const blocks = checkpointing ? checkpointBlocks(model, learning) : leanBlocks();
  return { ...trainingHooks(method, settings, pass), block: frozenBelow(model, learning.keys(), blocks) };
}
