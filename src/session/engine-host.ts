/**
 * The page's side of the engine worker: starts it, loads the wanted model and adapter, and restarts it after a crash or
 * a lost GPU. Nothing is retried automatically: the call that hit the failure fails, and the next call that needs the
 * engine reloads what was open. A GPU that is lost again and again must not be retried silently.
 */
import { type ErrorData, TabtuneError } from '../base/errors';
import type { AdapterFiles } from '../formats/adapter-format';
import type { MethodSection } from '../methods';
import type { ModelSection, Recipe } from '../recipe/types';
import type { Connection, Remote } from '../rpc/rpc';
import type { EngineApi } from '../workers/engine/api';

/** Where the model's adapter comes from, so that it can be put on a restarted worker. */
export type AdapterOrigin =
  | { kind: 'run'; runId: string; recipe: Recipe }
  | { kind: 'files'; files: AdapterFiles; name: string; settings?: MethodSection | null };

/** What the engine says of an adapter that it has put on the model. */
type PutAdapter = Awaited<ReturnType<EngineApi['setAdapter']>>;

type LoadedModel = Awaited<ReturnType<EngineApi['loadModel']>>;

/** What a call may take; with `silence`, between two signs of life. */
export interface Limit {
  milliseconds: number;
  words?: Omit<ErrorData, 'code'>;
  silence?: true;
}

/** Pieces of 32 MB are read, perhaps quantised, and reported. */
const LOAD_SILENCE_MS = 5 * 60_000;
/** PiSSA's singular values of a large model take minutes. */
const ADAPTER_MS = 20 * 60_000;

/** For one answer of the engine that nobody can cancel, of a size that a person asks for. */
export const answerLimit: Limit = {
  milliseconds: 10 * 60_000,
  words: {
    message: 'The engine did not answer within ten minutes and was stopped.',
    where: 'engine',
    action: 'Try again with a shorter text. If it happens again, close other tabs that use the GPU.',
  },
};

const LOSSES_TO_WARN = 3;
const LOSS_WINDOW_MS = 10 * 60_000;

/** After these errors the worker's GPU objects are useless, so the worker is replaced. */
function endsWorker({ code, where }: ErrorData): boolean {
  // A device that has rejected an operation returns the same error for every later call.
  if (code === 'internal') return where === 'GPU';
  return code === 'gpu_lost' || code === 'gpu_out_of_memory' || code === 'worker_died';
}

export class EngineHost {
  private connection: Connection<EngineApi> | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private losses: number[] = [];
  private counted = new WeakSet<Connection<EngineApi>>();
  /** What should be on the GPU, and what the current worker has there. */
  private wanted: ModelSection | null = null;
  private adapter: AdapterOrigin | null = null;
  private loaded: ModelSection | null = null;
  /** 'unknown' after a run or an attach that failed halfway. */
  private attached: AdapterOrigin | 'unknown' | null = null;
  private closed = false;

  constructor(
    private readonly start: () => Connection<EngineApi>,
    private readonly now: () => number = Date.now,
  ) {}

  get currentAdapter(): AdapterOrigin | null {
    return this.adapter;
  }

  /** Loads a model. The previous model and its adapter are gone even if this fails. */
  loadModel(
    source: string,
    onProgress?: (loaded: number, total: number) => void,
    quantization: ModelSection['quantization'] = 'none',
  ): Promise<LoadedModel> {
    return this.inTurn(async () => {
      this.wanted = null;
      this.adapter = null;
      const section = { source, quantization };
      const model = await this.load(section, onProgress);
      this.wanted = section;
      return model;
    });
  }

  /** Attaches an adapter to the open model, and remembers it with its settings only if it fits. */
  attach(origin: AdapterOrigin): Promise<PutAdapter> {
    return this.inTurn(async () => {
      await this.restoreModel();
      try {
        const result = await this.put(origin);
        if (origin.kind === 'files') origin.settings = result.settings;
        this.adapter = origin;
        return result;
      } catch (cause) {
        // The next use restores the previous adapter.
        this.attached = 'unknown';
        throw cause;
      }
    });
  }

  /**
   * Changes which adapter should be on the model; the next use puts it there. After a run, the engine has changed the
   * adapter itself: 'as it is' means that the wanted adapter is already there, 'unknown' that its state is not known.
   */
  want(origin: AdapterOrigin | null, found?: 'as it is' | 'unknown'): void {
    this.adapter = origin;
    if (found !== undefined) this.attached = found === 'unknown' ? 'unknown' : origin;
  }

  /**
   * Calls the engine with the wanted model and adapter in place. Calls may overlap. What has neither a signal nor a Stop of its
   * own needs a limit.
   */
  async use<T>(action: (api: Remote<EngineApi>) => Promise<T>, limit?: Limit): Promise<T> {
    await this.inTurn(async () => {
      await this.restoreModel();
      if (this.attached !== this.adapter) await this.put(this.adapter);
    });
    return this.watch(action, limit);
  }

  /** Calls the engine without restoring anything, for calls that need no model. A worker that exceeds a limit is ended. */
  async watch<T>(action: (api: Remote<EngineApi>) => Promise<T>, limit?: Limit): Promise<T> {
    const connection = this.connected();
    const { milliseconds, words, silence } = limit ?? {};
    const api =
      milliseconds === undefined
        ? connection.api
        : connection[silence ? 'withoutSilence' : 'within'](milliseconds, words);
    try {
      return await action(api);
    } catch (cause) {
      throw this.meet(TabtuneError.from(cause, { code: 'internal', message: 'The engine failed.' }), connection);
    }
  }

  /** Ends a worker that does not listen; its waiting calls fail with this error. */
  end(error: TabtuneError): void {
    this.connection?.terminate(error);
  }

  close(): void {
    this.closed = true;
    this.connection?.terminate();
  }

  private inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.queue.then(action);
    this.queue = result.catch(() => {});
    return result;
  }

  private connected(): Connection<EngineApi> {
    if (!this.connection || this.connection.death) {
      this.connection = this.start();
      this.loaded = null;
      this.attached = null;
    }
    return this.connection;
  }

  private async load(
    section: ModelSection,
    onProgress?: (loaded: number, total: number) => void,
  ): Promise<LoadedModel> {
    this.loaded = null;
    this.attached = null;
    const { source, quantization } = section;
    const model = await this.watch((api) => api.loadModel(source, onProgress ?? (() => {}), quantization), {
      ...{ milliseconds: LOAD_SILENCE_MS, silence: true },
      words: {
        message: `Opening the model made no progress for ${LOAD_SILENCE_MS / 60_000} minutes and was stopped.`,
        where: source,
        action: 'Try again. If it happens again, close other tabs that use the GPU, or choose a smaller model.',
      },
    });
    this.loaded = section;
    return model;
  }

  private async restoreModel(): Promise<void> {
    this.connected();
    if (this.wanted !== null && this.loaded !== this.wanted) await this.load(this.wanted);
  }

  private async put(origin: AdapterOrigin | null): Promise<PutAdapter> {
    const result = await this.watch(
      (api) =>
        origin?.kind === 'run'
          ? api.openCheckpoint(origin.runId, origin.recipe)
          : api.setAdapter(origin?.files ?? null),
      {
        milliseconds: ADAPTER_MS,
        words: {
          message: `Putting the adapter on the model took longer than ${ADAPTER_MS / 60_000} minutes and was stopped.`,
          action: 'Try again, or use another adapter.',
        },
      },
    );
    this.attached = origin;
    return result;
  }

  /** Terminates a worker whose GPU is gone, and adds a warning if that keeps happening. */
  private meet(error: TabtuneError, connection: Connection<EngineApi>): TabtuneError {
    if (!endsWorker(error)) return error;
    connection.terminate();
    if (error.code === 'internal') return error;
    // One loss rejects all waiting calls but counts once.
    if (!this.counted.has(connection) && !this.closed) {
      this.counted.add(connection);
      this.losses.push(this.now());
    }
    this.losses = this.losses.filter((time) => this.now() - time < LOSS_WINDOW_MS);
    if (this.losses.length < LOSSES_TO_WARN) return error;
    return new TabtuneError({
      ...error.toData(),
      message: `${error.message} This is the ${ordinal(this.losses.length)} time within ten minutes.`,
      action:
        'The GPU may be overloaded. Use a smaller batch size or maximum length, close other tabs that use the GPU, then continue.',
    });
  }
}

function ordinal(n: number): string {
  return n === 3 ? '3rd' : `${n}th`;
}
