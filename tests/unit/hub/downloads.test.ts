import { describe, expect, it } from 'vitest';
import { findCached, readManifest, receivedOf } from '../../../src/hub/cache';
import {
  expectWhole,
  files,
  freshHubs,
  id,
  server,
  source,
  startServer,
  store,
  strike,
  tab,
  third,
  total,
  WEIGHTS,
  workers,
} from './download-stage';

freshHubs();

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
    await startServer();
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
