/** Checks of the open dataset that take long, so a person starts them: what each has found, or how far it is. */
import { create } from 'zustand';
import type { ErrorData } from '../base/errors';
import type { Leak, NearGroup } from '../data/near-duplicates';
import type { Recipe } from '../recipe/types';
import type { ExampleLosses } from '../session/api';
import { useData } from './data';
import { toErrorData } from './errors';
import { getSession } from './session';

export interface Found {
  near: NearGroup[];
  leaks: Leak[];
  losses: ExampleLosses;
}
export type CheckName = keyof Found;

export type CheckState<T> =
  | { status: 'idle' }
  | { status: 'running'; done: number; total: number }
  | { status: 'failed'; error: ErrorData }
  | { status: 'done'; found: T };

type ChecksState = { [Name in CheckName]: CheckState<Found[Name]> };

const idle = { status: 'idle' } as const;

export const useChecks = create<ChecksState>()(() => ({ near: idle, leaks: idle, losses: idle }));

const running = new Map<CheckName, AbortController>();

const put = (name: CheckName, state: CheckState<Found[CheckName]>) =>
  useChecks.setState({ [name]: state } as Partial<ChecksState>);

const calls: {
  [Name in CheckName]: (
    recipe: Recipe,
    onProgress: (done: number, total: number) => void,
    signal: AbortSignal,
  ) => Promise<Found[Name]>;
} = {
  near: ({ dataset }, ...how) => getSession().nearDuplicates(dataset, ...how),
  leaks: (...all) => getSession().leaks(...all),
  losses: (...all) => getSession().exampleLosses(...all),
};

/** Begins anew if it is running already. */
export async function runCheck(name: CheckName, recipe: Recipe): Promise<void> {
  running.get(name)?.abort();
  const controller = new AbortController();
  running.set(name, controller);
  const mine = () => running.get(name) === controller;
  put(name, { status: 'running', done: 0, total: 0 });
  let shown = 0;
  const onProgress = (done: number, total: number) => {
    // In whole percents: each of them draws the page.
    const percent = Math.floor((100 * done) / Math.max(1, total));
    if (!mine() || percent === shown) return;
    shown = percent;
    put(name, { status: 'running', done, total });
  };
  try {
    const found = await calls[name](recipe, onProgress, controller.signal);
    if (mine()) put(name, { status: 'done', found });
  } catch (cause) {
    if (mine()) put(name, { status: 'failed', error: toErrorData(cause, 'The check could not be finished.') });
  } finally {
    if (mine()) running.delete(name);
  }
}

/** Also takes away what was found. */
export function cancelCheck(name: CheckName): void {
  running.get(name)?.abort();
  running.delete(name);
  put(name, idle);
}

// What was found in other examples, or on other sides of a split, says nothing about these.
useData.subscribe((state, before) => {
  if (state.dataset !== before.dataset) for (const name of ['near', 'leaks', 'losses'] as const) cancelCheck(name);
  else if (state.tokens !== before.tokens && state.tokens)
    for (const name of ['leaks', 'losses'] as const) cancelCheck(name);
});
