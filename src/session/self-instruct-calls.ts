/** The calls of Self-Instruct, whose code is fetched when the first of them is made. One run at a time. */
import { chunk } from '../base/chunks';
import { busy } from './run-guard';
import type { WritingNeeds } from './self-instruct';
import type { SelfInstruct } from './self-instruct-types';

const load = chunk(() => import('./self-instruct'));

export class SelfInstructCalls {
  private active: { abort: AbortController; done: Promise<unknown> } | null = null;

  constructor(
    private readonly needs: WritingNeeds & {
      /** Throws while something else has the engine. */
      assertIdle(action: string): void;
      /** Runs once storage can be used. */
      ready<T>(work: () => Promise<T>): Promise<T>;
      onSave(): void;
    },
  ) {}

  assertIdle(action: string): void {
    if (this.active)
      throw busy(`The model is writing examples, so ${action} has to wait.`, 'Wait, or pause the writing.');
  }

  /** Something more important needs the engine. What was written is kept. */
  async end(): Promise<void> {
    this.active?.abort.abort();
    await this.active?.done.catch(() => {});
  }

  async api(): Promise<SelfInstruct> {
    const { readDraft, storeDraft, deleteDraft, seedsIn, write } = await load();
    const { ready, onSave } = this.needs;
    return {
      stored: () => ready(readDraft),
      keep(draft) {
        onSave();
        return ready(() => storeDraft(draft));
      },
      discard: () => ready(deleteDraft),
      readSeeds: (file) => seedsIn(file, this.needs.data),
      run: async (draft, onDraft, onNow, signal) => {
        this.assertIdle('writing more of them');
        this.needs.assertIdle('writing examples');
        const abort = new AbortController();
        signal?.addEventListener('abort', () => abort.abort(), { once: true });
        if (signal?.aborted) abort.abort();
        onSave();
        const done = ready(() => write(this.needs, draft, { onDraft, onNow, signal: abort.signal }));
        const active = { abort, done };
        this.active = active;
        try {
          return await done;
        } finally {
          if (this.active === active) this.active = null;
        }
      },
    };
  }
}
