/**
 * Closes a worker that holds people's data or runs a stranger's template: it may ask the page's own server and nobody else.
 * The browser enforces that where the server sends the policy (scripts/serve.mjs). A plain static host sends none, and a
 * worker does not have the page's; there, what can ask for something elsewhere is taken away or watched by this module, which
 * the workers import before anything else. `import()` is syntax and cannot be taken away, so the page says which of the two
 * it is (`closedByBrowser`).
 */
import { noting, tellRequests } from '../base/requests';

const ownOrigin = self.location.origin;

function assertOwn(address: string | URL): void {
  const { origin, href } = new URL(address, self.location.href);
  if (origin !== ownOrigin) throw new TypeError(`This worker may not ask ${href}.`);
}

const fetchItself = self.fetch.bind(self);
const fetchAnything = noting(fetchItself);

function replace(target: object, name: string, value: unknown): void {
  if (name in target) Object.defineProperty(target, name, { value, configurable: false, writable: false });
}

replace(self, 'fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
  assertOwn(input instanceof Request ? input.url : input);
  return fetchAnything(input, init);
});
// Node has none.
if ('XMLHttpRequest' in self) {
  const { open } = XMLHttpRequest.prototype;
  replace(XMLHttpRequest.prototype, 'open', function (this: XMLHttpRequest, ...args: Parameters<typeof open>) {
    assertOwn(args[1]);
    return open.apply(this, args);
  });
}
tellRequests();

const elsewhere = [
  'WebSocket',
  'WebSocketStream',
  'EventSource',
  'WebTransport',
  'Worker',
  'SharedWorker',
  'importScripts',
];
for (const name of elsewhere) replace(self, name, undefined);
if ('Cache' in self) for (const name of ['add', 'addAll']) replace(Cache.prototype, name, undefined);

/**
 * Whether the browser refuses what this worker may not do. Found out by asking for an address that is its own content, so
 * nothing leaves the device; only when somebody wants to know, since a refusal is an error in the browser's console.
 */
export const closedByBrowser = (): Promise<boolean> =>
  fetchItself('data:,').then(
    () => false,
    () => true,
  );
