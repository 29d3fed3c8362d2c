/**
 * One micro-batch of a step: forward, backward, gradients into the optimiser, sums of loss and metrics. Whatever differs from one to
 * the next of the same shape comes from its values, so that a steady one is replayed (webgpu/recording.ts).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../../data/types';
import type { TrainingSection } from '../../recipe/types';
import { valueAndPlacedGradients } from '../kernels/tape';
import type { Method } from '../methods/method';
import type { Optimizer } from '../optim/optimizer';
import { Recordings } from '../webgpu/recording';
import { createPass, type PassSetup } from './pass';
import type { StepSums } from './step-scalars';
import { partOf, sideHooks } from './value-model';

export interface MicroBatchSetup extends PassSetup {
  method: Method;
  optimizer: Optimizer;
  settings: TrainingSection;
  /** Keep only the input of each block, and recompute the block in the backward pass. */
  checkpointing?: boolean;
}

export interface MicroBatch {
  batch: Batch;
  /** As in Draw. */
  pass: number;
  /** As in Pass. */
  scale: number;
}

/** What a micro-batch has done besides its work on the GPU. */
interface Done {
  /** The tensors that have a gradient, and how many things each metric is a sum over. */
  gradients: string[];
  metrics: string[];
  counts: Record<string, number> | undefined;
}

/** What a recording depends on, by identity; the reference comes with the method. */
type Parts = Pick<MicroBatchSetup, 'model' | 'method' | 'objective' | 'value'>;

const recordings = new WeakMap<Optimizer, { parts: Parts; recordings: Recordings }>();

/** The recordings of a run: of what is trained by this optimiser. */
export function recordingsOf({ optimizer, model, method, objective, value }: MicroBatchSetup): Recordings {
  const parts: Parts = { model, method, objective, value };
  const known = recordings.get(optimizer);
  const same = (name: keyof Parts) => known?.parts[name] === parts[name];
  if (known && (Object.keys(parts) as (keyof Parts)[]).every(same)) return known.recordings;
  known?.recordings.dispose();
  const made = new Recordings();
  recordings.set(optimizer, { parts, recordings: made });
  return made;
}

/** Frees what a run's recordings hold, when no step follows. */
export function forgetRecordings(optimizer: Optimizer): void {
  recordings.get(optimizer)?.recordings.dispose();
  recordings.delete(optimizer);
}

/** Records a micro-batch; the first of a step begins its sums. `learning` are the tensors that learn in it, by name. */
export function recordMicroBatch(
  setup: MicroBatchSetup,
  values: MicroBatch,
  first: boolean,
  learning: Map<string, tf.Tensor>,
  sums: StepSums,
): void {
  const { settings, checkpointing = false } = setup;
  const { seed, model_dropout, neftune_noise_alpha, label_smoothing_factor } = settings;
  // A method frees what it keeps of its weights for inference when a pass of training begins, be it a replay.
  for (const side of [setup, setup.value]) side?.method.hooks({ training: true, seed, pass: values.pass, strength: 1 });
  const names = [...learning.keys()];
  // What is learned is a long list, and the same in nearly all steps.
  const key = [
    first,
    checkpointing,
    seed,
    model_dropout,
    neftune_noise_alpha,
    label_smoothing_factor,
    sums.names,
    names,
  ];
  // What was prepared for a batch, such as rewards, a recording would not see.
  const done = setup.objective.prepare
    ? work(setup, values, first, learning, sums)
    : recordingsOf(setup).run(key.join(' '), values, (at) => work(setup, at, first, learning, sums));
  // A replay does none of this.
  setup.optimizer.noteGradients(first, done.gradients);
  sums.note(done.metrics, done.counts);
}

function work(
  setup: MicroBatchSetup,
  at: MicroBatch,
  first: boolean,
  learning: Map<string, tf.Tensor>,
  sums: StepSums,
): Done {
  const { objective, optimizer, settings, value: valueModel, checkpointing = false } = setup;
  const { seed, label_smoothing_factor: smoothing } = settings;
  const names = [...learning.keys()];
  const pass = () => at.pass;
  const hooks = sideHooks(setup, settings, pass, partOf('policy', learning), checkpointing);
  const valueHooks = valueModel
    ? sideHooks(valueModel, settings, pass, partOf('value', learning), checkpointing)
    : undefined;
  const given = createPass(setup, {
    ...{ hooks, valueHooks, withGradient: true, smoothing },
    get scale() {
      return at.scale;
    },
    draw: {
      seed,
      get pass() {
        return at.pass;
      },
    },
  });
  let counts: Done['counts'];
  let metrics: string[] = [];
  const compute = () => {
    const result = objective.loss(given, at.batch);
    sums.add(result.metrics);
    counts = result.counts && { ...result.counts };
    metrics = Object.keys(result.metrics);
    return result.loss;
  };
  const { value, grads } = valueAndPlacedGradients(compute, [...learning.values()], optimizer.placesOf(first));
  try {
    sums.addLoss(value);
    const made = names.flatMap((name, n) => (grads[n] ? [[name, grads[n]] as const] : []));
    const written = names.filter((_, n) => !grads[n]);
    optimizer.accumulate(new Map(made), first, written);
  } finally {
    value.dispose();
    tf.dispose(grads.filter((grad) => grad !== undefined));
  }
  return { gradients: names, metrics, counts };
}
