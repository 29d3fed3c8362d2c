import { expect, it, vi } from 'vitest';
import { HUB } from '../../../src/hub/hub-id';
import type { Session } from '../../../src/session/api';
import { lazySession } from '../../../src/session/lazy-session';

/** A session that notes what it is asked. */
function scripted() {
  const asked: string[] = [];
  const listeners = new Set<(event: never) => void>();
  const session = {
    runs: async () => {
      asked.push('runs');
      return [];
    },
    deleteRun: async (id: string) => void asked.push(`deleteRun ${id}`),
    subscribe: (listener: (event: never) => void) => {
      asked.push('subscribe');
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    hubSettings: () => ({ endpoint: 'https://mirror.example', token: null }),
    close: () => void asked.push('close'),
  } as unknown as Session;
  return { session, asked, listeners };
}

it('fetches the code at once, and makes the calls in their order when it is here', async () => {
  const { session, asked } = scripted();
  let arrive!: (create: () => Session) => void;
  const lazy = lazySession(() => new Promise((resolve) => (arrive = resolve)));
  lazy.subscribe(() => {});
  const deleted = lazy.deleteRun('a');
  const runs = lazy.runs();
  expect(lazy.hubSettings()).toEqual({ endpoint: HUB, token: null });
  arrive(() => session);
  await deleted;
  expect(await runs).toEqual([]);
  expect(asked).toEqual(['subscribe', 'deleteRun a', 'runs']);
  expect(lazy.hubSettings().endpoint).toBe('https://mirror.example');
});

it('says that the code could not be fetched, and tries again with the next call', async () => {
  const { session } = scripted();
  const load = vi.fn(async () => () => session);
  load.mockRejectedValueOnce(new TypeError('Failed to fetch'));
  const lazy = lazySession(load);
  await expect(lazy.runs()).rejects.toMatchObject({
    message: 'A part of Tabtune could not be loaded.',
    details: 'TypeError: Failed to fetch',
  });
  expect(await lazy.runs()).toEqual([]);
  expect(load).toHaveBeenCalledTimes(2);
});

it('ends what was ended before the code was here', async () => {
  const { session, asked, listeners } = scripted();
  const lazy = lazySession(async () => () => session);
  const end = lazy.subscribe(() => {});
  end();
  lazy.close();
  await lazy.runs();
  expect(listeners.size).toBe(0);
  expect(asked).toEqual(['close', 'runs']);
});
