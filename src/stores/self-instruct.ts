/**
 * A dataset that the open model writes from seed tasks. The draft is stored after every change; a dataset is made of it on demand,
 * and is then a file of the person's own like any other.
 */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import {
  datasetLines,
  machineRows,
  newDraft,
  type SeedTask,
  type SelfInstructDraft,
  type SelfInstructSettings,
  seedTasks,
} from '../self-instruct';
import type { WritingEnd, WritingNow } from '../session/self-instruct-types';
import { storedName } from '../session/stored-name';
import { isCancelled, toErrorData } from './errors';
import { useLibrary } from './library';
import { useModel } from './model';
import { getSession } from './session';

interface SelfInstructState {
  draft: SelfInstructDraft;
  status: 'idle' | 'loading' | 'ready';
  writing: boolean;
  /** What the model is asked now; null when it is not writing. */
  now: WritingNow | null;
  /** How the last writing ended; null before. */
  end: WritingEnd | null;
  error: ErrorData | null;
  load: () => Promise<void>;
  set: (settings: Partial<SelfInstructSettings>) => void;
  setSeeds: (seeds: SeedTask[]) => void;
  readSeeds: (file: File) => Promise<void>;
  start: () => Promise<void>;
  pause: () => void;
  /** Begins anew with the same seeds and settings. */
  discard: () => Promise<void>;
  /** Stores a dataset of what there is, and chooses it. Resolves to whether it could. */
  choose: () => Promise<boolean>;
}

/** Models smaller than this write no usable list. SmolLM2-135M is the smallest that we know to. */
export const LEAST_PARAMETERS = 100_000_000;

const datasetName = (draft: SelfInstructDraft): string => {
  const model = draft.tasks.at(-1)?.model ?? 'the model';
  return storedName(`Written by ${model}.jsonl`, 'Written by the model.jsonl');
};

let controller: AbortController | null = null;

export const useSelfInstruct = create<SelfInstructState>()((set, get) => {
  let last: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | null = null;

  const failed = (cause: unknown, message: string) => set({ error: toErrorData(cause, message) });

  /** One after the other; changes that wait for one are stored together. */
  function keep(): Promise<void> {
    waiting ??= last.then(async () => {
      waiting = null;
      try {
        await (await getSession().selfInstruct()).keep(get().draft);
      } catch (cause) {
        failed(cause, 'The draft could not be saved.');
      }
    });
    last = waiting;
    return last;
  }

  function change(draft: SelfInstructDraft): void {
    set({ draft, end: null });
    void keep();
  }

  return {
    draft: newDraft(seedTasks),
    status: 'idle',
    writing: false,
    now: null,
    end: null,
    error: null,

    async load() {
      if (get().status !== 'idle') return;
      set({ status: 'loading' });
      try {
        const stored = await (await getSession().selfInstruct()).stored();
        set(stored ? { draft: stored } : {});
      } catch (cause) {
        failed(cause, 'The stored draft could not be read.');
      }
      set({ status: 'ready' });
    },

    set(settings) {
      const { draft } = get();
      change({ ...draft, settings: { ...draft.settings, ...settings } });
    },
    setSeeds: (seeds) => change({ ...get().draft, seeds }),

    async readSeeds(file) {
      try {
        const seeds = await (await getSession().selfInstruct()).readSeeds(file);
        set({ error: null });
        get().setSeeds(seeds);
      } catch (cause) {
        failed(cause, `${file.name} could not be read.`);
      }
    },

    async start() {
      if (get().writing) return;
      const mine = new AbortController();
      controller = mine;
      set({ writing: true, error: null, end: null, now: null });
      try {
        await last;
        const writer = await getSession().selfInstruct();
        // A pause of ten rounds for nothing is over when somebody asks for more.
        const draft = { ...get().draft, barren: 0 };
        const end = await writer.run(
          draft,
          (next) => set({ draft: next }),
          (now) => set({ now }),
          mine.signal,
        );
        set({ end });
      } catch (cause) {
        if (!isCancelled(cause)) failed(cause, 'The model could not go on writing.');
      } finally {
        set({ writing: false, now: null });
      }
    },

    pause: () => controller?.abort(),

    async discard() {
      const { draft } = get();
      set({ draft: newDraft(draft.seeds, draft.settings), end: null, error: null });
      await keep();
    },

    async choose() {
      const { draft } = get();
      const file = new File([datasetLines(draft)], datasetName(draft), { type: 'application/jsonl' });
      const done = await useLibrary.getState().add(file);
      if (!done) set({ error: useLibrary.getState().refused ?? null });
      return done;
    },
  };
});

export type Lacking = 'seeds' | 'labels' | 'model' | 'decoder' | null;

/** Why the model cannot write now. */
export function useLacking(): Lacking {
  const { seeds, settings } = useSelfInstruct((state) => state.draft);
  const info = useModel((state) => state.info);
  if (!info) return 'model';
  if (info.kind !== 'decoder') return 'decoder';
  if (!seeds.some(({ instruction }) => instruction.trim() !== '')) return 'seeds';
  if (settings.use_clf_seed_tasks_only && !seeds.some(({ classification }) => classification)) return 'labels';
  return null;
}

/** Rows that the dataset would have. */
export const rowsOf = (draft: SelfInstructDraft): { machine: number; seeds: number } => ({
  machine: machineRows(draft),
  seeds: draft.settings.include_seed_tasks ? draft.seeds.reduce((sum, { instances }) => sum + instances.length, 0) : 0,
});
