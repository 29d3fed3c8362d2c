/**
 * Before a run: measured steps on its real batches, and a range test of the learning rate. Both train tensors that are thrown away
 * afterwards; the base is read only.
 */
import type { Batch } from '../../data/types';
import { gpuBytes } from '../webgpu/backend';
import { evaluate } from './evaluate';
import { freshState, recordStep, type TrainSetup } from './loop';
import { prepareBatches } from './prepare';

/** A setup whose rate is the given one from the first step on. */
const steady = (setup: TrainSetup, rate: number): TrainSetup => ({
  ...setup,
  settings: { ...setup.settings, learning_rate: rate, lr_scheduler_type: 'constant', warmup_ratio: 0 },
});

type Stopped = () => boolean;

async function batchesOf(setup: TrainSetup, micro: Batch[], step: number, stopped: Stopped): Promise<Batch[]> {
  const { settings } = setup;
  const draw = { seed: settings.seed, pass: step };
  return prepareBatches(setup, micro, { step, settings, draw, stopped, report: () => {} });
}

export interface MeasuredStep {
  /** Of a whole optimiser step, once its shaders are compiled. */
  seconds: number;
  tokens: number;
  /** The most that the GPU has held so far, in bytes. */
  gpuBytes: number;
  /** Before clipping. */
  gradNorm: number;
  /** Whether loss and gradients are finite numbers. */
  finite: boolean;
  /** Of the first batch, before and after the steps. */
  lossBefore: number;
  lossAfter: number;
}

/**
 * Two steps on the first batch at the full rate: the first compiles shaders, the second is measured. Null if stopped.
 * `onStep` is told after each part, of three.
 */
export async function measureStep(
  setup: TrainSetup,
  stopped: Stopped,
  onStep: (done: number) => void = () => {},
): Promise<MeasuredStep | null> {
  const at = steady(setup, setup.settings.learning_rate);
  const micro = await batchesOf(at, setup.batches.microBatches(0), 0, stopped);
  const lossOf = async () => (await evaluate(at, micro.slice(0, 1), stopped))?.loss ?? Number.NaN;
  const lossBefore = await lossOf();
  if (stopped()) return null;
  onStep(1);
  const state = freshState();
  let measured = { seconds: 0, tokens: 0, gradNorm: 0, finite: true };
  for (const done of [2, 3]) {
    const start = performance.now();
    const { stats, metrics, tokens } = recordStep(at, state, micro);
    const [{ gradNorm, finite }] = await Promise.all([stats, metrics]);
    if (stopped()) return null;
    measured = { seconds: (performance.now() - start) / 1000, tokens, gradNorm, finite: measured.finite && finite };
    onStep(done);
  }
  const peak = gpuBytes().peak;
  const lossAfter = await lossOf();
  return stopped() ? null : { ...measured, gpuBytes: peak, lossBefore, lossAfter };
}

export interface RatePoint {
  rate: number;
  loss: number;
  /** Exponential moving average of the losses, without its bias to the first. */
  smoothed: number;
}

/** How long the average looks back: fastai's is 0.98 over a hundred steps or more; here there are sixty. */
const SMOOTHING = 0.9;
/** A loss this many times the lowest has diverged (fastai). */
const DIVERGED = 4;

export interface RangeOptions {
  from: number;
  to: number;
  steps: number;
}

/**
 * Smith's range test (Cyclical Learning Rates for Training Neural Networks, 2017): steps on successive batches at a rate that grows
 * by the same factor each time, until the loss diverges.
 */
export async function rangeTest(
  setup: TrainSetup,
  { from, to, steps }: RangeOptions,
  stopped: Stopped,
  onPoint: (point: RatePoint) => void = () => {},
): Promise<{ points: RatePoint[]; diverged: boolean }> {
  const points: RatePoint[] = [];
  const state = freshState();
  let average = 0;
  let lowest = Infinity;
  for (let i = 0; i < steps && !stopped(); i++) {
    const rate = from * (to / from) ** (i / Math.max(1, steps - 1));
    const at = steady(setup, rate);
    const micro = await batchesOf(at, setup.batches.microBatches(i), i, stopped);
    if (stopped()) break;
    const { stats, metrics } = recordStep(at, state, micro);
    const [{ loss, finite }] = await Promise.all([stats, metrics]);
    if (!finite) return { points, diverged: true };
    average = SMOOTHING * average + (1 - SMOOTHING) * loss;
    const smoothed = average / (1 - SMOOTHING ** (i + 1));
    const point = { rate, loss, smoothed };
    points.push(point);
    onPoint(point);
    if (smoothed > DIVERGED * lowest) return { points, diverged: true };
    lowest = Math.min(lowest, smoothed);
  }
  return { points, diverged: false };
}
