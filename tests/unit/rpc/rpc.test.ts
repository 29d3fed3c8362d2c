import { afterEach, describe, expect, it, vi } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { type Connection, connect, type ServeOptions, serve, transfer } from '../../../src/rpc/rpc';
import { until } from '../../support/time';
import { FakeLocks, FakeWorker } from '../session/fake-worker';

const never = () => new Promise<never>(() => {});
const open: Connection<unknown>[] = [];
afterEach(() => {
  for (const connection of open.splice(0)) connection.terminate();
  vi.useRealTimers();
});

/** From here on time passes only when the test says so, however long a busy machine takes. */
const holdClock = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });

function pair<Api extends object>(
  api: Api,
  options: ServeOptions & { startDeadline?: number; abortDeadline?: number } = {},
) {
  const manager = new FakeLocks();
  const worker = new FakeWorker(manager);
  const { startDeadline, abortDeadline, ...serveOptions } = options;
  serve(api, { port: worker.port, locks: worker.locks, ...serveOptions });
  const connection = connect<Api>(worker, {
    name: 'test worker',
    locks: manager.for({}),
    startDeadline,
    abortDeadline,
  });
  open.push(connection as Connection<unknown>);
  return { worker, connection, api: connection.api };
}

describe('calls', () => {
  it('passes arguments and results as structured clones, and lets calls overlap', async () => {
    const { api } = pair({
      add: (a: number, b: number) => a + b,
      later: async (ids: Int32Array) => ids.map((id) => id * 2),
      nothing: () => {},
    });
    const [sum, doubled, nothing] = await Promise.all([api.add(2, 3), api.later(Int32Array.of(1, 2)), api.nothing()]);
    expect(sum).toBe(5);
    expect(doubled).toEqual(Int32Array.of(2, 4));
    expect(nothing).toBeUndefined();
  });

  it('serves the methods of a class instance with their `this`', async () => {
    class Counter {
      private count = 0;
      next() {
        return ++this.count;
      }
    }
    const { api } = pair(new Counter());
    await api.next();
    expect(await api.next()).toBe(2);
  });

  it('calls back functions among the arguments, in order and before the result', async () => {
    const { api } = pair({
      count: async (upTo: number, onStep: (i: number, text: string) => void, onEnd?: () => void) => {
        for (let i = 1; i <= upTo; i++) onStep(i, `step ${i}`);
        onEnd?.();
        return upTo;
      },
    });
    const seen: unknown[] = [];
    seen.push(
      await api.count(
        2,
        (i, text) => seen.push([i, text]),
        () => seen.push('end'),
      ),
    );
    expect(seen).toEqual([[1, 'step 1'], [2, 'step 2'], 'end', 2]);
    expect(await api.count(1, () => {})).toBe(1);
  });

  it('forwards an AbortSignal, even one already aborted', async () => {
    const { api } = pair({
      wait: (onWaiting: () => void, signal?: AbortSignal) =>
        new Promise<string>((resolve) => {
          if (signal?.aborted) resolve('aborted before');
          signal?.addEventListener('abort', () => resolve('aborted'));
          onWaiting();
        }),
    });
    const controller = new AbortController();
    // The worker has the signal and listens to it: only then does it fire.
    expect(await api.wait(() => controller.abort(), controller.signal)).toBe('aborted');
    expect(await api.wait(() => {}, AbortSignal.abort())).toBe('aborted before');
  });

  it('transfers large buffers if asked, and copies them otherwise', async () => {
    const kept = new Uint8Array(100_000);
    const { api } = pair(
      {
        moved: () => ({ weights: new Uint8Array(kept) }),
        size: (bytes: ArrayBuffer) => bytes.byteLength,
      },
      { moves: ['moved'] },
    );
    expect((await api.moved()).weights.byteLength).toBe(100_000);
    const copied = new ArrayBuffer(100_000);
    await api.size(copied);
    expect(copied.byteLength).toBe(100_000);
    const given = transfer(new ArrayBuffer(100_000));
    expect(await api.size(given)).toBe(100_000);
    expect(given.byteLength).toBe(0);
  });
});

describe('errors', () => {
  it('keeps every field of a TabtuneError', async () => {
    const data = {
      code: 'bad_data',
      message: 'Bad row.',
      where: 'a.csv, row 3',
      action: 'Fix it.',
      details: 'd',
    } as const;
    const { api } = pair({
      fail: () => {
        throw new TabtuneError(data);
      },
    });
    const error = await api.fail().catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(TabtuneError);
    expect((error as TabtuneError).toData()).toEqual(data);
  });

  it('turns a programming error into `internal`, with the method and stack in its details', async () => {
    const { api } = pair({
      oops: () => {
        throw new RangeError('off by one');
      },
    });
    await expect(api.oops()).rejects.toMatchObject({
      code: 'internal',
      details: expect.stringMatching(/^oops: RangeError: off by one\n.*rpc\.test/s),
    });
  });

  it('turns an AbortError into `cancelled`', async () => {
    const { api } = pair({
      stop: () => {
        throw new DOMException('no more', 'AbortError');
      },
    });
    await expect(api.stop()).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('rejects what cannot be cloned, in either direction, and keeps serving', async () => {
    const { api } = pair({ echo: (value: unknown) => value, unclonable: () => ({ f: () => {} }) });
    await expect(api.echo({ f: () => {} })).rejects.toMatchObject({ code: 'internal' });
    await expect(api.unclonable()).rejects.toMatchObject({ code: 'internal' });
    expect(await api.echo(1)).toBe(1);
  });

  it('rejects an unknown method', async () => {
    const { api } = pair({} as { missing(): void });
    await expect(api.missing()).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('deadlines', () => {
  it('terminates the worker and rejects every waiting call with `timeout`', async () => {
    const { worker, connection } = pair({ hang: never, other: never });
    const deaths = vi.fn();
    connection.onDeath(deaths);
    const other = connection.api.other();
    const hang = connection.within(20, { message: 'The template loops.', action: 'Choose another.' }).hang();
    await expect(hang).rejects.toMatchObject({
      code: 'timeout',
      message: 'The template loops.',
      action: 'Choose another.',
    });
    await expect(other).rejects.toMatchObject({ code: 'timeout' });
    expect(worker.terminated).toBe(true);
    expect(deaths).toHaveBeenCalledOnce();
    await expect(connection.api.hang()).rejects.toMatchObject({ code: 'timeout' });
  });

  it('does not affect a call that returns in time', async () => {
    holdClock();
    const { worker, connection } = pair({ quick: () => 'done' });
    expect(await connection.within(20).quick()).toBe('done');
    await vi.advanceTimersByTimeAsync(1000);
    expect(worker.terminated).toBe(false);
  });

  it('without silence, each sign of life starts the time anew', async () => {
    let say = (_: number) => {};
    const { worker, connection } = pair({
      work: (onStep: (n: number) => void) => {
        say = onStep;
        return never();
      },
      hello: () => 'hello',
    });
    await connection.api.hello();
    holdClock();
    const told: number[] = [];
    const call = connection.withoutSilence(100).work((n: number) => void told.push(n));
    await until(() => say.length === 0);
    for (let n = 1; n <= 5; n++) {
      await vi.advanceTimersByTimeAsync(80);
      say(n);
      await until(() => told.length === n);
    }
    expect(worker.terminated).toBe(false);
    const ended = expect(call).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(300);
    await ended;
  });

  it('a worker that goes on after an abort is terminated', async () => {
    const { worker, connection } = pair({ deaf: (_: AbortSignal) => never() }, { abortDeadline: 30 });
    const stop = new AbortController();
    const call = connection.api.deaf(stop.signal);
    stop.abort();
    await expect(call).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('did not stop') });
    expect(worker.terminated).toBe(true);
  });

  it('does not count the time a worker takes to start', async () => {
    holdClock();
    const manager = new FakeLocks();
    const worker = new FakeWorker(manager);
    const connection = connect<{ quick(): string }>(worker, { name: 'test worker', locks: manager.for({}) });
    open.push(connection as Connection<unknown>);
    const call = connection.within(30).quick();
    await vi.advanceTimersByTimeAsync(1000);
    serve({ quick: () => 'done' }, { port: worker.port, locks: worker.locks });
    expect(await call).toBe('done');
  });
});

describe('death', () => {
  it('is detected at once if a worker disappears without an event', async () => {
    // No timer brings it about.
    holdClock();
    const { worker, connection } = pair({ hang: never, hello: () => 'hello' });
    const deaths = vi.fn();
    connection.onDeath(deaths);
    await connection.api.hello();
    const calls = [connection.api.hang(), connection.api.hang(), connection.api.hang()];
    const outcomes = Promise.allSettled(calls);
    worker.crash();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'worker_died' } });
    }
    expect(deaths).toHaveBeenCalledOnce();
    expect(connection.death).toMatchObject({ code: 'worker_died' });
  });

  it.each(['error', 'messageerror'])('is detected from a worker’s %s event', async (type) => {
    const { worker, connection } = pair({ hang: never });
    const call = connection.api.hang();
    worker.dispatchEvent(new Event(type));
    await expect(call).rejects.toMatchObject({ code: 'worker_died' });
    expect(worker.terminated).toBe(true);
  });

  it('is assumed if a worker never starts', async () => {
    const worker = new FakeWorker();
    const connection = connect<{ hello(): void }>(worker, { name: 'test worker', locks: null, startDeadline: 20 });
    await expect(connection.api.hello()).rejects.toMatchObject({ code: 'worker_died' });
  });

  it('by terminate() rejects waiting calls and does not call onDeath', async () => {
    const { connection } = pair({ hang: never });
    const deaths = vi.fn();
    connection.onDeath(deaths);
    const call = connection.api.hang();
    connection.terminate();
    await expect(call).rejects.toMatchObject({ code: 'worker_died' });
    await expect(connection.api.hang()).rejects.toMatchObject({ code: 'worker_died' });
    expect(deaths).not.toHaveBeenCalled();
  });

  it('is not detected by locks, but calls work, without a lock manager', async () => {
    const worker = new FakeWorker();
    serve({ hello: () => 'hello' }, { port: worker.port, locks: null });
    const connection = connect<{ hello(): string }>(worker, { name: 'test worker', locks: null });
    open.push(connection as Connection<unknown>);
    expect(await connection.api.hello()).toBe('hello');
  });
});
