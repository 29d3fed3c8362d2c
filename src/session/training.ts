/**
 * Runs: one at a time, from the recipe to the record. The engine trains and writes metrics and checkpoints; here the run
 * is prepared, guarded by locks, recorded, told to the screen, and picked up when the engine dies under it.
 */
import { type ErrorCode, type ErrorData, TabtuneError } from '../base/errors';
import type { ParsedDataset, TokenizedDataset, TokenizedExample } from '../data/types';
import type { AdapterFiles } from '../formats/adapter-format';
import { methodOf } from '../methods';
import { exactMatch, rougeL } from '../metrics';
import { objectiveOf } from '../objectives';
import { checkCombination } from '../recipe/combine';
import { resolveRecipe } from '../recipe/defaults';
import type { ModelSection, Recipe } from '../recipe/types';
import { checkpointInfo } from '../storage/checkpoints';
import { appendSamples, getRun, saveRun } from '../storage/runs';
import type { AnswerScores, MetricsRow, RunRecord, RunStatus, SampleAnswer } from '../storage/types';
import type { EngineApi, EngineEvent, TrainJob } from '../workers/engine/api';
import type { DeviceReport, RunSummary, TrainEvent } from './api';
import type { EngineHost } from './engine-host';
import type { GpuMemory } from './gpu-memory';
import type { OpenModel } from './models';
import { busy, type PageLocks, RunGuard } from './run-guard';
import { samplePrompts } from './sample-prompts';

export interface TrainingNeeds {
  engine: EngineHost;
  locks: PageLocks | null;
  memory: GpuMemory;
  device(): Promise<DeviceReport>;
  /** Throws what makes the run impossible on this device. */
  plan(
    recipe: Recipe,
    model: OpenModel,
    tokenized: TokenizedDataset,
  ): Promise<{ checkpointing: boolean; bytes: number }>;
  /** The recipe's model, opened if it is not. */
  model(section: ModelSection): Promise<OpenModel>;
  dataset(recipe: Recipe): Promise<ParsedDataset>;
  tokenize(recipe: Recipe): Promise<TokenizedDataset>;
  /** Pieces of dataset.base_text; none where the recipe needs none. */
  baseText(recipe: Recipe): Promise<TokenizedExample[]>;
  /** A text as it is, without what the tokenizer puts around one. */
  encodeText(text: string): Promise<Int32Array>;
  encodePrompt(prompt: string, system?: string): Promise<Int32Array>;
  decode(ids: Int32Array): Promise<string>;
  /** The files of `method.init_adapter`. */
  adapterFiles(source: string): Promise<AdapterFiles>;
  /** Something of value is about to be stored. */
  onSave(): void;
}

interface ActiveRun {
  record: RunRecord | null;
  /** Training has begun; before it, `stop` ends the preparation. */
  training: boolean;
  stopAsked: boolean;
  hasCheckpoint: boolean;
  /** GPU bytes, as planned; 0 where they could not be. */
  plannedBytes: number;
  done: Promise<RunRecord>;
}

/** A prompt that is answered at every evaluation. */
interface AskedPrompt {
  text: string;
  ids: Int32Array;
  expected: string | undefined;
}

const scoresOf = (written: string, expected: string): AnswerScores => ({
  rouge_l: rougeL(written, expected).f1,
  exact_match: exactMatch(written, expected),
});

const SAMPLES = 3;
/** How long a dying run may keep the screen waiting for storage. */
const SAVE_PATIENCE_MS = 1000;

/** Ended from outside: the same run may well go on. Anything else is the run's own failure. */
const interruptions: ErrorCode[] = [
  'gpu_lost',
  'gpu_out_of_memory',
  'worker_died',
  'storage_full',
  'storage',
  'cancelled',
];
/** Going on from the checkpoint would come to the same end. */
const hopeless: ErrorCode[] = ['not_finite', 'bad_data', 'bad_recipe', 'bad_model', 'bad_adapter', 'no_webgpu'];

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

  /** The run of this tab, as it stands. */
  get current(): RunRecord | null {
    return this.active?.record ?? null;
  }

  /** Tokens a second of training this model on this device; null before its first run. */
  paceOf(source: string): number | null {
    return this.pace?.source === source ? this.pace.tokensPerSecond : null;
  }

  /** The engine's one model is in use while a run lasts. */
  assertIdle(action: string): void {
    if (this.active) throw busy(`A run is going on, so ${action} has to wait.`, 'Stop the run, or wait for its end.');
  }

  train(recipe: Recipe): Promise<RunRecord> {
    return this.begin(async (active) => {
      const resolved = resolveRecipe(recipe);
      return this.prepareAndRun(active, resolved, null);
    });
  }

  resumeRun(runId: string): Promise<RunRecord> {
    const { active } = this;
    if (active?.record?.id === runId) return this.resume().then(() => active.done);
    return this.begin(async (begun) => {
      const record = await getRun(runId);
      if (!record) throw gone('This run is no longer in this browser.');
      if (record.status === 'completed' || record.status === 'early_stopped') {
        throw gone(`“${record.name}” has already ended; there is nothing to go on with.`);
      }
      begun.hasCheckpoint = (await checkpointInfo(runId, 'latest')) !== null;
      return this.prepareAndRun(begun, record.recipe, record);
    });
  }

  async pause(): Promise<void> {
    if (this.active?.training) await this.needs.engine.watch((api) => api.pause());
  }

  async resume(): Promise<void> {
    if (this.active?.training) await this.needs.engine.watch((api) => api.resume());
  }

  async stop(): Promise<void> {
    if (!this.active) return;
    this.active.stopAsked = true;
    if (this.active.training) await this.needs.engine.watch((api) => api.stop());
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
      return Promise.reject(busy('A run is going on in this tab already.', 'Stop it first, or wait for its end.'));
    }
    const active: Omit<ActiveRun, 'done'> = {
      record: null,
      training: false,
      stopAsked: false,
      hasCheckpoint: false,
      plannedBytes: 0,
    };
    const whole = active as ActiveRun;
    this.active = whole;
    whole.done = work(whole).finally(() => {
      this.active = null;
    });
    return whole.done;
  }

  private async prepareAndRun(active: ActiveRun, recipe: Recipe, old: RunRecord | null): Promise<RunRecord> {
    const guard = await RunGuard.take(this.needs.locks);
    try {
      const { job, prompts } = await this.prepare(active, recipe, old);
      active.record = job.run;
      await guard.hold(job.run.id);
      this.needs.onSave();
      await saveRun(job.run);
      return await this.follow(active, job, prompts);
    } finally {
      guard.release();
    }
  }

  /** Everything that can go wrong before a run exists: it rejects then, and leaves no record behind. */
  private async prepare(active: ActiveRun, recipe: Recipe, old: RunRecord | null) {
    const { needs } = this;
    const step = async <T>(promise: Promise<T>): Promise<T> => {
      const value = await promise;
      if (active.stopAsked) {
        throw new TabtuneError({ code: 'cancelled', message: 'The run was stopped before its first step.' });
      }
      return value;
    };
    const model = await step(needs.model(recipe.model));
    checkCombination(recipe, model.info);
    const parsed = await step(needs.dataset(recipe));
    const tokenized = await step(needs.tokenize(recipe));
    const { train, validation, maxLength } = tokenized;
    if (train.length === 0) {
      throw new TabtuneError({
        code: 'bad_data',
        message: 'No example is left to train on.',
        where: recipe.dataset.source,
        action: 'Look at the problems listed with the data, or hold out a smaller share of it.',
      });
    }
    // A run that goes on has its adapter in the checkpoint, and its rank and targets in the record's recipe.
    const initial = active.hasCheckpoint || !('init_adapter' in recipe.method) ? null : recipe.method.init_adapter;
    const initAdapter = initial === null ? null : await step(needs.adapterFiles(initial));
    const checkpointing = await step(this.planned(active, recipe, model, tokenized));
    const answers = objectiveOf(recipe.objective).learns === 'answers' && model.info.kind === 'decoder';
    const samples = answers ? await step(this.samples(model, parsed, { train, validation })) : [];
    const now = Date.now();
    const fresh: RunRecord = {
      id: crypto.randomUUID(),
      name: recipe.name,
      createdAt: now,
      updatedAt: now,
      recipe,
      status: 'running',
      step: 0,
      totalSteps: 0,
      trainableParameters: 0,
      totalParameters: model.info.parameters,
      initialEvalLoss: null,
      bestEvalLoss: null,
      bestStep: null,
      finalLoss: null,
      error: null,
    };
    let run = fresh;
    if (old && active.hasCheckpoint) run = { ...old, status: 'running', error: null, updatedAt: now };
    // Cut off before its first checkpoint: the same run, from the beginning.
    else if (old) run = { ...fresh, id: old.id, createdAt: old.createdAt };
    const job: TrainJob = {
      run,
      recipe,
      train,
      validation,
      maxLength,
      samplePrompts: samples.map(({ ids }) => ids),
      stopTokenIds: model.tokens.stopTokenIds,
      padTokenId: model.tokens.padTokenId,
      maskTokenId: model.tokens.maskTokenId,
      task: tokenized.task,
      baseText: await step(this.needs.baseText(recipe)),
      initText: await step(this.initText(recipe)),
      initAdapter,
      checkpointing,
      resume: active.hasCheckpoint,
    };
    return { job, prompts: samples };
  }

  /** Whether blocks are computed twice. A plan that fails is no reason not to try, but one that says no is. */
  private async planned(active: ActiveRun, recipe: Recipe, model: OpenModel, tokenized: TokenizedDataset) {
    try {
      const { checkpointing, bytes } = await this.needs.plan(recipe, model, tokenized);
      active.plannedBytes = bytes;
      return checkpointing;
    } catch (cause) {
      if (cause instanceof TabtuneError && cause.code === 'gpu_out_of_memory') throw cause;
      console.warn('The run could not be planned.', cause);
      return recipe.training.gradient_checkpointing === true;
    }
  }

  /** The text that virtual tokens begin as; empty where the method has none. */
  private async initText({ method }: Recipe): Promise<Int32Array> {
    const text = methodOf(method).initText?.(method) ?? '';
    return text === '' ? new Int32Array() : this.needs.encodeText(text);
  }

  /** Prompts that leave at least half of the model's context for the answer. */
  private async samples(
    model: OpenModel,
    parsed: ParsedDataset,
    tokenized: Pick<TokenizedDataset, 'train' | 'validation'>,
  ) {
    const found: AskedPrompt[] = [];
    let tried = 0;
    for (const { text, system, expected } of samplePrompts(parsed, tokenized)) {
      if (found.length === SAMPLES || tried++ === 10 * SAMPLES) break;
      const ids = await this.needs.encodePrompt(text, system).catch((cause: unknown) => {
        // A template may refuse one prompt (a system message, say); one that had to be killed ends the preparation.
        if (cause instanceof TabtuneError && cause.code === 'timeout') throw cause;
        return null;
      });
      if (ids && ids.length > 0 && ids.length <= model.info.contextLength / 2) found.push({ text, ids, expected });
    }
    return found;
  }

  private async follow(active: ActiveRun, job: TrainJob, prompts: AskedPrompt[]): Promise<RunRecord> {
    const { engine } = this.needs;
    const adapterBefore = engine.currentAdapter;
    // Sample answers are decoded while training goes on, in order.
    let samples: Promise<void> = Promise.resolve();
    let alive = true;
    const onEvent = (event: EngineEvent) => {
      if (!alive) return;
      if (event.type === 'samples') {
        samples = samples.then(() => this.tellSamples(job.run.id, prompts, event));
      } else this.tell(active, event);
    };
    let finished: Awaited<ReturnType<EngineApi['train']>>;
    try {
      engine.want(null);
      finished = await engine.use((api) => {
        active.training = true;
        const trained = api.train(job, onEvent);
        // Asked for while the engine was made ready.
        if (active.stopAsked) void api.stop().catch(() => {});
        return trained;
      });
    } catch (cause) {
      alive = false;
      // What the failed run left on the model is not to be used.
      engine.want(adapterBefore, 'unknown');
      const words = { code: 'internal', message: 'The run ended with an error.' } as const;
      return this.fail(active, TabtuneError.from(cause, words));
    }
    alive = false;
    const { run, summary } = finished;
    engine.want({ kind: 'run', runId: run.id, recipe: run.recipe }, 'as it is');
    await samples;
    return this.finish(active, { ...run, status: statusOf[summary.reason], error: null }, summary);
  }

  private async finish(active: ActiveRun, record: RunRecord, summary: RunSummary): Promise<RunRecord> {
    active.record = record;
    this.needs.memory.wentWell(summary.device, summary.gpuBytes);
    try {
      active.record = await saveRun(record);
    } catch (cause) {
      // The adapter is there and can be exported; what was not kept is told with it.
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
    const status: RunStatus = interruptions.includes(error.code) ? 'interrupted' : 'failed';
    const record: RunRecord = { ...active.record!, status, error: data, updatedAt: Date.now() };
    active.record = record;
    await Promise.race([
      saveRun(record).catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, SAVE_PATIENCE_MS)),
    ]);
    const resumable = (active.hasCheckpoint || status === 'interrupted') && !hopeless.includes(error.code);
    this.emit({ type: 'failed', error: data, run: record, resumable });
    return record;
  }

  /** Keeps the record up with what happens, and hands the event on. */
  private tell(active: ActiveRun, event: Exclude<EngineEvent, { type: 'samples' }>): void {
    const record = active.record!;
    switch (event.type) {
      case 'started':
        active.record = { ...event.run, status: 'running' };
        this.save(active.record);
        this.emit({ ...event, run: active.record });
        return;
      case 'metrics':
        if (event.tokensPerSecond > 0) {
          this.pace = { source: record.recipe.model.source, tokensPerSecond: event.tokensPerSecond };
        }
        active.record = { ...record, ...figures(record, event.row), updatedAt: Date.now() };
        break;
      case 'checkpoint':
        active.hasCheckpoint = true;
        this.save(record);
        break;
      case 'state': {
        const status = event.state === 'paused' ? 'paused' : 'running';
        if (status !== record.status) {
          active.record = { ...record, status, updatedAt: Date.now() };
          this.save(active.record);
        }
        break;
      }
      default:
        event satisfies never;
    }
    this.emit(event);
  }

  /** A record that could not be written now is written again at the end, where a failure is told. */
  private save(record: RunRecord): void {
    void saveRun(record).catch(() => {});
  }

  private async tellSamples(runId: string, prompts: AskedPrompt[], event: Extract<EngineEvent, { type: 'samples' }>) {
    try {
      const answers: SampleAnswer[] = [];
      for (const [i, { text: prompt, expected }] of prompts.entries()) {
        if (!event.base[i] || !event.tuned[i]) continue;
        const base = await this.needs.decode(event.base[i]);
        const tuned = await this.needs.decode(event.tuned[i]);
        answers.push({
          step: event.step,
          prompt,
          base,
          tuned,
          ...(expected === undefined
            ? {}
            : { scores: { base: scoresOf(base, expected), tuned: scoresOf(tuned, expected) } }),
        });
      }
      if (answers.length === 0) return;
      await appendSamples(runId, answers);
      this.emit({ type: 'samples', answers });
    } catch (cause) {
      // Samples are a comfort: training is not stopped for want of them.
      console.warn('Sample answers could not be shown.', cause);
    }
  }
}

function figures(record: RunRecord, row: MetricsRow): Partial<RunRecord> {
  if (row.kind === 'step') return { step: row.step, finalLoss: row.loss };
  return {
    step: row.step,
    ...(row.step === 0 && record.initialEvalLoss === null ? { initialEvalLoss: row.eval_loss } : {}),
    ...(row.best ? { bestEvalLoss: row.eval_loss, bestStep: row.step } : {}),
  };
}

function gone(message: string): TabtuneError {
  return new TabtuneError({ code: 'storage', message, action: 'Start a new run with its recipe.' });
}
