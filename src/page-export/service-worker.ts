/**
 * Keeps an exported page in this browser, so that it opens without a network. Its model is kept by the page itself, part by part
 * (page-files.ts). The list of files is filled in when a page is exported: a new version of the page has another list, and so
 * is another service worker. It is stored beside the old version and answers from the next visit on.
 */
export {}; // A module of its own: the app's service worker uses the same names.

declare const __PAGE_FILES__: string;

const worker = self as unknown as ServiceWorkerGlobalScope;
const scope = new URL(worker.registration.scope);
/** File -> SHA-256. */
const files = JSON.parse(__PAGE_FILES__) as Record<string, string>;
const ours = `tabtune-page ${scope.pathname} `;
const PAGE = 'index.html';

const hex = (digest: ArrayBuffer) =>
  Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
const hashOf = async (bytes: BufferSource) => hex(await crypto.subtle.digest('SHA-256', bytes));
const current = hashOf(new TextEncoder().encode(__PAGE_FILES__)).then((hash) => ours + hash.slice(0, 16));

/** The page is asked for by its folder, which some hosts redirect its name to. */
const addressOf = (name: string) => new URL(name === PAGE ? '.' : name, scope).href;

async function fetched(name: string): Promise<Response> {
  const response = await fetch(addressOf(name), { cache: 'no-cache' });
  // Some hosts put a line of their own into pages.
  const whole = name === PAGE || (await hashOf(await response.clone().arrayBuffer())) === files[name];
  if (!response.ok || !whole) throw new Error(`${name}: HTTP ${response.status}, or not the file of this version.`);
  // A page may not be answered with a redirected response.
  return response.redirected ? new Response(await response.blob(), { headers: response.headers }) : response;
}

async function install(): Promise<void> {
  const responses = await Promise.all(
    Object.keys(files).map(async (name) => [addressOf(name), await fetched(name)] as const),
  );
  const cache = await caches.open(await current);
  for (const [address, response] of responses) await cache.put(address, response);
  // What a page needs is loaded when it opens, so an open one does not notice.
  await worker.skipWaiting();
}

async function activate(): Promise<void> {
  const own = await current;
  const old = (await caches.keys()).filter((name) => name.startsWith(ours) && name !== own);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

async function answer(name: string, request: Request): Promise<Response> {
  const stored = await (await caches.open(await current)).match(addressOf(name));
  return stored ?? fetch(request);
}

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return;
  const path = decodeURIComponent(url.pathname.slice(scope.pathname.length));
  const name = path === '' ? PAGE : path;
  if (Object.hasOwn(files, name)) event.respondWith(answer(name, request));
});
