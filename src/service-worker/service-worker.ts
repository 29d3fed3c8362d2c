/**
 * Keeps the app's own files in this browser, so that it opens and trains without a network: its pages, scripts, the built-in
 * model and datasets. A version is stored whole, each file compared with its hash, or not at all. A new one waits until the
 * page asks for it (stores/updates.ts), so that a run never has its code changed under it.
 *
 * It answers for files of this app alone. Everything else, such as the Hub, passes by untouched and is never stored.
 */
declare const __APP_FILES__: Record<string, string>;
declare const __APP_HASH__: string;
declare const __CLOSED__: RegExp;
declare const __CLOSED_POLICY__: string;

const worker = self as unknown as ServiceWorkerGlobalScope;
const scope = new URL(worker.registration.scope);
/** Path below the app's folder -> SHA-256. The page itself is ''. */
const files = __APP_FILES__;
/** Other apps may be on this origin, in folders of their own. */
const ours = `tabtune-app ${scope.pathname} `;
const current = ours + __APP_HASH__;
/** Tabs that were opened before an update still ask for the files of the version before it. */
const KEPT = 2;
const AT_ONCE = 4;

const addressOf = (name: string) => new URL(name, scope).href;

async function isWhole(name: string, response: Response): Promise<boolean> {
  const digest = await crypto.subtle.digest('SHA-256', await response.clone().arrayBuffer());
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex === files[name];
}

const ourCaches = async () => (await caches.keys()).filter((name) => name.startsWith(ours));

async function storedEarlier(name: string): Promise<Response | undefined> {
  for (const cache of await ourCaches()) {
    const response = await (await caches.open(cache)).match(addressOf(name));
    if (response && (await isWhole(name, response))) return response;
  }
  return undefined;
}

/** The file of this version. What the page has just loaded comes from the browser's own cache, and only what is old or missing anew. */
async function fetched(name: string): Promise<Response> {
  const get = (cache: RequestCache) => fetch(addressOf(name), { cache, credentials: 'same-origin' });
  let response = await get('force-cache');
  if (!response.ok || !(await isWhole(name, response))) response = await get('no-cache');
  if (!response.ok || !(await isWhole(name, response))) {
    throw new Error(`${addressOf(name)}: HTTP ${response.status}, or not the file of this version.`);
  }
  // A page may not be answered with a redirected response.
  return response.redirected ? new Response(await response.blob(), { headers: response.headers }) : response;
}

/** Stores this version, and a note of what was asked of the server for it. */
async function install(): Promise<void> {
  const cache = await caches.open(current);
  const names = Object.keys(files);
  const note = { at: Date.now(), files: 0, bytes: 0 };
  const next = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const stored = await storedEarlier(name);
      const response = stored ?? (await fetched(name));
      if (!stored) {
        note.files++;
        note.bytes += (await response.clone().arrayBuffer()).byteLength;
      }
      await cache.put(addressOf(name), response);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  await cache.put(addressOf('?stored'), Response.json(note));
}

async function activate(): Promise<void> {
  const names = await ourCaches();
  // In the order in which they were made; this one may be older if a version was taken back.
  const kept = [...names.filter((name) => name !== current).slice(1 - KEPT), current];
  await Promise.all(names.filter((name) => !kept.includes(name)).map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** Headers of a response that is made anew: its body is no longer encoded. */
function headersOf(response: Response): Headers {
  const headers = new Headers(response.headers);
  headers.delete('Content-Encoding');
  headers.delete('Content-Length');
  return headers;
}

async function partOf(response: Response, range: string): Promise<Response> {
  const match = /^bytes=(\d+)-(\d*)$/.exec(range);
  const body = await response.blob();
  const headers = headersOf(response);
  const first = Number(match?.[1]);
  const last = Math.min(match?.[2] ? Number(match[2]) : Number.POSITIVE_INFINITY, body.size - 1);
  if (!match) return new Response(body, { headers });
  if (first > last) {
    headers.set('Content-Range', `bytes */${body.size}`);
    return new Response(null, { status: 416, headers });
  }
  headers.set('Content-Range', `bytes ${first}-${last}/${body.size}`);
  return new Response(body.slice(first, last + 1), { status: 206, statusText: 'Partial Content', headers });
}

async function answer(name: string, request: Request): Promise<Response> {
  const address = addressOf(name);
  let stored = await (await caches.open(current)).match(address);
  if (!stored && !(name in files)) {
    for (const cache of await ourCaches()) stored ??= await (await caches.open(cache)).match(address);
  }
  // Neither in this version nor in the one before it, or the browser has let go of it.
  if (!stored) return fetch(request);
  // Workers with people's data are closed by the policy that their script comes with. A plain static host sends none.
  if (__CLOSED__.test(name) && !stored.headers.get('Content-Security-Policy')?.includes('connect-src')) {
    const headers = headersOf(stored);
    headers.set('Content-Security-Policy', __CLOSED_POLICY__);
    return new Response(stored.body, { headers });
  }
  const range = request.headers.get('Range');
  return range ? partOf(stored, range) : stored;
}

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('message', (event) => {
  if (event.data === 'activate') event.waitUntil(worker.skipWaiting());
});
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return;
  const path = decodeURIComponent(url.pathname.slice(scope.pathname.length));
  const name = path === 'index.html' ? '' : path;
  if (name in files || name.startsWith('assets/')) event.respondWith(answer(name, request));
});
