/** What was timed on this card, for the device page: shown, timed again, or left unused. One thing at a time, and never beside a run. */
import type { KeptKernels } from '../base/product-class';
import type { KernelsApi } from './api';
import type { EngineHost, Limit } from './engine-host';

const limit: Limit = {
  milliseconds: 90_000,
  words: {
    message: 'The engine did not say which kernels it uses, and was stopped.',
    where: 'kernels',
    action: 'Try again. If it happens again, restart the browser.',
  },
};

export class KernelCalls implements KernelsApi {
  private active: { abort: AbortController; done: Promise<unknown> } | null = null;

  constructor(
    private readonly engine: EngineHost,
    /** Throws while the engine is in use. */
    private readonly assertIdle: (action: string) => void,
  ) {}

  /** Ends what is being timed, since something more important needs the engine. */
  async end(): Promise<void> {
    this.active?.abort.abort();
    await this.active?.done.catch(() => {});
  }

  keptKernels = (): Promise<KeptKernels> => this.engine.watch((api) => api.keptKernels(), limit);

  async chooseKernels(timed: boolean): Promise<KeptKernels> {
    this.assertIdle('choosing kernels');
    return this.engine.watch((api) => api.chooseKernels(timed), limit);
  }

  async measureKernels(onProgress: (share: number) => void, signal?: AbortSignal): Promise<KeptKernels> {
    this.assertIdle('timing the kernels');
    await this.end();
    const abort = new AbortController();
    signal?.addEventListener('abort', () => abort.abort());
    const done = this.engine
      .use((api) => api.measureKernels(onProgress, abort.signal))
      .finally(() => {
        this.active = null;
      });
    this.active = { abort, done };
    return done;
  }
}
