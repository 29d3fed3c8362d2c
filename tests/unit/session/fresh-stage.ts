/** A fresh stage for each test of a file, and what the tests do with it. */
import { afterEach, beforeEach, vi } from 'vitest';
import type { Recipe } from '../../../src/recipe/types';
import type { GenerationOptions } from '../../../src/session/api';
import { eraseEverything } from '../../../src/storage/usage';
import { until } from '../../support/time';
import { recipe, type Stage, servePublic, stage } from './stage';

/** The current test's stage. */
export let open: Stage;

/** Gives each test of the file an empty storage and a new stage. */
export function freshStages(): void {
  beforeEach(async () => {
    await eraseEverything();
    servePublic();
    open = stage();
  });
  afterEach(() => {
    vi.useRealTimers();
    open.session.close();
    vi.unstubAllGlobals();
  });
}

/** Closes the tab and opens another one on the same storage. */
export function reopen(...options: Parameters<typeof stage>): void {
  open.session.close();
  open = stage(...options);
}

/** A call that the data worker never answers; the clock stands until `pass` is called, however slow the machine. */
export function hanging(method: 'encodePrompt' | 'viewTokens') {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const call = vi.fn(() => new Promise<never>(() => {}));
  open.data[method] = call as never;
  return {
    async pass(milliseconds: number) {
      await until(() => call.mock.calls.length > 0);
      await vi.advanceTimersByTimeAsync(milliseconds);
      vi.useRealTimers();
      delete open.data[method];
    },
  };
}

export const csv = (text: string, name = 'replies.csv') => new File([text], name, { type: 'text/csv' });
export const replies = 'prompt,completion\nWhere is it?,In the post.\nWhen?,On Monday.\nWho?,Ruth.\n';
export const greedy: GenerationOptions = { maxNewTokens: 8, temperature: 0, topP: 1, seed: 1, adapterStrength: 0.5 };

/** Trains to the end and returns the id of the run. */
export async function train(changed: Recipe = recipe()): Promise<string> {
  const before = open.engine.stints.length;
  const running = open.session.train(changed);
  const { job, checkpoint, end } = await until(() => open.engine.stints[before]);
  await checkpoint(7);
  end();
  await running;
  return job.run.id;
}
