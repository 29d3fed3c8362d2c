/**
 * The run on the screen: live while it trains, read from storage when a past one is opened. Events arrive as fast as the
 * GPU steps, so rows are collected and passed to React at most ten times per second.
 */
import { create } from 'zustand';
import { type ErrorData, TabtuneError } from '../base/errors';
import type { Recipe } from '../recipe/types';
import type { RewardSection } from '../rewards';
import type { ChangedInputs, RunSummary, TrainEvent } from '../session/api';
import type { EvalMetrics, MetricsRow, RunRecord, SampleAnswer, StepMetrics } from '../storage/types';
import { toErrorData } from './errors';
import { useRollouts } from './rollouts';
import { useRuns } from './runs';
import { getSession } from './session';

export type Phase = 'idle' | 'starting' | 'stopping' | Extract<TrainEvent, { type: 'state' }>['state'];

/** What comes before a run, in which nothing of it is known yet. */
export const isStarting = (phase: Phase) => phase === 'starting' || phase === 'timing' || phase === 'compiling';

interface TrainingState {
  phase: Phase;
  /** How much of what precedes the first step is done; null at any other time. */
  preparedShare: number | null;
  run: RunRecord | null;
  rows: MetricsRow[];
  samples: SampleAnswer[];
  totalSteps: number;
  stepsPerEpoch: number;
  tokensPerSecond: number;
  secondsLeft: number | null;
  /** What the run on the screen would resume from, and the seconds of training within which the next checkpoint comes. */
  saved: { step: number; everySeconds: number } | null;
  summary: RunSummary | null;
  error: ErrorData | null;
  /** The last start or resume failed before there was a run. */
  refused: boolean;
  /** Whether the failed run can be resumed. */
  resumable: boolean;
  /** A run that was not resumed, because its data or model has changed; the person is asked what to do. */
  asked: { run: RunRecord; error: ErrorData } | null;
  start: (recipe: Recipe) => Promise<RunRecord | null>;
  resumeRun: (run: RunRecord, changed?: ChangedInputs, mended?: readonly RewardSection[]) => Promise<RunRecord | null>;
  pause: () => Promise<void>;
  resume: () => Promise<void>;
  stop: () => Promise<void>;
  /** Puts a past run on the screen. */
  show: (run: RunRecord) => Promise<void>;
  dismissError: () => void;
  dismissAsked: () => void;
  forgetRun: (id: string) => void;
}

/** A run has the GPU, even while it is paused. */
export const runActive = ({ phase }: TrainingState): boolean => phase !== 'idle';

/** Of a run that is not live, its record says it, here as in every list. */
export const stepReached = ({ phase, rows, run }: TrainingState): number =>
  (phase === 'idle' ? undefined : rows.at(-1)?.step) ?? run?.step ?? 0;

export const lastStep = ({ rows }: Pick<TrainingState, 'rows'>): StepMetrics | undefined =>
  rows.findLast((row) => row.kind === 'step');

export const lastEval = ({ rows }: Pick<TrainingState, 'rows'>): EvalMetrics | undefined =>
  rows.findLast((row) => row.kind === 'eval');

/** In milliseconds. Long curves take longer to prepare, and a step of theirs is a smaller part of the picture. */
const flushEvery = (rows: number) => Math.max(100, rows / 40);

export const useTraining = create<TrainingState>()((set, get) => {
  let waiting: MetricsRow[] = [];
  let latest: { tokensPerSecond: number; secondsLeft: number } | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;

  function flush() {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const rows = waiting;
    waiting = [];
    if (rows.length > 0) set((state) => ({ rows: [...state.rows, ...rows], ...latest }));
  }

  /** The list of runs says of the live one what the rest of the screen says. */
  function note(change: Partial<RunRecord>) {
    const { run } = get();
    if (run) useRuns.getState().note({ ...run, ...change });
  }

  function onEvent(event: TrainEvent) {
    switch (event.type) {
      case 'started':
        useRuns.getState().note(event.run);
        set((state) => ({
          run: event.run,
          totalSteps: event.totalSteps,
          stepsPerEpoch: event.stepsPerEpoch,
          preparedShare: null,
          phase: state.phase === 'stopping' ? 'stopping' : 'training',
          // Steps after the checkpoint are computed again.
          rows: state.rows.filter((row) => row.step <= event.resumedFrom),
          samples: state.samples.filter((sample) => sample.step <= event.resumedFrom),
        }));
        return;
      case 'metrics':
        waiting.push(event.row);
        latest = { tokensPerSecond: event.tokensPerSecond, secondsLeft: event.secondsLeft };
        timer ??= setTimeout(flush, flushEvery(get().rows.length));
        return;
      case 'samples':
        set((state) => ({ samples: [...state.samples, ...event.answers] }));
        return;
      case 'state':
        note({ status: event.state === 'paused' ? 'paused' : 'running' });
        set({ preparedShare: event.share ?? null });
        set((state) => (state.phase === 'stopping' && event.state !== 'paused' ? {} : { phase: event.state }));
        return;
      case 'finished':
        flush();
        set({ run: event.run, summary: event.summary });
        return;
      case 'failed':
        flush();
        set((state) => ({ error: event.error, resumable: event.resumable, run: event.run ?? state.run }));
        return;
      case 'rollouts':
        useRollouts.getState().add(event.step, event.rollouts);
        return;
      case 'checkpoint':
        note({ step: event.step, savedStep: event.step });
        set({ saved: event });
        return;
      default:
        event satisfies never;
    }
  }

  async function watch(work: () => Promise<RunRecord>, before: Partial<TrainingState>): Promise<RunRecord | null> {
    if (get().phase !== 'idle') return null;
    useRollouts.getState().clear();
    set({
      run: null,
      rows: [],
      samples: [],
      summary: null,
      totalSteps: 0,
      tokensPerSecond: 0,
      secondsLeft: null,
      saved: null,
      error: null,
      refused: false,
      resumable: false,
      asked: null,
      phase: 'starting',
      ...before,
    });
    // Until its events say more. If it cannot be resumed, the list is read again at the end.
    if (before.run) useRuns.getState().note({ ...before.run, status: 'running' });
    const unsubscribe = getSession().subscribe(onEvent);
    try {
      const run = await work();
      flush();
      set({ run });
      return run;
    } catch (cause) {
      flush();
      const { run } = before;
      if (run && cause instanceof TabtuneError && cause.code === 'inputs_changed') {
        set({ asked: { run, error: cause.toData() } });
      } else if (!get().error) {
        // A failure that also arrived as an event has said more.
        set({ error: toErrorData(cause, 'The run ended with an error.', 'See the details below.'), refused: true });
      }
      return null;
    } finally {
      unsubscribe();
      set({ phase: 'idle', secondsLeft: null });
      void useRuns.getState().refresh();
    }
  }

  /** Pause, resume and stop are requests; the run's events report what happened. */
  async function ask(work: () => Promise<void>, message: string) {
    try {
      await work();
    } catch (cause) {
      set({ error: toErrorData(cause, message) });
    }
  }

  return {
    phase: 'idle',
    preparedShare: null,
    run: null,
    rows: [],
    samples: [],
    totalSteps: 0,
    stepsPerEpoch: 0,
    tokensPerSecond: 0,
    secondsLeft: null,
    saved: null,
    summary: null,
    error: null,
    refused: false,
    resumable: false,
    asked: null,

    start: (recipe) => watch(() => getSession().train(recipe), {}),

    async resumeRun(run, changed, mended) {
      const session = getSession();
      let rows: MetricsRow[] = [];
      let samples: SampleAnswer[] = [];
      try {
        [rows, samples] = await Promise.all([session.runMetrics(run.id), session.runSamples(run.id)]);
      } catch {
        // The run can resume without its curve so far.
      }
      return watch(() => session.resumeRun(run.id, changed, mended), {
        run,
        rows,
        samples,
        totalSteps: run.totalSteps,
      });
    },

    pause: () => ask(() => getSession().pause(), 'The run could not be paused.'),
    resume: () => ask(() => getSession().resume(), 'The run could not be resumed.'),
    async stop() {
      const before = get().phase;
      set({ phase: 'stopping' });
      await ask(async () => {
        // A run stops after a step, and a paused one takes none.
        if (before === 'paused') await getSession().resume();
        await getSession().stop();
      }, 'The run could not be stopped.');
    },

    async show(run) {
      if (get().phase !== 'idle') return;
      if (get().run?.id !== run.id) useRollouts.getState().clear();
      set({
        run,
        rows: [],
        samples: [],
        summary: null,
        totalSteps: run.totalSteps,
        error: run.error,
        resumable: false,
      });
      try {
        const session = getSession();
        const [rows, samples] = await Promise.all([session.runMetrics(run.id), session.runSamples(run.id)]);
        if (get().run?.id === run.id && get().phase === 'idle') set({ rows, samples });
      } catch (cause) {
        set({ error: toErrorData(cause, 'The curves of this run could not be read.') });
      }
    },

    dismissError: () => set({ error: null }),
    dismissAsked: () => set({ asked: null }),
    forgetRun: (id) =>
      set((state) =>
        state.run?.id === id && state.phase === 'idle'
          ? { run: null, rows: [], samples: [], summary: null, error: null }
          : {},
      ),
  };
});
