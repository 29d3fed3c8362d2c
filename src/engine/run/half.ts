/**
 * Products with inputs in f16 (training.fp16): switched on for as long as a run lasts, and only if its first batch comes out as in f32
 * up to rounding.
 */
import * as tf from '@tensorflow/tfjs-core';
import { FP16_LIMITS, type Fp16Check } from '../../base/fp16';
import type { Batch, BatchSource } from '../../data/types';
import { rowsOfTiles, watchHalves } from '../kernels/products/variants';
import { inference } from '../methods/method';
import { projectLogits, requireHead } from '../models/heads';
import { adapterTraits, setHalf } from '../webgpu/adapter';
import { isGpu, readFloats } from '../webgpu/backend';
import { beginWork } from '../webgpu/pool';
import { forwardOnly } from './checkpointing';
import { evaluate } from './evaluate';
import { createPass, type PassSetup } from './pass';

/**
 * Positions whose logits are compared, at least, spread over the batch; the loss is over all of them. With a small vocabulary it takes more
 * until their logits are a product in tiles, as those of training are.
 */
const POSITIONS = 64;

/** Runs `body` with f16 on or off, and then everything as before. Without a GPU there is none. */
export async function withHalf<T>(half: boolean, body: () => Promise<T>): Promise<T> {
  const backend = tf.backend();
  if (!isGpu(backend)) return body();
  const { device } = backend;
  const before = adapterTraits(device).half;
  setHalf(device, half);
  try {
    return await body();
  } finally {
    setHalf(device, before);
  }
}

/** Switches f16 on or off where there is a GPU. */
export function switchHalf(half: boolean): void {
  const backend = tf.backend();
  if (isGpu(backend)) setHalf(backend.device, half);
}

/** The run's first batch in f32 and in f16, without dropout. */
export async function compareHalf(setup: PassSetup & { batches: BatchSource }): Promise<Fp16Check> {
  const [batch] = setup.batches.microBatches(0);
  if (!batch) return { used: false, logits: null, loss: null, products: 0 };
  const whole = await withHalf(false, () => outputsOf(setup, batch));
  let products = 0;
  watchHalves(() => products++);
  const half = await withHalf(true, () => outputsOf(setup, batch)).finally(() => watchHalves(null));
  let logits = 0;
  whole.logits.forEach((value, i) => {
    const apart = Math.abs(value - half.logits[i]!);
    // Not a number where a logit is none, and then it stays so.
    if (!(apart <= logits)) logits = apart;
  });
  const loss = Math.abs(whole.loss - half.loss);
  const orNull = (value: number) => (Number.isFinite(value) ? value : null);
  const used = logits <= FP16_LIMITS.logits && loss <= FP16_LIMITS.loss;
  return { used, logits: orNull(logits), loss: orNull(loss), products };
}

interface Outputs {
  /** Of some positions, or of all labels. */
  logits: Float32Array;
  loss: number;
}

async function outputsOf(setup: PassSetup, batch: Batch): Promise<Outputs> {
  const { model, method, objective } = setup;
  const hooks = forwardOnly(method?.hooks(inference()) ?? {});
  const { classification } = model.heads;
  const places = positionsOf(batch, Math.max(POSITIONS, rowsOfTiles(model.vocabSize)));
  beginWork();
  const { policy } = createPass(setup, { hooks, scale: 1, withGradient: false });
  const computed = tf.tidy(() => {
    if (classification) {
      const { batchSize, length, lengths } = batch;
      return classification.scores(
        policy.hidden(batch, classification.states),
        { batch: batchSize, length, lengths },
        hooks,
      );
    }
    const rows = tf.gather(policy.hidden(batch), tf.tensor1d(places, 'int32'));
    return projectLogits(requireHead(model, 'lm'), rows, hooks);
  });
  const logits = await readFloats(computed).finally(() => computed.dispose());
  // What such objectives learn from is not in the data.
  const unknown = objective.prepare !== undefined || objective.before !== undefined;
  const loss =
    unknown && !classification ? nextTokenLoss(logits, batch, places) : (await evaluate(setup, [batch]))!.loss;
  return { logits, loss };
}

/** Evenly spread over the tokens that another one follows, or over all where there are none. */
function positionsOf({ batchSize, length, lengths }: Batch, most: number): Int32Array {
  const followed = Array.from({ length: batchSize * length }, (_, i) => i).filter(
    (i) => (i % length) + 1 < lengths[Math.floor(i / length)]!,
  );
  const count = Math.min(most, followed.length);
  if (count === 0) return Int32Array.from({ length: batchSize }, (_, row) => row * length);
  return Int32Array.from({ length: count }, (_, i) => followed[Math.floor((i * followed.length) / count)]!);
}

/** The mean negative log-likelihood of the tokens after these positions, in nats. */
function nextTokenLoss(logits: Float32Array, { ids }: Batch, places: Int32Array): number {
  const width = logits.length / places.length;
  const losses = Array.from(places, (place, row) => {
    const own = logits.subarray(row * width, (row + 1) * width);
    const most = own.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
    const sum = own.reduce((total, value) => total + Math.exp(value - most), 0);
    return most + Math.log(sum) - (own[ids[place + 1]!] ?? 0);
  });
  return losses.reduce((total, loss) => total + loss, 0) / losses.length;
}
