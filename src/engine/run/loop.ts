/**
 * The training loop, as one readable function: steps, evaluation, early stopping, checkpoints, pause and stop.
 * Everything random is a function of (seed, step), so a resumed run needs only `TrainState` and the optimiser's tensors
 * to be bit-identical.
 */
import * as tf from '@tensorflow/tfjs-core';
import { TabtuneError } from '../../base/errors';
import type { Batch, BatchSource } from '../../data/types';
import type { TrainingSection } from '../../recipe/types';
import { valueAndGradients } from '../kernels/tape';
import type { Method } from '../methods/method';
import type { Optimizer, UpdateStats } from '../optim/optimizer';
import { scheduleFactor } from '../optim/schedules';
import { counters } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import { checkpointBlocks, frozenBelow } from './checkpointing';
import { isExhausted, noteEvaluation } from './early-stopping';
import { type Evaluation, evaluate } from './evaluate';
import { createPass, type PassSetup } from './pass';
import { prepareBatches } from './prepare';
import { addScalars, disposeScalars, readScalars, type ScalarSums } from './step-scalars';
import { trainingHooks } from './training-hooks';

export interface TrainSetup extends PassSetup {
  method: Method;
  optimizer: Optimizer;
  batches: BatchSource;
  settings: TrainingSection;
  totalSteps: number;
  /** Keep only the input of each block, and recompute the block in the backward pass. */
  checkpointing?: boolean;
}

/** The part of a checkpoint that is not tensors. Plain JSON. */
export interface TrainState {
  /** Optimiser steps done. */
  step: number;
  /** Forward passes done (micro-batches), which dropout masks are drawn from. */
  pass: number;
  /** Tokens seen, padding excluded. */
  tokens: number;
  /** Seconds of training, pauses excluded. */
  seconds: number;
  initialEvalLoss: number | null;
  bestEvalLoss: number | null;
  bestStep: number | null;
  lastEvalLoss: number | null;
  lastEvalStep: number | null;
  /** Evaluations since the best one. */
  patienceUsed: number;
}

export const freshState = (): TrainState => ({
  step: 0,
  pass: 0,
  tokens: 0,
  seconds: 0,
  initialEvalLoss: null,
  bestEvalLoss: null,
  bestStep: null,
  lastEvalLoss: null,
  lastEvalStep: null,
  patienceUsed: 0,
});

export interface StepReport extends UpdateStats {
  step: number;
  epoch: number;
  learningRate: number;
  tokens: number;
  seconds: number;
  /** Tokens of this step, and the seconds that it took. */
  stepTokens: number;
  stepSeconds: number;
  /** GPU dispatches that it took. */
  dispatches: number;
  /** What the objective reports besides its loss; empty when it reports nothing. */
  metrics: Record<string, number>;
}

/** Of the validation set. */
export interface EvaluationReport extends Evaluation {
  step: number;
  epoch: number;
  best: boolean;
  seconds: number;
}

export interface Control {
  pauseRequested(): boolean;
  stopRequested(): boolean;
  /** Resolves when the pause ends, or a stop is requested. */
  resumed(): Promise<void>;
}

export interface LoopCallbacks {
  phase(phase: 'training' | 'evaluating' | 'sampling' | 'saving' | 'paused'): void;
  step(report: StepReport): void;
  evaluation(e: EvaluationReport): void | Promise<void>;
  /** Called after each evaluation, for sample answers. */
  samples(step: number): Promise<void>;
  /** Everything must be stored when it resolves. `best` marks the best validation loss so far. */
  checkpoint(state: TrainState, best: boolean): Promise<void>;
}

export type StopReason = 'completed' | 'stopped' | 'early_stopping';

/** A run ends after so many steps in a row with a NaN or infinite loss or gradient. */
const MAX_NOT_FINITE = 3;

/** A step that the GPU may still be working on. */
export interface RecordedStep {
  stats: Promise<UpdateStats>;
  /** What the objective reports besides its loss, as means over the targets of the step. */
  metrics: Promise<Record<string, number>>;
  learningRate: number;
  tokens: number;
}

/** Records one optimiser step: forward and backward of each micro-batch, clipping, update. */
export function recordStep(
  setup: TrainSetup,
  state: TrainState,
  micro: Batch[] = setup.batches.microBatches(state.step),
): RecordedStep {
  const { model, method, objective, optimizer, settings, totalSteps } = setup;
  const active = (name: string) => method.active?.(name, state.step, totalSteps) ?? true;
  const learning = optimizer.tensorsOf(active);
  const names = [...learning.keys()];
  const block = frozenBelow(model, names, setup.checkpointing ? checkpointBlocks(model, learning) : undefined);
  const draw = (i: number) => ({ seed: settings.seed, pass: state.pass + i });
  const targets = micro.reduce((sum, b, i) => sum + (objective.targets?.(b, draw(i)) ?? b.targetCount), 0);
  const scale = 1 / Math.max(1, targets);
  const smoothing = settings.label_smoothing_factor;
  const metrics: ScalarSums = new Map();
  const learningRate = settings.learning_rate * scheduleFactor(settings, state.step, totalSteps);
  let loss: tf.Scalar | null = null;
  let stats: Promise<UpdateStats>;
  try {
    micro.forEach((batch, i) => {
      beginWork();
      const hooks = { ...trainingHooks(method, settings, state.pass + i), block };
      const pass = createPass(setup, { hooks, scale, withGradient: true, smoothing, draw: draw(i) });
      const { value, grads } = valueAndGradients(() => {
        const result = objective.loss(pass, batch);
        addScalars(metrics, result.metrics);
        return result.loss;
      }, [...learning.values()]);
      const before = loss;
      loss = before ? tf.add(before, value) : value;
      if (before) tf.dispose([before, value]);
      try {
        optimizer.accumulate(new Map(grads.map((grad, n) => [names[n]!, grad])), i === 0);
      } finally {
        tf.dispose(grads);
      }
    });
    stats = optimizer.update(loss!, learningRate, active);
  } catch (error) {
    disposeScalars(metrics);
    throw error;
  } finally {
    (loss as tf.Scalar | null)?.dispose();
  }
  state.step++;
  state.pass += micro.length;
  const tokens = micro.reduce((sum, b) => sum + b.lengths.reduce((a, l) => a + l, 0), 0);
  state.tokens += tokens;
  return { stats, metrics: readScalars(metrics), learningRate, tokens };
}

export async function trainLoop(
  setup: TrainSetup,
  state: TrainState,
  control: Control,
  callbacks: LoopCallbacks,
): Promise<StopReason> {
  const { batches, optimizer, settings, totalSteps } = setup;
  const validation = batches.evaluation();
  const epochOf = (step: number) => step / batches.stepsPerEpoch;
  let clock = performance.now();
  /** Seconds since the last call, added to the run's time. */
  const lap = () => {
    const now = performance.now();
    const seconds = (now - clock) / 1000;
    clock = now;
    state.seconds += seconds;
    return seconds;
  };

  let notFinite = 0;
  let pending: {
    stats: Promise<UpdateStats>;
    metrics: Promise<Record<string, number>>;
    report: Omit<StepReport, keyof UpdateStats | 'seconds' | 'stepSeconds' | 'metrics'>;
  } | null = null;
  /** Waits for the step in flight and reports it. */
  const drain = async () => {
    if (!pending) return;
    const { report, ...reads } = pending;
    pending = null;
    const [stats, metrics] = await Promise.all([reads.stats, reads.metrics]);
    const stepSeconds = lap();
    callbacks.step({ ...report, ...stats, metrics, seconds: state.seconds, stepSeconds });
    notFinite = stats.finite ? 0 : notFinite + 1;
    if (notFinite >= MAX_NOT_FINITE) {
      throw new TabtuneError({
        code: 'not_finite',
        message: `The loss or its gradient was not a finite number for ${notFinite} steps in a row.`,
        where: `step ${report.step}`,
        action:
          'Lower training.learning_rate, keep training.max_grad_norm at 1, and look for unusual rows in the data.',
      });
    }
  };

  /** Evaluations, sample answers and checkpoints use the moving average of the weights, if there is one. */
  const runEvaluation = () => optimizer.withAverage(evaluateNow);
  const evaluateNow = async (): Promise<boolean> => {
    if (validation.length === 0 || state.lastEvalStep === state.step) return false;
    callbacks.phase('evaluating');
    const measured = await evaluate(setup, validation, () => control.stopRequested());
    lap();
    if (measured === null) return false; // stopped meanwhile
    const { loss, metrics, scores } = measured;
    const best = noteEvaluation(state, loss);
    await callbacks.evaluation({
      step: state.step,
      epoch: epochOf(state.step),
      loss,
      best,
      seconds: state.seconds,
      metrics,
      scores,
    });
    callbacks.phase('sampling');
    await callbacks.samples(state.step);
    clock = performance.now(); // samples are not training time
    return best;
  };

  const save = async (best: boolean) => {
    callbacks.phase('saving');
    await callbacks.checkpoint(state, best);
    clock = performance.now();
    callbacks.phase('training');
  };

  const exhausted = () => isExhausted(state, settings.early_stopping_patience);

  if (state.step === 0) await runEvaluation();
  callbacks.phase('training');
  while (state.step < totalSteps && !control.stopRequested() && !exhausted()) {
    let micro = batches.microBatches(state.step);
    if (setup.objective.prepare) {
      await drain();
      const draw = { seed: settings.seed, pass: state.pass };
      micro = await prepareBatches(setup, micro, draw, () => control.stopRequested());
      if (control.stopRequested()) break;
    }
    const dispatchesBefore = counters.dispatches;
    const { stats, metrics, learningRate, tokens } = recordStep(setup, state, micro);
    const report = {
      step: state.step,
      epoch: epochOf(state.step),
      learningRate,
      tokens: state.tokens,
      stepTokens: tokens,
      dispatches: counters.dispatches - dispatchesBefore,
    };
    // The last step's results are fetched while this one runs, so that the queue never empties.
    await drain();
    pending = { stats, metrics, report };

    const evaluationDue = settings.eval_steps > 0 && state.step % settings.eval_steps === 0 && state.step < totalSteps;
    const saveDue = state.step % settings.save_steps === 0 && state.step < totalSteps;
    if (evaluationDue || saveDue || control.pauseRequested() || control.stopRequested()) await drain();
    const best = evaluationDue ? await runEvaluation() : false;
    if (best || saveDue || control.pauseRequested()) await save(best);
    else if (evaluationDue) callbacks.phase('training');
    if (control.pauseRequested()) {
      callbacks.phase('paused');
      await control.resumed();
      clock = performance.now();
      callbacks.phase('training');
    }
  }
  await drain();
  const best = control.stopRequested() ? false : await runEvaluation();
  await save(best);
  if (state.step >= totalSteps) return 'completed';
  return control.stopRequested() ? 'stopped' : 'early_stopping';
}
