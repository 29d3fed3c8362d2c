/** Calls that compare: several answers at once, loss per example, forgetting, and how far weights were moved. */
import { type ErrorData, TabtuneError } from '../../base/errors';
import { createBatchSource } from '../../data/batches';
import type { TokenizedExample } from '../../data/types';
import { generate } from '../../engine/generation/generate';
import { layerChanges, type ModuleChange } from '../../engine/methods/layer-changes';
import { createObjective } from '../../engine/objectives';
import { baseTextLoss, baseTextOf } from '../../engine/run/base-text';
import { evaluate } from '../../engine/run/evaluate';
import type { AnswerJob, ExamplesJob, MeasuredExamples, TrainJob } from './api';
import { type Held, hooksOf } from './held';
import { baseTextBatches, scoredMetrics } from './measure';

/** Every column awaits its own token, so the GPU gets one of each in turn. */
export async function answerTogether(
  columns: readonly { held: Held; job: AnswerJob }[],
  onToken: (column: number, id: number) => void,
  signal?: AbortSignal,
): Promise<(Int32Array | ErrorData)[]> {
  const settled = await Promise.allSettled(
    columns.map(async ({ held, job }, i) => {
      const { prompt, strength, ...options } = job;
      return generate(held.model, hooksOf(held, strength), prompt, options, (id) => onToken(i, id), signal);
    }),
  );
  return settled.map((one) => {
    if (one.status === 'fulfilled') return one.value;
    // Only the column itself is at fault; anything else concerns the GPU.
    if (one.reason instanceof TabtuneError && one.reason.code === 'bad_data') return one.reason.toData();
    throw one.reason;
  });
}

const cancelled = () => new TabtuneError({ code: 'cancelled', message: 'The measurement was cancelled.' });

/** A loss says nothing where a model learns from rewards, and rewards are computed in runs alone. */
const onlyInRuns = () =>
  new TabtuneError({
    code: 'bad_data',
    message:
      'These prompts have no answers to measure a loss on: their answers are rewarded, which happens in runs alone.',
    action: 'Look at the rewards of the run’s evaluations, or compare answers to some prompts.',
  });

export async function measureExamples(
  { model, method }: Held,
  job: ExamplesJob,
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<MeasuredExamples> {
  const { examples, task, maskTokenId, padTokenId } = job;
  const objective = createObjective(job.objective, { maskTokenId, vocabSize: model.vocabSize, task });
  if (objective.evaluate) throw onlyInRuns();
  const setup = { model, method, objective };
  const batches = (batchSize: number) =>
    createBatchSource([], examples as TokenizedExample[], {
      ...{ batchSize, accumulation: 1, shuffle: false, seed: 0, padTokenId },
    }).evaluation();
  const stopped = () => signal?.aborted === true;
  const losses: number[] = [];
  // Masked tokens are drawn by their place in the batch, and comparisons look at a batch as a whole: only the run's own batches
  // give what the run measured.
  const drawn = objective.targets !== undefined || ['pair', 'judged'].includes(objective.batches);
  const total = examples.length + (drawn ? Math.ceil(examples.length / job.batchSize) : 0);
  let done = 0;
  const alone = await evaluate(setup, batches(1), stopped, ({ loss, targets }) => {
    losses.push(targets > 0 ? loss / targets : Number.NaN);
    onProgress(++done, total);
  });
  const whole =
    alone && drawn ? await evaluate(setup, batches(job.batchSize), stopped, () => onProgress(++done, total)) : alone;
  if (!alone || !whole) throw cancelled();
  const scored = scoredMetrics(job.objective, task, whole.scores);
  return {
    loss: whole.loss,
    perplexity: objective.likelihood ? Math.exp(whole.loss) : null,
    losses: Float32Array.from(losses),
    metrics: { ...whole.metrics, ...scored?.metrics },
  };
}

export async function measureBaseText(
  { model, method }: Held,
  { baseText, padTokenId, maskTokenId }: Pick<TrainJob, 'baseText' | 'padTokenId' | 'maskTokenId'>,
  signal?: AbortSignal,
): Promise<number | null> {
  const text = baseTextOf(model, { maskTokenId }, baseTextBatches(baseText, padTokenId));
  if (!text) return null;
  const loss = await baseTextLoss(model, method, text, () => signal?.aborted === true);
  if (loss === null) throw cancelled();
  return loss;
}

export async function measureChanges(
  { model, method }: Held,
  onProgress: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<ModuleChange[]> {
  if (!method) return [];
  const changes = await layerChanges(model, method, onProgress, () => signal?.aborted === true);
  if (!changes) throw cancelled();
  return changes;
}
