/**
 * Tensors of the checkpoint made trainable ("opened"): each gets a float32 copy that the forward pass reads instead. The base stays
 * in place and in its own precision, so strength 0 is the base without another copy, and the learned change is the difference.
 * Full fine-tuning opens all tensors, `modules_to_save` and heads some.
 */

import * as tf from '@tensorflow/tfjs-core';
import { formatBytes } from '../../base/bytes';
import { TabtuneError } from '../../base/errors';
import { copyValues, keptZeros, writeValues } from '../kernels/in-place';
import { embedding } from '../kernels/moves/embedding';
import { denseWeight } from '../kernels/products/weight';
import type { LanguageModel, ModelTensor } from '../models/model';
import type { Hooks, Weight } from '../types';
import { readFloats } from '../webgpu/backend';
import { bindingLimit } from '../webgpu/limits';
import type { Method } from './method';
import type { NamedTensors } from './tensors';

export type { NamedTensors };

export interface Opened {
  /** By the checkpoint's names; matrices are [out, in] as on the device, whatever their layout in the file. */
  trainable: Map<string, tf.Tensor>;
  hooks(strength: number): Pick<Hooks, 'weight' | 'vector'>;
  /** trained − base for a weight; null if it is not opened. The caller disposes it. */
  delta(weight: Weight): tf.Tensor | null;
  dispose(): void;
}

export const shapeOf = ({ value }: ModelTensor): number[] =>
  value.kind === 'matrix' ? value.weight.shape : value.tensor.shape;

/** All values of a weight in float32, exact because the embedding kernel reads rows of any format. */
export const widened = (weight: Weight): tf.Tensor =>
  tf.tidy(() => embedding(tf.range(0, weight.shape[0]!, 1, 'int32'), weight));

/** The values of a tensor as the base has it. */
export async function readTensor({ value }: ModelTensor): Promise<Float32Array> {
  if (value.kind === 'vector') return readFloats(value.tensor);
  const rows = widened(value.weight);
  try {
    return await readFloats(rows);
  } finally {
    rows.dispose();
  }
}

/** Trainable copies of `tensors`, which start from the base, or from `values` of the same name. */
export function openTensors(tensors: readonly ModelTensor[], values?: NamedTensors): Opened {
  const trainable = new Map<string, tf.Tensor>();
  const weights = new Map<Weight, { base: Weight; trained: tf.Tensor; weight: Weight }>();
  const vectors = new Map<tf.Tensor, tf.Tensor>();
  const dispose = () => {
    for (const tensor of trainable.values()) tensor.dispose();
  };
  try {
    for (const tensor of tensors) {
      const own = standIn(tensor, values?.get(tensor.name));
      trainable.set(tensor.name, own);
      const { value } = tensor;
      if (value.kind === 'vector') vectors.set(value.tensor, own);
      else weights.set(value.weight, { base: value.weight, trained: own, weight: denseWeight(own) });
    }
  } catch (error) {
    dispose();
    throw error;
  }

  const hooks = (strength: number): Pick<Hooks, 'weight' | 'vector'> => {
    if (strength === 0) return {};
    if (strength === 1) {
      return {
        weight: (weight) => weights.get(weight)?.weight ?? weight,
        vector: (vector) => vectors.get(vector) ?? vector,
      };
    }
    // base + strength · (trained − base), recomputed in every call, since only inference asks for it.
    const between = (base: tf.Tensor, trained: tf.Tensor) => tf.add(base, tf.mul(tf.sub(trained, base), strength));
    return {
      weight: (weight) => {
        const entry = weights.get(weight);
        return entry ? denseWeight(tf.tidy(() => between(widened(entry.base), entry.trained))) : weight;
      },
      vector: (vector) => {
        const trained = vectors.get(vector);
        return trained ? tf.tidy(() => between(vector, trained)) : vector;
      },
    };
  };
  return {
    trainable,
    hooks,
    delta: (weight) => {
      const entry = weights.get(weight);
      return entry ? tf.tidy(() => tf.sub(entry.trained, widened(entry.base))) : null;
    },
    dispose,
  };
}

function standIn(tensor: ModelTensor, given?: { shape: number[]; data: Float32Array }): tf.Tensor {
  const { name, value } = tensor;
  const shape = shapeOf(tensor);
  const size = shape.reduce((product, n) => product * n, 1);
  if (given && given.shape.join() !== shape.join()) {
    throw new TabtuneError({
      code: 'bad_adapter',
      message: `The tensor ${name} has shape [${given.shape}], but this model needs [${shape}].`,
      where: name,
      action: 'Load it on the model that it was trained on.',
    });
  }
  if (size * 4 > bindingLimit()) {
    throw new TabtuneError({
      code: 'gpu_out_of_memory',
      message: `${name} takes ${formatBytes(size * 4)} as trainable weights, more than this GPU allows in one buffer.`,
      where: name,
      action: 'Use LoRA, or a smaller model.',
    });
  }
  const own = keptZeros(shape);
  if (given) writeValues(own, given.data);
  else if (value.kind === 'vector') copyValues(value.tensor, 0, own, 0, size);
  else {
    const rows = widened(value.weight);
    copyValues(rows, 0, own, 0, size);
    rows.dispose();
  }
  return own;
}

/** A method that consists of opened tensors. */
export const openedMethod = (opened: Opened): Method => ({
  trainable: opened.trainable,
  opened: opened.trainable,
  hooks: ({ strength }) => opened.hooks(strength),
  delta: ({ weight }) => opened.delta(weight),
  dispose: opened.dispose,
});

/** The tensors of the objective's head. */
export const headTensors = (model: LanguageModel): ModelTensor[] => model.tensors.filter(({ task }) => task);

/** A method combined with opened tensors: a head, which every method trains, or `modules_to_save`. */
export function alongside(method: Method, opened: Opened): Method {
  return {
    ...method,
    trainable: new Map([...method.trainable, ...opened.trainable]),
    opened: new Map([...(method.opened ?? []), ...opened.trainable]),
    hooks: (context) => ({ ...method.hooks(context), ...opened.hooks(context.strength) }),
    delta: (module) => opened.delta(module.weight) ?? method.delta(module),
    ...(method.saved
      ? {
          saved: () =>
            new Map([...method.saved!(), ...[...opened.trainable].map(([name, t]) => [name, t.clone()] as const)]),
        }
      : {}),
    dispose: () => {
      method.dispose();
      opened.dispose();
    },
  };
}
