/**
 * Runs: one at a time, from the recipe to the record. The engine trains and writes metrics and checkpoints; here the run
 * is prepared, guarded by locks, recorded, reported to the screen, and rescued if the engine dies.
 */
import { type ErrorData, TabtuneError } from '../base/errors';
import { split } from '../data/pieces';
import { resolveRecipe } from '../recipe/defaults';
import type { Recipe } from '../recipe/types';
import { type RewardSection, rewardsOf } from '../rewards';
import { checkpointInfo } from '../storage/checkpoints';
import { appendSamples, getRun, restoreRun, saveRun, withLabels } from '../storage/runs';
import type { RunRecord, RunStatus } from '../storage/types';
import type { EngineApi, EngineEvent, TrainJob } from '../workers/engine/api';
import { type ActiveRun, type AskedPrompt, changesBy, type TrainingNeeds } from './active-run';
import type { ChangedInputs, RunSummary, TrainEvent } from './api';
import type { Limit } from './engine-host';
import { hopeless, interruptions } from './run-endings';
import { busy, RunGuard } from './run-guard';
import { prepareJob, type ResumedRun, withRewards } from './run-job';
import { sampleAnswers } from './sample-answers';

/** For what the engine only has to take note of. */
const answer: Limit = {
  milliseconds: 60_000,
  words: {
    message: 'The engine did not answer within a minute and was stopped.',
    where: 'engine',
    action: 'Resume the run from its last checkpoint, or start it again.',
  },
};
/** Between two reports of an engine that was asked to stop, unless its steps take longer. */
const STOP_PATIENCE_MS = 120_000;

/** Maximum wait for storage when a run fails. */
const SAVE_PATIENCE_MS = 1000;

const statusOf = {
  completed: 'completed',
  stopped: 'stopped',
  early_stopping: 'early_stopped',
} as const satisfies Record<string, RunStatus>;

export class TrainingSession {
  private active: ActiveRun | null = null;
  /** Measured in the last run. */
  private pace: { source: string; tokensPerSecond: number } | null = null;
  private readonly listeners = new Set<(event: TrainEvent) => void>();

  constructor(private readonly needs: TrainingNeeds) {}

  subscribe(listener: (event: TrainEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** The run of this tab in its present state. */
  get current(): RunRecord | null {
    return this.active?.record ?? null;
  }

  /** A person has renamed, tagged, pinned or noted a run. */
  relabel(labelled: RunRecord): void {
    const { active } = this;
    if (active?.record?.id !== labelled.id) return;
    active.record = withLabels(active.record, labelled);
    if (active.before) active.before = withLabels(active.before, labelled);
  }

  /** Tokens per second of training this model on this device; null before its first run. */
  paceOf(source: string): number | null {
    return this.pace?.source === source ? this.pace.tokensPerSecond : null;
  }

  /** A test drive has measured it. */
  notePace(source: string, tokensPerSecond: number): void {
    this.pace = { source, tokensPerSecond };
  }

  /** The engine's one model is in use while a run lasts. */
  assertIdle(action: string): void {
    if (this.active)
      throw busy(`A run is in progress, so ${action} has to wait.`, 'Stop the run, or wait until it ends.');
  }

  train(recipe: Recipe): Promise<RunRecord> {
    return this.begin(async (active) => {
      const resolved = resolveRecipe(recipe);
      const guard = await RunGuard.take(this.needs.locks);
      try {
        return await this.prepareAndRun(guard, active, resolved, null);
      } finally {
        guard.release();
      }
    });
  }

  resumeRun(runId: string, changed: ChangedInputs = 'refuse', mended?: readonly RewardSection[]): Promise<RunRecord> {
    const { active } = this;
    if (active?.record?.id === runId) return this.resume().then(() => active.done);
    return this.begin(async (begun) => {
      const guard = await RunGuard.take(this.needs.locks);
      try {
        await guard.hold(runId);
        const record = await getRun(runId);
        if (!record) throw gone('This run is no longer in this browser.');
        if (record.status === 'completed' || record.status === 'early_stopped') {
          throw gone(`“${record.name}” has already ended and cannot be resumed.`);
        }
        const checkpoint = await checkpointInfo(runId, 'latest');
        begun.hasCheckpoint = checkpoint !== null;
        const old = { record, step: checkpoint?.step ?? 0, changed, mended: mended !== undefined };
        return await this.prepareAndRun(guard, begun, withRewards(record.recipe, mended), old);
      } finally {
        guard.release();
      }
    });
  }

  async save(): Promise<void> {
    if (this.active?.training) await this.needs.engine.watch((api) => api.save(), answer);
  }

  async pause(): Promise<void> {
    if (this.active?.training) await this.needs.engine.watch((api) => api.pause(), answer);
  }

  async resume(): Promise<void> {
    if (this.active?.training) await this.needs.engine.watch((api) => api.resume(), answer);
  }

  async stop(): Promise<void> {
    const { active } = this;
    if (!active) return;
    active.askStop();
    if (!active.training) return;
    active.heard.at = Date.now();
    this.endIfSilent(active);
    await this.needs.engine.watch((api) => api.stop(), answer);
  }

  /** A run stops after its step. An engine that reports nothing for far longer than its longest step is ended. */
  private endIfSilent(active: ActiveRun): void {
    const patience = Math.max(STOP_PATIENCE_MS, 3 * active.heard.longest);
    const look = () => {
      if (this.active !== active || !active.training) return;
      const left = active.heard.at + patience - Date.now();
      if (left > 0) {
        setTimeout(look, left);
        return;
      }
      this.needs.engine.end(
        new TabtuneError({
          code: 'timeout',
          message: 'The engine did not stop when asked to, so it was ended.',
          where: 'engine',
          action: 'Resume the run from its last checkpoint, or start it again.',
          details: `nothing was heard for ${Math.round(patience / 1000)} s`,
        }),
      );
    };
    setTimeout(look, patience);
  }

  private emit(event: TrainEvent): void {
    for (const listener of this.listeners) {
      try {
        listener(event);
      } catch (cause) {
        // A screen that cannot show an event must not end the run.
        console.error(cause);
      }
    }
  }

  private begin(work: (active: ActiveRun) => Promise<RunRecord>): Promise<RunRecord> {
    if (this.active) {
      return Promise.reject(busy('A run is already in progress in this tab.', 'Stop it first, or wait until it ends.'));
    }
    let refuse: (error: TabtuneError) => void;
    const stopped = new Promise<never>((_, reject) => {
      refuse = reject;
    });
    stopped.catch(() => {});
    const active: Omit<ActiveRun, 'done'> = {
      record: null,
      training: false,
      stopAsked: false,
      stopped,
      askStop: () => {
        active.stopAsked = true;
        refuse(new TabtuneError({ code: 'cancelled', message: 'The run was stopped before its first step.' }));
      },
      heard: { at: Date.now(), longest: 0 },
      hasCheckpoint: false,
      before: null,
      plannedBytes: 0,
    };
    const whole = active as ActiveRun;
    this.active = whole;
    whole.done = work(whole).finally(() => {
      this.active = null;
    });
    return whole.done;
  }

  private async prepareAndRun(
    guard: RunGuard,
    active: ActiveRun,
    recipe: Recipe,
    old: ResumedRun | null,
  ): Promise<RunRecord> {
    await guard.holdInputs(recipe);
    const { job, prompts } = await prepareJob(this.needs, active, recipe, old);
    active.record = job.run;
    active.before = old?.record ?? null;
    if (!old) await guard.hold(job.run.id);
    this.needs.onSave();
    // Until its first step, all that has changed about a resumed run is that it is alive.
    await saveRun(old ? { ...old.record, status: 'running' } : job.run);
    return this.follow(active, job, prompts);
  }

  private async follow(active: ActiveRun, job: TrainJob, prompts: AskedPrompt[]): Promise<RunRecord> {
    const { engine } = this.needs;
    const adapterBefore = engine.currentAdapter;
    // Sample answers are decoded in order while training continues.
    let samples: Promise<void> = Promise.resolve();
    let alive = true;
    const onEvent = (event: EngineEvent) => {
      if (!alive) return;
      const { heard } = active;
      const now = Date.now();
      heard.longest = Math.max(heard.longest, now - heard.at);
      heard.at = now;
      if (event.type === 'samples') {
        samples = samples.then(() => this.tellSamples(job.run.id, prompts, event));
      } else if (event.type === 'score') void this.score(job.recipe, event);
      else this.tell(active, event);
    };
    let finished: Awaited<ReturnType<EngineApi['train']>>;
    try {
      engine.want(null);
      finished = await engine.use(async (api) => {
        active.training = true;
        active.heard.at = Date.now();
        const { ahead, rest } = split(job);
        for (const [at, { part, examples }] of ahead.entries()) {
          await Promise.race([active.stopped, api.addExamples(at, part, examples)]);
        }
        const trained = api.train(rest, onEvent);
        // Stopped while the engine was starting.
        if (active.stopAsked) void this.stop().catch(() => {});
        return trained;
      });
    } catch (cause) {
      alive = false;
      // What the failed run left on the model must not be used.
      engine.want(adapterBefore, 'unknown');
      const words = { code: 'internal', message: 'The run ended with an error.' } as const;
      return this.fail(active, TabtuneError.from(cause, words));
    }
    alive = false;
    const { run, summary } = finished;
    engine.want({ kind: 'run', runId: run.id, recipe: run.recipe }, 'as it is');
    await samples;
    const known = active.record!;
    const record: RunRecord = { ...withLabels(run, known), savedStep: run.step, seconds: summary.seconds };
    if (known.bestMetrics) record.bestMetrics = known.bestMetrics;
    return this.finish(active, { ...record, status: statusOf[summary.reason], error: null }, summary);
  }

  private async finish(active: ActiveRun, record: RunRecord, summary: RunSummary): Promise<RunRecord> {
    active.record = record;
    this.needs.memory.wentWell(summary.device, summary.gpuBytes);
    try {
      active.record = await saveRun(record);
    } catch (cause) {
      // The adapter exists and can be exported; the record says what was not saved.
      const words = { code: 'storage', message: 'The end of the run could not be saved.' } as const;
      active.record = { ...record, error: TabtuneError.from(cause, words).toData() };
    }
    this.emit({ type: 'finished', run: active.record, summary });
    return active.record;
  }

  private async fail(active: ActiveRun, error: TabtuneError): Promise<RunRecord> {
    const data: ErrorData = error.toData();
    if (error.code === 'gpu_out_of_memory' && active.plannedBytes > 0) {
      const device = await this.needs.device().catch(() => null);
      if (device?.available) this.needs.memory.ranOut(device, active.plannedBytes);
    }
    const { before } = active;
    const resumable =
      before !== null || interruptions.includes(error.code) || (active.hasCheckpoint && !hopeless.includes(error.code));
    const status: RunStatus = resumable ? 'interrupted' : 'failed';
    const record = before ?? { ...active.record!, status, error: data, updatedAt: Date.now() };
    active.record = record;
    await Promise.race([
      (before ? restoreRun(before) : saveRun(record)).catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, SAVE_PATIENCE_MS)),
    ]);
    this.emit({ type: 'failed', error: data, run: record, resumable });
    return record;
  }

  /** The engine waits for the rewards of its answers. */
  private async score({ objective }: Recipe, { id, answers }: Extract<EngineEvent, { type: 'score' }>): Promise<void> {
    const words = { code: 'internal', message: 'The answers could not be scored.' } as const;
    const result = await this.needs
      .score(rewardsOf(objective), answers)
      .catch((cause: unknown) => TabtuneError.from(cause, words).toData());
    // An engine that died meanwhile has ended the run.
    await this.needs.engine.watch((api) => api.scored(id, result), answer).catch(() => {});
  }

  /** Updates the record and passes the event on. */
  private tell(active: ActiveRun, event: Exclude<EngineEvent, { type: 'samples' | 'score' }>): void {
    const record = active.record!;
    switch (event.type) {
      case 'started':
        active.record = {
          ...withLabels(event.run, record),
          status: 'running',
          ...(active.hasCheckpoint ? { savedStep: event.resumedFrom } : {}),
        };
        if (!active.before) this.store(active.record);
        this.emit({ ...event, run: active.record });
        return;
      case 'metrics':
        if (event.tokensPerSecond > 0) {
          this.pace = { source: record.recipe.model.source, tokensPerSecond: event.tokensPerSecond };
        }
        active.record = { ...record, ...changesBy(record, event.row), updatedAt: Date.now() };
        if (event.row.kind === 'step') this.leaveBefore(active);
        break;
      case 'checkpoint':
        active.hasCheckpoint = true;
        active.before = null;
        active.record = { ...record, savedStep: event.step };
        this.store(active.record);
        break;
      case 'state': {
        const status = event.state === 'paused' ? 'paused' : 'running';
        if (status !== record.status) {
          active.record = { ...record, status, updatedAt: Date.now() };
          if (!active.before) this.store(active.record);
        }
        break;
      }
      case 'rollouts':
        break;
      default:
        event satisfies never;
    }
    this.emit(event);
  }

  /** The resumed run has made a step: from here on its record is that of the run as it is now. */
  private leaveBefore(active: ActiveRun): void {
    if (!active.before) return;
    active.before = null;
    this.store(active.record!);
  }

  /** A record that cannot be written now is written again at the end, which reports a failure. */
  private store(record: RunRecord): void {
    void saveRun(record).catch(() => {});
  }

  private async tellSamples(runId: string, prompts: AskedPrompt[], event: Extract<EngineEvent, { type: 'samples' }>) {
    try {
      const answers = await sampleAnswers(prompts, event, this.needs.decode);
      if (answers.length === 0) return;
      await appendSamples(runId, answers);
      this.emit({ type: 'samples', answers });
    } catch (cause) {
      // Samples are optional: training does not stop if they fail.
      console.warn('Sample answers could not be shown.', cause);
    }
  }
}

function gone(message: string): TabtuneError {
  return new TabtuneError({ code: 'storage', message, action: 'Start a new run with its recipe.' });
}
