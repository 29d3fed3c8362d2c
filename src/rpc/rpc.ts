/**
 * Typed calls between the page and a worker. `serve(api)` runs in the worker, `connect<Api>(worker)` on the page.
 *
 *   page                                worker
 *    |  <---- ready {lock} --------------  |   serve() holds the Web Lock `lock` for as long as the worker lives
 *    |  ----- page {url} -------------->  |
 *    |  ----- call {id, method, args} -->  |
 *    |  <---- callback {id, index, args}   |   a function passed as an argument was called there
 *    |  ----- abort {id, index} -------->  |   an AbortSignal passed as an argument fired here
 *    |  <---- result | error {id} -------  |
 *
 * Not a library, because what matters here is how calls end: a worker that crashes, fails to load or runs past a deadline
 * must reject every waiting call at once, and a browser says nothing when a worker merely vanishes. So the page queues for
 * the worker's lock: getting it means that the worker is gone.
 */
import { type ErrorData, TabtuneError } from '../base/errors';
import { tellPageUrl } from '../base/page-url';

type AnyMethod = (...args: never[]) => unknown;

/** `Api` as the page sees it: the same arguments, every result a promise. */
export type Remote<Api> = {
  [K in keyof Api as Api[K] extends AnyMethod ? K : never]: Api[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** The part of Worker that is used, so that tests can replace it. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  terminate(): void;
}

/** The part of a worker's own scope (or of a MessagePort) that is used. */
export interface ServePort {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  start?(): void;
}

/** The part of navigator.locks that is used. */
export type Locks = Pick<LockManager, 'request'>;

export interface Connection<Api> {
  readonly api: Remote<Api>;
  /**
   * The same calls with a deadline. When it passes, the worker is terminated (the only way to stop a loop in it) and every
   * waiting call rejects with 'timeout' and the given words. The time counts from when a ready worker gets the message, so
   * calls that must not use up each other's time should be made one after another.
   */
  within(milliseconds: number, words?: Omit<ErrorData, 'code'>): Remote<Api>;
  /** The same, but the time counts anew from each time that the worker calls a function that was passed to it. */
  withoutSilence(milliseconds: number, words?: Omit<ErrorData, 'code'>): Remote<Api>;
  /** Why the worker died; null while it is alive. */
  readonly death: TabtuneError | null;
  /** Called once if the worker dies by itself or at a deadline; not for `terminate()`. */
  onDeath(listener: (error: TabtuneError) => void): void;
  /** Terminates the worker; waiting calls reject with this error, or 'worker_died'. */
  terminate(error?: TabtuneError): void;
}

type CallMessage = { type: 'call'; id: number; method: string; args: unknown[]; special: Special[] };
type ToWorker = { type: 'page'; url: string } | CallMessage | { type: 'abort'; id: number; index: number };
type ToPage =
  | { type: 'ready'; lock: string | null }
  | { type: 'callback'; id: number; index: number; args: unknown[] }
  | { type: 'result'; id: number; value: unknown }
  | { type: 'error'; id: number; error: ErrorData };
/** Arguments that structured clone cannot carry, by position; `args` holds null in their place. */
type Special = { index: number; kind: 'callback' } | { index: number; kind: 'signal'; aborted: boolean };

/** Below this size, a copy is cheaper than moving ownership. */
const MOVE_AT_LEAST = 64 * 1024;
/** A worker that has not reported by then never will: its script is missing or hangs while loading. */
const START_DEADLINE_MS = 60_000;
/** A call whose signal has fired must settle by then: a worker that does not listen is terminated. */
const ABORT_DEADLINE_MS = 60_000;
/** At a deadline, answers that are already in the page's queue are let in first. */
const GRACE_MS = 20;

const movable = new WeakSet<object>();

/** Marks an argument whose buffers the worker may take over; the caller must not use them again. */
export function transfer<T extends object>(value: T): T {
  movable.add(value);
  return value;
}

/** Large buffers inside plain data, each once. A view of only part of its buffer is copied instead. */
function buffersIn(value: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (value instanceof ArrayBuffer) {
    if (value.byteLength >= MOVE_AT_LEAST) found.add(value);
  } else if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength) {
      buffersIn(value.buffer, found);
    }
  } else if (Array.isArray(value)) {
    for (const item of value) buffersIn(item, found);
  } else if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) buffersIn(item, found);
  }
  return found;
}

/** An error as plain data. A programming error keeps its stack, because nobody else will see the worker's console. */
function errorData(cause: unknown, what: string): ErrorData {
  if (cause instanceof TabtuneError) return cause.toData();
  if (cause instanceof DOMException && cause.name === 'AbortError') {
    return { code: 'cancelled', message: 'The operation was cancelled.', details: what };
  }
  const details = cause instanceof Error ? (cause.stack ?? `${cause.name}: ${cause.message}`) : String(cause);
  return {
    code: 'internal',
    message: 'Something went wrong in Tabtune.',
    action: 'Try again; if it happens again, reload the page.',
    details: `${what}: ${details}`,
  };
}

function pageLocks(): Locks | null {
  return typeof navigator !== 'undefined' && navigator.locks ? navigator.locks : null;
}

// ---------------------------------------------------------------------------------------------------------- worker

export interface ServeOptions {
  port?: ServePort;
  locks?: Locks | null;
  /** Methods whose results the worker keeps no reference to: their large buffers are moved, not copied. */
  moves?: string[];
}

/** Answers calls with `api`'s methods. Functions and signals passed as arguments arrive as functions and signals. */
export function serve<Api extends object>(api: Api, options: ServeOptions = {}): void {
  const port = options.port ?? (globalThis as unknown as ServePort);
  const locks = options.locks === undefined ? pageLocks() : options.locks;
  const moves = new Set(options.moves);
  const controllers = new Map<string, AbortController>();
  const send = (message: ToPage, move: Transferable[] = []) => port.postMessage(message, move);

  function revive(call: CallMessage): unknown[] {
    const args = [...call.args];
    for (const special of call.special) {
      if (special.kind === 'callback') {
        args[special.index] = (...values: unknown[]) =>
          send({ type: 'callback', id: call.id, index: special.index, args: values });
      } else {
        const controller = new AbortController();
        if (special.aborted) controller.abort();
        controllers.set(`${call.id}/${special.index}`, controller);
        args[special.index] = controller.signal;
      }
    }
    return args;
  }

  async function answer(call: CallMessage): Promise<void> {
    try {
      const method = (api as Record<string, unknown>)[call.method];
      if (typeof method !== 'function') throw new Error(`the worker has no method ${call.method}`);
      const value: unknown = await method.apply(api, revive(call));
      send({ type: 'result', id: call.id, value }, moves.has(call.method) ? [...buffersIn(value)] : []);
    } catch (cause) {
      send({ type: 'error', id: call.id, error: errorData(cause, call.method) });
    } finally {
      for (const { index, kind } of call.special) if (kind === 'signal') controllers.delete(`${call.id}/${index}`);
    }
  }

  port.addEventListener('message', (event) => {
    const message = (event as MessageEvent<ToWorker>).data;
    if (message.type === 'page') tellPageUrl(message.url);
    else if (message.type === 'call') void answer(message);
    else controllers.get(`${message.id}/${message.index}`)?.abort();
  });
  port.start?.();
  void holdForLife(locks).then((lock) => send({ type: 'ready', lock }));
}

/** Takes a lock and never releases it. Null if there are no locks: then only `error` events reveal a death. */
async function holdForLife(locks: Locks | null): Promise<string | null> {
  if (!locks) return null;
  const name = `tabtune-worker-${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    locks
      .request(name, () => {
        resolve(name);
        return new Promise<never>(() => {});
      })
      .catch(() => resolve(null));
  });
}

// ------------------------------------------------------------------------------------------------------------ page

export interface ConnectOptions {
  /** For messages: "The engine worker stopped". */
  name: string;
  locks?: Locks | null;
  startDeadline?: number;
  abortDeadline?: number;
}

interface Limit {
  deadline: number;
  words?: Omit<ErrorData, 'code'>;
  /** Counted from the last sign of life. */
  silence?: true;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: TabtuneError): void;
  callbacks: Map<number, (...args: unknown[]) => void>;
  /** Starts the deadline anew, if it counts silence. */
  heard?(): void;
  /** Cancels the deadline and lets go of signals. */
  release(): void;
}

/** Talks to a worker that serves `Api`. Calls made before it is ready wait for it. */
export function connect<Api>(worker: WorkerLike, options: ConnectOptions): Connection<Api> {
  const { name, startDeadline = START_DEADLINE_MS, abortDeadline = ABORT_DEADLINE_MS } = options;
  const locks = options.locks === undefined ? pageLocks() : options.locks;
  const waiting = new Map<number, Waiting>();
  const listeners = new Set<(error: TabtuneError) => void>();
  /** Actions to run once the worker is ready; null from then on. */
  let outbox: (() => void)[] | null = [];
  let death: TabtuneError | null = null;
  let nextId = 1;

  const died = (details: string) =>
    new TabtuneError({
      code: 'worker_died',
      message: `Tabtune’s ${name} stopped unexpectedly.`,
      action: 'Try again; everything that was saved is still there.',
      details,
    });

  function end(error: TabtuneError, expected = false): void {
    if (death) return;
    death = error;
    clearTimeout(startTimer);
    outbox = null;
    worker.terminate();
    for (const call of waiting.values()) {
      call.release();
      call.reject(error);
    }
    waiting.clear();
    if (!expected) for (const listener of listeners) listener(error);
  }

  const startTimer = setTimeout(() => end(died(`no sign of life within ${startDeadline} ms`)), startDeadline);

  function whenReady(action: () => void): void {
    if (outbox) outbox.push(action);
    else action();
  }

  worker.addEventListener('error', (event) => {
    const { message, filename, lineno } = event as ErrorEvent;
    end(died(message ? `${message} (${filename}:${lineno})` : 'its script could not be loaded'));
  });
  worker.addEventListener('messageerror', () => end(died('a message could not be read')));
  worker.addEventListener('message', (event) => {
    const message = (event as MessageEvent<ToPage>).data;
    if (death) return;
    if (message.type === 'ready') {
      clearTimeout(startTimer);
      const held = message.lock;
      if (held && locks) locks.request(held, () => end(died('its lock was released'))).catch(() => {});
      if (typeof document !== 'undefined') {
        worker.postMessage({ type: 'page', url: document.baseURI } satisfies ToWorker, []);
      }
      const actions = outbox ?? [];
      outbox = null;
      for (const action of actions) action();
      return;
    }
    const call = waiting.get(message.id);
    if (!call) return;
    if (message.type === 'callback') {
      call.heard?.();
      call.callbacks.get(message.index)?.(...message.args);
      return;
    }
    waiting.delete(message.id);
    call.release();
    if (message.type === 'result') call.resolve(message.value);
    else call.reject(TabtuneError.fromData(message.error));
  });

  function call(method: string, args: unknown[], limit?: Limit): Promise<unknown> {
    if (death) return Promise.reject(death);
    const id = nextId++;
    const callbacks: Waiting['callbacks'] = new Map();
    const releases: (() => void)[] = [];
    const signals: { index: number; signal: AbortSignal }[] = [];
    const plain = args.map((value, index) => {
      if (typeof value === 'function') callbacks.set(index, value as (...args: unknown[]) => void);
      else if (value instanceof AbortSignal) signals.push({ index, signal: value });
      else return value;
      return null;
    });
    const move = plain.flatMap((value) =>
      value !== null && typeof value === 'object' && movable.has(value) ? [...buffersIn(value)] : [],
    );

    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        ...{ resolve, reject, callbacks },
        release: () => releases.forEach((release) => void release()),
      };
      waiting.set(id, entry);
      whenReady(() => {
        // A signal's state is read only now, because it may have fired while the worker was starting.
        const special: Special[] = [
          ...[...callbacks.keys()].map((index): Special => ({ index, kind: 'callback' })),
          ...signals.map(({ index, signal }): Special => ({ index, kind: 'signal', aborted: signal.aborted })),
        ];
        try {
          worker.postMessage({ type: 'call', id, method, args: plain, special } satisfies ToWorker, move);
        } catch (cause) {
          waiting.delete(id);
          reject(TabtuneError.fromData(errorData(cause, method)));
          return;
        }
        const listening = () => void releases.push(startDeadlineOf(method, deaf).stop);
        for (const { index, signal } of signals) {
          if (signal.aborted) {
            listening();
            continue;
          }
          const abort = () => {
            worker.postMessage({ type: 'abort', id, index } satisfies ToWorker, []);
            listening();
          };
          signal.addEventListener('abort', abort, { once: true });
          releases.push(() => signal.removeEventListener('abort', abort));
        }
        if (!limit) return;
        let running = startDeadlineOf(method, limit);
        releases.push(() => running.stop());
        if (!limit.silence) return;
        entry.heard = () => {
          running.stop();
          running = startDeadlineOf(method, limit);
        };
      });
    });
  }

  const deaf: Limit = {
    deadline: abortDeadline,
    words: {
      message: `Tabtune’s ${name} did not stop when asked to, so it was ended.`,
      action: 'Try again; everything that was saved is still there.',
    },
  };

  function startDeadlineOf(method: string, { deadline, words }: Limit): { stop: () => void } {
    const expire = () =>
      end(
        new TabtuneError({
          code: 'timeout',
          message: `Tabtune’s ${name} took longer than ${Math.round(deadline / 1000)} s and was stopped.`,
          details: `${method} ran past ${deadline} ms`,
          ...words,
        }),
      );
    let timer = setTimeout(() => {
      timer = setTimeout(expire, GRACE_MS);
    }, deadline);
    return { stop: () => clearTimeout(timer) };
  }

  const remote = (limit?: Limit) =>
    new Proxy(Object.create(null) as Remote<Api>, {
      // `then` must stay absent, or awaiting the proxy would call the worker.
      get: (_, method) =>
        typeof method === 'string' && method !== 'then' ? (...args: unknown[]) => call(method, args, limit) : undefined,
    });

  return {
    api: remote(),
    within: (deadline, words) => remote({ deadline, words }),
    withoutSilence: (deadline, words) => remote({ deadline, words, silence: true }),
    get death() {
      return death;
    },
    onDeath: (listener) => void listeners.add(listener),
    terminate: (error) =>
      end(error ?? new TabtuneError({ code: 'worker_died', message: `Tabtune’s ${name} was closed.` }), true),
  };
}
