/**
 * The optimiser of a run, with any update rule (update-rules.ts), over all trainable tensors as one flat range: parameters, gradients
 * and state are stored end to end, so clipping and the update take a few dispatches for any number of tensors. The tensors
 * become views of the flat parameters and keep their buffer alive: they may outlive the optimiser. Around the rule: the penalty
 * on moving away from the base (L2-SP, EWC), clipping, and the moving average of the weights. State is keyed by tensor name, as
 * in checkpoints.
 */
import * as tf from '@tensorflow/tfjs-core';
import { clearValues, copyValues, keptZeros } from '../kernels/in-place';
import type { GradientPlace } from '../kernels/kernel';
import { accumulateGradients } from '../kernels/optimisers/accumulate';
import { gradientStats, partialCount, STATS } from '../kernels/optimisers/grad-norm';
import { movingAverage } from '../kernels/optimisers/moving-average';
import { addPenalty } from '../kernels/optimisers/weight-penalty';
import { readFloats } from '../webgpu/backend';
import { alignView, moveIntoViews, pointView } from '../webgpu/views';
import { type Layout, type LayoutOptions, layOut, type Place, rangesOf } from './flat-layout';
import { loadParts, type StateTensors, saveParts } from './state';
import { type OptimizerSettings, perValue } from './update-rule';
import { RULES } from './update-rules';

export type { Layout } from './flat-layout';
export type { StateTensors } from './state';
export type { OptimizerSettings } from './update-rule';

export interface UpdateStats {
  /** Includes the weight penalty. */
  loss: number;
  /** Before clipping. */
  gradNorm: number;
  /** False if the loss or a gradient was NaN or infinite; the parameters were then left unchanged. */
  finite: boolean;
}

/** The penalty ½ Σ (alpha + lambda · F)·(p − p0)² added to the loss, and its gradient. */
export interface WeightPenalty {
  /** For L2-SP. */
  alpha?: number;
  /** For EWC; needs the Fisher information (run/estimate-fisher.ts). */
  lambda?: number;
  fisher?: tf.Tensor;
  /** p0, in the optimiser's layout; by default the current parameters. */
  anchor?: tf.Tensor;
}

/** A penalty in force, with its anchor and the partial sums that are added to the loss. */
type ActivePenalty = Required<Pick<WeightPenalty, 'alpha' | 'lambda' | 'anchor'>> & {
  fisher?: tf.Tensor;
  penalty: tf.Tensor;
};

/** Gradients by name, or in the order of the optimiser's tensors. */
export type Gradients = Map<string, tf.Tensor> | tf.Tensor[];

export type Active = (name: string) => boolean;

export interface Optimizer {
  layout: Layout;
  tensors: tf.Tensor[];
  /** The tensors whose gradients a step needs. */
  tensorsOf(active: Active): Map<string, tf.Tensor>;
  /** For the sums of a step, its loss first (run/step-scalars.ts): they last as long as the optimiser. */
  sums: tf.Tensor;
  /** Where the gradients of a micro-batch may be written instead of being given to `accumulate`. */
  placesOf(first: boolean): Map<tf.Tensor, GradientPlace>;
  /**
   * Adds the gradients of one micro-batch; the first of a step discards those of the last step. A tensor left out for a
   * whole step is not updated. `written` are the names of those that are in their places already.
   */
  accumulate(grads: Gradients, first: boolean, written?: readonly string[]): void;
  /** Notes what `accumulate` would note, where the work on the GPU is replayed: these tensors have gradients. */
  noteGradients(first: boolean, names: readonly string[]): void;
  /**
   * Records clipping and the update of the active tensors; the others take no part, not even in the norm. The loss is a tensor's
   * first value. The promise gives the step's metrics once the GPU has run it.
   */
  update(loss: tf.Tensor, learningRate: number, active?: Active): Promise<UpdateStats>;
  /** Updates made so far. Adam's bias correction counts them per tensor. */
  updates: number;
  /** Takes ownership of the tensors. Set it before loading a checkpoint, which moves the parameters. */
  setPenalty(penalty: WeightPenalty | null): void;
  /** Makes the tensors views of the moving average, or of the parameters again. The next update does the latter by itself. */
  showAverage(on: boolean): void;
  /** Runs something with the moving average in place of the parameters, or with the parameters if there is no average. */
  withAverage<T>(run: () => Promise<T>): Promise<T>;
  /** For a checkpoint: `adapter/NAME` is the result of the run (the average, if there is one); the rest is state. */
  save(): Promise<StateTensors>;
  load(state: StateTensors, updates: number): void;
  dispose(): void;
}

/** Stored if tensors have had different numbers of updates: their counts, in the order of the method's tensors. */
const UPDATES = 'optimizer/updates';

/** The loss of a step, and more metrics than any objective reports. */
const SUMS = 64;

export function createOptimizer(
  trainable: Map<string, tf.Tensor>,
  settings: OptimizerSettings,
  options: Omit<LayoutOptions, 'block'> = {},
): Optimizer {
  const kind = RULES[settings.optim ?? 'adamw'];
  const layout = layOut(trainable, { ...options, block: (values) => alignView(kind.block?.(values) ?? 1) });
  const { places, byName, size } = layout;
  const { ema_decay: averageDecay = 0 } = settings;
  const flat = () => keptZeros([size]);
  const params = flat();
  // Before there is anything else, so that the buffers that the tensors had are gone by then.
  moveIntoViews(params, places);
  const state = { params, grads: flat(), stats: keptZeros([4]) };
  const partials = keptZeros([partialCount(size)]);
  const sums = keptZeros([SUMS]);
  const rule = kind.create(layout, settings);
  const average = averageDecay > 0 ? flat() : null;
  if (average) copyValues(state.params, 0, average, 0, size);
  let drift: ActivePenalty | null = null;
  const updatesOf = new Map(places.map((p) => [p.name, 0]));
  /** Tensors that have gradients in the flat buffer; all others have zeros there. */
  const filled = new Set<string>();
  let averageShown = false;

  const forget = (which: (name: string) => boolean) => {
    for (const name of filled) {
      if (!which(name)) continue;
      const { offset, size } = byName.get(name)!;
      clearValues(state.grads, offset, size);
      filled.delete(name);
    }
  };
  const parts = [
    perValue(average ? 'params' : 'adapter', state.params),
    ...(average ? [perValue('adapter', average)] : []),
    ...rule.parts,
  ];

  const optimizer: Optimizer = {
    layout,
    tensors: places.map((p) => p.tensor),
    sums,
    tensorsOf: (active) => new Map(places.flatMap((p) => (active(p.name) ? [[p.name, p.tensor] as const] : []))),
    updates: 0,
    placesOf: (first) =>
      new Map(places.map(({ tensor, offset }) => [tensor, { flat: state.grads, offset, add: !first }] as const)),
    accumulate(grads, first, written = []) {
      const given = gradientsByPlace(layout, grads);
      const offsets = [...given.keys()].map((p) => p.offset);
      accumulateGradients(state.grads, [...given.values()], offsets, first ? 0 : 1);
      optimizer.noteGradients(first, [...[...given.keys()].map((place) => place.name), ...written]);
    },
    noteGradients(first, names) {
      const known = new Set(names);
      if (first) forget((name) => !known.has(name));
      for (const name of names) filled.add(name);
    },
    async update(loss, learningRate, active = () => true) {
      if (averageShown) optimizer.showAverage(false);
      if (drift) {
        addPenalty({ ...state, ...drift }, { uniform: drift.alpha, weighted: drift.lambda });
        for (const { name } of places) filled.add(name);
      }
      forget((name) => !active(name));
      gradientStats({ ...state, loss, partials, penalty: drift?.penalty }, settings.max_grad_norm);
      const ranges = rangesOf(layout, (name) => filled.has(name), updatesOf);
      rule.update(state, ranges, learningRate);
      if (average) movingAverage({ ...state, average }, averageDecay);
      for (const name of filled) updatesOf.set(name, updatesOf.get(name)! + 1);
      optimizer.updates++;
      const stats = await readFloats(state.stats);
      return { loss: stats[STATS.loss]!, gradNorm: stats[STATS.norm]!, finite: stats[STATS.finite] === 1 };
    },
    setPenalty(next) {
      if (drift) tf.dispose([drift.anchor, drift.penalty, ...(drift.fisher ? [drift.fisher] : [])]);
      drift = null;
      if (!next) return;
      const { alpha = 0, lambda = 0, fisher } = next;
      if (lambda > 0 && !fisher) throw new Error('EWC needs the Fisher information.');
      let { anchor } = next;
      if (!anchor) {
        anchor = flat();
        copyValues(state.params, 0, anchor, 0, size);
      }
      drift = { alpha, lambda, fisher, anchor, penalty: keptZeros([partialCount(size)]) };
    },
    showAverage(on) {
      if (!average || on === averageShown) return;
      for (const { tensor, offset } of places) pointView(tensor, on ? average : state.params, offset);
      averageShown = on;
    },
    async withAverage(run) {
      const before = averageShown;
      optimizer.showAverage(true);
      try {
        return await run();
      } finally {
        optimizer.showAverage(before);
      }
    },
    async save() {
      const saved: StateTensors = new Map();
      await saveParts(parts, layout, saved);
      const counts = places.map((p) => updatesOf.get(p.name)!);
      if (counts.some((count) => count !== optimizer.updates)) {
        saved.set(UPDATES, { shape: [counts.length], data: Float32Array.from(counts) });
      }
      return saved;
    },
    load(saved, updates) {
      const counts = saved.get(UPDATES)?.data;
      if (counts && counts.length !== places.length) {
        throw new Error(`The checkpoint has no tensor ${UPDATES} with ${places.length} values.`);
      }
      loadParts(parts, layout, saved);
      optimizer.updates = updates;
      places.forEach(({ name }, i) => {
        updatesOf.set(name, counts?.[i] ?? updates);
      });
    },
    dispose() {
      optimizer.setPenalty(null);
      rule.dispose();
      tf.dispose([...Object.values(state), partials, sums, ...(average ? [average] : [])]);
    },
  };
  return optimizer;
}

/** Assigns each gradient to its place. */
export function gradientsByPlace({ places, byName }: Layout, grads: Gradients): Map<Place, tf.Tensor> {
  if (!Array.isArray(grads)) {
    return new Map(
      [...grads].map(([name, grad]) => {
        const place = byName.get(name);
        if (!place) throw new Error(`Got a gradient for ${name}, which is not trained.`);
        return [place, grad];
      }),
    );
  }
  if (grads.length !== places.length) {
    throw new Error(`Expected gradients for ${places.length} tensors, got ${grads.length}.`);
  }
  return new Map(grads.map((grad, i) => [places[i]!, grad]));
}
