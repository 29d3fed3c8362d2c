/** Hugging Face Hub models: searched, described, downloaded one at a time, and stored in this browser. */
import { chunk } from '../base/chunks';
import { TabtuneError } from '../base/errors';
import { supportedFamilies } from '../families';
import {
  bytesOf,
  findCached,
  isComplete,
  lastUsed,
  listManifests,
  type Manifest,
  markUsed,
  modelLock,
  newManifest,
  readManifest,
  receivedOf,
  writeManifest,
} from '../hub/cache';
import type { Described } from '../hub/describe';
import type { HubHit, HubModel, HubSettings, ShelfModel } from '../hub/descriptions';
import type { HubClient } from '../hub/hub-client';
import { checkEndpoint } from '../hub/hub-endpoint';
import { HUB, hubSource, isCommit, parseHubName, parsePinned } from '../hub/hub-id';
import type { PlanModel } from '../hub/plan';
import type { Connection } from '../rpc/rpc';
import { type FileStore, opfs } from '../storage/opfs';
import type { DownloadApi } from '../workers/download/service';
import type { UploadApi } from '../workers/upload/service';
import type { StorageItem } from './api';
import { DownloadList } from './downloads';
import type { HubApi, PushApi } from './hub-api';
import type { PageLocks } from './run-guard';

export interface HubNeeds {
  connect: () => Connection<DownloadApi>;
  connectUploads: () => Connection<UploadApi>;
  locks: PageLocks | null;
  plan: PlanModel;
  onSave(): void;
  store?: FileStore;
}

const RESULTS = 30;

const shelf = chunk(() => import('../hub/shelf'));
const pushing = chunk(() => import('./push'));
/** Only needed once the Hub is asked something. */
const hub = chunk(async () => ({ ...(await import('../hub/describe')), ...(await import('../hub/hub-client')) }));

type HubCalls = Pick<
  HubApi,
  | 'hubSettings'
  | 'setHubSettings'
  | 'shelf'
  | 'searchHub'
  | 'describeModel'
  | 'watchDownloads'
  | 'download'
  | 'pauseDownload'
  | 'cancelDownload'
  | 'pushing'
>;

export class HubSession implements HubCalls {
  private settings: HubSettings = { endpoint: HUB, token: null };
  private readonly store: FileStore;
  private readonly list: DownloadList;
  private pushes: Promise<PushApi> | null = null;
  /** Recent descriptions by source, so that a download need not look the model up again. */
  private readonly described = new Map<string, Described>();

  constructor(private readonly needs: HubNeeds) {
    this.store = needs.store ?? opfs;
    this.list = new DownloadList({
      connect: needs.connect,
      settings: () => this.settings,
      unfinished: async () => (await listManifests(this.store)).filter((manifest) => !isComplete(manifest)),
    });
  }

  hubSettings(): HubSettings {
    return { ...this.settings };
  }

  async setHubSettings({ endpoint, token }: HubSettings): Promise<void> {
    this.settings = { endpoint: checkEndpoint(endpoint), token: token?.trim() || null };
    this.described.clear();
  }

  async shelf(onPlanned?: (models: ShelfModel[]) => void): Promise<ShelfModel[]> {
    const needs = {
      isDownloaded: (source: string) => this.isDownloaded(source),
      plan: (what: Parameters<PlanModel>[0]) => this.needs.plan(what),
    };
    const { shelfModels } = await shelf();
    return shelfModels(needs, onPlanned);
  }

  async searchHub(query: string, signal?: AbortSignal): Promise<HubHit[]> {
    const words = query.trim();
    if (words === '') return [];
    const { hubHit } = await hub();
    const found = await (await this.client()).search(words, RESULTS, signal);
    return found.map((info) => hubHit(info, supportedFamilies));
  }

  async describeModel(nameOrUrl: string, signal?: AbortSignal): Promise<HubModel> {
    return (await this.look(nameOrUrl, signal)).model;
  }

  private async look(nameOrUrl: string, signal?: AbortSignal): Promise<Described> {
    const reference = parseHubName(nameOrUrl, this.settings.endpoint);
    const { describeHubModel } = await hub();
    const described = await describeHubModel(
      {
        client: await this.client(),
        isDownloaded: (source) => this.isDownloaded(source),
        plan: (what) => this.needs.plan(what),
      },
      reference,
      signal,
    );
    for (const source of described.files.keys()) this.described.set(source, described);
    return described;
  }

  watchDownloads(listener: Parameters<HubApi['watchDownloads']>[0]): () => void {
    return this.list.watch(listener);
  }

  async download(source: string): Promise<void> {
    const manifest = await this.current(source);
    if (isComplete(manifest)) return;
    this.needs.onSave();
    await this.list.run(manifest);
  }

  async pauseDownload(source: string): Promise<void> {
    await this.list.stop(source);
  }

  async cancelDownload(source: string): Promise<void> {
    await this.list.stop(source);
    await this.delete(source);
  }

  pushing(): Promise<PushApi> {
    const { connectUploads } = this.needs;
    this.pushes ??= pushing().then(
      ({ PushSession }) => new PushSession({ connect: connectUploads, settings: () => this.settings }),
      (cause) => {
        this.pushes = null;
        throw cause;
      },
    );
    return this.pushes;
  }

  /** The source, with its commit, of a downloaded model. Does not use the network. */
  async locate(source: string): Promise<string> {
    const manifest = await findCached(source, this.store);
    if (!manifest) {
      throw new TabtuneError({
        code: 'bad_model',
        message: `${parseHubName(source).id} has not been downloaded to this browser.`,
        where: 'model.source',
        action: 'Download it on the Model page first.',
      });
    }
    // The model can be used even if this cannot be recorded.
    await markUsed(manifest.source, Date.now(), this.store).catch(() => {});
    return manifest.source;
  }

  /** Complete and partial models, for the storage dialog. */
  async stored(): Promise<StorageItem[]> {
    const manifests = await listManifests(this.store);
    return Promise.all(
      manifests.map(async (manifest) => {
        const { id, revision, file } = parsePinned(manifest.source);
        return {
          id: manifest.source,
          kind: 'model' as const,
          name: `${id}${file === null ? '' : `/${file}`} @ ${revision.slice(0, 7)}`,
          bytes: receivedOf(manifest),
          createdAt: manifest.createdAt,
          usedAt: await lastUsed(manifest.source, this.store),
          total: isComplete(manifest) ? undefined : bytesOf(manifest.files),
        };
      }),
    );
  }

  /** Every source that refers to this model: by commit, and by the branches that pointed to it. */
  async namesOf(source: string): Promise<string[]> {
    const { id, file } = parsePinned(source);
    const revisions = (await readManifest(source, this.store))?.revisions ?? [];
    const named = revisions.map((revision) => hubSource({ id, revision, file }));
    return [source, ...named, ...(revisions.includes('main') ? [hubSource({ id, revision: null, file })] : [])];
  }

  /** Refused while another tab downloads the model. */
  async delete(source: string): Promise<void> {
    const { locks } = this.needs;
    const remove = () => this.store.remove(source);
    if (!locks) return remove();
    await locks.request(modelLock(source), { ifAvailable: true }, async (lock) => {
      if (lock) return remove();
      throw new TabtuneError({
        code: 'storage',
        message: 'This model is being downloaded in another tab.',
        where: source,
        action: 'Cancel it there, then delete it.',
      });
    });
    this.list.forget(source);
  }

  async erase(): Promise<void> {
    await this.list.stopAll();
    for (const source of await this.store.directories()) await this.delete(source);
  }

  close(): void {
    this.list.close();
  }

  private async isDownloaded(source: string): Promise<boolean> {
    return (await findCached(source, this.store)) !== null;
  }

  private async client(): Promise<HubClient> {
    const { HubClient } = await hub();
    return new HubClient(this.settings);
  }

  /** What a source refers to now. Without a commit, that is the newest one, or offline the downloaded one. */
  private async current(source: string): Promise<Manifest> {
    const cached = await findCached(source, this.store);
    if (cached && isCommit(parseHubName(source).revision)) return cached;
    try {
      return await this.manifest(source);
    } catch (cause) {
      if (cached && cause instanceof TabtuneError && cause.code === 'network') return cached;
      throw cause;
    }
  }

  /** The manifest of a started download, or a new one from the Hub. Throws if the model could not be opened. */
  private async manifest(source: string): Promise<Manifest> {
    const reference = parseHubName(source, this.settings.endpoint);
    if (isCommit(reference.revision)) {
      const begun = await readManifest(hubSource(reference), this.store);
      if (begun) return begun;
    }
    const known = this.described.get(hubSource(reference));
    const { model, denied, files } = known ?? (await this.look(source));
    if (denied) throw denied;
    const wanted = hubSource({ id: model.id, revision: model.commit, file: reference.file });
    const choice = model.choices.find((one) => one.source === wanted);
    const problem = model.problem ?? choice?.problem;
    if (problem) throw TabtuneError.fromData(problem);
    if (!choice) throw chooseOne(model);
    const { revision, licence } = model;
    const begun = await readManifest(wanted, this.store);
    if (!begun) return newManifest(wanted, { revision, licence, files: files.get(wanted)!, now: Date.now() });
    if (!isCommit(revision) && !begun.revisions.includes(revision)) {
      begun.revisions.push(revision);
      if (isComplete(begun)) await writeManifest(begun, this.store);
    }
    return begun;
  }
}

function chooseOne({ id, choices }: HubModel): TabtuneError {
  const names = choices.map(({ label }) => label);
  return new TabtuneError({
    code: 'bad_model',
    message: `${id} has only GGUF files, and the source does not say which one to use.`,
    where: 'model.source',
    action: `Add the file name, e.g. hf:${id}/${names[0]}.`,
    details: names.join(', '),
  });
}
