/** What is read from the Hub: search, a model's card, its file list, and bytes of a file. */
import type { TabtuneError } from '../base/errors';
import { within } from '../base/patience';
import { BusyError, unreachable, WebPageError } from './hub-errors';
import { isSafePath } from './hub-id';
import { FIELDS, type RepositoryFile, type RepositoryInfo, repositoryInfo } from './hub-info';
import { ATTEMPTS, broken, HubRequests, PATIENCE_SECONDS, pause, SILENCE_MS, silent } from './hub-requests';

export interface Part {
  /** Starts at the requested byte. */
  body: ReadableStream<Uint8Array>;
  /** Size of the whole file; null if the server does not say. */
  size: number | null;
  etag: string | null;
}

const MOST_FILES = 100_000;

export class HubClient extends HubRequests {
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
    return broken(cause, this.asked({ id, file }));
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
