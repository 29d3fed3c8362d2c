/** Sets of prompts that are kept, and what the columns answer to a whole set. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import { exactMatch, rougeL } from '../metrics';
import type { ColumnAnswer, KeptPrompt, PromptSet } from '../session/comparison-types';
import { askColumns, type Column } from './ask-columns';
import { whileWorking } from './compare';
import { judges, knownModels, modelOf, taskOf } from './compared';
import { columnsOf, useComparing } from './comparing';
import { isCancelled, toErrorData } from './errors';
import { useMeasures } from './measures';
import { getSession } from './session';
import { useTraining } from './training';

/** The set that is not stored: the first of the held-out examples. */
export const HELD_OUT = '';
/** Answers take time; a set of one's own may be longer. */
export const HELD_OUT_PROMPTS = 20;

export interface SetRow {
  prompt: KeptPrompt;
  /** One per column; fewer than that while it is being answered. */
  answers: ColumnAnswer[];
}

interface PromptSetsState {
  sets: PromptSet[];
  known: boolean;
  /** By name; HELD_OUT for the held-out examples. */
  chosen: string;
  error: ErrorData | null;
  running: boolean;
  done: number;
  total: number;
  columns: Column[];
  rows: SetRow[];
  sorts: boolean;
  load: () => Promise<void>;
  choose: (name: string) => void;
  /** Stores a set under a name; resolves with whether it worked. */
  save: (name: string, prompts: KeptPrompt[], before?: string) => Promise<boolean>;
  remove: (name: string) => Promise<void>;
  importFile: (file: File) => Promise<void>;
  run: () => Promise<void>;
  cancel: () => void;
  dismiss: () => void;
}

let abort: AbortController | null = null;

/** The prompts of the chosen set. */
export function promptsOf({ chosen, sets }: Pick<PromptSetsState, 'chosen' | 'sets'>): KeptPrompt[] {
  if (chosen !== HELD_OUT) return sets.find(({ name }) => name === chosen)?.prompts ?? [];
  return (useComparing.getState().split?.heldOut ?? []).slice(0, HELD_OUT_PROMPTS);
}

export interface SetScores {
  /** Answers that have a reference to be compared with. */
  count: number;
  rougeL: number;
  /** Of written answers after SQuAD's normalisation; of labels, the share that is right. */
  exactMatch: number;
}

/** How close a column's answers come to the references; null without any. */
export function scoresOf(rows: readonly SetRow[], column: number): SetScores | null {
  let count = 0;
  let overlap = 0;
  let exact = 0;
  for (const { prompt, answers } of rows) {
    const answer = answers[column];
    if (prompt.expected === undefined || !answer || answer.error || isNumber(answer)) continue;
    const text = answerText(answer);
    count++;
    overlap += rougeL(text, prompt.expected).f1;
    exact += exactMatch(text, prompt.expected);
  }
  return count === 0 ? null : { count, rougeL: overlap / count, exactMatch: exact / count };
}

/** Whether an answer is one number, as of a reward model, which no text can be close to. */
export const isNumber = ({ scores }: ColumnAnswer): boolean => scores?.length === 1 && scores[0]!.word === undefined;

/** What a column answered, as text: of a classifier its likeliest label, or the tag of each word, or its number. */
export function answerText(answer: ColumnAnswer): string {
  const { text, scores } = answer;
  if (!scores) return text;
  if (isNumber(answer)) return String(Number(scores[0]!.probability.toPrecision(4)));
  if (scores.some(({ word }) => word !== undefined)) return scores.map(({ label }) => label).join(' ');
  return scores[0]?.label ?? '';
}

export const usePromptSets = create<PromptSetsState>()((set, get) => {
  const attempt = async (words: string, work: () => Promise<void>): Promise<boolean> => {
    set({ error: null });
    try {
      await work();
      return true;
    } catch (cause) {
      set({ error: toErrorData(cause, words) });
      return false;
    }
  };
  const comparison = () => getSession().comparison();
  const reload = async () => set({ sets: await (await comparison()).promptSets(), known: true });
  /** A name that no other set has. */
  const free = (name: string): string => {
    const taken = new Set(get().sets.map((one) => one.name));
    if (!taken.has(name)) return name;
    for (let n = 2; ; n++) if (!taken.has(`${name} ${n}`)) return `${name} ${n}`;
  };

  return {
    sets: [],
    known: false,
    chosen: HELD_OUT,
    error: null,
    running: false,
    done: 0,
    total: 0,
    columns: [],
    rows: [],
    sorts: false,

    load: async () => void (await attempt('The sets of prompts could not be read.', reload)),
    choose: (chosen) => set({ chosen, rows: [], columns: [] }),

    save: (name, prompts, before) =>
      attempt('The set could not be saved.', async () => {
        const session = await comparison();
        const wanted = name === before ? name : free(name);
        const saved = await session.savePromptSet({ name: wanted, prompts });
        if (before !== undefined && before !== saved) await session.deletePromptSet(before);
        await reload();
        set({ chosen: saved, rows: [], columns: [] });
      }),

    async remove(name) {
      await attempt('The set could not be deleted.', async () => {
        await (await comparison()).deletePromptSet(name);
        await reload();
        if (get().chosen === name) set({ chosen: HELD_OUT, rows: [], columns: [] });
      });
    },

    async importFile(file) {
      await attempt('This file could not be read.', async () => {
        const session = await comparison();
        const { name, prompts } = await session.readPromptSet(file);
        const saved = await session.savePromptSet({ name: free(name), prompts });
        await reload();
        set({ chosen: saved, rows: [], columns: [] });
      });
    },

    async run() {
      const prompts = promptsOf(get());
      const asking = useComparing.getState();
      if (get().running || asking.generating || prompts.length === 0) return;
      const { temperature, topP, seed, strength, maxNewTokens, shots, split } = asking;
      const controller = new AbortController();
      abort = controller;
      const { signal } = controller;
      const columns = columnsOf(asking);
      const models = columns.map(({ model }) => modelOf(model, knownModels()));
      const [sorts, judging] = [taskOf(models) === 'sorts', judges(models)];
      set({ running: true, error: null, done: 0, total: prompts.length, rows: [], columns, sorts });
      useMeasures.getState().interrupt();
      await whileWorking(async () => {
        try {
          const session = await comparison();
          for (const prompt of prompts) {
            if (signal.aborted) break;
            const { answers } = await askColumns(session, columns, prompt, {
              ...{ maxNewTokens, temperature, topP, seed, strength, sorts, judges: judging, split, shots, signal },
            });
            // What was cut short by a stop is no answer.
            if (signal.aborted) break;
            set(({ rows, done }) => ({ rows: [...rows, { prompt, answers }], done: done + 1 }));
          }
        } catch (cause) {
          if (!isCancelled(cause)) set({ error: toErrorData(cause, 'The set could not be answered.') });
        } finally {
          set({ running: false });
        }
      });
    },

    cancel: () => abort?.abort(),
    dismiss: () => set({ error: null }),
  };
});

// A run needs the GPU, and frees what answers.
useTraining.subscribe(({ phase }, before) => {
  if (phase !== before.phase && phase !== 'idle') abort?.abort();
});
