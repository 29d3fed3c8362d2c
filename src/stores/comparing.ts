/** The columns of Compare, and what they answer to one prompt. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type {
  ColumnAnswer,
  DataSplit,
  FewShot,
  KeptCheckpoint,
  ModelId,
  SplitPrompt,
} from '../session/comparison-types';
import type { RunRecord } from '../storage/types';
import { askColumns, type Column } from './ask-columns';
import { useCompare, whileWorking } from './compare';
import { judges, knownModels, MOST_COLUMNS, modelOf, subjectOf, taskOf, usualColumns } from './compared';
import { isCancelled, toErrorData } from './errors';
import { useMeasures } from './measures';
import { useModel } from './model';
import { useRuns } from './runs';
import { getSession } from './session';
import { useTraining } from './training';

export interface Answer extends ColumnAnswer {
  state: 'empty' | 'waiting' | 'writing' | 'done' | 'stopped';
}
const empty: Answer = { text: '', state: 'empty' };

/** Which side of the data a prompt comes from; null for one that a person wrote. */
export type Side = 'held_out' | 'trained' | null;

/** What the answers answer. */
export type Asked = Pick<SplitPrompt, 'text' | 'system' | 'expected'> & { side: Side };

interface ComparingState {
  /** Null: the base and the active adapter. */
  chosen: ModelId[] | null;
  /** How many examples the base gets in a column of its own; 0 for no such column. */
  shots: number;
  prompt: string;
  /** To the prompt, for columns that score answers. */
  answer: string;
  /** The example of the data that the prompt still is. */
  example: Asked | null;
  asked: Asked | null;
  temperature: number;
  topP: number;
  seed: number;
  strength: number;
  maxNewTokens: number;
  /** One per column, the one with examples included. */
  answers: Answer[];
  /** What the base was given besides the prompt. */
  fewShot: FewShot | null;
  generating: boolean;
  inTurn: boolean;
  error: ErrorData | null;
  /** The checkpoints that runs keep, the best first. */
  kept: Record<string, KeptCheckpoint[]>;
  split: DataSplit | null;
  splitError: ErrorData | null;
  splitting: boolean;
  set: (
    change: Partial<Pick<ComparingState, 'shots' | 'temperature' | 'topP' | 'seed' | 'strength' | 'maxNewTokens'>>,
  ) => void;
  write: (prompt: string) => void;
  writeAnswer: (answer: string) => void;
  /** Puts another model into a column; past the last, a further column. */
  choose: (column: number, model: ModelId) => void;
  remove: (column: number) => void;
  /** The base beside these runs; the first is put on the model, to be exported. */
  compareRuns: (ids: readonly string[]) => Promise<void>;
  loadKept: (runs: readonly RunRecord[]) => Promise<void>;
  loadSplit: () => Promise<void>;
  take: (prompt: SplitPrompt, side: Side) => void;
  ask: () => Promise<void>;
  cancel: () => void;
}

let abort: AbortController | null = null;
/** The split that is shown or on its way. */
let splitKey = '';
/** The runs whose checkpoints are listed. */
let keptKey = '';

/** The models of the columns. */
export const modelsOf = ({ chosen }: Pick<ComparingState, 'chosen'>): ModelId[] =>
  chosen ?? usualColumns(useCompare.getState().adapter);

/** The columns as they are drawn: the one with examples follows the base. */
export function columnsOf(state: Pick<ComparingState, 'chosen' | 'shots'>): Column[] {
  const models = modelsOf(state);
  const own = models.map((model): Column => ({ model, fewShot: false }));
  // An encoder writes nothing, whatever it is shown.
  if (state.shots === 0 || useModel.getState().info?.kind === 'encoder') return own;
  const at = models.indexOf('base') + 1;
  return [...own.slice(0, at), { model: 'base', fewShot: true }, ...own.slice(at)];
}

export const fewShotPossible = (split: DataSplit | null): boolean =>
  (split?.trained ?? []).some(({ expected }) => expected !== undefined);

export const useComparing = create<ComparingState>()((set, get) => {
  /** Other columns: what was answered is no longer what they say. */
  const columns = (change: Partial<ComparingState>) => {
    drop();
    set({ ...change, answers: [], asked: null, fewShot: null, inTurn: false, error: null });
  };
  /** Ends what is being answered, and forgets it. */
  const drop = () => {
    abort?.abort();
    abort = null;
    set({ generating: false });
  };
  const answered = (i: number, answer: Answer) =>
    set((state) => ({ answers: state.answers.map((before, n) => (n === i ? answer : before)) }));

  return {
    chosen: null,
    shots: 0,
    prompt: '',
    answer: '',
    example: null,
    asked: null,
    temperature: 0,
    topP: 0.95,
    seed: 42,
    strength: 1,
    maxNewTokens: 64,
    answers: [],
    fewShot: null,
    generating: false,
    inTurn: false,
    error: null,
    kept: {},
    split: null,
    splitError: null,
    splitting: false,

    set(change) {
      if (change.shots !== undefined) columns(change);
      else set(change);
    },

    write: (prompt) => set(({ example }) => ({ prompt, example: example?.text === prompt ? example : null })),

    writeAnswer: (answer) => set({ answer }),

    choose(column, model) {
      const models = modelsOf(get());
      const chosen = column < models.length ? models.map((id, i) => (i === column ? model : id)) : [...models, model];
      columns({ chosen: chosen.slice(0, MOST_COLUMNS) });
    },

    remove(column) {
      columns({ chosen: modelsOf(get()).filter((_, i) => i !== column) });
    },

    async compareRuns(ids) {
      const { runs } = useRuns.getState();
      const found = [...new Set(ids)].flatMap((id) => runs.find((run) => run.id === id) ?? []);
      const shown = found.slice(0, MOST_COLUMNS);
      if (shown.length === 0) {
        set({
          error: {
            code: 'bad_adapter',
            message: 'The runs that this address names are not stored in this browser.',
            action: 'Choose what to compare below.',
          },
        });
        return;
      }
      const room = MOST_COLUMNS - shown.length;
      const base: ModelId[] = room > 0 ? ['base'] : [];
      columns({ chosen: [...base, ...shown.map(({ id }): ModelId => `run:${id}`)] });
      const active = useCompare.getState().adapter;
      if (active?.kind !== 'run' || !shown.some(({ id }) => id === active.run.id)) {
        await useCompare.getState().openRun(shown[0]!);
        set({ error: useCompare.getState().adapterError });
      }
    },

    async loadKept(runs) {
      const key = runs.map(({ id, step, status }) => `${id}/${step}/${status}`).join();
      if (key === keptKey) return;
      keptKey = key;
      try {
        const comparison = await getSession().comparison();
        const found = await Promise.all(runs.map(async ({ id }) => [id, await comparison.kept(id)] as const));
        set({ kept: Object.fromEntries(found) });
      } catch (cause) {
        keptKey = '';
        set({ error: toErrorData(cause, 'The checkpoints of the runs could not be listed.') });
      }
    },

    async loadSplit() {
      const subject = subjectOf(modelsOf(get()));
      const key = JSON.stringify(subject);
      if (key === splitKey && (get().split || get().splitting)) return;
      splitKey = key;
      set({ split: null, splitError: null, splitting: subject !== null });
      if (!subject) return;
      try {
        const comparison = await getSession().comparison();
        const split = await comparison.split(subject.of, subject.others);
        if (key === splitKey) set({ split, splitting: false });
      } catch (cause) {
        if (key === splitKey) {
          set({ splitting: false, splitError: toErrorData(cause, 'The examples of this run could not be read.') });
        }
      }
    },

    take: ({ text, system, expected }, side) =>
      set({ prompt: text, answer: expected ?? '', example: { text, system, expected, side } }),

    async ask() {
      const state = get();
      const { prompt, temperature, topP, seed, strength, maxNewTokens, split } = state;
      if (prompt.trim() === '') return;
      const shown = columnsOf(state);
      const models = shown.map(({ model }) => modelOf(model, knownModels()));
      const [sorts, judging] = [taskOf(models) === 'sorts', judges(models)];
      if (judging && state.answer.trim() === '') return;
      // Another prompt takes the place of the one that is being answered.
      abort?.abort();
      const controller = new AbortController();
      abort = controller;
      const written: Asked = state.example?.text === prompt ? state.example : { text: prompt, side: null };
      const asked = judging ? { ...written, expected: state.answer } : written;
      set({
        ...{ generating: true, asked, error: null, fewShot: null, inTurn: false },
        answers: shown.map(() => ({ text: '', state: 'waiting' })),
      });
      // Measurements go on when the answers are there.
      useMeasures.getState().interrupt();
      await whileWorking(async () => {
        try {
          const comparison = await getSession().comparison();
          const { answers, inTurn } = await askColumns(comparison, shown, asked, {
            ...{ maxNewTokens, temperature, topP, seed, strength, sorts, judges: judging, split, shots: state.shots },
            onText: (i, text) => abort === controller && answered(i, { text, state: 'writing' }),
            onFewShot: (fewShot) => abort === controller && set({ fewShot }),
            signal: controller.signal,
          });
          const settled = controller.signal.aborted ? 'stopped' : 'done';
          if (abort === controller) set({ inTurn, answers: answers.map((one) => ({ ...one, state: settled })) });
        } catch (cause) {
          if (!isCancelled(cause)) set({ error: toErrorData(cause, 'The model could not answer.') });
        } finally {
          const settle = (answer: Answer): Answer =>
            answer.state === 'done' || answer.state === 'empty' ? answer : { ...answer, state: 'stopped' };
          if (abort === controller) {
            set(({ answers }) => ({ generating: false, answers: answers.map(settle) }));
          }
        }
      });
    },

    cancel: () => abort?.abort(),
  };
});

export const answerOf = (answers: readonly Answer[], column: number): Answer => answers[column] ?? empty;

// A run needs the GPU, and frees what answers.
useTraining.subscribe(({ phase }, before) => {
  if (phase !== before.phase && phase !== 'idle') abort?.abort();
});

// Another adapter on the model, or another model: the columns that follow it are others.
useCompare.subscribe(({ adapter, adapters }, before) => {
  const { chosen, cancel } = useComparing.getState();
  if (adapters.length === 0 && before.adapters.length > 0) {
    cancel();
    abort = null;
    splitKey = '';
    useComparing.setState({
      generating: false,
      chosen: null,
      answers: [],
      asked: null,
      fewShot: null,
      split: null,
      example: null,
    });
  } else if (adapter !== before.adapter && chosen === null) {
    useComparing.setState({ answers: [], asked: null, fewShot: null });
  }
});
