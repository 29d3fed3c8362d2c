/** Pushing in the session: its worker, what a page remembers of a push that was cut, and the pace. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { put } from '../../../src/hub/push/put';
import type { PushOrder, PushPace } from '../../../src/hub/push/types';
import { connect, serve } from '../../../src/rpc/rpc';
import { PushSession } from '../../../src/session/push';
import { createUploadService } from '../../../src/workers/upload/service';
import { content, filesOf, freshHub, isPut, KB, pushed, server, strike, WEIGHTS } from '../hub/push/stage';
import { FakeWorker } from './fake-worker';

freshHub();

let workers: FakeWorker[];
let stored: string[];
beforeEach(() => {
  workers = [];
  stored = [];
  const storage = { getItem: () => null, setItem: (...entry: string[]) => void stored.push(...entry) };
  vi.stubGlobal('sessionStorage', storage);
  vi.stubGlobal('localStorage', storage);
});
afterEach(() => void vi.unstubAllGlobals());

/** The page, as it is after a reload. */
function page() {
  return new PushSession({
    lingerMs: 0,
    settings: () => ({ endpoint: server.endpoint, token: 'hf_write' }),
    connect: () => {
      const worker = new FakeWorker();
      workers.push(worker);
      serve(createUploadService({ put, backOff: [1] }), { port: worker.port, locks: worker.locks });
      return connect(worker, { name: 'upload worker', locks: worker.locks });
    },
  });
}

const files = () => filesOf(content());
const order = (change: Partial<PushOrder> = {}): PushOrder => ({
  ...{ files: files(), repo: 'ada/pirate', private: true, addTo: false, message: 'Add it' },
  ...change,
});
const never = new AbortController().signal;
const quiet = () => {};
const objects = () => server.writes.objects;

it('pushes in a worker, which ends with it', async () => {
  const seen: PushPace[] = [];
  const result = await page().push(order(), (progress) => seen.push(progress), never);
  expect(result.url).toBe(`${server.endpoint}/ada/pirate`);
  expect(Object.keys(pushed().files)).toContain(WEIGHTS);
  await expect.poll(() => workers.map(({ terminated }) => terminated)).toEqual([true]);
  expect(seen.map(({ phase }) => phase)).toEqual(expect.arrayContaining(['hashing', 'uploading', 'committing']));
  expect(seen.every(({ rate }) => rate === null || rate >= 0)).toBe(true);
  expect(stored).toEqual([]);
});

it('knows whose the token is, and which repositories are there', async () => {
  expect(await page().account('hf_fine')).toMatchObject({ owners: ['lab'] });
  expect(await page().target('ada/pirate')).toBeNull();
  server.add({ id: 'ada/pirate', files: { 'README.md': new Uint8Array(2) }, access: 'private' });
  expect(await page().target('ada/pirate')).toMatchObject({ private: true, files: ['README.md'] });
});

describe('after a cut', () => {
  /** One part arrives, and then nothing gets through. */
  async function cutPush(session: PushSession, given: PushOrder) {
    let puts = 0;
    server.fault = (request) => (isPut(request) && ++puts > 1 ? { dropped: true } : null);
    await expect(session.push(given, quiet, never)).rejects.toMatchObject({ code: 'network' });
    server.fault = () => null;
  }

  it('the same page goes on: nothing that arrived is sent again', async () => {
    const session = page();
    await cutPush(session, order());
    await session.push(order({ addTo: true }), quiet, never);
    expect(objects().arrived).toHaveLength(4);
    expect(objects().received).toBe(1000 * KB);
  });

  it('a reloaded page asks for new addresses, and begins the file anew', async () => {
    await cutPush(page(), order());
    await page().push(order({ addTo: true }), quiet, never);
    expect(Object.keys(pushed().files)).toContain(WEIGHTS);
    expect(objects().arrived).toHaveLength(5);
  });

  it('the same page does not hash again', async () => {
    const session = page();
    const given = order();
    await cutPush(session, given);
    const seen: PushPace[] = [];
    await session.push({ ...given, addTo: true }, (progress) => seen.push(progress), never);
    expect(seen.some(({ phase }) => phase === 'hashing')).toBe(false);
  });

  it('stores neither the token nor the addresses, which let anyone write there', async () => {
    await cutPush(page(), order());
    expect(stored).toEqual([]);
  });

  it('another file, and the same file for another repository, begin anew', async () => {
    const session = page();
    await cutPush(session, order());
    await session.push(order({ repo: 'lab/pirate' }), quiet, never);
    expect(Object.keys(pushed('lab/pirate').files)).toContain(WEIGHTS);
    expect(objects().arrived).toHaveLength(5);
  });
});

it('cancelling rejects with `cancelled`', async () => {
  const abort = new AbortController();
  strike(isPut, { status: 503 });
  const ended = page().push(order(), ({ phase }) => phase === 'uploading' && abort.abort(), abort.signal);
  await expect(ended).rejects.toMatchObject({ code: 'cancelled' });
});

it('a worker that dies is an error, and the next push has a new one', async () => {
  const session = page();
  const ended = session.push(order(), ({ phase }) => phase === 'hashing' && workers[0]!.crash(), never);
  await expect(ended).rejects.toMatchObject({ code: 'worker_died' });
  await session.push(order({ addTo: true }), quiet, never);
  expect(workers).toHaveLength(2);
});
