/**
 * AdamW over all trainable tensors as one flat range: gradients, moments and a master copy of the parameters lie end to
 * end, so that clipping and the update take a few dispatches whatever the number of tensors. State belongs to a tensor's
 * name, which is how checkpoints keep it.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { TrainingSection } from '../../recipe/types';
import { accumulateGradients } from '../kernels/accumulate';
import { adamW } from '../kernels/adamw';
import { gradientStats, partialCount, STATS } from '../kernels/grad-norm';
import { copyValues, keptZeros, writeValues } from '../kernels/in-place';
import { readFloats } from '../webgpu/backend';

export type OptimizerSettings = Pick<
  TrainingSection,
  'adam_beta1' | 'adam_beta2' | 'adam_epsilon' | 'weight_decay' | 'max_grad_norm'
>;

export interface UpdateStats {
  loss: number;
  /** Before clipping. */
  gradNorm: number;
  /** False where the loss or a gradient was NaN or infinite; the parameters were then left alone. */
  finite: boolean;
}

export type StateTensors = Map<string, { shape: number[]; data: Float32Array }>;

const PARTS = { adapter: 'params', adam_m: 'm', adam_v: 'v' } as const;

export interface Optimizer {
  tensors: tf.Tensor[];
  /** Adds the gradients of one micro-batch; the first of a step forgets the last step's. */
  accumulate(grads: tf.Tensor[], first: boolean): void;
  /** Records clipping and the update. The promise gives the step's figures once the GPU has run it. */
  update(loss: tf.Scalar, learningRate: number): Promise<UpdateStats>;
  /** Updates made so far, for Adam's bias correction. */
  updates: number;
  /** Parameters and moments, for a checkpoint: `adapter/NAME`, `adam_m/NAME`, `adam_v/NAME`. */
  save(): Promise<StateTensors>;
  load(state: StateTensors, updates: number): void;
  dispose(): void;
}

export function createOptimizer(trainable: Map<string, tf.Tensor>, settings: OptimizerSettings): Optimizer {
  const names = [...trainable.keys()];
  const tensors = [...trainable.values()];
  const offsets: number[] = [];
  let size = 0;
  for (const t of tensors) {
    offsets.push(size);
    size += t.size;
  }
  const flat = () => keptZeros([size]);
  const state = { params: flat(), grads: flat(), m: flat(), v: flat(), stats: keptZeros([4]) };
  const partials = keptZeros([partialCount(size)]);
  for (const [i, t] of tensors.entries()) copyValues(t, 0, state.params, offsets[i]!, t.size);

  /** The model's kernels read the tensors themselves, so the master copy is written back after each update. */
  const writeBack = () => {
    for (const [i, t] of tensors.entries()) copyValues(state.params, offsets[i]!, t, 0, t.size);
  };

  const optimizer: Optimizer = {
    tensors,
    updates: 0,
    accumulate: (grads, first) => accumulateGradients(state.grads, grads, offsets, first ? 0 : 1),
    async update(loss, learningRate) {
      gradientStats({ grads: state.grads, loss, partials, stats: state.stats }, settings.max_grad_norm);
      optimizer.updates++;
      adamW(
        state,
        { offset: 0, length: size },
        {
          learningRate,
          beta1: settings.adam_beta1,
          beta2: settings.adam_beta2,
          epsilon: settings.adam_epsilon,
          weightDecay: settings.weight_decay,
          step: optimizer.updates,
        },
      );
      writeBack();
      const stats = await readFloats(state.stats);
      return { loss: stats[STATS.loss]!, gradNorm: stats[STATS.norm]!, finite: stats[STATS.finite] === 1 };
    },
    async save() {
      const saved: StateTensors = new Map();
      for (const [prefix, part] of Object.entries(PARTS)) {
        const values = await readFloats(state[part]);
        names.forEach((name, i) => {
          const t = tensors[i]!;
          saved.set(`${prefix}/${name}`, { shape: t.shape, data: values.slice(offsets[i], offsets[i]! + t.size) });
        });
      }
      return saved;
    },
    load(saved, updates) {
      for (const [prefix, part] of Object.entries(PARTS)) {
        const values = new Float32Array(size);
        names.forEach((name, i) => {
          const entry = saved.get(`${prefix}/${name}`);
          if (!entry || entry.data.length !== tensors[i]!.size) {
            throw new Error(`The checkpoint has no ${prefix}/${name} of ${tensors[i]!.size} values.`);
          }
          values.set(entry.data, offsets[i]);
        });
        writeValues(state[part], values);
      }
      optimizer.updates = updates;
      writeBack();
    },
    dispose() {
      for (const t of [...Object.values(state), partials]) t.dispose();
    },
  };
  return optimizer;
}
