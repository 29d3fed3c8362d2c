/** Downloads from a local Hub server that fails in the ways real networks do. */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeSafetensors } from '../../../src/formats/safetensors';
import { findCached, listManifests, openCachedModel, readManifest, receivedOf } from '../../../src/hub/cache';
import { checkModelFolder } from '../../../src/hub/check';
import type { Download } from '../../../src/hub/descriptions';
import { withGguf } from '../../../src/hub/gguf/folder';
import { connect, serve } from '../../../src/rpc/rpc';
import { HubSession } from '../../../src/session/hub';
import { createDownloadService } from '../../../src/workers/download/service';
import { fixtureBytes } from '../../fixture-files';
import { type Fault, HubServer, type Request, sha256 } from '../../support/hub-server';
import { MemoryStore } from '../../support/memory-store';
import { until } from '../../support/time';
import { FakeLocks, FakeWorker } from '../session/fake-worker';
import { config, modelFiles, SHAPES, tensor } from './helpers';

const WEIGHTS = 'model.safetensors';
const id = 'org/model';
/** Makes the weights 1.3 MB, more than is fetched whole when the header is read. */
const rows = 80_000;

let files: Record<string, Uint8Array>;
let server: HubServer;
let store: MemoryStore;
let locks: FakeLocks;
let source: string;
let workers: FakeWorker[];

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
  server = await new HubServer().start();
  ({ source } = server.add({ id, files, licence: 'mit' }));
  store = new MemoryStore();
  locks = new FakeLocks();
  workers = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await server.stop();
});

/** A tab: a session with its own download worker, on a disk shared by all tabs. */
function tab() {
  const page = {};
  const pageLocks = locks.for(page);
  const session = new HubSession({
    store,
    locks: pageLocks,
    onSave: () => {},
    plan: async () => [],
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
function strike(
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

const total = () => Object.values(files).reduce((sum, { length }) => sum + length, 0);
const third = () => Math.floor(files[WEIGHTS]!.length * 0.3);

/** The stored model has the Hub's bytes and opens. */
async function expectWhole(): Promise<void> {
  const folder = await openCachedModel(source, store);
  expect(folder.files.sort()).toEqual(Object.keys(files).sort());
  for (const [name, bytes] of Object.entries(files)) {
    expect(sha256(new Uint8Array(await folder.bytes(name))), name).toBe(sha256(bytes));
  }
  expect(new Uint8Array(await folder.bytes(WEIGHTS, 1000, 1010))).toEqual(files[WEIGHTS]!.slice(1000, 1010));
  expect((await checkModelFolder(folder)).tensors.size).toBe(Object.keys(SHAPES).length);
}

describe('a download', () => {
  it('fetches what a model needs, verifies it, and lets the model open offline', async () => {
    const { session, seen, last } = tab();
    await session.download(`hf:${id}`);
    expect(last()).toMatchObject({ source, title: id, state: 'done', loaded: total(), total: total(), error: null });
    const states = seen.map(({ state }) => state);
    expect(states.filter((state, i) => state !== states[i - 1])).toEqual(
      expect.arrayContaining(['waiting', 'downloading', 'verifying', 'done']),
    );
    await expectWhole();

    expect(await session.stored()).toMatchObject([{ id: source, bytes: total(), usedAt: null }]);

    await server.stop();
    // Offline, `main` resolves to the commit it had at the time of the download.
    for (const name of [source, `hf:${id}`, `hf:${id}@main`]) {
      await session.download(name);
      expect(await session.locate(name)).toBe(source);
    }
    await expect(session.download(`hf:${id}@v2`)).rejects.toMatchObject({ code: 'network' });
    await expect(session.locate(`hf:${id}@v2`)).rejects.toMatchObject({ code: 'bad_model', where: 'model.source' });
    expect((await session.stored())[0]!.usedAt).toBeGreaterThan(Date.now() - 60_000);
    server = await new HubServer().start();
  });

  it('follows the branch to a new commit and keeps the old one', async () => {
    const { session } = tab();
    await session.download(`hf:${id}`);
    const readme = new TextEncoder().encode('---\nlicense: mit\n---\n');
    const newer = server.add({ id, files: { ...files, 'README.md': readme }, licence: 'mit' }).source;
    expect(await session.locate(`hf:${id}`)).toBe(source);
    await session.download(`hf:${id}`);
    expect(await session.locate(`hf:${id}`)).toBe(newer);
    expect(newer).not.toBe(source);
    // Files that both commits share are still stored separately.
    expect((await session.stored()).map(({ id: one }) => one).sort()).toEqual([source, newer].sort());
    await expectWhole();
    expect((await findCached(`hf:${id}`, store))?.source).toBe(newer);
  });

  it('cut off at 30% resumes at that byte after a reload', async () => {
    strike({ cutAfter: third() }, { times: 99, when: ({ range }) => range![0] === 0 });
    // The connection breaks, and all later requests fail.
    const [whole, broken] = [server.fault, { status: 503 }];
    let cut = false;
    server.fault = (request) => {
      if (cut) return broken;
      const fault = whole(request);
      cut = fault !== null;
      return fault;
    };
    const first = tab();
    await expect(first.session.download(source)).rejects.toMatchObject({ code: 'network' });
    expect(first.last()).toMatchObject({ state: 'paused', error: { code: 'network' } });
    const manifest = (await readManifest(source, store))!;
    expect(receivedOf(manifest)).toBeGreaterThan(third());
    const { received } = manifest.files.find(({ name }) => name === WEIGHTS)!;
    expect(received).toBe(third());

    // The reload: fresh memory, the same disk.
    for (const worker of workers) worker.crash();
    server.fault = () => null;
    server.requests.length = 0;
    const second = tab();
    await expect.poll(() => second.seen.length).toBeGreaterThan(0);
    expect(second.last()).toMatchObject({ state: 'paused', loaded: receivedOf(manifest), total: total(), error: null });
    await second.session.download(source);
    expect(second.last().state).toBe('done');
    expect(server.ranges(WEIGHTS)).toEqual([[third(), files[WEIGHTS]!.length - 1]]);
    // The model is not described again: the manifest has everything.
    expect(server.requests.filter(({ path }) => path.startsWith('/api/'))).toEqual([]);
    await expectWhole();
  });

  it('resumes by itself after one broken connection', async () => {
    strike({ cutAfter: third() });
    const { session, seen } = tab();
    await session.download(source);
    expect(server.ranges(WEIGHTS).at(-1)![0]).toBe(third());
    expect(seen.filter(({ error }) => error !== null)).toEqual([]);
    await expectWhole();
  });

  it('can be paused and resumed', async () => {
    strike({ stallAfter: third() });
    const { session, last } = tab();
    const running = session.download(source);
    const stopped = expect(running).rejects.toMatchObject({ code: 'cancelled' });
    await expect.poll(() => last()?.loaded ?? 0).toBeGreaterThanOrEqual(third());
    await session.pauseDownload(source);
    await stopped;
    expect(last()).toMatchObject({ state: 'paused', error: null, rate: null });
    await session.download(source);
    expect(server.ranges(WEIGHTS).at(-1)![0]).toBe(third());
    await expectWhole();
  });

  it('leaves nothing behind when cancelled', async () => {
    strike({ stallAfter: third() });
    const { session, last } = tab();
    const running = session.download(source);
    running.catch(() => {});
    await expect.poll(() => last()?.loaded ?? 0).toBeGreaterThanOrEqual(third());
    expect(await session.stored()).toMatchObject([{ id: source, kind: 'model', total: total(), usedAt: null }]);
    await session.cancelDownload(source);
    await expect(running).rejects.toMatchObject({ code: 'cancelled' });
    expect(store.files.size).toBe(0);
    expect(await session.stored()).toEqual([]);
  });

  it('waits for the one before it, and can be paused while waiting', async () => {
    const other = server.add({ id: 'org/other', files: { ...files, 'README.md': new Uint8Array(9) } }).source;
    strike({ stallAfter: third() });
    const { session, seen } = tab();
    const first = session.download(source);
    const second = session.download(other);
    const taken = expect(second).rejects.toMatchObject({ code: 'cancelled' });
    const state = (of: string) => seen.findLast((download) => download.source === of)?.state;
    await expect.poll(() => [state(source), state(other)]).toEqual(['downloading', 'waiting']);
    await session.pauseDownload(other);
    await taken;
    expect(state(other)).toBe('paused');
    const third_ = session.download(other);
    await session.pauseDownload(source);
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    await third_;
    expect(state(other)).toBe('done');
  });

  it('in a second tab waits for the first tab and continues from its bytes', async () => {
    strike({ stallAfter: third() }, { times: 1 });
    const one = tab();
    const two = tab();
    const first = one.session.download(source);
    await expect.poll(() => one.last()?.loaded ?? 0).toBeGreaterThanOrEqual(third());
    const asked = server.ranges(WEIGHTS).length;
    const second = two.session.download(source);
    await expect.poll(() => two.last()?.state).toBe('waiting');
    await expect(two.session.delete(source)).rejects.toMatchObject({ message: expect.stringContaining('another tab') });
    expect(two.last().state).toBe('waiting');
    expect(server.ranges(WEIGHTS)).toHaveLength(asked);
    await one.session.pauseDownload(source);
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    await second;
    // One request by each: the second asked for nothing before the first let go.
    expect(server.ranges(WEIGHTS).slice(asked)).toEqual([[third(), files[WEIGHTS]!.length - 1]]);
    await expectWhole();
  });
});

describe('a failing download', () => {
  const paused: [string, Fault, Parameters<typeof strike>[1], object][] = [
    [
      'an HTML page instead of weights',
      { contentType: 'text/html', replace: () => new TextEncoder().encode('<html>') },
      { times: 99 },
      {
        code: 'network',
        message: `The server sent a web page instead of ${WEIGHTS}.`,
        action: expect.stringContaining('log in'),
      },
    ],
    [
      'an HTML page served as data',
      { replace: (bytes) => Buffer.concat([Buffer.from('\n<!DOCTYPE html>'), bytes.subarray(16)]) },
      { times: 99 },
      { code: 'network', message: `The server sent a web page instead of ${WEIGHTS}.` },
    ],
    [
      'a 429 with a long wait',
      { status: 429, headers: { 'Retry-After': '3600' } },
      { times: 99 },
      {
        code: 'network',
        message: expect.stringContaining('too many requests'),
        action: expect.stringMatching(/60 min/),
      },
    ],
    ['a 502', { status: 502 }, { times: 99 }, { message: expect.stringContaining('is having problems') }],
    [
      'bytes that are wrong every time',
      { replace: (bytes) => bytes.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)) },
      { times: 99 },
      { code: 'network', message: expect.stringContaining('checksum is wrong') },
    ],
    [
      'a size that differs from the Hub’s listing',
      { replace: (bytes) => bytes.subarray(0, 900_000) },
      { times: 99 },
      { code: 'network', message: expect.stringContaining('differs from the Hub’s listing') },
    ],
  ];
  const failed: typeof paused = [
    [
      'a 401 for a model that has become gated',
      { status: 401, headers: { 'X-Error-Code': 'GatedRepo' } },
      { times: 99, host: 'hub' },
      { code: 'access', action: expect.stringContaining('enter it here') },
    ],
    [
      'a 403',
      { status: 403 },
      { times: 99, host: 'hub' },
      { code: 'access', action: expect.stringContaining('token') },
    ],
    [
      'a 404 for a file that was deleted',
      { status: 404, headers: { 'X-Error-Code': 'EntryNotFound' } },
      { times: 99, host: 'hub' },
      { code: 'bad_model', message: `${WEIGHTS} no longer exists on the Hub.` },
    ],
  ];
  it.each([...paused.map((row) => ['paused', ...row] as const), ...failed.map((row) => ['failed', ...row] as const)])(
    'is %s by %s, and resumes afterwards',
    async (state, _, fault, when, error) => {
      const { session, last } = tab();
      await session.describeModel(id);
      strike(fault, when);
      await expect(session.download(source)).rejects.toMatchObject(error);
      expect(last()).toMatchObject({ state, error });
      expect(await findCached(source, store)).toBeNull();
      await expect(openCachedModel(source, store)).rejects.toMatchObject({ code: 'bad_model' });
      server.fault = () => null;
      await session.download(source);
      expect(last()).toMatchObject({ state: 'done', error: null });
      await expectWhole();
    },
  );

  it('waits out a short 429', async () => {
    strike({ status: 429, headers: { 'Retry-After': '1' } });
    const { session, last } = tab();
    await session.describeModel(id);
    const asked = () => server.ranges(WEIGHTS).length;
    const described = asked();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const running = session.download(source);
    // The clock stands until the refusal is here and its second has begun.
    await until(() => timers.mock.calls.some(([, milliseconds]) => milliseconds === 1000));
    await vi.advanceTimersByTimeAsync(999);
    expect(asked()).toBe(described + 1);
    await vi.advanceTimersByTimeAsync(1);
    await until(() => asked() === described + 2);
    timers.mockRestore();
    vi.useRealTimers();
    await running;
    expect(asked()).toBe(described + 2);
    expect(last().state).toBe('done');
  });

  /** The connection breaks after the first half, and `fault` hits the next response. */
  function halfThen(fault: Fault): void {
    const half = Math.floor(files[WEIGHTS]!.length / 2);
    let asked = 0;
    server.fault = ({ host, file, range }) => {
      if (host !== 'cdn' || file !== WEIGHTS || (range && range[1] < 10_000)) return null;
      asked++;
      return asked === 1 ? { cutAfter: half } : asked === 2 ? fault : null;
    };
  }

  it('starts a file again, with a note, if its ETag changes between chunks', async () => {
    halfThen({ etag: 'another' });
    const { session, seen } = tab();
    await session.download(source);
    expect(
      server
        .ranges(WEIGHTS)
        .slice(-2)
        .map(([first]) => first),
    ).toEqual([Math.floor(files[WEIGHTS]!.length / 2), 0]);
    expect(seen.some(({ note }) => note?.includes('changed on the server'))).toBe(true);
    await expectWhole();
  });

  it('relies on the hash if a server sends a new ETag with every response', async () => {
    let count = 0;
    server.fault = ({ host, file, range }) => {
      if (host !== 'cdn' || file !== WEIGHTS || (range && range[1] < 10_000)) return null;
      return { etag: `etag-${count++}`, cutAfter: 200_000 };
    };
    const { session, last } = tab();
    await session.download(source);
    expect(last().state).toBe('done');
    await expectWhole();
  });

  it('starts a file again after a 416: there are more bytes here than on the server', async () => {
    halfThen({ status: 416, headers: { 'Content-Range': 'bytes */17' } });
    const { session, seen } = tab();
    await session.download(source);
    expect(seen.some(({ note }) => note?.includes('changed on the server'))).toBe(true);
    await expectWhole();
  });

  it('skips the start of a 200 sent instead of a 206', async () => {
    halfThen({ whole: true });
    const { session, seen } = tab();
    await session.download(source);
    expect(seen.filter(({ note }) => note !== null)).toEqual([]);
    await expectWhole();
  });

  it('detects a flipped bit by the hash and fetches the file again', async () => {
    strike({ replace: (bytes) => bytes.map((byte, i) => (i === 300_000 ? byte ^ 64 : byte)) });
    const { session, seen } = tab();
    await session.download(source);
    expect(seen.some(({ note }) => note?.includes('checksum'))).toBe(true);
    await expectWhole();
  });

  it('does the same for a small file, which has a git hash', async () => {
    let struck = false;
    server.fault = ({ file, range }) => {
      if (file !== 'tokenizer.json' || !range || struck) return null;
      struck = true;
      return { replace: (bytes) => bytes.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) };
    };
    const { session, seen } = tab();
    await session.download(source);
    expect(struck).toBe(true);
    expect(seen.some(({ note }) => note?.includes('checksum of tokenizer.json is wrong'))).toBe(true);
    await expectWhole();
  });

  it('reports a full disk, and resumes once there is space', async () => {
    const { session, last } = tab();
    await session.describeModel(id);
    store.capacity = third();
    await expect(session.download(source)).rejects.toMatchObject({
      code: 'storage_full',
      action: expect.stringContaining('Delete'),
    });
    expect(last()).toMatchObject({ state: 'failed', error: { code: 'storage_full' } });
    store.capacity = Infinity;
    await session.download(source);
    await expectWhole();
  });

  it('resumes with a new worker after the first one dies', async () => {
    strike({ stallAfter: third() });
    const { session, last } = tab();
    const running = session.download(source);
    const died = expect(running).rejects.toMatchObject({ code: 'worker_died' });
    await expect.poll(() => last()?.loaded ?? 0).toBeGreaterThanOrEqual(third());
    workers.at(-1)!.crash();
    await died;
    expect(last()).toMatchObject({ state: 'paused', error: { code: 'worker_died' } });
    // The browser closes the files that the crashed worker had open.
    store = Object.assign(new MemoryStore(), { files: store.files });
    await tab().session.download(source);
    await expectWhole();
  });

  it('refuses an unsupported model before fetching its weights', async () => {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...config, model_type: 'mamba' }));
    const odd = server.add({ id: 'org/odd', files: { ...files, 'config.json': bytes } });
    const { session } = tab();
    await expect(session.download(odd.source)).rejects.toMatchObject({
      code: 'bad_model',
      message: expect.stringContaining('mamba'),
    });
    expect(server.ranges(WEIGHTS)).toEqual([]);
    expect(await listManifests(store)).toEqual([]);
  });

  it('refuses a gated model with instructions, and accepts a token', async () => {
    const gated = server.add({ id: 'org/gated', files: { ...files, 'README.md': new Uint8Array(3) }, access: 'gated' });
    const { session, last } = tab();
    await expect(session.download('hf:org/gated')).rejects.toMatchObject({
      code: 'access',
      action: expect.stringContaining('access token'),
    });
    await session.setHubSettings({ endpoint: server.endpoint, token: 'hf_accepted' });
    await session.download('hf:org/gated');
    expect(last()).toMatchObject({ source: gated.source, state: 'done' });
  });

  it('fetches one GGUF file of a repository, which then opens', async () => {
    const gguf = await fixtureBytes('gguf/gqa-tied.gguf');
    const { commit } = server.add({ id: 'org/gguf', files: { 'a.Q8_0.gguf': gguf, 'b.Q4_0.gguf': gguf } });
    const { session } = tab();
    await expect(session.download('hf:org/gguf')).rejects.toMatchObject({
      code: 'bad_model',
      action: 'Add the file name, e.g. hf:org/gguf/a.Q8_0.gguf.',
    });
    await session.download('hf:org/gguf/b.Q4_0.gguf');
    const folder = await withGguf(await openCachedModel(`hf:org/gguf@${commit}/b.Q4_0.gguf`, store));
    expect((await checkModelFolder(folder)).family.modelType).toBe('llama');
    expect(await session.locate('hf:org/gguf/b.Q4_0.gguf')).toBe(folder.source);
    await expect(session.locate('hf:org/gguf/a.Q8_0.gguf')).rejects.toMatchObject({ code: 'bad_model' });
  });

  it('reports a file that has disappeared from the disk', async () => {
    const { session } = tab();
    await session.download(source);
    store.files.get(source)!.delete(`files/${WEIGHTS}`);
    const folder = await openCachedModel(source, store);
    await expect(folder.bytes(WEIGHTS)).rejects.toMatchObject({
      code: 'storage',
      action: expect.stringContaining('download it again'),
    });
  });
});
