/** What is tried before a run, on the run's own examples: a test drive, and a range test of the learning rate. One at a time. */
import { TabtuneError } from '../base/errors';
import type { TokenizedDataset } from '../data/types';
import { resolveRecipe } from '../recipe/defaults';
import { withValue } from '../recipe/diff';
import type { Recipe } from '../recipe/types';
import type { Remote } from '../rpc/rpc';
import type { EngineApi, TrainJob } from '../workers/engine/api';
import { type Preparing, preparingUntil, type TrainingNeeds } from './active-run';
import type { TrialApi } from './api';
import { verdictOf } from './gpu-memory';
import { busy } from './run-guard';
import { prepareJob } from './run-job';

export interface TrialNeeds extends TrainingNeeds {
  /** What the test drive has measured, for the forecast. */
  onPace(source: string, tokensPerSecond: number): void;
  /** Throws while a run has the engine. */
  assertIdle(action: string): void;
}

export class TrialSession implements TrialApi {
  private active: { abort: AbortController; done: Promise<unknown> } | null = null;

  constructor(private readonly needs: TrialNeeds) {}

  assertIdle(action: string): void {
    if (this.active)
      throw busy(`A test drive is in progress, so ${action} has to wait.`, 'Wait a moment, or cancel it.');
  }

  /** Ends what is being tried, since something more important needs the engine. */
  async end(): Promise<void> {
    this.active?.abort.abort();
    await this.active?.done.catch(() => {});
  }

  testDrive: TrialApi['testDrive'] = (recipe, onProgress, signal) =>
    this.begin(recipe, signal, async (job, active, stop) => {
      const sizes = await this.quickerSizes(job.recipe, active);
      const drive = await this.engine(active, (api) => api.testDrive(job, sizes, onProgress, stop));
      this.needs.onPace(job.recipe.model.source, drive.tokensPerSecond);
      return drive;
    });

  findRate: TrialApi['findRate'] = (recipe, onPoint, signal) =>
    this.begin(recipe, signal, (job, active, stop) => this.engine(active, (api) => api.findRate(job, onPoint, stop)));

  private begin<T>(
    recipe: Recipe,
    signal: AbortSignal | undefined,
    work: (job: TrainJob, active: Preparing, stop: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      this.assertIdle('another one');
      this.needs.assertIdle('a test drive');
    } catch (cause) {
      return Promise.reject(cause);
    }
    const abort = new AbortController();
    signal?.addEventListener('abort', () => abort.abort());
    if (signal?.aborted) abort.abort();
    const active = preparingUntil(abort.signal, 'The trial was cancelled.');
    const done = (async () => {
      const { job } = await prepareJob(this.needs, active, resolveRecipe(recipe), null);
      return work(job, active, abort.signal);
    })().finally(() => {
      this.active = null;
    });
    this.active = { abort, done };
    return done;
  }

  private async engine<T>(active: Preparing, call: (api: Remote<EngineApi>) => Promise<T>): Promise<T> {
    const { needs } = this;
    try {
      // Waited for even when it is cancelled: until then the engine is in use.
      return await needs.engine.use(call);
    } catch (cause) {
      const outOfMemory = cause instanceof TabtuneError && cause.code === 'gpu_out_of_memory';
      if (outOfMemory && active.plannedBytes > 0) {
        const device = await needs.device().catch(() => null);
        if (device?.available) needs.memory.ranOut(device, active.plannedBytes);
      }
      throw cause;
    }
  }

  /** Larger batches with fewer of them in a step, as far as they fit comfortably. Only one on a software renderer: it is slow. */
  private async quickerSizes(recipe: Recipe, active: Preparing): Promise<number[]> {
    const { needs } = this;
    const { per_device_train_batch_size: rows, gradient_accumulation_steps: batches } = recipe.training;
    const device = await needs.device();
    const budget = needs.memory.budget(device);
    if (!budget || batches < 2) return [];
    const model = await needs.model(recipe.model);
    const tokenized: TokenizedDataset = await needs.tokenize(recipe);
    // Where micro-batches go through the model together, larger ones gain nothing.
    const own = await Promise.race([active.stopped, needs.plan(recipe, model, tokenized).catch(() => null)]);
    if (!own || own.together > 1) return [];
    const sizes: number[] = [];
    for (let factor = 2; factor <= (device.software ? 2 : 4) && batches % factor === 0; factor *= 2) {
      const larger = withValue(
        withValue(recipe, 'training.per_device_train_batch_size', rows * factor),
        'training.gradient_accumulation_steps',
        batches / factor,
      );
      const plan = await Promise.race([active.stopped, needs.plan(larger, model, tokenized).catch(() => null)]);
      if (!plan || verdictOf(plan.bytes, budget) !== 'fits') break;
      sizes.push(rows * factor);
    }
    return sizes;
  }
}
