/**
 * A list of every request of this tab, for people who want to check what leaves it. The browser's own record of resources says
 * what was asked; our fetch adds the method, what was sent along, and what was refused. Workers report theirs to the page.
 */
export interface RequestNote {
  /** Without what could be a secret. */
  url: string;
  method: string;
  /** Who asked: `page`, or the worker's name. */
  from: string;
  /** The kind of element or call, as the browser names it. */
  kind: string;
  /** Milliseconds since 1970. */
  at: number;
  /** Bytes of a body that was sent. */
  sent: number;
  /** Bytes that came back; null if the other server does not tell. */
  received: number | null;
  /** Answered by the copy of the app in this browser. */
  local: boolean;
  /** It did not reach anybody, or was not answered. */
  failed: boolean;
}

interface Call {
  url: string;
  method: string;
  sent: number;
  received: number | null;
}

/** The oldest are forgotten first, but counted. */
const MOST = 5000;
const REPORT_MS = 250;

const secret = /token|sig|key|policy|credential|auth|secret|password/i;

/** An address for the list: no user name, no password, and no value that may be a secret. */
export function withoutSecrets(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  for (const name of [...url.searchParams.keys()]) if (secret.test(name)) url.searchParams.set(name, '…');
  return url.href;
}

const calls: Call[] = [];

function bodySize(body: BodyInit | null | undefined): number {
  if (!body) return 0;
  if (typeof body === 'string') return new TextEncoder().encode(body).length;
  if (body instanceof Blob) return body.size;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  return new TextEncoder().encode(String(body)).length;
}

/** Writes down a request while `work` makes it. */
export async function noteCall<T>(
  { url, method, sent }: { url: string; method: string; sent: number },
  work: (call: { received: number | null }) => Promise<T>,
  kind = 'xmlhttprequest',
): Promise<T> {
  const call: Call = { url, method, sent, received: null };
  calls.push(call);
  const at = Date.now();
  try {
    return await work(call);
  } catch (cause) {
    if (calls.includes(call)) {
      calls.splice(calls.indexOf(call), 1);
      add({ ...call, kind, at, local: false, failed: true });
    }
    throw cause;
  }
}

/** A fetch that writes down what it is asked for. */
export function noting(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return (input, init) => {
    const asked = input instanceof Request ? input : null;
    const url = new URL(asked?.url ?? String(input), self.location.href).href;
    const method = (init?.method ?? asked?.method ?? 'GET').toUpperCase();
    const work = async (call: { received: number | null }) => {
      const response = await fetch(input, init);
      const length = response.headers.get('Content-Length');
      call.received = length === null ? null : Number(length);
      return response;
    };
    return noteCall({ url, method, sent: bodySize(init?.body) }, work, 'fetch');
  };
}

let waiting: Omit<RequestNote, 'from'>[] = [];
let report: ((notes: Omit<RequestNote, 'from'>[]) => void) | null = null;
function add(note: Omit<RequestNote, 'from'>): void {
  if (!/^https?:/.test(note.url)) return;
  if (waiting.length === 0) {
    setTimeout(() => {
      report?.(waiting);
      waiting = [];
    }, REPORT_MS);
  }
  waiting.push({ ...note, url: withoutSecrets(note.url) });
}

function noteEntry(entry: PerformanceResourceTiming): void {
  const { name, initiatorType, startTime, transferSize, encodedBodySize, workerStart } = entry;
  const index = calls.findIndex(({ url }) => url === name);
  const call = /^(fetch|xmlhttprequest)$/.test(initiatorType) && index >= 0 ? calls.splice(index, 1)[0] : undefined;
  const bytes = transferSize || encodedBodySize;
  add({
    url: name,
    method: call?.method ?? 'GET',
    kind: initiatorType,
    at: performance.timeOrigin + startTime,
    sent: call?.sent ?? 0,
    received: bytes || (call?.received ?? null),
    local: workerStart > 0 && transferSize === 0 && new URL(name).origin === self.location.origin,
    failed: entry.responseStatus >= 400,
  });
}

/** Begins to write down what this thread asks, from its very first request on, and tells it to `to`. */
export function noteRequests(to: (notes: Omit<RequestNote, 'from'>[]) => void): void {
  report = to;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) noteEntry(entry as PerformanceResourceTiming);
  }).observe({ type: 'resource', buffered: true });
}

/** In a worker: tells the page. */
export function tellRequests(): void {
  noteRequests((notes) => self.postMessage({ type: 'requests', notes } satisfies Told));
}

interface Told {
  type: 'requests';
  notes: Omit<RequestNote, 'from'>[];
}

/** On the page: hears what a worker tells. */
export function hearRequests(worker: Worker, name: string): Worker {
  worker.addEventListener('message', ({ data }: MessageEvent<Told>) => {
    if (data?.type === 'requests') gatherRequests(name, data.notes);
  });
  return worker;
}

/** What the page has gathered, from itself and its workers. */
export interface RequestList {
  notes: readonly RequestNote[];
  /** How many were forgotten. */
  dropped: number;
}

let list: RequestList = { notes: [], dropped: 0 };
const listeners = new Set<() => void>();

export function gatherRequests(from: string, notes: Omit<RequestNote, 'from'>[]): void {
  const all = [...list.notes, ...notes.map((note) => ({ ...note, from }))];
  const dropped = Math.max(0, all.length - MOST);
  list = { notes: all.slice(dropped), dropped: list.dropped + dropped };
  for (const listener of listeners) listener();
}

export const requestList = (): RequestList => list;

export function followRequests(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
