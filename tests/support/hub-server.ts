/**
 * A Hub on this machine: the routes, redirects, headers and refusals of huggingface.co, with a second origin in the role of
 * its storage hosts. A test can make it misbehave, and can read the requests it got. What is written is in hub-writes.ts.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  commitOf,
  type Fault,
  gitBlob,
  isLfs,
  json,
  type Repository,
  type Request,
  refuse,
  send,
  sha256,
} from './hub-files';
import { HubWrites } from './hub-writes';

export { type Fault, type Repository, type Request, sha256 } from './hub-files';

const EXPOSED =
  'X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,X-Total-Count,ETag,Link,Accept-Ranges,Content-Range,X-Linked-Size,X-Linked-ETag,X-Xet-Hash';
const PAGE = 5;

export class HubServer {
  readonly requests: Request[] = [];
  /** Called before every answer; null leaves the answer correct. */
  fault: (request: Request) => Fault | null = () => null;
  readonly repositories = new Map<string, Repository>();
  readonly writes = new HubWrites(this);
  /** Names of repositories that were renamed, and how requests to the old one are redirected. */
  readonly renamed = new Map<string, { to: string; status: 301 | 307 }>();
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
      response.setHeader('Access-Control-Allow-Methods', 'GET,HEAD,POST');
      this.note('hub', incoming, null);
      response.writeHead(204).end();
      return;
    }
    const resolve = /^\/([^/]+(?:\/[^/]+)?)\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname);
    const request = this.note('hub', incoming, resolve ? decodeURIComponent(resolve[3]!) : null);
    const fault = this.fault(request);
    if (fault?.stalled) return;
    if (fault?.dropped) {
      incoming.socket.destroy();
      return;
    }
    if (fault?.status && fault.status >= 400) {
      refuse(response, fault.status, fault.headers, fault);
      return;
    }
    if (this.redirect(url, response)) {
      incoming.resume();
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
    if (token !== undefined && !['hf_accepted', 'hf_stranger'].includes(token) && !this.writes.accounts[token]) {
      refuse(response, 401, {}, { body: '{"error":"Invalid credentials in Authorization header"}' });
      return;
    }
    if (this.writes.handles(incoming.method ?? '', url.pathname)) {
      this.writes.answer(incoming, url, token, response, fault).catch(() => incoming.socket.destroy());
      return;
    }
    const sees = token === 'hf_accepted' || this.writes.belongs(token, id);
    if (!found || !repository || (repository.access === 'private' && !sees)) {
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

  /** Sends a request to the present name of the repository. */
  private redirect(url: URL, response: ServerResponse): boolean {
    for (const [from, { to, status }] of this.renamed) {
      const path = url.pathname.replace(new RegExp(`^(/api/models)?/${from}(?=[/.]|$)`), `$1/${to}`);
      if (path === url.pathname) continue;
      response.writeHead(status, { Location: path + url.search }).end();
      return true;
    }
    return false;
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
      if (org === 'lfs') response.setHeader('Access-Control-Allow-Methods', 'PUT');
      response.writeHead(204).end();
      return;
    }
    const fault = this.fault(request);
    if (fault?.stalled) return;
    if (fault?.dropped) {
      incoming.socket.destroy();
      return;
    }
    if (fault?.status && fault.status >= 400) {
      incoming.resume();
      refuse(response, fault.status, fault.headers, fault);
      return;
    }
    if (incoming.method === 'PUT' && org === 'lfs') {
      this.writes.objects.store(incoming, url, response, fault).catch(() => {});
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

/** Only the fields requested with `expand`, as on the Hub; all if there are none. */
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
  const asked = url.searchParams.getAll('expand');
  const wanted = (asked.length > 0 ? asked : Object.keys(all)).filter((field) => all[field] !== undefined);
  return { _id: '1', id, ...Object.fromEntries(wanted.map((field) => [field, all[field]])) };
}
