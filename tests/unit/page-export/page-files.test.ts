/** The model's files of an exported page: what is kept, what is fetched again, and what is said when a server sends something else. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sha256 } from '../../../src/base/digest';
import type { PageFile } from '../../../src/exports/page/manifest';
import { readManifest } from '../../../src/page-export/manifest';
import { PageFiles } from '../../../src/page-export/page-files';

const BASE = new URL('https://host.example/some/folder/');

/** The browser's storage of responses, with room for so many. */
class FakeCaches {
  readonly entries = new Map<string, Uint8Array>();
  room = Number.POSITIVE_INFINITY;

  async open() {
    const { entries } = this;
    return {
      keys: async () => [...entries.keys()].map((url) => ({ url })),
      match: async (url: string) => {
        const bytes = entries.get(url);
        return bytes && new Response(bytes.slice());
      },
      put: async (url: string, response: Response) => {
        if (entries.size >= this.room) throw new DOMException('full', 'QuotaExceededError');
        entries.set(url, new Uint8Array(await response.arrayBuffer()));
      },
      delete: async ({ url }: { url: string }) => entries.delete(url),
    };
  }
}

type Answer = () => Response | Promise<Response>;
const server = new Map<string, Answer[]>();
let asked: string[] = [];
const caches = () => new FakeCaches() as FakeCaches & CacheStorage;

beforeEach(() => {
  server.clear();
  asked = [];
  // Pauses between attempts take no time.
  vi.stubGlobal('setTimeout', (next: () => void) => queueMicrotask(next));
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    const path = new URL(url).pathname.slice(BASE.pathname.length);
    const answers = server.get(path);
    const answer = answers && (answers.length > 1 ? answers.shift() : answers[0]);
    return answer ? answer() : new Response('no', { status: 404 });
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const bytesOf = (size: number, seed = 0) => Uint8Array.from({ length: size }, (_, i) => (7 * i + seed) % 251);

/** A file in parts, which the server has. */
async function served(path: string, sizes: readonly number[], seed = 0): Promise<PageFile> {
  const parts = await Promise.all(
    sizes.map(async (size, i) => {
      const bytes = bytesOf(size, seed + i);
      const part = { path: `${path}.0${i + 1}.bin`, size, sha256: await sha256(bytes) };
      server.set(part.path, [() => new Response(bytes)]);
      return part;
    }),
  );
  return { path, size: sizes.reduce((sum, size) => sum + size, 0), parts };
}

test('parts are joined, kept, and not fetched again on the next visit', async () => {
  const weights = await served('model/model.safetensors', [100, 50]);
  const kept = caches();
  const files = new PageFiles([weights], BASE, kept);
  expect(await files.missing()).toBe(150);
  const progress: number[] = [];
  expect(await files.fetchAll(({ done, total }) => progress.push(done / total))).toBe(true);
  expect(progress.at(-1)).toBe(1);
  const folder = files.folder('model/', 'base');
  expect(folder.files).toEqual(['model.safetensors']);
  expect(folder.size('model.safetensors')).toBe(150);
  // Across the border of the two parts.
  expect(new Uint8Array(await folder.bytes('model.safetensors', 90, 110))).toEqual(
    Uint8Array.of(...bytesOf(100).slice(90), ...bytesOf(50, 1).slice(0, 10)),
  );
  asked = [];
  server.clear();
  const again = new PageFiles([weights], BASE, kept);
  expect(await again.missing()).toBe(0);
  expect(await again.fetchAll(() => {})).toBe(true);
  expect(asked).toEqual([]);
});

test('a new version fetches only what has changed, and forgets what it no longer has', async () => {
  const kept = caches();
  const base = await served('model/model.safetensors', [100]);
  await new PageFiles([base, await served('adapter/a', [20], 5)], BASE, kept).fetchAll(() => {});
  const next = new PageFiles([base, await served('adapter/a', [20], 9)], BASE, kept);
  asked = [];
  expect(await next.missing()).toBe(20);
  await next.fetchAll(() => {});
  expect(asked).toHaveLength(1);
  await next.forgetOthers();
  expect(kept.entries.size).toBe(2);
});

test('what passes is tried again, from where it stopped', async () => {
  const weights = await served('model/w', [100, 50]);
  const whole = server.get('model/w.02.bin')![0]!;
  const cut = () => new Response(bytesOf(20, 1));
  const refused = () => Promise.reject(new TypeError('network'));
  server.set('model/w.02.bin', [refused, () => new Response('', { status: 503 }), cut, whole]);
  const kept = caches();
  await new PageFiles([weights], BASE, kept).fetchAll(() => {});
  expect(asked.filter((url) => url.includes('w.01'))).toHaveLength(1);
  expect(asked.filter((url) => url.includes('w.02'))).toHaveLength(4);
});

test('without a connection the error says so, and what has arrived is kept', async () => {
  const weights = await served('model/w', [100, 50]);
  server.set('model/w.02.bin', [() => Promise.reject(new TypeError('network'))]);
  const kept = caches();
  const files = new PageFiles([weights], BASE, kept);
  await expect(files.fetchAll(() => {})).rejects.toMatchObject({ code: 'network', where: 'model/w.02.bin' });
  expect(await files.missing()).toBe(50);
});

test.each<[what: string, Answer, message: RegExp]>([
  ['a missing file', () => new Response('no', { status: 404 }), /The server has no file model\/w\.01\.bin/],
  ['other bytes', () => new Response(bytesOf(100, 3)), /is not the file model\/w\.01\.bin of this page/],
  ['more bytes', () => new Response(bytesOf(200)), /is not the file/],
  [
    'the page of an app instead',
    () => new Response('<html>', { headers: { 'Content-Type': 'text/html; charset=utf-8' } }),
    /is not the file/,
  ],
])('%s is refused at once, with what to do', async (_what, answer, message) => {
  const weights = await served('model/w', [100]);
  server.set('model/w.01.bin', [answer]);
  const error = await new PageFiles([weights], BASE, caches()).fetchAll(() => {}).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'network', message: expect.stringMatching(message) });
  expect(error).toMatchObject({ action: expect.stringContaining('upload all files of its zip') });
  expect(asked).toHaveLength(1);
});

test('where the browser keeps nothing, or has no room, the files are there for this visit', async () => {
  const weights = await served('model/w', [100, 50]);
  const full = caches();
  full.room = 1;
  for (const storage of [full, undefined]) {
    const files = new PageFiles([weights], BASE, storage);
    expect(await files.fetchAll(() => {})).toBe(false);
    expect((await files.folder('model/', 'base').bytes('w')).byteLength).toBe(150);
  }
});

test('a page.json that is missing, of another version, or another page is told apart from no connection', async () => {
  const url = new URL('page.json', BASE);
  const failing = () => readManifest(url).catch((cause: { message: string }) => cause.message);
  expect(await failing()).toBe('This page lacks its page.json.');
  server.set('page.json', [() => new Response('<html>', { headers: { 'Content-Type': 'text/html' } })]);
  expect(await failing()).toBe('This page lacks its page.json.');
  server.set('page.json', [() => Response.json({ version: 2 })]);
  expect(await failing()).toBe('The page.json of this page is damaged.');
  server.set('page.json', [() => Promise.reject(new TypeError('network'))]);
  expect(await failing()).toBe('The page could not be loaded.');
  server.set('page.json', [() => Response.json({ version: 1, title: 'A' })]);
  expect(await readManifest(url)).toMatchObject({ title: 'A' });
});
