/** A local Hub server that fails in the ways real networks do, and tabs that download from it. */
import { afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { writeSafetensors } from '../../../src/formats/safetensors';
import { openCachedModel } from '../../../src/hub/cache';
import { checkModelFolder } from '../../../src/hub/check';
import type { Download } from '../../../src/hub/descriptions';
import { connect, serve } from '../../../src/rpc/rpc';
import { HubSession } from '../../../src/session/hub';
import { createDownloadService } from '../../../src/workers/download/service';
import { type Fault, HubServer, type Request, sha256 } from '../../support/hub-server';
import { MemoryStore } from '../../support/memory-store';
import { FakeLocks, FakeWorker } from '../session/fake-worker';
import { config, modelFiles, SHAPES, tensor } from './helpers';

export const WEIGHTS = 'model.safetensors';
export const id = 'org/model';
/** Makes the weights 1.3 MB, more than is fetched whole when the header is read. */
const rows = 80_000;

export let files: Record<string, Uint8Array>;
export let server: HubServer;
export let store: MemoryStore;
let locks: FakeLocks;
export let source: string;
export let workers: FakeWorker[];

/** Starts a server with no models, in place of the last one. */
export async function startServer(): Promise<void> {
  server = await new HubServer().start();
}

/** The same disk, with the files closed that a crashed worker had open. */
export function reopenStore(): void {
  store = Object.assign(new MemoryStore(), { files: store.files });
}

/** Gives each test of the file a server with one model, and an empty disk. */
export function freshHubs(): void {
  beforeAll(async () => {
    const shapes = { ...SHAPES, 'model.embed_tokens.weight': [rows, 8] };
    const random = (n: number) => Uint16Array.from({ length: n }, (_, i) => (i * 2654435761) >>> 16);
    const weights = writeSafetensors(
      Object.entries(shapes).map(([name, shape]) => ({
        ...tensor(name, shape),
        data: random(shape.reduce((product, n) => product * n, 1)),
      })),
    );
    const all = await Promise.all(
      modelFiles({ 'config.json': JSON.stringify({ ...config, vocab_size: rows }), [WEIGHTS]: weights }).map(
        async ({ path, file }) => [path, new Uint8Array(await file.arrayBuffer())] as const,
      ),
    );
    files = Object.fromEntries(all);
  });

  beforeEach(async () => {
    await startServer();
    ({ source } = server.add({ id, files, licence: 'mit' }));
    store = new MemoryStore();
    locks = new FakeLocks();
    workers = [];
  });
  afterEach(async () => {
    vi.useRealTimers();
    await server.stop();
  });
}

/** A tab: a session with its own download worker, on a disk shared by all tabs. */
export function tab() {
  const page = {};
  const pageLocks = locks.for(page);
  const session = new HubSession({
    store,
    locks: pageLocks,
    onSave: () => {},
    plan: async () => [],
    connectUploads: () => {
      throw new Error('nothing is uploaded here');
    },
    connect: () => {
      const worker = new FakeWorker(locks);
      workers.push(worker);
      const service = createDownloadService({ store, locks: worker.locks, backOff: [1, 1, 1] });
      serve(service, { port: worker.port, locks: worker.locks });
      return connect(worker, { name: 'download worker', locks: pageLocks });
    },
  });
  void session.setHubSettings({ endpoint: server.endpoint, token: null });
  const seen: Download[] = [];
  session.watchDownloads((downloads) => seen.push(...downloads.map((download) => ({ ...download }))));
  const last = () => seen.at(-1)!;
  return { session, seen, last };
}

/** Injects a fault once (or `times`) when bytes of the weights are requested for a download. */
export function strike(
  fault: Fault,
  { times = 1, host = 'cdn' as Request['host'], when = (_: Request): boolean => true } = {},
): void {
  let left = times;
  server.fault = (request) => {
    // Reading only the header takes fewer bytes and does not count as a download.
    if (request.host !== host || request.file !== WEIGHTS || (request.range && request.range[1] < 10_000)) return null;
    return left > 0 && when(request) && left-- > 0 ? fault : null;
  };
}

export const total = () => Object.values(files).reduce((sum, { length }) => sum + length, 0);
export const third = () => Math.floor(files[WEIGHTS]!.length * 0.3);

/** The stored model has the Hub's bytes and opens. */
export async function expectWhole(): Promise<void> {
  const folder = await openCachedModel(source, store);
  expect(folder.files.sort()).toEqual(Object.keys(files).sort());
  for (const [name, bytes] of Object.entries(files)) {
    expect(sha256(new Uint8Array(await folder.bytes(name))), name).toBe(sha256(bytes));
  }
  expect(new Uint8Array(await folder.bytes(WEIGHTS, 1000, 1010))).toEqual(files[WEIGHTS]!.slice(1000, 1010));
  expect((await checkModelFolder(folder)).tensors.size).toBe(Object.keys(SHAPES).length);
}
