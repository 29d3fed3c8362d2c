/**
 * One training run inside the engine worker: builds method, optimiser and batches from the job, runs the loop, writes
 * metrics and checkpoints to storage, and tells the page what happens. The page writes the run's record.
 */
import { TabtuneError } from '../../base/errors';
import { partsOfBaseText } from '../../data/base-parts';
import { createBatchSource } from '../../data/batches';
import { generate } from '../../engine/generation/generate';
import { weightChange } from '../../engine/methods/change';
import { countParameters } from '../../engine/methods/count';
import { type CallContext, inference } from '../../engine/methods/method';
import type { NamedTensors } from '../../engine/methods/tensors';
import type { LanguageModel } from '../../engine/models/model';
import { createObjective } from '../../engine/objectives';
import { createOptimizer, type Optimizer } from '../../engine/optim/optimizer';
import { estimateFisher } from '../../engine/run/fisher';
import {
  type Control,
  freshState,
  type LoopCallbacks,
  type StepReport,
  type TrainState,
  trainLoop,
} from '../../engine/run/loop';
import { forgetGpuPeak, gpuBytes, readFloats } from '../../engine/webgpu/backend';
import { methodOf } from '../../methods';
import { continuedRecipe, type DecodedAdapter, decodeAdapter } from '../../methods/read-adapter';
import { totalSteps as countSteps } from '../../recipe/forecast';
import type { Recipe } from '../../recipe/types';
import type { RunSummary } from '../../session/api';
import { type LoadedCheckpoint, loadCheckpoint, saveCheckpoint } from '../../storage/checkpoints';
import { appendMetrics, truncateMetrics } from '../../storage/runs';
import type { MetricsRow, RunRecord } from '../../storage/types';
import { checkpointValues, fitNames, type HeadSource, type OpenAdapter, openMethod } from './adapters';
import type { EngineEvent, TrainJob } from './api';
import { type BaseText, baseTextLoss, baseTextOf, figuresOf } from './measure';

/** What the run leaves behind: its record, its figures, and the method on the model, ready to use. */
export interface FinishedRun {
  run: RunRecord;
  summary: Omit<RunSummary, 'device' | 'versions'>;
  open: OpenAdapter;
  /** As trained: an adapter that was continued from decides its own rank and targets. */
  recipe: Recipe;
}

const SAMPLE_TOKENS = 40;
/** Metrics are written in groups: a transaction a step would be felt. */
const METRICS_GROUP = 10;
/** Steps that the estimate of the time left looks back on. */
const RECENT_STEPS = 20;

/** The pause and stop buttons, as the loop asks for them. */
export class RunControl implements Control {
  private paused = false;
  private stopped = false;
  private wake: (() => void) | null = null;

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.wake?.();
  }

  stop(): void {
    this.stopped = true;
    this.resume();
  }

  pauseRequested(): boolean {
    return this.paused;
  }

  stopRequested(): boolean {
    return this.stopped;
  }

  resumed(): Promise<void> {
    if (!this.paused) return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}

/** `head`: where BERT's pooler is read from. */
export async function runTraining(
  base: LanguageModel,
  head: HeadSource,
  job: TrainJob,
  control: Control,
  onEvent: (event: EngineEvent) => void,
): Promise<FinishedRun> {
  forgetGpuPeak();
  const initial = job.initAdapter && fitNames(base, decodeAdapter(job.initAdapter));
  const recipe = initial ? continuedRecipe(job.recipe, initial.section) : job.recipe;
  const { training } = recipe;
  const resumed = job.resume ? await latestCheckpoint(job.run.id) : null;
  const open = await openMethod(base, recipe.method, {
    objective: recipe.objective.type,
    task: job.task,
    seed: training.seed,
    values: startingValues(initial, resumed),
    initText: job.initText,
    head,
  });
  const { model, method } = open;
  const optimizer = createOptimizer(method.trainable, training, { rate: method.rate });
  try {
    const objective = createObjective(recipe.objective, {
      maskTokenId: job.maskTokenId,
      vocabSize: model.vocabSize,
      task: job.task,
    });
    const batches = createBatchSource(job.train, job.validation, {
      batchSize: training.per_device_train_batch_size,
      accumulation: training.gradient_accumulation_steps,
      shuffle: recipe.dataset.shuffle,
      seed: training.seed,
      padTokenId: job.padTokenId,
      ...(training.replay_ratio > 0
        ? { replay: { examples: partsOfBaseText(job.baseText).learned, ratio: training.replay_ratio } }
        : {}),
    });
    const baseText = baseTextOf(model, job.baseText, job);
    await penalizeDrift(open, optimizer, training, baseText, control);
    const totalSteps = countSteps(job.train.length, training);
    const state = freshState();
    const forgetting: { before: number | null; after: number | null } = { before: null, after: null };
    // Until the checkpoint is loaded the model stands where the run began.
    if (resumed) forgetting.before = await baseTextLoss(model, method, baseText, () => control.stopRequested());
    if (resumed) await restore(job.run.id, resumed, state, optimizer);
    // A run that was cut off before its first checkpoint may have left some.
    else await truncateMetrics(job.run.id, -1);

    const parameters = countParameters(model, method);
    let run: RunRecord = {
      ...job.run,
      recipe,
      task: job.task,
      step: state.step,
      totalSteps,
      trainableParameters: parameters.trainable,
      totalParameters: parameters.total,
      initialEvalLoss: state.initialEvalLoss,
      bestEvalLoss: state.bestEvalLoss,
      bestStep: state.bestStep,
    };
    onEvent({ type: 'started', run, totalSteps, stepsPerEpoch: batches.stepsPerEpoch, resumedFrom: state.step });

    const metrics = new MetricsLog(job.run.id);
    const pace = new Pace();
    let dispatchesPerStep = 0;
    let finalLoss = job.run.finalLoss;
    let lastMetrics: Record<string, number> | null = null;
    const baseAnswers: Int32Array[] = [];
    const answer = (context: CallContext, prompt: Int32Array) =>
      generate(model, method.hooks(context), prompt, {
        temperature: 0,
        topP: 1,
        seed: training.seed,
        maxNewTokens: SAMPLE_TOKENS,
        stopTokenIds: job.stopTokenIds,
      });

    const tell = (row: MetricsRow) => {
      metrics.add(row);
      onEvent({
        type: 'metrics',
        row,
        tokensPerSecond: pace.tokensPerSecond,
        secondsLeft: pace.secondsPerStep * (totalSteps - row.step),
      });
    };

    const callbacks: LoopCallbacks = {
      phase: (phase) => onEvent({ type: 'state', state: phase }),
      step: (report: StepReport) => {
        pace.add(report.stepTokens, report.stepSeconds);
        dispatchesPerStep = report.dispatches;
        finalLoss = report.loss;
        tell({
          kind: 'step',
          step: report.step,
          epoch: report.epoch,
          loss: report.loss,
          grad_norm: report.gradNorm,
          learning_rate: report.learningRate,
          tokens: report.tokens,
          seconds: report.seconds,
          gpu_bytes: gpuBytes().allocated,
          ...(Object.keys(report.metrics).length > 0 ? { metrics: report.metrics } : {}),
        });
      },
      evaluation: async ({ step, epoch, loss, best, seconds, metrics: reported, scores }) => {
        const figures = figuresOf(job.task, scores);
        const baseLoss = await baseTextLoss(model, method, baseText, () => control.stopRequested());
        if (baseLoss !== null) {
          forgetting.before ??= baseLoss;
          // The best step is what the run leaves behind.
          if (best || forgetting.after === null) forgetting.after = baseLoss;
        }
        lastMetrics = figures?.metrics ?? null;
        const metrics = {
          ...reported,
          ...figures?.metrics,
          ...(baseLoss === null ? {} : { base_text_loss: baseLoss }),
        };
        tell({
          kind: 'eval',
          ...{ step, epoch, eval_loss: loss, best, seconds },
          ...(job.task ? {} : { perplexity: Math.exp(loss) }),
          ...(Object.keys(metrics).length > 0 ? { metrics } : {}),
          ...(figures?.report ? { report: figures.report } : {}),
        });
      },
      samples: async (step) => {
        const tuned: Int32Array[] = [];
        for (const [i, prompt] of job.samplePrompts.entries()) {
          if (control.stopRequested()) return;
          // The base never changes, so it is asked once; a new adapter equals it until the first step.
          baseAnswers[i] ??= await answer(inference(0), prompt);
          const untouched = step === 0 && job.initAdapter === null && methodOf(recipe.method).beginsAsBase;
          tuned.push(untouched ? baseAnswers[i] : await answer(inference(1), prompt));
        }
        if (tuned.length > 0) onEvent({ type: 'samples', step, base: baseAnswers, tuned });
      },
      checkpoint: async (now, best) => {
        await metrics.flush();
        const tensors = await optimizer.save();
        for (const [name, tensor] of method.constants ?? []) {
          tensors.set(`constant/${name}`, { shape: tensor.shape, data: await readFloats(tensor) });
        }
        const info = { runId: job.run.id, step: now.step, state: { ...now }, createdAt: Date.now() };
        // Cut off between the two, the run goes on from the checkpoint before and finds this best step again. The other
        // way round it would believe in a best checkpoint that was never saved.
        if (best) await saveCheckpoint(info, tensors, 'best');
        await saveCheckpoint(info, tensors, 'latest');
        onEvent({ type: 'checkpoint', step: now.step });
      },
    };

    const reason = await trainLoop(
      {
        model,
        method,
        objective,
        optimizer,
        batches,
        settings: training,
        totalSteps,
        checkpointing: job.checkpointing,
      },
      state,
      control,
      callbacks,
    );
    await metrics.flush();
    // The best checkpoint is what a run is for; the steps after it only showed that it was.
    if (state.bestStep !== null && state.bestStep !== state.step) {
      const best = await loadCheckpoint(job.run.id, 'best');
      if (best) optimizer.load(best.tensors, optimizer.updates);
    }
    // With a moving average that is what the run leaves behind.
    optimizer.showAverage(true);

    run = {
      ...run,
      step: state.step,
      initialEvalLoss: state.initialEvalLoss,
      bestEvalLoss: state.bestEvalLoss,
      bestStep: state.bestStep,
      finalLoss,
    };
    return {
      run,
      recipe,
      open,
      summary: {
        recipe,
        reason,
        steps: state.step,
        tokens: state.tokens,
        seconds: state.seconds,
        initialEvalLoss: state.initialEvalLoss,
        finalEvalLoss: state.lastEvalLoss,
        bestEvalLoss: state.bestEvalLoss,
        bestStep: state.bestStep,
        trainableParameters: parameters.trainable,
        totalParameters: run.totalParameters,
        gradientCheckpointing: job.checkpointing,
        dispatchesPerStep,
        gpuBytes: gpuBytes().peak,
        metrics: lastMetrics,
        forgetting:
          forgetting.before === null || forgetting.after === null
            ? null
            : { before: forgetting.before, after: forgetting.after },
        weightChange: await weightChange(model, method),
      },
    };
  } catch (error) {
    open.dispose();
    throw error;
  } finally {
    optimizer.dispose();
  }
}

async function latestCheckpoint(runId: string): Promise<LoadedCheckpoint> {
  const checkpoint = await loadCheckpoint(runId, 'latest');
  if (checkpoint) return checkpoint;
  throw new TabtuneError({
    code: 'storage',
    message: 'The run has no checkpoint to go on from.',
    action: 'Start the run anew.',
  });
}

/**
 * What the method's tensors begin with. Those of a resumed run are moved to where they were when its optimiser is loaded;
 * until then they stand where the run began, since that is what EWC and L2-SP pull towards. Constants come with the
 * checkpoint: PiSSA's singular values would take their time again.
 */
function startingValues(initial: DecodedAdapter | null, resumed: LoadedCheckpoint | null): NamedTensors | undefined {
  if (resumed && [...resumed.tensors.keys()].some((name) => name.startsWith('constant/'))) {
    return checkpointValues(resumed.tensors);
  }
  return initial?.values;
}

/** Sets what EWC and L2-SP need; does nothing where neither is on. */
async function penalizeDrift(
  { model, method }: OpenAdapter,
  optimizer: Optimizer,
  { ewc_lambda: lambda, l2_sp_alpha: alpha }: Recipe['training'],
  base: BaseText | null,
  control: Control,
): Promise<void> {
  if (lambda === 0 && alpha === 0) return;
  if (lambda === 0) {
    optimizer.setPenalty({ alpha });
    return;
  }
  if (!base) {
    throw new TabtuneError({
      code: 'bad_recipe',
      message: 'EWC needs text of the kind that the base was trained on, and a model that predicts its tokens.',
      where: 'dataset.base_text',
      action: 'Set dataset.base_text to a file of such text, or training.ewc_lambda to 0.',
    });
  }
  const { objective, learned } = base;
  const fisher = await estimateFisher({ model, method, objective, optimizer }, learned, () => control.stopRequested());
  if (fisher) optimizer.setPenalty({ alpha, lambda, fisher });
}

async function restore(
  runId: string,
  checkpoint: LoadedCheckpoint,
  state: TrainState,
  optimizer: Optimizer,
): Promise<void> {
  Object.assign(state, checkpoint.info.state);
  // Adam's bias correction counts updates, and every step makes one.
  optimizer.load(checkpoint.tensors, state.step);
  // What was measured after the checkpoint will be measured again.
  await truncateMetrics(runId, state.step);
}

class MetricsLog {
  private rows: MetricsRow[] = [];
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly runId: string) {}

  add(row: MetricsRow): void {
    this.rows.push(row);
    // A failed write surfaces at the next checkpoint, which fails for the same reason and says so.
    if (this.rows.length >= METRICS_GROUP) void this.flush().catch(() => {});
  }

  flush(): Promise<void> {
    const rows = this.rows;
    this.rows = [];
    this.writing = this.writing.then(() => appendMetrics(this.runId, rows));
    return this.writing;
  }
}

/** Tokens a second and seconds a step over the last steps; the first one compiles shaders and does not count. */
class Pace {
  private steps: { tokens: number; seconds: number }[] = [];
  private first = true;

  add(tokens: number, seconds: number): void {
    if (this.first) {
      this.first = false;
      return;
    }
    this.steps.push({ tokens, seconds });
    if (this.steps.length > RECENT_STEPS) this.steps.shift();
  }

  get tokensPerSecond(): number {
    const seconds = this.steps.reduce((sum, s) => sum + s.seconds, 0);
    return seconds > 0 ? this.steps.reduce((sum, s) => sum + s.tokens, 0) / seconds : 0;
  }

  get secondsPerStep(): number {
    return this.steps.length > 0 ? this.steps.reduce((sum, s) => sum + s.seconds, 0) / this.steps.length : 0;
  }
}
