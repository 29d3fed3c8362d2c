/** The downloads of this visit and unfinished ones from earlier visits. One runs at a time while the others wait. */
import { TabtuneError } from '../base/errors';
import { bytesOf, type Manifest, receivedOf } from '../hub/cache';
import type { Download, HubSettings } from '../hub/descriptions';
import type { Progress } from '../hub/downloader';
import { parsePinned } from '../hub/hub-id';
import { Meter, secondsLeft } from '../hub/meter';
import type { Connection } from '../rpc/rpc';
import type { DownloadApi } from '../workers/download/service';

export interface DownloadListNeeds {
  connect: () => Connection<DownloadApi>;
  settings(): HubSettings;
  /** Partly downloaded models. */
  unfinished(): Promise<Manifest[]>;
}

interface Entry {
  manifest: Manifest;
  download: Download;
  meter: Meter;
  /** Whether its turn has come and the worker has started it. */
  begun: boolean;
  /** Set while it waits or runs. */
  running: { promise: Promise<void>; abort: AbortController } | null;
}

type Listener = (downloads: Download[]) => void;

export class DownloadList {
  private readonly entries = new Map<string, Entry>();
  private readonly watchers = new Set<Listener>();
  private connection: Connection<DownloadApi> | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  private restored: Promise<void> | null = null;

  constructor(private readonly needs: DownloadListNeeds) {
    // Downloads that stopped because of the network resume when it is back.
    globalThis.addEventListener?.('online', () => this.resumeBroken());
  }

  watch(listener: Listener): () => void {
    this.watchers.add(listener);
    this.restored ??= this.restore();
    listener(this.all());
    return () => this.watchers.delete(listener);
  }

  /** Starts or resumes a download. All callers share one promise while it runs. */
  run(manifest: Manifest): Promise<void> {
    const entry = this.entry(manifest);
    entry.running ??= this.start(entry);
    return entry.running.promise;
  }

  /** Stops a download and resolves when it has stopped. What has arrived is kept. */
  async stop(source: string): Promise<void> {
    const entry = this.entries.get(source);
    if (!entry?.running) return;
    entry.running.abort.abort();
    await entry.running.promise.catch(() => {});
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.entries.keys()].map((source) => this.stop(source)));
    this.entries.clear();
    this.tell();
  }

  forget(source: string): void {
    if (this.entries.delete(source)) this.tell();
  }

  close(): void {
    this.connection?.terminate();
  }

  private all(): Download[] {
    return [...this.entries.values()].map(({ download }) => ({ ...download }));
  }

  private tell(): void {
    const downloads = this.all();
    for (const watcher of this.watchers) watcher(downloads);
  }

  private async restore(): Promise<void> {
    // Without storage there is nothing to resume; the first download reports the problem.
    const manifests = await this.needs.unfinished().catch(() => []);
    for (const manifest of manifests) if (!this.entries.has(manifest.source)) this.entry(manifest);
    if (manifests.length > 0) this.tell();
  }

  private entry(manifest: Manifest): Entry {
    const known = this.entries.get(manifest.source);
    if (known) return known;
    const { id, file } = parsePinned(manifest.source);
    const entry: Entry = {
      manifest,
      download: {
        source: manifest.source,
        title: file === null ? id : `${id}/${file}`,
        state: 'paused',
        file: '',
        loaded: receivedOf(manifest),
        total: bytesOf(manifest.files),
        rate: null,
        secondsLeft: null,
        note: null,
        error: null,
        updatedAt: manifest.updatedAt,
      },
      meter: new Meter(),
      begun: false,
      running: null,
    };
    this.entries.set(manifest.source, entry);
    return entry;
  }

  private start(entry: Entry): NonNullable<Entry['running']> {
    const abort = new AbortController();
    entry.meter = new Meter();
    entry.begun = false;
    this.change(entry, { state: 'waiting', error: null, note: null, rate: null, secondsLeft: null });
    const whole = bytesOf(entry.manifest.files);
    const turn = this.queue.then(() => this.fetch(entry, abort.signal));
    this.queue = turn.catch(() => {});
    const promise = Promise.race([turn, this.stoppedWaiting(entry, abort.signal)]).then(
      () => this.end(entry, { state: 'done', loaded: whole, total: whole, error: null }),
      (cause: unknown) => {
        const error = TabtuneError.from(cause, { code: 'internal', message: 'The download failed.' });
        // Temporary problems only pause a download, because it can simply be resumed.
        const passing = ['cancelled', 'network', 'worker_died'].includes(error.code);
        const shown = error.code === 'cancelled' ? null : error.toData();
        this.end(entry, { state: passing ? 'paused' : 'failed', error: shown });
        throw error;
      },
    );
    // The list shows the error. Not every caller waits for this promise.
    promise.catch(() => {});
    return { promise, abort };
  }

  /** Rejects if the download is stopped before its turn, so that stopping need not wait for the downloads before it. */
  private stoppedWaiting(entry: Entry, signal: AbortSignal): Promise<never> {
    return new Promise((_, reject) => {
      const stop = () => !entry.begun && reject(stopped());
      signal.addEventListener('abort', stop, { once: true });
    });
  }

  private async fetch(entry: Entry, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw stopped();
    entry.begun = true;
    if (!this.connection || this.connection.death) this.connection = this.needs.connect();
    const onProgress = (progress: Progress) => this.progress(entry, progress);
    await this.connection.api.download(entry.manifest, this.needs.settings(), onProgress, signal);
  }

  private progress(entry: Entry, { state, file, loaded, total, note }: Progress): void {
    if (!entry.running) return;
    const rate = state === 'downloading' ? entry.meter.add(loaded) : null;
    this.change(entry, { state, file, loaded, total, note, rate, secondsLeft: secondsLeft(rate, total - loaded) });
  }

  private end(entry: Entry, change: Partial<Download>): void {
    entry.running = null;
    if (this.entries.get(entry.manifest.source) !== entry) return;
    this.change(entry, { ...change, rate: null, secondsLeft: null });
  }

  private change(entry: Entry, change: Partial<Download>): void {
    Object.assign(entry.download, change, { updatedAt: Date.now() });
    this.tell();
  }

  private resumeBroken(): void {
    for (const entry of this.entries.values()) {
      if (entry.download.error?.code === 'network' && !entry.running) entry.running = this.start(entry);
    }
  }
}

const stopped = () => new TabtuneError({ code: 'cancelled', message: 'The download was paused.' });
