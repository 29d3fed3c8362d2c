/** A real session with its workers and storage, and no screens around it: a page that opens in a moment. */
import type { Recipe } from '../../../src/recipe/types';
import type { Session } from '../../../src/session/api';
import { createSession } from '../../../src/session/session';

const session = createSession();

export interface Bare {
  session: Session;
  /** What the last call of `begin` is doing; null when it has ended. */
  running: Promise<string> | null;
  /** Starts the run, resumes it, or does nothing if it has finished. Gives what it did. */
  begin(recipe: Recipe, since: number): Promise<'started' | 'resumed' | 'finished'>;
  /** The adapter's weights of the last run, in base64. */
  weights(): Promise<string>;
}

declare global {
  interface Window {
    bare: Bare;
  }
}

const lastRun = async () => (await session.runs()).sort((a, b) => b.createdAt - a.createdAt)[0];

window.bare = {
  session,
  running: null,
  async begin(recipe, since) {
    const last = await lastRun();
    const run = last && last.createdAt >= since ? last : null;
    if (run?.status === 'completed') return 'finished';
    if (run && run.status !== 'interrupted') throw new Error(`the run is ${run.status}: ${run.error?.message}`);
    const work = run ? session.resumeRun(run.id) : session.train(recipe);
    const done = work.then(
      ({ status, error }) => (error ? `${status}: ${error.code}` : status),
      (cause) => `not begun: ${cause.code}, ${cause.where}: ${cause.message} ${cause.details ?? ''}`,
    );
    this.running = done.finally(() => {
      this.running = null;
    });
    return run ? 'resumed' : 'started';
  },
  async weights() {
    const run = await lastRun();
    const open = async () => {
      await session.openRun(run!.id);
      return session.exportAs('peft', { onProgress: () => {}, withoutBase: true });
    };
    // A device that was lost only now fails one call, and a person would try again.
    const { files } = await open().catch(open);
    const { blob } = files.find(({ path }) => path.endsWith('.safetensors'))!;
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  },
};
