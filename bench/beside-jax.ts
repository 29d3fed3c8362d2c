/**
 * A step of full fine-tuning beside the same step in jax-js (jax-llama.ts), on one page and one GPU: in turns, so that whatever else the
 * machine does meets both. Times are medians. Their losses must agree.
 */
import { spreadOf } from '../src/engine/benchmark/measure';
import { flush, gpuBackend } from '../src/engine/webgpu/backend';
import { CASE, type FullStep, idsOf, LEARNING_RATE, nameOf, openFullStep } from './full-step';
import { createJaxStep } from './jax-llama';

const CASES: FullStep[] = [
  CASE,
  { shape: { hidden: 64, layers: 1, heads: 4, kvHeads: 4, intermediate: 256, vocab: 256 }, batch: 2, length: 64 },
];
/** Before anything is measured: shaders are compiled, and ours records what it replays later. */
const WARM = 4;
const SAMPLES = 5;
/** A sample is the mean of so many steps, and takes at least about a tenth of a second on a software adapter. */
const STEPS = [3, 12];

export const jaxRows = CASES.map((one) => `jax-js ${nameOf(one)}`);

export interface JaxRow {
  name: string;
  ours_ms: number;
  reference_ms: number;
  ratio: number;
  /** All samples, in the order in which they were taken. */
  ours_samples: number[];
  reference_samples: number[];
}

export async function measureBesideJax(i: number, say: (text: string) => void): Promise<JaxRow> {
  const { shape, batch, length } = CASES[i]!;
  const ours = await openFullStep(CASES[i]!);
  const jax = await createJaxStep(shape, idsOf(CASES[i]!), batch, length, LEARNING_RATE);
  const done = async () => {
    flush(gpuBackend());
    await gpuBackend().queue.onSubmittedWorkDone();
  };
  for (let step = 1; step <= WARM; step++) {
    const [own, other] = [await ours.step(), await jax.step()];
    say(`${jaxRows[i]}, step ${step}: loss ${own.toFixed(6)}, jax-js ${other.toFixed(6)}`);
    if (!(Math.abs(own - other) < 1e-3 * own)) {
      throw new Error(`Step ${step}: our loss ${own} differs from the loss of jax-js, ${other}.`);
    }
  }
  await done();
  const timed = async (step: () => Promise<unknown>) => {
    const start = performance.now();
    for (let n = 0; n < STEPS[i]!; n++) await step();
    await done();
    return (performance.now() - start) / STEPS[i]!;
  };
  const ours_samples: number[] = [];
  const reference_samples: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    ours_samples.push(await timed(ours.step));
    reference_samples.push(await timed(jax.step));
  }
  ours.dispose();
  jax.dispose();
  const [ours_ms, reference_ms] = [spreadOf(ours_samples).median, spreadOf(reference_samples).median];
  return { name: jaxRows[i]!, ours_ms, reference_ms, ratio: reference_ms / ours_ms, ours_samples, reference_samples };
}
