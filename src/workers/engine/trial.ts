/** What is tried before a run, on a method and an optimiser of its own that are freed afterwards: the base is only read. */
import { TabtuneError } from '../../base/errors';
import { learnedCounts } from '../../data/learned-counts';
import type { LanguageModel } from '../../engine/models/model';
import { EVERY_OTHER } from '../../engine/run/dry-answers';
import { withHalf } from '../../engine/run/half';
import type { TrainSetup } from '../../engine/run/loop';
import { measureStep, rangeTest } from '../../engine/run/trial';
import { RATE_RANGE, suggestRate } from '../../metrics/rate-range';
import { objectiveOf, paceOf } from '../../objectives';
import { totalSteps } from '../../recipe/forecast';
import type { Recipe, TrainingSection } from '../../recipe/types';
import type { RatePoint, RateSearch, TestDrive } from '../../session/api';
import type { HeadSource } from './adapters';
import type { TrainJob } from './api';
import { assembleJob, batchesOf, checkRoom, tokensOf } from './assemble-job';

/** A step must be this much quicker for a change to be worth a press. */
const QUICKER = 0.9;
/** Parts of a measured step. */
const PARTS = 3;

async function withTrial<T>(
  base: LanguageModel,
  head: HeadSource,
  job: TrainJob,
  stopped: () => boolean,
  body: (setup: TrainSetup, recipe: Recipe) => Promise<T | null>,
): Promise<T> {
  const { assembled, recipe } = await assembleJob(base, head, job, null, stopped);
  try {
    const { attached, optimizer, objective, reference, value } = assembled;
    const { model, method } = attached;
    checkRoom(model, method, job);
    const setup: TrainSetup = {
      ...{ model, method, objective, reference, value, optimizer },
      ...{ batches: batchesOf(job, recipe), settings: recipe.training },
      ...{ tokens: tokensOf(job), pace: paceOf(recipe.objective, recipe.training), outside: EVERY_OTHER },
      ...{ totalSteps: totalSteps(job.train.length, recipe), checkpointing: job.checkpointing },
    };
    const result = stopped() ? null : await withHalf(recipe.training.fp16, () => body(setup, recipe));
    if (result === null || stopped()) {
      throw new TabtuneError({ code: 'cancelled', message: 'The trial was cancelled.' });
    }
    return result;
  } finally {
    assembled.dispose();
  }
}

/** The same rows in one step, divided otherwise. */
function dividedBy(batchSize: number, training: TrainingSection): TrainingSection {
  const rows = training.per_device_train_batch_size * training.gradient_accumulation_steps;
  return {
    ...training,
    per_device_train_batch_size: batchSize,
    gradient_accumulation_steps: Math.max(1, Math.round(rows / batchSize)),
  };
}

export function testDrive(
  base: LanguageModel,
  head: HeadSource,
  job: TrainJob,
  batchSizes: number[],
  stopped: () => boolean,
  onProgress: (done: number, total: number) => void,
): Promise<TestDrive> {
  const total = PARTS * (1 + batchSizes.length);
  return withTrial(base, head, job, stopped, async (setup, recipe): Promise<TestDrive | null> => {
    onProgress(0, total);
    const step = await measureStep(setup, stopped, (done) => onProgress(done, total));
    if (!step) return null;
    const { seconds, tokens, ...measured } = step;
    let quicker: TestDrive['quicker'] = null;
    for (const [i, batchSize] of batchSizes.entries()) {
      const settings = dividedBy(batchSize, recipe.training);
      const batches = batchesOf(job, { ...recipe, training: settings });
      const other = await measureStep({ ...setup, batches, settings }, stopped, (done) =>
        onProgress(PARTS * (i + 1) + done, total),
      );
      if (!other) return null;
      // Another number of rows may have come together at an epoch's end.
      const secondsPerStep = (other.seconds * tokens) / Math.max(1, other.tokens);
      if (secondsPerStep > QUICKER * (quicker?.secondsPerStep ?? seconds)) continue;
      quicker = { batchSize, accumulation: settings.gradient_accumulation_steps, secondsPerStep };
    }
    const { learns, answerTokens } = objectiveOf(recipe.objective);
    // Answers that it writes itself are not in the data.
    const answers = learns === 'answers' && answerTokens === undefined;
    return {
      ...measured,
      secondsPerStep: seconds,
      tokensPerSecond: tokens / Math.max(1e-6, seconds),
      learned: learnedCounts(job.train, answers ? job.stopTokenIds : null),
      quicker,
    };
  });
}

export const findRate = (
  base: LanguageModel,
  head: HeadSource,
  job: TrainJob,
  stopped: () => boolean,
  onPoint: (point: RatePoint) => void,
): Promise<RateSearch> =>
  withTrial(base, head, job, stopped, async (setup, { objective }): Promise<RateSearch> => {
    if (objectiveOf(objective).answerTokens) throw noRange();
    const { points, diverged } = await rangeTest(setup, RATE_RANGE, stopped, onPoint);
    return { points, diverged, suggested: suggestRate(points) };
  });

const noRange = () =>
  new TabtuneError({
    code: 'bad_recipe',
    message: 'The loss of learning from rewards does not fall as the model learns, so it says nothing about the rate.',
    where: 'training.learning_rate',
    action: 'Start with the default, and lower it if the distance from the reference or the cut-off answers climb.',
  });
