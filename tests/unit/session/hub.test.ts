/** Hub models in the session: in the storage list, alongside runs, and when they have not been downloaded. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { newManifest, writeManifest } from '../../../src/hub/cache';
import { connect, serve } from '../../../src/rpc/rpc';
import { createSession } from '../../../src/session/session';
import { createDownloadService } from '../../../src/workers/download/service';
import { HubServer } from '../../support/hub-server';
import { MemoryStore } from '../../support/memory-store';
import { modelFiles } from '../hub/helpers';
import { freshDatabase } from '../storage/helpers';
import { FakeLocks, FakeWorker } from './fake-worker';

freshDatabase();

let server: HubServer;
let store: MemoryStore;
let source: string;
let online: () => void;

beforeEach(async () => {
  server = await new HubServer().start();
  const files = await Promise.all(
    modelFiles().map(async ({ path, file }) => [path, new Uint8Array(await file.arrayBuffer())] as const),
  );
  ({ source } = server.add({ id: 'org/model', files: Object.fromEntries(files) }));
  store = new MemoryStore();
  vi.stubGlobal('addEventListener', (type: string, listener: () => void) => {
    if (type === 'online') online = listener;
  });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await server.stop();
});

async function open() {
  const locks = new FakeLocks();
  const pageLocks = locks.for({});
  const session = createSession({
    store,
    locks: pageLocks,
    connectDownloads: () => {
      const worker = new FakeWorker(locks);
      const service = createDownloadService({ store, locks: worker.locks, backOff: [1, 1] });
      serve(service, { port: worker.port, locks: worker.locks });
      return connect(worker, { name: 'download worker', locks: pageLocks });
    },
  });
  await session.setHubSettings({ endpoint: `${server.endpoint}/`, token: ' hf_accepted ' });
  return session;
}

describe('the session', () => {
  it('keeps the address and token in memory, and returns them normalised', async () => {
    const session = await open();
    expect(session.hubSettings()).toEqual({ endpoint: server.endpoint, token: 'hf_accepted' });
    await expect(session.setHubSettings({ endpoint: 'ftp://x', token: null })).rejects.toMatchObject({
      where: 'Hub endpoint',
    });
    expect(session.hubSettings().endpoint).toBe(server.endpoint);
    expect((await open()).hubSettings().endpoint).toBe(server.endpoint);
    expect(createSession({ store }).hubSettings()).toEqual({ endpoint: 'https://huggingface.co', token: null });
  });

  it('does not download a model because a recipe names it', async () => {
    const session = await open();
    await expect(session.openModel('hf:org/model')).rejects.toMatchObject({
      code: 'bad_model',
      where: 'model.source',
      message: 'org/model has not been downloaded to this browser.',
    });
    expect(server.requests).toEqual([]);
  });

  it('lists complete and partial models, deletes one, and erases all of them with everything else', async () => {
    const session = await open();
    await session.download('hf:org/model');
    const partial = `hf:org/other@${'a'.repeat(40)}`;
    const file = { name: 'model.safetensors', size: 1000, sha256: null, sha1: null };
    await writeManifest(newManifest(partial, { revision: null, licence: null, files: [file], now: 5 }), store);
    const { items } = await session.storage();
    expect(items).toMatchObject([
      { id: source, kind: 'model', name: expect.stringMatching(/^org\/model @ [0-9a-f]{7}$/), usedAt: null },
      { id: partial, kind: 'model', bytes: 0, total: 1000, createdAt: 5 },
    ]);
    expect(items[0]!.bytes).toBeGreaterThan(1000);
    expect(items[0]).not.toHaveProperty('total', expect.anything());

    await session.deleteStored(partial);
    expect((await session.storage()).items.map(({ id }) => id)).toEqual([source]);
    await session.eraseEverything();
    expect((await session.storage()).items).toEqual([]);
    expect(store.files.size).toBe(0);
  });

  it('resumes downloads that the network interrupted once it is back', async () => {
    const session = await open();
    const states: string[] = [];
    session.watchDownloads((downloads) => states.push(...downloads.map(({ state }) => state)));
    await session.describeModel('org/model');
    server.fault = () => ({ status: 503 });
    await expect(session.download(source)).rejects.toMatchObject({ code: 'network' });
    expect(states.at(-1)).toBe('paused');
    server.fault = () => null;
    online();
    await expect.poll(() => states.at(-1)).toBe('done');
    // A download paused by a person stays paused.
    await session.deleteStored(source);
    server.fault = ({ file }) => (file === 'model.safetensors' ? { stallAfter: 10 } : null);
    const running = session.download(source);
    running.catch(() => {});
    await expect.poll(() => states.at(-1)).toBe('downloading');
    await session.pauseDownload(source);
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    const told = states.length;
    server.fault = () => null;
    online();
    // A download that went on would be told at once; the Hub has answered another question since.
    await session.describeModel('org/model');
    expect(states.slice(told)).toEqual([]);
    expect(states.at(-1)).toBe('paused');
  });
});
