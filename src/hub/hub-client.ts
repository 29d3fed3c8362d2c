/**
 * Requests to the Hub: search, a model's card, its file list, and bytes of a file. They all go through one method that
 * adds the token only where it belongs and turns every failure into a TabtuneError.
 */
import { TabtuneError } from '../base/errors';
import { parseUntrusted } from '../base/json';
import { within } from '../base/patience';
import type { HubSettings } from './descriptions';
import { checkEndpoint, mayCarryToken } from './hub-endpoint';
import { type Asked, BusyError, explainStatus, OtherVersion, unreachable, WebPageError } from './hub-errors';
import { isSafePath } from './hub-id';
import { FIELDS, type RepositoryFile, type RepositoryInfo, repositoryInfo } from './hub-info';

export interface Part {
  /** Starts at the requested byte. */
  body: ReadableStream<Uint8Array>;
  /** Size of the whole file; null if the server does not say. */
  size: number | null;
  etag: string | null;
}

type Fetch = typeof globalThis.fetch;
/** Of a server that has accepted a request. */
const SILENCE_MS = 60_000;
const MOST_FILES = 100_000;
/** Of one page of a listing; real ones have a thousand files. */
const MOST_JSON = 32 * 2 ** 20;
const ATTEMPTS = 3;
/** Waits longer than this are left to the person: the error is shown instead. */
const PATIENCE_SECONDS = 20;

export class HubClient {
  readonly endpoint: string;
  private readonly token: string | null;
  private readonly ask: Fetch;

  constructor(settings: HubSettings, ask: Fetch = (...given) => globalThis.fetch(...given)) {
    this.endpoint = checkEndpoint(settings.endpoint);
    this.token = settings.token?.trim() || null;
    this.ask = ask;
  }

  private asked(given: Partial<Asked> = {}): Asked {
    return { id: null, endpoint: this.endpoint, hasToken: this.token !== null, ...given };
  }

  /** Sends one request. Rejects with a TabtuneError unless the response is a success. */
  private async request(url: string, init: RequestInit, asked: Asked): Promise<Response> {
    const headers = new Headers(init.headers);
    const target = new URL(url);
    // The endpoint redirects to other hosts, which must not see the token. Browsers drop it on such redirects.
    if (this.token !== null && target.origin === new URL(this.endpoint).origin && mayCarryToken(target)) {
      headers.set('Authorization', `Bearer ${this.token}`);
    }
    let response: Response;
    // Of the answer's head; what follows has its own patience.
    const silence = new AbortController();
    const signal = init.signal ? AbortSignal.any([init.signal, silence.signal]) : silence.signal;
    try {
      const options: RequestInit = { ...init, headers, signal, credentials: 'omit', referrerPolicy: 'no-referrer' };
      response = await within(this.ask(url, options), SILENCE_MS, silent);
    } catch (cause) {
      if (init.signal?.aborted) throw init.signal.reason;
      silence.abort();
      throw unreachable(cause, asked);
    }
    if (response.ok) return response;
    if (response.status === 416) {
      await response.body?.cancel();
      throw new OtherVersion(asked.file ?? '', `HTTP 416 ${response.headers.get('Content-Range') ?? ''}`);
    }
    throw await explainStatus(response, asked);
  }

  /** The fetch for the library: returns JSON, or throws a TabtuneError that passes through the library unchanged. */
  private jsonFetch(asked: Asked, signal?: AbortSignal): Fetch {
    return async (input, init) => {
      for (let attempt = 1; ; attempt++) {
        try {
          const response = await this.request(String(input), { ...init, signal }, asked);
          const type = response.headers.get('Content-Type') ?? '';
          if (/text\/html/.test(type)) {
            await response.body?.cancel();
            throw new WebPageError('the Hub’s response', asked, `HTTP ${response.status} ${type}`);
          }
          return await this.checkedJson(response, asked);
        } catch (cause) {
          const seconds = cause instanceof BusyError ? (cause.seconds ?? attempt) : Infinity;
          if (attempt === ATTEMPTS || seconds > PATIENCE_SECONDS) throw cause;
          await pause(seconds * 1000, signal);
        }
      }
    };
  }

  /** The same answer, once it is known to be JSON of the expected kind, and neither huge nor absurdly deep. */
  private async checkedJson(response: Response, asked: Asked): Promise<Response> {
    const text = await limitedText(response, MOST_JSON);
    let value: unknown;
    try {
      value = parseUntrusted(text);
    } catch (cause) {
      throw unlikeHub(asked, (cause as Error).message);
    }
    const items = Array.isArray(value) ? value : [value];
    if (!items.every((item) => typeof item === 'object' && item !== null && !Array.isArray(item))) {
      throw unlikeHub(asked, 'its answer is neither an object nor a list of objects');
    }
    const { status, headers } = response;
    return new Response(text, { status, headers });
  }

  /** Models whose name matches, most downloaded first. */
  async search(query: string, limit: number, signal?: AbortSignal): Promise<RepositoryInfo[]> {
    const { listModels } = await import('./hub-library');
    const asked = this.asked();
    return this.understood(asked, async () => {
      const found: RepositoryInfo[] = [];
      const models = listModels({
        search: { query },
        sort: 'downloads',
        limit,
        additionalFields: [...FIELDS],
        hubUrl: this.endpoint,
        fetch: this.jsonFetch(asked, signal),
      });
      for await (const model of models) found.push(repositoryInfo(model, ''));
      return found;
    });
  }

  /** The model at a revision, pinned to a commit. */
  async model(id: string, revision: string | null, signal?: AbortSignal): Promise<RepositoryInfo> {
    const { modelInfo } = await import('./hub-library');
    const asked = this.asked({ id, revision });
    return this.understood(asked, async () => {
      const model = await modelInfo({
        name: id,
        revision: revision ?? 'main',
        additionalFields: [...FIELDS, 'sha'],
        hubUrl: this.endpoint,
        fetch: this.jsonFetch(asked, signal),
      });
      if (typeof model.sha !== 'string' || !/^[0-9a-f]{40}$/.test(model.sha))
        throw new Error('no commit in the response');
      return repositoryInfo(model, model.sha);
    });
  }

  /** Lists all files of a commit. */
  async files(id: string, commit: string, signal?: AbortSignal): Promise<RepositoryFile[]> {
    const { listFiles } = await import('./hub-library');
    const asked = this.asked({ id, revision: commit });
    return this.understood(asked, async () => {
      const files: RepositoryFile[] = [];
      let listed = 0;
      const entries = listFiles({
        repo: { type: 'model', name: id },
        revision: commit,
        recursive: true,
        hubUrl: this.endpoint,
        fetch: this.jsonFetch(asked, signal),
      });
      for await (const { type, path, size, oid, lfs } of entries) {
        if (++listed > MOST_FILES) throw new Error(`it lists more than ${MOST_FILES} files`);
        if (type !== 'file' || typeof path !== 'string' || !isSafePath(path)) continue;
        const bytes = lfs?.size ?? size;
        if (!Number.isSafeInteger(bytes) || bytes < 0) throw new Error(`the size of ${path} is ${bytes}`);
        const sha256 = lfs && /^[0-9a-f]{64}$/.test(lfs.oid) ? lfs.oid : null;
        const sha1 = !lfs && oid && /^[0-9a-f]{40}$/.test(oid) ? oid : null;
        files.push({ name: path, size: bytes, sha256, sha1 });
      }
      return files;
    });
  }

  /**
   * Bytes [start, end) of a file. If the server ignores ranges and sends the whole file, the first `start` bytes are
   * skipped and the stream continues to the end of the file.
   */
  async part(
    id: string,
    commit: string,
    file: string,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<Part> {
    const asked = this.asked({ id, revision: commit, file });
    const path = file.split('/').map(encodeURIComponent).join('/');
    const url = `${this.endpoint}/${id}/resolve/${commit}/${path}`;
    // A Range header needs no preflight. If-Range does, and the Hub's storage hosts refuse it, so the caller compares
    // ETags. `no-store` avoids a second copy in the browser's HTTP cache.
    const init: RequestInit = { headers: { Range: `bytes=${start}-${end - 1}` }, cache: 'no-store', signal };
    const response = await this.request(url, init, asked);
    const type = response.headers.get('Content-Type') ?? '';
    if (/text\/html/.test(type) && !/\.html?$/i.test(file)) {
      await response.body?.cancel();
      throw new WebPageError(file, asked, `HTTP ${response.status} ${type} from ${hostname(response.url)}`);
    }
    const body = response.body ?? new Blob([]).stream();
    const etag = response.headers.get('X-Linked-ETag') ?? response.headers.get('ETag');
    const contentRange = response.headers.get('Content-Range');
    const total = /\/(\d+)$/.exec(contentRange ?? '')?.[1];
    const first = /^bytes (\d+)-/.exec(contentRange ?? '')?.[1];
    if (response.status === 206) {
      if (first !== undefined && Number(first) !== start) {
        await body.cancel();
        throw unreachable(new Error(`asked for byte ${start}, got ${contentRange}`), asked);
      }
      return { body, size: total === undefined ? null : Number(total), etag };
    }
    const length = response.headers.get('Content-Length');
    const encoded = response.headers.get('Content-Encoding');
    return { body: skip(body, start), size: length && !encoded ? Number(length) : null, etag };
  }

  /** Wraps an error from reading a response body. */
  broken(cause: unknown, id: string, file: string): TabtuneError {
    return cause instanceof TabtuneError ? cause : unreachable(cause, this.asked({ id, file }));
  }

  htmlInstead(id: string, file: string): TabtuneError {
    return new WebPageError(file, this.asked({ id, file }), 'the bytes start as HTML');
  }

  /** The whole of a small file. */
  async bytes(id: string, commit: string, { name, size }: RepositoryFile, signal?: AbortSignal): Promise<ArrayBuffer> {
    return size === 0 ? new ArrayBuffer(0) : this.range(id, commit, name, 0, size, signal);
  }

  /** Bytes [start, end) of a file, exactly. */
  async range(
    id: string,
    commit: string,
    file: string,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<ArrayBuffer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { body } = await this.part(id, commit, file, start, end, signal);
        return await this.collect(body, end - start, id, file, signal);
      } catch (cause) {
        const seconds = cause instanceof BusyError ? (cause.seconds ?? attempt) : Infinity;
        if (attempt === ATTEMPTS || seconds > PATIENCE_SECONDS) throw cause;
        await pause(seconds * 1000, signal);
      }
    }
  }

  /** Stops after `length` bytes, because a server may send the whole of a large file. */
  private async collect(
    body: ReadableStream<Uint8Array>,
    length: number,
    id: string,
    file: string,
    signal?: AbortSignal,
  ): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    const reader = body.getReader();
    let filled = 0;
    try {
      while (filled < length) {
        const { done, value } = await within(reader.read(), SILENCE_MS, silent);
        if (done) throw new Error(`only ${filled} of ${length} bytes arrived`);
        const part = value.subarray(0, length - filled);
        bytes.set(part, filled);
        filled += part.length;
      }
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw this.broken(cause, id, file);
    } finally {
      void reader.cancel().catch(() => {});
    }
    return bytes.buffer;
  }

  /** Reports responses that do not come from a Hub at all. */
  private async understood<T>(asked: Asked, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof TabtuneError || (cause as { name?: string })?.name === 'AbortError') throw cause;
      throw unlikeHub(asked, cause instanceof Error ? cause.message : String(cause));
    }
  }
}

const silent = () => new Error(`no answer within ${SILENCE_MS / 1000} seconds`);

const unlikeHub = ({ endpoint, id }: Asked, details: string) =>
  new TabtuneError({
    code: 'network',
    message: `${endpoint} does not respond like a Hugging Face Hub.`,
    where: id ?? 'Hub endpoint',
    action: 'Check the Hub address in the settings, or try again later.',
    details,
  });

/** The text of a response of at most so many bytes. */
async function limitedText(response: Response, limit: number): Promise<string> {
  const reader = (response.body ?? new Blob([]).stream()).getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await within(reader.read(), SILENCE_MS, silent);
    if (done) return text + decoder.decode();
    bytes += value.length;
    if (bytes > limit) {
      void reader.cancel().catch(() => {});
      throw new Error(`its answer has more than ${limit} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

const hostname = (url: string) => (URL.canParse(url) ? new URL(url).hostname : 'the server');

/** The stream without its first bytes. */
function skip(body: ReadableStream<Uint8Array>, bytes: number): ReadableStream<Uint8Array> {
  if (bytes === 0) return body;
  let left = bytes;
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const kept = chunk.subarray(Math.min(left, chunk.length));
        left -= chunk.length - kept.length;
        if (kept.length > 0) controller.enqueue(kept);
      },
    }),
  );
}

/** Rejects with the signal's reason. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
