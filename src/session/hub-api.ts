import type { Download, HubHit, HubModel, HubSettings, ShelfModel } from '../hub/descriptions';
import type { PushAccount, Pushed, PushOrder, PushPace, PushTarget } from '../hub/push/types';

/** Models on the Hugging Face Hub and their downloads. */
export interface HubApi {
  hubSettings(): HubSettings;
  /** Takes effect from now on. The token is kept only in memory. */
  setHubSettings(settings: HubSettings): Promise<void>;
  /** The curated shelf, without using the network. It is returned at once; plans follow card by card. */
  shelf(onPlanned?: (models: ShelfModel[]) => void): Promise<ShelfModel[]>;
  searchHub(query: string, signal?: AbortSignal): Promise<HubHit[]>;
  /** Takes `ORG/NAME`, `hf:ORG/NAME@REVISION` or a Hub address. Reads only the file list, configs and headers. */
  describeModel(nameOrUrl: string, signal?: AbortSignal): Promise<HubModel>;
  /** Reports all running, stopped and failed downloads whenever one changes, at most a few times per second. */
  watchDownloads(listener: (downloads: Download[]) => void): () => void;
  /**
   * Starts or resumes a download. Resolves once everything is downloaded and verified (at once if it already was).
   * Rejects if it fails, or with `cancelled` if it is paused or cancelled. A source without a commit is looked up
   * again; offline, the downloaded commit is used.
   */
  download(source: string): Promise<void>;
  pauseDownload(source: string): Promise<void>;
  /** Stops it and deletes what was fetched. */
  cancelDownload(source: string): Promise<void>;
  /** Asks the browser not to evict the data, and returns whether it agreed. */
  persist(): Promise<boolean>;
  /** Sending files to the Hub. */
  pushing(): Promise<PushApi>;
}

export interface PushApi {
  /** Whose token it is, and where it may write. Throws `access` if it may write nowhere. */
  account(token: string, signal?: AbortSignal): Promise<PushAccount>;
  /** A repository, under its present name; null if there is none that the token of the settings can see. */
  target(repo: string, signal?: AbortSignal): Promise<PushTarget | null>;
  /**
   * Sends files with the token of the settings, and commits them. Rejects with `cancelled` when the signal fires. What has arrived is
   * remembered in this tab, also over a reload: the same order goes on there.
   */
  push(order: PushOrder, onProgress: (progress: PushPace) => void, signal: AbortSignal): Promise<Pushed>;
}
