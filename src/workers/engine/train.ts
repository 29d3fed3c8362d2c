/**
 * One training run inside the engine worker: assembles it from the job, runs the loop, writes metrics and checkpoints
 * to storage, and reports to the page, which writes the run's record.
 */
import { countParameters } from '../../engine/methods/parameter-count';
import { weightChange } from '../../engine/methods/weight-change';
import type { LanguageModel } from '../../engine/models/model';
import { baseTextLoss } from '../../engine/run/base-text';
import { compareHalf, switchHalf } from '../../engine/run/half';
import {
  type EvaluationReport,
  freshState,
  type LoopCallbacks,
  type StepReport,
  trainLoop,
} from '../../engine/run/loop';
import { forgetGpuPeak, gpuBytes } from '../../engine/webgpu/backend';
import { methodOf } from '../../methods';
import { paceOf } from '../../objectives';
import { totalSteps as countSteps } from '../../recipe/forecast';
import type { Recipe } from '../../recipe/types';
import { rewardsOf } from '../../rewards';
import type { RunSummary } from '../../session/api';
import { loadCheckpoint } from '../../storage/checkpoints';
import type { MetricsRow, RunRecord } from '../../storage/types';
import type { HeadSource, OpenAdapter } from './adapters';
import type { EngineEvent, TrainJob } from './api';
import { assembleJob, batchesOf, checkRoom, tokensOf } from './assemble-job';
import { Forgetting, scoredMetrics } from './measure';
import { MetricsLog } from './metrics-log';
import { createOutside } from './outside';
import { Pace } from './pace';
import { RewardModels } from './reward-models';
import { latestCheckpoint, restoreRun, saveRunCheckpoint } from './run-checkpoints';
import type { RunControl } from './run-control';
import { SampleAnswers } from './sample-answers';
import { beginValueAt } from './value-start';

/** What the run leaves behind: its record, its summary, and the method on the model, ready to use. */
export interface FinishedRun {
  run: RunRecord;
  summary: Omit<RunSummary, 'device' | 'versions'>;
  open: OpenAdapter;
  /** As trained: an adapter that the run continues decides its own rank and targets. */
  recipe: Recipe;
}

/** `head`: where BERT's pooler is read from. */
export async function runTraining(
  base: LanguageModel,
  head: HeadSource,
  job: TrainJob,
  control: RunControl,
  onEvent: (event: EngineEvent) => void,
): Promise<FinishedRun> {
  forgetGpuPeak();
  const { id: runId } = job.run;
  const resumed = job.resume ? await latestCheckpoint(runId) : null;
  const stopped = () => control.stopRequested();
  const { assembled, recipe, trained } = await assembleJob(base, head, job, resumed, stopped);
  const { training } = recipe;
  const { attached, optimizer, objective, value, baseText } = assembled;
  const { model, method } = attached;
  const rewards = rewardsOf(recipe.objective);
  let judges: RewardModels | null = null;
  try {
    checkRoom(model, method, job);
    judges = await RewardModels.open(
      rewards.flatMap((reward) => (reward.type === 'reward_model' ? [reward.source] : [])),
      { base, head, model: recipe.model.source, files: job.rewardModels ?? {}, padTokenId: job.padTokenId },
    );
    const start = value && !resumed ? await judges.learned() : null;
    const anew = start !== null && !(await beginValueAt(start, optimizer));
    const batches = batchesOf(job, recipe);
    const parts = { model, method, objective, reference: assembled.reference, value };
    // A resumed run goes on as it was found to be right at its start.
    const fp16 = training.fp16 ? ((resumed && job.run.fp16) ?? (await compareHalf({ ...parts, batches }))) : null;
    switchHalf(fp16?.used ?? false);
    const totalSteps = countSteps(job.train.length, recipe);
    const state = freshState();
    // Until the checkpoint is loaded the model is as it was before the run. If its method is trained already (PiSSA), that
    // is the base.
    const before = resumed && (await baseTextLoss(model, trained ? null : method, baseText, stopped));
    const forgetting = new Forgetting(before);
    if (resumed) restoreRun(resumed, state, optimizer);

    const parameters = countParameters(model, method);
    const progress = () => ({
      step: state.step,
      initialEvalLoss: state.initialEvalLoss,
      bestEvalLoss: state.bestEvalLoss,
      bestStep: state.bestStep,
    });
    const run: RunRecord = {
      ...job.run,
      ...(anew && job.run.data
        ? { data: { ...job.run.data, notes: [...(job.run.data.notes ?? []), VALUE_ANEW] } }
        : {}),
      recipe,
      ...named('fp16', fp16),
      task: job.task,
      totalSteps,
      trainableParameters: parameters.trainable,
      totalParameters: parameters.total,
      ...progress(),
    };
    onEvent({ type: 'started', run, totalSteps, stepsPerEpoch: batches.stepsPerEpoch, resumedFrom: state.step });

    // A run that was interrupted before its first checkpoint may have left some metrics too.
    const log = new MetricsLog(runId, resumed ? state.step : -1);
    const pace = new Pace();
    const answers = new SampleAnswers(attached, {
      ...{ prompts: job.samplePrompts, stopTokenIds: job.stopTokenIds },
      ...{ seed: training.seed, stopped },
    });
    let dispatchesPerStep = 0;
    let finalLoss = job.run.finalLoss;
    let lastMetrics: Record<string, number> | null = null;
    const report = (row: MetricsRow) => {
      log.add(row);
      const secondsLeft = pace.secondsPerStep * (totalSteps - row.step);
      onEvent({ type: 'metrics', row, tokensPerSecond: pace.tokensPerSecond, secondsLeft });
    };

    const callbacks: LoopCallbacks = {
      phase: (phase, share) => onEvent({ type: 'state', state: phase, ...named('share', share) }),
      step: (step) => {
        pace.add(step.stepTokens, step.stepSeconds);
        dispatchesPerStep = step.dispatches;
        finalLoss = step.loss;
        report(stepRow(step));
      },
      evaluation: async (evaluated) => {
        const scored = scoredMetrics(recipe.objective, job.task, evaluated.scores);
        const measured = { ...evaluated.metrics, ...scored?.metrics };
        lastMetrics = orNone(measured) ?? null;
        const baseLoss = await baseTextLoss(model, method, baseText, stopped);
        if (baseLoss !== null) forgetting.add(baseLoss, evaluated.best);
        report({
          ...evaluationRow(evaluated, objective.likelihood === true),
          ...named('metrics', orNone({ ...measured, ...named('base_text_loss', baseLoss) })),
          ...named('report', scored?.report),
        });
        // Sample answers follow, and the page stores them.
        await log.begin();
      },
      samples: async (step) => {
        // A new adapter equals the base until the first step.
        const untouched = step === 0 && job.initAdapter === null && methodOf(recipe.method).beginsAsBase;
        const taken = await answers.take(untouched);
        if (taken) onEvent({ type: 'samples', step, ...taken });
      },
      checkpoint: async (now, best) => {
        await log.flush();
        await saveRunCheckpoint(runId, { method, value: value?.method ?? null, optimizer }, now, best);
      },
      saved: (step, everySeconds) => onEvent({ type: 'checkpoint', step, everySeconds }),
    };

    const reason = await trainLoop(
      {
        ...{ ...parts, optimizer, batches, totalSteps },
        settings: training,
        ...{ tokens: tokensOf(job), pace: paceOf(recipe.objective, training) },
        checkpointing: job.checkpointing,
        outside: createOutside(rewards, control.questions, onEvent, async ({ source }, answers) =>
          Array.from(await judges!.scores(source, answers)),
        ),
      },
      state,
      control,
      callbacks,
    );
    await log.flush();
    // The best checkpoint is what a run is for; the steps after it only showed that it was the best.
    if (state.bestStep !== null && state.bestStep !== state.step) {
      const best = await loadCheckpoint(runId, 'best');
      if (best) optimizer.load(best.tensors, optimizer.updates);
    }
    // The moving average, if there is one, is what the run leaves behind.
    optimizer.showAverage(true);

    return {
      run: { ...run, ...progress(), finalLoss },
      recipe,
      open: {
        ...{ model, method, dispose: attached.dispose },
        ...{ settings: recipe.method, objective: recipe.objective.type },
      },
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
        totalParameters: parameters.total,
        gradientCheckpointing: job.checkpointing,
        microBatchesTogether: job.together,
        fp16,
        ...named('kernels', run.kernels),
        dispatchesPerStep,
        gpuBytes: gpuBytes().peak,
        metrics: lastMetrics,
        forgetting: forgetting.result,
        weightChange: await weightChange(model, method),
      },
    };
  } catch (error) {
    attached.dispose();
    throw error;
  } finally {
    switchHalf(false);
    judges?.dispose();
    assembled.release();
  }
}

const VALUE_ANEW =
  'The value model starts anew: the reward model has other layers or ranks than the method says. With the same ones it would start there.';

const stepRow = (step: StepReport): MetricsRow => ({
  kind: 'step',
  step: step.step,
  epoch: step.epoch,
  loss: step.loss,
  grad_norm: step.gradNorm,
  learning_rate: step.learningRate,
  tokens: step.tokens,
  seconds: step.seconds,
  gpu_bytes: gpuBytes().allocated,
  ...named('metrics', orNone(step.metrics)),
});

const evaluationRow = ({ step, epoch, loss, best, seconds }: EvaluationReport, likelihood: boolean) => ({
  ...{ kind: 'eval' as const, step, epoch, eval_loss: loss, best, seconds },
  ...(likelihood ? { perplexity: Math.exp(loss) } : {}),
});

/** Undefined for a record without entries. */
const orNone = (metrics: Record<string, number>) => (Object.keys(metrics).length > 0 ? metrics : undefined);

/** A field, left out when there is no value for it. */
const named = <N extends string, T>(name: N, value: T | null | undefined) =>
  (value === null || value === undefined ? {} : { [name]: value }) as { [K in N]?: T };
