/**
 * The training loop, as one readable function: steps, evaluation, early stopping, checkpoints, pause and stop.
 * Everything random is a function of (seed, step), so a resumed run needs only `TrainState` and the optimiser's tensors
 * to be bit-identical.
 */
import { TabtuneError } from '../../base/errors';
import type { Batch, BatchSource } from '../../data/types';
import type { Pace } from '../../objectives/objective';
import type { Method } from '../methods/method';
import type { Optimizer, UpdateStats } from '../optim/optimizer';
import { scheduleFactor } from '../optim/schedules';
import { counters } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import { isExhausted, noteEvaluation } from './early-stopping';
import { type Evaluation, evaluate } from './evaluate';
import { forgetRecordings, type MicroBatchSetup, recordingsOf, recordMicroBatch } from './micro-batch';
import { prepareBatches, toolsOf } from './prepare';
import { SaveClock } from './save-clock';
import { StepSums } from './step-scalars';
import { ofEither } from './value-model';

export interface TrainSetup extends MicroBatchSetup {
  batches: BatchSource;
  totalSteps: number;
  /** How steps go through the examples; left out where each step takes new ones. */
  pace?: Pace | null;
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
  /** What the objective needs to be resumed here; left out when that is nothing. */
  objective?: unknown;
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
  /** Whether somebody asked for a checkpoint since the last call. */
  takeSaveRequest(): boolean;
  /** Resolves when the pause ends, or a stop is requested. */
  resumed(): Promise<void>;
}

export interface LoopCallbacks {
  /** `share` of what is prepared before the first step. */
  phase(phase: 'preparing' | 'training' | 'evaluating' | 'sampling' | 'saving' | 'paused', share?: number): void;
  step(report: StepReport): void;
  evaluation(e: EvaluationReport): void | Promise<void>;
  /** Called after each evaluation, for sample answers. */
  samples(step: number): Promise<void>;
  /** Everything must be stored when it resolves. `best` marks the best validation loss so far. */
  checkpoint(state: TrainState, best: boolean): Promise<void>;
  /** A checkpoint has been stored, and the next comes after so many seconds at the latest. */
  saved(step: number, everySeconds: number): void;
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
  const begun = performance.now();
  const { method, objective, optimizer, settings, totalSteps, value: valueModel } = setup;
  const activeIn = (of: Method) => (name: string) => of.active?.(name, state.step, totalSteps) ?? true;
  const active = ofEither(activeIn(method), activeIn(valueModel?.method ?? method));
  const learning = optimizer.tensorsOf(active);
  const draw = (i: number) => ({ seed: settings.seed, pass: state.pass + i });
  const targets = micro.reduce((sum, b, i) => sum + (objective.targets?.(b, draw(i)) ?? b.targetCount), 0);
  const scale = 1 / Math.max(1, targets);
  const sums = new StepSums(optimizer.sums);
  const { dispatches } = counters;
  // Where nothing was learned from, momentum, decay and penalties must not move the weights either.
  const learningRate = targets === 0 ? 0 : settings.learning_rate * rateFactor(setup, state.step);
  micro.forEach((batch, i) => {
    beginWork();
    recordMicroBatch(setup, { batch, pass: state.pass + i, scale }, i === 0, learning, sums);
  });
  const stats = optimizer.update(optimizer.sums, learningRate, active);
  state.step++;
  state.pass += micro.length;
  const tokens = micro.reduce((sum, b) => sum + b.lengths.reduce((a, l) => a + l, 0), 0);
  state.tokens += tokens;
  timeStep(setup, stats, counters.dispatches - dispatches, begun);
  return { stats, metrics: sums.read(scale), learningRate, tokens };
}

/** When each optimiser's last step had ended. */
const ended = new WeakMap<Optimizer, number>();

/** Steps are recorded ahead of the GPU, so one begins when its recording does or when the one before ends. */
function timeStep(setup: TrainSetup, stats: Promise<UpdateStats>, dispatches: number, begun: number): void {
  const noted = () => {
    const now = performance.now();
    const start = Math.max(begun, ended.get(setup.optimizer) ?? 0);
    ended.set(setup.optimizer, now);
    recordingsOf(setup).measured((now - start) / 1000, dispatches);
  };
  // Whoever waits for the step hears of its failure.
  stats.then(noted, () => {});
}

/** The schedule's factor at a step. Where the rate is held, the schedule counts the examples' turns and not the steps. */
function rateFactor({ settings, totalSteps, pace }: TrainSetup, step: number): number {
  const held = pace?.heldRate ? pace.steps : 1;
  return scheduleFactor(settings, Math.floor(step / held), Math.ceil(totalSteps / held));
}

/** Trains until the last step, a stop, or early stopping. */
export async function trainLoop(...run: Parameters<typeof untilTheEnd>): Promise<StopReason> {
  try {
    return await untilTheEnd(...run);
  } finally {
    forgetRecordings(run[0].optimizer);
  }
}

async function untilTheEnd(
  setup: TrainSetup,
  state: TrainState,
  control: Control,
  callbacks: LoopCallbacks,
): Promise<StopReason> {
  const { batches, optimizer, settings, totalSteps } = setup;
  const validation = batches.evaluation();
  const epochOf = (step: number) => step / batches.stepsPerEpoch;
  const saves = new SaveClock();
  let lastStepSeconds = 0;
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
    lastStepSeconds = stepSeconds;
    callbacks.step({ ...report, ...stats, metrics, seconds: state.seconds, stepSeconds });
    notFinite = stats.finite ? 0 : notFinite + 1;
    if (notFinite >= MAX_NOT_FINITE) {
      throw new TabtuneError({
        code: 'not_finite',
        message: `The loss or its gradient was not a finite number for ${notFinite} steps in a row.`,
        where: `step ${report.step}`,
        action: `Lower training.learning_rate, keep training.max_grad_norm at 1, and look for unusual rows in the data.${
          settings.fp16 ? ' Or set training.fp16 to false: 16 bits hold nothing above 65,504.' : ''
        }`,
      });
    }
  };

  /** Evaluations, sample answers and checkpoints use the moving average of the weights, if there is one. */
  const runEvaluation = () => optimizer.withAverage(evaluateNow);
  const measure = async (): Promise<Evaluation | null> => {
    const { objective } = setup;
    const stopped = () => control.stopRequested();
    if (!objective.evaluate) return evaluate(setup, validation, stopped);
    const at = { step: state.step, settings, draw: { seed: settings.seed, pass: state.pass } };
    const own = await objective.evaluate(toolsOf(setup, { ...at, stopped, report: () => {} }), validation);
    return own && { ...own, scores: [] };
  };
  const evaluateNow = async (): Promise<boolean> => {
    if (validation.length === 0 || state.lastEvalStep === state.step) return false;
    callbacks.phase('evaluating');
    const measured = await measure();
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
    state.objective = setup.objective.state?.(state.step);
    await saves.time(() => callbacks.checkpoint(state, best));
    callbacks.saved(state.step, saves.every);
    clock = performance.now();
    callbacks.phase('training');
  };

  const exhausted = () => isExhausted(state, settings.early_stopping_patience);

  const pause = async () => {
    callbacks.phase('paused');
    await control.resumed();
    clock = performance.now();
    saves.restart();
    callbacks.phase('training');
  };

  if (state.objective !== undefined) setup.objective.restore?.(state.objective);
  if (setup.objective.before) {
    callbacks.phase('preparing', 0);
    const at = { step: state.step, settings, draw: { seed: settings.seed, pass: state.pass }, report: () => {} };
    await setup.objective.before(toolsOf(setup, { ...at, stopped: () => control.stopRequested() }), {
      source: batches,
      steps: Math.min(totalSteps, batches.stepsPerEpoch),
      progress: (share) => callbacks.phase('preparing', share),
    });
    lap();
  }
  if (state.step === 0) await runEvaluation();
  callbacks.phase('training');
  while (state.step < totalSteps && !control.stopRequested() && !exhausted()) {
    let micro = batches.microBatches(state.step);
    const prepared: Record<string, number> = {};
    if (setup.objective.prepare) {
      await drain();
      // A pause that was taken back meanwhile has interrupted the work all the same.
      let interrupted = false;
      const stopped = () => {
        interrupted ||= control.stopRequested() || control.pauseRequested();
        return interrupted;
      };
      micro = await prepareBatches(setup, micro, {
        ...{ step: state.step, settings, draw: { seed: settings.seed, pass: state.pass } },
        stopped,
        report: (metrics) => void Object.assign(prepared, metrics),
      });
      if (control.stopRequested()) break;
      if (stopped()) {
        // Prepared again after the pause, as it would be after a reload.
        if (control.pauseRequested()) {
          await save(false);
          await pause();
        }
        continue;
      }
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
    pending = { stats, metrics: metrics.then((own) => ({ ...prepared, ...own })), report };

    const evaluationDue = settings.eval_steps > 0 && state.step % settings.eval_steps === 0 && state.step < totalSteps;
    const saveAsked = control.takeSaveRequest() || state.step % settings.save_steps === 0;
    // This step is still under way, and another would follow before the next look.
    const saveDue = state.step < totalSteps && (saves.due(2 * lastStepSeconds) || (saveAsked && saves.affordable));
    if (evaluationDue || saveDue || control.pauseRequested() || control.stopRequested()) await drain();
    const best = evaluationDue ? await runEvaluation() : false;
    if (best || saveDue || control.pauseRequested()) await save(best);
    else if (evaluationDue) callbacks.phase('training');
    if (control.pauseRequested()) await pause();
  }
  await drain();
  const best = control.stopRequested() ? false : await runEvaluation();
  await save(best);
  if (state.step >= totalSteps) return 'completed';
  return control.stopRequested() ? 'stopped' : 'early_stopping';
}
