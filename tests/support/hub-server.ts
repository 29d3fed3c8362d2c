/**
 * A Hub on this machine: the routes, redirects, headers and refusals of huggingface.co, with a second origin in the role of
 * its storage hosts. A test can make it misbehave, and can read the requests it got.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Repository {
  id: string;
  files: Record<string, Uint8Array>;
  /** Files in LFS, which come from the other origin; by default the weights. */
  lfs?: (name: string) => boolean;
  /** `gated`: only with a token, and only that of somebody who has accepted the terms (`hf_accepted`). */
  access?: 'open' | 'gated' | 'private';
  licence?: string;
  branches?: string[];
  downloads?: number;
}

export interface Request {
  host: 'hub' | 'cdn';
  method: string;
  path: string;
  file: string | null;
  range: [first: number, last: number] | null;
  headers: IncomingMessage['headers'];
}

/** What happens instead of a correct answer to a request for bytes. */
export interface Fault {
  status?: number;
  headers?: Record<string, string>;
  /** The body of a refusal. */
  body?: string;
  contentType?: string;
  /** The connection breaks after this many bytes of the answer. */
  cutAfter?: number;
  /** Nothing more comes after this many bytes, but the connection stays open. */
  stallAfter?: number;
  etag?: string;
  /** Ignores the range: 200 with the whole file. */
  whole?: boolean;
  /** Sends other bytes than these. */
  replace?: (bytes: Uint8Array) => Uint8Array;
}

const EXPOSED =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash';
const PAGE = 5;

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const gitBlob = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

export class HubServer {
  readonly requests: Request[] = [];
  /** Called before every answer; null leaves the answer correct. */
  fault: (request: Request) => Fault | null = () => null;
  private readonly repositories = new Map<string, Repository>();
  private hub!: Server;
  private cdn!: Server;

  async start(): Promise<this> {
    this.hub = await listen((request, response) => this.answerHub(request, response));
    this.cdn = await listen((request, response) => this.answerCdn(request, response));
    return this;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.hub.address() as AddressInfo).port}`;
  }

  get storage(): string {
    return `http://127.0.0.1:${(this.cdn.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const server of [this.hub, this.cdn]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  add(repository: Repository): { id: string; commit: string; source: string } {
    this.repositories.set(repository.id.toLowerCase(), repository);
    const commit = commitOf(repository);
    return { id: repository.id, commit, source: `hf:${repository.id}@${commit}` };
  }

  /** The byte ranges of a file that were requested. */
  ranges(file: string, host: Request['host'] = 'cdn'): [number, number][] {
    return this.requests.flatMap((request) =>
      request.host === host && request.file === file && request.range ? [request.range] : [],
    );
  }

  private note(host: Request['host'], incoming: IncomingMessage, file: string | null): Request {
    const range = /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range ?? '');
    const request: Request = {
      host,
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      file,
      range: range ? [Number(range[1]), Number(range[2])] : null,
      headers: incoming.headers,
    };
    this.requests.push(request);
    return request;
  }

  private answerHub(incoming: IncomingMessage, response: ServerResponse): void {
    const url = new URL(incoming.url ?? '/', this.endpoint);
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Access-Control-Expose-Headers', EXPOSED);
    if (incoming.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Headers', 'authorization,content-type,range');
      response.setHeader('Access-Control-Allow-Methods', 'GET,HEAD');
      this.note('hub', incoming, null);
      response.writeHead(204).end();
      return;
    }
    const resolve = /^\/([^/]+(?:\/[^/]+)?)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const request = this.note('hub', incoming, resolve ? decodeURIComponent(resolve[3]!) : null);
    const fault = this.fault(request);
    if (fault?.status && fault.status >= 400) {
      refuse(response, fault.status, fault.headers, fault);
      return;
    }
    if (fault?.contentType && !resolve) {
      refuse(response, fault.status ?? 200, fault.headers, fault);
      return;
    }
    if (url.pathname === '/api/models') {
      this.search(url, response);
      return;
    }
    const api = /^\/api\/models\/(.+?)\/(revision|tree)\/([^/]+)$/.exec(url.pathname);
    const found = resolve ?? api;
    const id = (resolve ? resolve[1] : api?.[1]) ?? '';
    const repository = this.repositories.get(id.toLowerCase());
    const token = /^Bearer (.+)$/.exec(incoming.headers.authorization ?? '')?.[1];
    if (token !== undefined && !['hf_accepted', 'hf_stranger'].includes(token)) {
      refuse(response, 401, {}, { body: '{"error":"Invalid credentials in Authorization header"}' });
      return;
    }
    if (!found || !repository || (repository.access === 'private' && token !== 'hf_accepted')) {
      const status = token === undefined ? 401 : 404;
      refuse(response, status, { 'X-Error-Code': 'RepoNotFound' }, { body: '{"error":"Repository not found"}' });
      return;
    }
    const commit = commitOf(repository);
    const revision = decodeURIComponent(resolve ? resolve[2]! : api![3]!);
    if (![commit, 'main', ...(repository.branches ?? [])].includes(revision)) {
      refuse(response, 404, { 'X-Error-Code': 'RevisionNotFound' }, { body: '{"error":"Invalid rev id"}' });
      return;
    }
    response.setHeader('X-Repo-Commit', commit);
    if (api?.[2] === 'revision') {
      json(response, infoOf(repository, url));
      return;
    }
    if (api) {
      this.tree(repository, url, response);
      return;
    }
    this.resolve(repository, request, fault, token, response);
  }

  private search(url: URL, response: ServerResponse): void {
    const words = (url.searchParams.get('search') ?? '').toLowerCase();
    const found = [...this.repositories.values()]
      .filter(({ id, access }) => access !== 'private' && id.toLowerCase().includes(words))
      .sort((a, b) => (b.downloads ?? 0) - (a.downloads ?? 0))
      .slice(0, Number(url.searchParams.get('limit')));
    json(
      response,
      found.map((repository) => infoOf(repository, url)),
    );
  }

  private tree(repository: Repository, url: URL, response: ServerResponse): void {
    const entries = Object.entries(repository.files).map(([path, bytes]) => {
      const lfs = isLfs(repository, path) && { oid: sha256(bytes), size: bytes.length, pointerSize: 134 };
      return {
        type: 'file',
        oid: gitBlob(lfs ? new Uint8Array(134) : bytes),
        size: bytes.length,
        path,
        ...(lfs && { lfs }),
      };
    });
    const folders = new Set(
      entries.flatMap(({ path }) => (path.includes('/') ? [path.slice(0, path.indexOf('/'))] : [])),
    );
    const all = [
      ...[...folders].map((path) => ({ type: 'directory', oid: '0'.repeat(40), size: 0, path })),
      ...entries,
    ];
    const at = Number(url.searchParams.get('cursor') ?? 0);
    if (at + PAGE < all.length) {
      const next = new URL(url);
      next.searchParams.set('cursor', String(at + PAGE));
      response.setHeader('Link', `<${next}>; rel="next"`);
    }
    json(response, all.slice(at, at + PAGE));
  }

  private resolve(
    repository: Repository,
    request: Request,
    fault: Fault | null,
    token: string | undefined,
    response: ServerResponse,
  ): void {
    const { file } = request;
    if (repository.access === 'gated' && token !== 'hf_accepted') {
      const status = token === undefined ? 401 : 403;
      const body = `Access to model ${repository.id} is restricted.`;
      refuse(response, status, { 'X-Error-Code': 'GatedRepo' }, { body });
      return;
    }
    const bytes = repository.files[file!];
    if (!bytes) {
      refuse(response, 404, { 'X-Error-Code': 'EntryNotFound' }, { body: 'Entry not found' });
      return;
    }
    if (!isLfs(repository, file!)) {
      send(response, request, bytes, gitBlob(bytes), fault);
      return;
    }
    response.setHeader('X-Linked-Size', String(bytes.length));
    response.setHeader('X-Linked-ETag', `"${sha256(bytes)}"`);
    const to = `${this.storage}/${repository.id}/${encodeURIComponent(file!)}?X-Amz-Signature=secret`;
    response.writeHead(302, { Location: to }).end();
  }

  private answerCdn(incoming: IncomingMessage, response: ServerResponse): void {
    const url = new URL(incoming.url ?? '/', this.storage);
    response.setHeader('Access-Control-Allow-Origin', '*');
    // Like cas-bridge.xethub.hf.co: a request with If-Range or Authorization would fail its preflight.
    response.setHeader('Access-Control-Allow-Headers', 'Content-Range, Content-Type, Content-Disposition, ETag');
    response.setHeader(
      'Access-Control-Expose-Headers',
      'Accept-Ranges, Content-Range, Content-Type, Content-Disposition, ETag, X-Cache',
    );
    const [, org, name, file] = url.pathname.split('/').map(decodeURIComponent);
    const request = this.note('cdn', incoming, file ?? null);
    if (incoming.method === 'OPTIONS') {
      response.writeHead(204).end();
      return;
    }
    const fault = this.fault(request);
    if (fault?.status && fault.status >= 400) {
      refuse(response, fault.status, fault.headers, fault);
      return;
    }
    const bytes = this.repositories.get(`${org}/${name}`.toLowerCase())?.files[file ?? ''];
    if (!bytes) {
      refuse(response, 403, {}, { body: '<Error><Code>AccessDenied</Code></Error>' });
      return;
    }
    send(response, request, bytes, sha256(bytes), fault);
  }
}

function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(answer);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Changes with the files, as a commit does. */
function commitOf({ files }: Repository): string {
  const hash = createHash('sha1');
  for (const [name, bytes] of Object.entries(files)) hash.update(`${name}\0`).update(bytes);
  return hash.digest('hex');
}

const isLfs = ({ lfs }: Repository, name: string): boolean =>
  lfs ? lfs(name) : /\.(safetensors|gguf|bin)$/.test(name);

/** Only the fields requested with `expand`, as on the Hub. */
function infoOf(repository: Repository, url: URL): Record<string, unknown> {
  const { id, files, access = 'open', licence, downloads = 0 } = repository;
  const names = Object.keys(files);
  const config = files['config.json'] ? JSON.parse(new TextDecoder().decode(files['config.json'])) : undefined;
  const all: Record<string, unknown> = {
    sha: commitOf(repository),
    private: access === 'private',
    gated: access === 'gated' ? 'manual' : false,
    downloads,
    likes: 3,
    lastModified: '2026-01-02T03:04:05.000Z',
    pipeline_tag: 'text-generation',
    tags: [
      ...(names.some((name) => name.endsWith('.safetensors')) ? ['safetensors'] : []),
      ...(names.some((name) => name.endsWith('.gguf')) ? ['gguf'] : []),
      ...(licence ? [`license:${licence}`] : []),
    ],
    config: config && { model_type: config.model_type, architectures: config.architectures },
    cardData: licence ? { license: licence } : {},
    siblings: names.map((rfilename) => ({ rfilename })),
  };
  const wanted = url.searchParams.getAll('expand').filter((field) => all[field] !== undefined);
  return { _id: '1', id, ...Object.fromEntries(wanted.map((field) => [field, all[field]])) };
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
}

function refuse(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  fault: Fault = {},
): void {
  const type = fault.contentType ?? (fault.body?.startsWith('{') ? 'application/json' : 'text/plain');
  response.writeHead(status, { 'Content-Type': type, ...headers }).end(fault.body ?? 'no');
}

function send(response: ServerResponse, request: Request, all: Uint8Array, etag: string, fault: Fault | null): void {
  const bytes = fault?.replace?.(all) ?? all;
  const headers: Record<string, string> = {
    'Content-Type': fault?.contentType ?? 'application/octet-stream',
    'Accept-Ranges': 'bytes',
    ETag: `"${fault?.etag ?? etag}"`,
    ...fault?.headers,
  };
  const range = fault?.whole ? null : request.range;
  if (range && range[0] >= bytes.length) {
    response.writeHead(416, { ...headers, 'Content-Range': `bytes */${bytes.length}` }).end();
    return;
  }
  const first = range?.[0] ?? 0;
  const last = Math.min(range?.[1] ?? bytes.length - 1, bytes.length - 1);
  const body = bytes.subarray(first, last + 1);
  headers['Content-Length'] = String(body.length);
  if (range) headers['Content-Range'] = `bytes ${first}-${last}/${bytes.length}`;
  response.writeHead(range ? 206 : 200, headers);
  const end = fault?.cutAfter ?? fault?.stallAfter;
  if (end === undefined || end >= body.length) {
    response.end(body);
    return;
  }
  response.write(body.subarray(0, end), () => {
    if (fault?.cutAfter !== undefined) response.socket?.end(() => response.destroy());
  });
}
