/** One push to the Hub at a time: whose token it is, where to, what is sent, and how far it is. It goes on while no dialog shows it. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { ExportedFile } from '../exports/export';
import { nameProblem, suggestName } from '../hub/push/names';
import type { PushAccount, Pushed, PushPace, PushTarget } from '../hub/push/types';
import { isCancelled, toErrorData } from './errors';
import { useHub } from './hub';
import { getSession } from './session';

/** What is to be pushed. */
export interface PushSubject {
  /** Of the run or adapter; the repository is called after it. */
  name: string;
  /** Tells exports apart: pushing the same one again goes on where it was. */
  id: string;
  /** Writes the files; may take a while. */
  files: () => Promise<ExportedFile[]>;
}

interface PushState {
  subject: PushSubject | null;
  account: PushAccount | null;
  accountError: ErrorData | null;
  checking: boolean;
  /** The files, once they are written; and why they could not be. */
  files: ExportedFile[] | null;
  filesError: ErrorData | null;
  owner: string;
  name: string;
  private: boolean;
  /** `asking`: whether to add to a repository that is there. `stopped`: cut or refused, and it can go on. */
  phase: 'form' | 'looking' | 'asking' | 'pushing' | 'stopped' | 'done';
  /** The repository that is there already. */
  target: PushTarget | null;
  /** Where the push goes that is going on or was the last. */
  repo: string;
  progress: PushPace | null;
  error: ErrorData | null;
  result: Pushed | null;
  /** For a dialog that opens. A push that is going on, or that stopped and is of the same export, stays as it is. */
  open: (subject: PushSubject) => void;
  writeFiles: () => Promise<void>;
  /** Finds out whose token it is; without an argument, of the one that this tab has. */
  check: (token?: string) => Promise<void>;
  forgetAccount: () => void;
  set: (change: Partial<Pick<PushState, 'owner' | 'name' | 'private'>>) => void;
  /** Pushes, unless the repository is there already: then it asks first. */
  start: () => Promise<void>;
  /** Adds to the repository that is there. */
  add: () => Promise<void>;
  decline: () => void;
  cancel: () => void;
}

export const pushActive = ({ phase }: PushState): boolean => phase === 'looking' || phase === 'pushing';

/** 0 to 1 of the bytes that are sent; null before and after. */
export function pushShare({ phase, progress }: PushState): number | null {
  return phase === 'pushing' && progress?.phase === 'uploading' ? progress.done / Math.max(1, progress.total) : null;
}

/** Why nothing can be pushed to a repository of this name; null if it can. */
export const repoProblem = ({ name }: Pick<PushState, 'name'>): string | null => nameProblem(name);

const fresh = {
  files: null,
  filesError: null,
  phase: 'form' as const,
  target: null,
  repo: '',
  progress: null,
  error: null,
  result: null,
};

let abort: AbortController | null = null;
/** Repositories that this push has made, or has been allowed to add to: going on needs no question. */
let begun = new Set<string>();

async function isReadable(blob: Blob): Promise<boolean> {
  try {
    await blob.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

const commitMessage = (name: string) => `Add ${name}`;

export const usePush = create<PushState>()((set, get) => {
  const current = (subject: PushSubject | null) => get().subject === subject;

  async function push(repo: string, addTo: boolean): Promise<void> {
    const { subject, private: isPrivate } = get();
    if (!subject) return;
    const controller = new AbortController();
    abort = controller;
    if (addTo) begun.add(repo);
    const onProgress = (progress: PushPace) => {
      // From here on the repository is one that this push has made; before, it may still turn out to be somebody's already.
      if (progress.phase !== 'preparing') begun.add(repo);
      set({ progress });
    };
    set({ phase: 'pushing', repo, target: null, progress: null, error: null });
    try {
      const files = await filesThere();
      const pushing = await getSession().pushing();
      const order = { files, repo, private: isPrivate, addTo, message: commitMessage(subject.name) };
      const result = await pushing.push(order, onProgress, controller.signal);
      begun.delete(repo);
      set({ phase: 'done', result, progress: null });
    } catch (cause) {
      const error = isCancelled(cause) ? null : toErrorData(cause, 'The push failed.', 'Try again.');
      set({ phase: 'stopped', error });
    } finally {
      abort = null;
    }
  }

  /** The files, written anew if they are gone: a later export takes the place of the one before on the disk. */
  async function filesThere(): Promise<ExportedFile[]> {
    const { files, subject } = get();
    const there = await Promise.all((files ?? []).map(({ blob }) => isReadable(blob)));
    if (files && there.every(Boolean)) return files;
    const again = await subject!.files();
    set({ files: again });
    return again;
  }

  return {
    subject: null,
    account: null,
    accountError: null,
    checking: false,
    owner: '',
    name: '',
    private: true,
    ...fresh,

    open(subject) {
      const { phase, subject: before } = get();
      if (pushActive(get()) || (phase === 'stopped' && before?.id === subject.id)) return;
      begun = new Set();
      set({ ...fresh, subject, name: suggestName(subject.name), private: true });
      void get().writeFiles();
      const { token } = useHub.getState().settings;
      if (token !== null && !get().account) void get().check(token);
    },

    async writeFiles() {
      const { subject } = get();
      if (!subject) return;
      set({ files: null, filesError: null });
      try {
        const files = await subject.files();
        if (current(subject)) set({ files });
      } catch (cause) {
        if (current(subject)) set({ filesError: toErrorData(cause, 'The files could not be written.', 'Try again.') });
      }
    },

    async check(token = useHub.getState().settings.token ?? '') {
      set({ checking: true, accountError: null });
      try {
        const account = await (await getSession().pushing()).account(token);
        const { settings, setSettings } = useHub.getState();
        if (settings.token !== token) await setSettings({ ...settings, token });
        const { owner } = get();
        set({ account, owner: account.owners.includes(owner) ? owner : account.owners[0]! });
      } catch (cause) {
        set({ account: null, accountError: toErrorData(cause, 'The token could not be checked.', 'Try again.') });
      } finally {
        set({ checking: false });
      }
    },

    forgetAccount: () => set({ account: null, accountError: null }),
    set: (change) => set(change),

    async start() {
      const { owner, name, subject } = get();
      const repo = `${owner}/${name}`;
      set({ phase: 'looking', repo, error: null, progress: null });
      try {
        const target = await (await getSession().pushing()).target(repo);
        if (!current(subject) || get().phase !== 'looking') return;
        const own = target !== null && begun.has(target.id) && target.private === get().private;
        if (target && !own) set({ phase: 'asking', target });
        else await push(target?.id ?? repo, own);
      } catch (cause) {
        set({ phase: 'stopped', error: toErrorData(cause, 'The Hub could not be asked.', 'Try again.') });
      }
    },

    async add() {
      const { target } = get();
      if (target) await push(target.id, true);
    },
    decline: () => set({ phase: 'form', target: null }),

    cancel() {
      if (abort) abort.abort();
      else if (get().phase === 'looking') set({ phase: 'form' });
    },
  };
});

/** A push that lost the connection goes on when it is back. */
globalThis.addEventListener?.('online', () => {
  const { phase, error, start } = usePush.getState();
  if (phase === 'stopped' && error?.code === 'network') void start();
});
