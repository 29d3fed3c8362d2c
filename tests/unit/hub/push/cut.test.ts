import { describe, expect, it } from 'vitest';
import type { Request } from '../../../support/hub-server';
import { asks, content, filesOf, freshHub, isPut, KB, pushed, server, strike, Tab, WEIGHTS } from './stage';

freshHub();

const SIZE = 1000 * KB;
const objects = () => server.writes.objects;
const batches = () => server.requests.filter(asks('/objects/batch')).length;

/** The connection is gone once so many bytes of files have arrived, for whatever is asked afterwards too. */
function cutAt(bytes: number): void {
  server.fault = (request: Request) => {
    if (request.method === 'OPTIONS') return null;
    if (objects().received >= bytes) return { dropped: true };
    return isPut(request) ? { cutAt: bytes } : null;
  };
}

describe('a push that is cut at 40 %', () => {
  it('goes on in the same tab or after a reload, and sends nothing again but the parts that were on their way', async () => {
    cutAt(0.4 * SIZE);
    const tab = new Tab();
    const files = filesOf(content());
    await expect(tab.push({ files })).rejects.toMatchObject({ code: 'network', where: WEIGHTS });
    expect(objects().received).toBe(0.4 * SIZE);
    const whole = objects().arrived.map(({ part }) => part);
    const begun = batches();

    server.fault = () => null;
    await tab.push({ files, addTo: true });
    // The same permission, the same upload.
    expect(batches()).toBe(begun);
    const parts = objects().arrived.map(({ part }) => part);
    expect([...parts].sort()).toEqual([1, 2, 3, 4]);
    expect(parts.slice(0, whole.length)).toEqual(whole);
    expect(objects().received).toBe(0.4 * SIZE + SIZE - sizeOf(whole));
    expect(Object.keys(pushed().files)).toContain(WEIGHTS);
    expect(tab.seen.at(-1)).toMatchObject({ phase: 'committing' });
  });

  const sizeOf = (parts: number[]) => parts.reduce((sum, part) => sum + (part === 4 ? SIZE - 768 * KB : 256 * KB), 0);

  it('begins where it was, in the progress as well', async () => {
    // One part is whole, and the others do not begin.
    let puts = 0;
    server.fault = (request) => (isPut(request) && ++puts > 1 ? { dropped: true } : null);
    const tab = new Tab();
    const files = filesOf(content());
    await expect(tab.push({ files })).rejects.toMatchObject({ code: 'network' });
    expect(objects().arrived).toHaveLength(1);
    server.fault = () => null;
    tab.seen.length = 0;
    await tab.push({ files, addTo: true });
    const first = tab.seen.find(({ phase, done }) => phase === 'uploading' && done > 0)!;
    expect([256 * KB, SIZE - 768 * KB]).toContain(first.done);
    expect(objects().arrived).toHaveLength(4);
  });

  it('does not hash again what was hashed', async () => {
    cutAt(0.4 * SIZE);
    const tab = new Tab();
    const files = filesOf(content());
    await expect(tab.push({ files })).rejects.toMatchObject({ code: 'network' });
    server.fault = () => null;
    tab.seen.length = 0;
    const known = files.map((file) => ({ ...file, sha256: tab.hashes.get(file.path) }));
    await tab.push({ files: known, addTo: true });
    expect(tab.seen.some(({ phase }) => phase === 'hashing')).toBe(false);
  });

  it('goes on by itself if the connection is back in time', async () => {
    const half = (request: Request) => isPut(request);
    strike(half, { cutAfter: 100 * KB }, 2);
    await new Tab().push({ files: filesOf(content()) });
    expect(objects().received).toBe(SIZE + 200 * KB);
  });
});

it('a part whose receipt is lost is sent again', async () => {
  strike(isPut, { lost: true }, 1);
  await new Tab().push({ files: filesOf(content()) });
  expect(objects().received).toBeGreaterThan(SIZE);
  expect(Object.keys(pushed().files)).toContain(WEIGHTS);
});

it('an upload whose end is not confirmed is not made again', async () => {
  strike(asks('complete_multipart'), { lost: true }, 99);
  const tab = new Tab();
  const files = filesOf(content());
  // The Hub has completed it, no longer knows it, and says when asked anew that it has the file.
  strike(asks('complete_multipart'), { lost: true }, 1);
  await tab.push({ files });
  expect(objects().received).toBe(SIZE);
  expect(tab.partials.size).toBe(0);
});

it('addresses that have expired are asked for anew', async () => {
  const tab = new Tab();
  const files = filesOf(content());
  cutAt(0.4 * SIZE);
  await expect(tab.push({ files })).rejects.toMatchObject({ code: 'network' });
  objects().expire();
  server.fault = () => null;
  const before = batches();
  await tab.push({ files, addTo: true });
  expect(batches()).toBe(before + 1);
  expect(Object.keys(pushed().files)).toContain(WEIGHTS);
  expect(tab.partials.size).toBe(0);
});

it('addresses that are never valid end the push with advice', async () => {
  server.fault = (request) => {
    if (isPut(request)) objects().expire();
    return null;
  };
  await expect(new Tab().push({ files: filesOf(content()) })).rejects.toMatchObject({
    code: 'access',
    message: `The Hub’s permission to upload ${WEIGHTS} has expired.`,
    action: expect.stringContaining('clock'),
  });
  expect(batches()).toBe(3);
});

it('a file in one piece is sent again from its beginning', async () => {
  strike(isPut, { cutAfter: 40 * KB }, 1);
  await new Tab().push({ files: filesOf(content(100 * KB)) });
  expect(objects().received).toBe(140 * KB);
});

it('a file that the Hub has is not sent, even to a new tab', async () => {
  const files = filesOf(content());
  strike(asks('/commit/'), { dropped: true });
  await expect(new Tab().push({ files })).rejects.toMatchObject({ code: 'network' });
  server.fault = () => null;
  await new Tab().push({ files, addTo: true });
  expect(objects().received).toBe(SIZE);
});

it('storage that is busy is tried again', async () => {
  const slow = '<Error><Code>RequestTimeout</Code></Error>';
  let puts = 0;
  server.fault = (request) => {
    if (!isPut(request)) return null;
    puts++;
    return puts === 1 ? { status: 503 } : puts === 2 ? { status: 400, body: slow } : null;
  };
  await new Tab().push({ files: filesOf(content()) });
  expect(Object.keys(pushed().files)).toContain(WEIGHTS);
});

it('storage that refuses a file ends the push with advice', async () => {
  strike(isPut, { status: 400, body: '<Error><Code>EntityTooLarge</Code></Error>' });
  await expect(new Tab().push({ files: filesOf(content()) })).rejects.toMatchObject({
    code: 'access',
    message: `The Hub’s storage did not accept ${WEIGHTS}.`,
    details: expect.stringContaining('EntityTooLarge'),
  });
});

it('an object that the Hub says it lacks is sent again; a check that does not get through is left out', async () => {
  strike(asks('/objects/verify'), { status: 404 }, 1);
  const tab = new Tab();
  await tab.push({ files: filesOf(content()) });
  // Asked anew, the Hub says that it has the object after all.
  expect(objects().received).toBe(SIZE);
  strike(asks('/objects/verify'), { dropped: true });
  await tab.push({ files: filesOf(content(700 * KB)), repo: 'ada/other' });
  expect(Object.keys(pushed('ada/other').files)).toContain(WEIGHTS);
});

it('cancelling ends it at once, and the next one goes on', async () => {
  const tab = new Tab();
  const files = filesOf(content());
  const stop = new Error('stopped');
  const kept = () =>
    [...tab.partials.values()].flatMap(({ parts }) => parts.filter(({ etag }) => etag !== null)).length;
  server.fault = (request) => {
    if (isPut(request) && kept() > 0) tab.abort.abort(stop);
    return null;
  };
  await expect(tab.push({ files })).rejects.toBe(stop);
  expect(kept()).toBeGreaterThan(0);
  expect(server.repositories.get('ada/pirate')!.files).not.toHaveProperty(WEIGHTS);
  server.fault = () => null;
  tab.abort = new AbortController();
  await tab.push({ files, addTo: true });
  expect(Object.keys(pushed().files)).toContain(WEIGHTS);
});
