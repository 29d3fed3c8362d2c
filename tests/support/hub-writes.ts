/** The routes of the local Hub for people who write: whose a token is, repositories, commits. Uploads are in hub-objects.ts. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { commitOf, error, type Fault, gitBlob, isLfs, type Json, json, type Repository, sha256 } from './hub-files';
import { HubObjects } from './hub-objects';

export interface Account {
  name: string;
  role: 'read' | 'write' | 'fineGrained';
  orgs: { name: string; roleInOrg: 'admin' | 'write' | 'contributor' | 'read' }[];
  /** Of a fine-grained token: where it may write. */
  scopes?: string[];
}

/** Of the server that these routes belong to. */
export interface Host {
  repositories: Map<string, Repository>;
  endpoint: string;
  storage: string;
}

interface Line {
  key: string;
  value: { path: string; content?: string; oid?: string; size?: number; summary?: string; parentCommit?: string };
}

const GIT_ATTRIBUTES =
  '*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.gguf filter=lfs diff=lfs merge=lfs -text\n';

export class HubWrites {
  accounts: Record<string, Account> = {
    hf_write: {
      ...{ name: 'ada', role: 'write' },
      orgs: [
        { name: 'lab', roleInOrg: 'write' },
        { name: 'club', roleInOrg: 'read' },
      ],
    },
    hf_read: { name: 'ada', role: 'read', orgs: [] },
    hf_fine: { name: 'ada', role: 'fineGrained', orgs: [{ name: 'lab', roleInOrg: 'write' }], scopes: ['lab'] },
  };
  /** Messages of commits, by repository. */
  readonly messages: { id: string; summary: string; parent: string | null }[] = [];
  /** What a new repository becomes. */
  visibility = (isPrivate: boolean): Repository['access'] => (isPrivate ? 'private' : 'open');
  readonly objects: HubObjects;

  constructor(private readonly host: Host) {
    this.objects = new HubObjects(host);
  }

  handles(method: string, path: string): boolean {
    if (path === '/api/whoami-v2' || /^\/api\/models\/[^/]+\/[^/]+$/.test(path)) return method === 'GET';
    return method === 'POST';
  }

  async answer(
    incoming: IncomingMessage,
    url: URL,
    token: string | undefined,
    response: ServerResponse,
    fault: Fault | null,
  ): Promise<void> {
    const body = await bodyOf(incoming);
    // The request is carried out, and nobody hears of it.
    const to = fault?.lost ? silenced(response) : response;
    const account = token === undefined ? undefined : this.accounts[token];
    const path = url.pathname;
    if (path === '/api/whoami-v2') this.whoAmI(account, to);
    else if (path === '/api/complete_multipart') this.objects.complete(url, parse(body), to);
    else if (path === '/api/validate-yaml') this.validate(parse(body), to);
    else if (path === '/api/repos/create') this.create(account, parse(body), to);
    else this.ofRepository(incoming.method ?? '', path, token, body, to);
  }

  /** What the Hub says against the front matter of a card. */
  private validate({ content }: Json, response: ServerResponse): void {
    const messages = cardErrors(String(content));
    response.writeHead(messages.length > 0 ? 400 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ errors: messages.map((message) => ({ message })), warnings: [] }));
  }

  private whoAmI(account: Account | undefined, response: ServerResponse): void {
    if (!account) {
      error(response, 401, 'Invalid username or password.');
      return;
    }
    const { name, role, orgs, scopes = [] } = account;
    const scoped = scopes.map((owner) => ({
      entity: { _id: '1', type: owner === name ? 'user' : 'org', name: owner },
      permissions: ['repo.content.read', 'repo.write'],
    }));
    json(response, {
      ...{
        type: 'user',
        id: '1',
        name,
        fullname: name,
        email: `${name}@example.org`,
        emailVerified: true,
        isPro: false,
      },
      orgs: orgs.map((one) => ({ type: 'org', id: one.name, fullname: one.name, isEnterprise: false, ...one })),
      auth: {
        type: 'access_token',
        accessToken: {
          ...{ displayName: 'test', role, createdAt: '2026-01-02T03:04:05.000Z' },
          ...(role === 'fineGrained' && { fineGrained: { canReadGatedRepos: true, global: [], scoped } }),
        },
      },
    });
  }

  /** Whether a token is of the owner of a repository, or of a member. */
  belongs(token: string | undefined, id: string): boolean {
    const account = token === undefined ? undefined : this.accounts[token];
    const owner = id.split('/')[0];
    return account !== undefined && (account.name === owner || account.orgs.some(({ name }) => name === owner));
  }

  /** Whether a token may write there. */
  private mayWrite(account: Account | undefined, owner: string): boolean {
    if (!account || account.role === 'read') return false;
    const member = account.orgs.some(({ name, roleInOrg }) => name === owner && roleInOrg !== 'read');
    const granted = account.role === 'write' || (account.scopes ?? []).includes(owner);
    return granted && (account.name === owner || member);
  }

  private create(
    account: Account | undefined,
    { name, organization, visibility, ...rest }: Json,
    response: ServerResponse,
  ) {
    const owner = String(organization ?? account?.name);
    const id = `${owner}/${String(name)}`;
    const url = `${this.host.endpoint}/${id}`;
    if (!account) error(response, 401, 'Invalid username or password.');
    else if (!this.mayWrite(account, owner)) {
      error(response, 403, `You don't have the rights to create a model under the namespace "${owner}"`);
    } else if (!/^[\w.-]{1,96}$/.test(String(name)) || /--|\.\./.test(String(name))) {
      error(response, 400, `Invalid name: ${String(name)}`);
    } else if (this.host.repositories.has(id.toLowerCase())) {
      error(response, 409, 'You already created this model repo', { url });
    } else {
      const files = { '.gitattributes': Buffer.from(GIT_ATTRIBUTES) };
      const access = this.visibility(visibility === 'private' || rest.private === true);
      this.host.repositories.set(id.toLowerCase(), { id, files, access });
      json(response, { url, name: id, id });
    }
  }

  private ofRepository(
    method: string,
    path: string,
    token: string | undefined,
    body: Buffer,
    response: ServerResponse,
  ): void {
    const account = token === undefined ? undefined : this.accounts[token];
    const api = /^\/api\/models\/([^/]+\/[^/]+?)(?:\/(preupload|commit)\/([^/]+))?$/.exec(path);
    const lfs = /^\/([^/]+\/[^/]+?)\.git\/info\/lfs\/objects\/(batch|verify)$/.exec(path);
    const id = api?.[1] ?? lfs?.[1] ?? '';
    const repository = this.host.repositories.get(id.toLowerCase());
    const action = method === 'GET' ? 'info' : (api?.[2] ?? lfs?.[2]);
    const owner = id.split('/')[0]!;
    const sees = repository?.access !== 'private' || this.belongs(token, id);
    if (!repository || !sees || action === undefined) {
      error(response, account ? 404 : 401, 'Repository not found', {}, { 'X-Error-Code': 'RepoNotFound' });
    } else if (action === 'info') {
      const siblings = Object.keys(repository.files).map((rfilename) => ({ rfilename }));
      const isPrivate = repository.access === 'private';
      json(response, {
        _id: '1',
        id: repository.id,
        sha: commitOf(repository),
        private: isPrivate,
        gated: false,
        siblings,
      });
    } else if (!this.mayWrite(account, owner)) {
      error(response, 403, 'Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request');
    } else if (action === 'preupload') json(response, { files: this.modes(repository, parse(body)) });
    else if (action === 'batch') this.objects.batch(repository, parse(body), response);
    else if (action === 'verify') this.objects.verify(repository, parse(body), response);
    else this.commit(repository, body.toString(), response);
  }

  private modes(repository: Repository, { files }: Json): Json[] {
    const ignore = text(repository.files['.gitignore']).split('\n').filter(Boolean);
    return (files as { path: string; size: number; sample: string }[]).map(({ path, size, sample }) => {
      const binary = Buffer.from(sample, 'base64').includes(0);
      const lfs = /\.(safetensors|gguf|bin)$/.test(path) || size > 10_000_000 || binary;
      const has = repository.files[path];
      const oid = has && (isLfs(repository, path) ? sha256(has) : gitBlob(has));
      const ignored = ignore.some((line) => path === line || (line.startsWith('*') && path.endsWith(line.slice(1))));
      return { path, uploadMode: lfs ? 'lfs' : 'regular', shouldIgnore: ignored, ...(oid && { oid }) };
    });
  }

  private commit(repository: Repository, body: string, response: ServerResponse): void {
    const lines = body
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
    const header = lines.find(({ key }) => key === 'header')!.value;
    const parent = header.parentCommit ?? null;
    if (parent !== null && parent !== commitOf(repository)) {
      error(response, 412, 'A commit has happened since. Please refresh and try again.');
      return;
    }
    const files = { ...repository.files };
    const large = new Set(Object.keys(files).filter((name) => isLfs(repository, name)));
    for (const { key, value } of lines) {
      if (key === 'file') {
        files[value.path] = Buffer.from(value.content!, 'base64');
        large.delete(value.path);
      }
      if (key === 'lfsFile') {
        const bytes = this.objects.stored(repository).get(value.oid!);
        if (!bytes) {
          error(response, 400, `LFS pointer pointed to a file that does not exist: ${value.path}`);
          return;
        }
        files[value.path] = bytes;
        large.add(value.path);
      }
    }
    const invalid = lines.some(({ value }) => value.path === 'README.md') ? cardErrors(text(files['README.md'])) : [];
    if (invalid.length > 0) {
      error(response, 400, `Invalid metadata in README.md. - ${invalid.join(' - ')}`);
      return;
    }
    Object.assign(repository, { files, lfs: (name: string) => large.has(name) });
    this.messages.push({ id: repository.id, summary: header.summary!, parent });
    const oid = commitOf(repository);
    json(response, {
      success: true,
      commitOid: oid,
      commitUrl: `${this.host.endpoint}/${repository.id}/commit/${oid}`,
      hookOutput: '',
    });
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const LICENCES = ['apache-2.0', 'mit', 'gemma', 'llama3.2', 'other', 'unknown'];
const PIPELINES = ['text-generation', 'text-classification', 'fill-mask'];

/** By the rules of the Hub for the fields that Tabtune writes. */
function cardErrors(content: string): string[] {
  const front = /^---\n([\s\S]*?)\n---\n/.exec(content)?.[1] ?? '';
  const field = (name: string) => new RegExp(`^${name}: "?(.*?)"?$`, 'm').exec(front)?.[1];
  const [base, licence, pipeline] = ['base_model', 'license', 'pipeline_tag'].map(field);
  return [
    ...(base !== undefined && !/^[\w.-]+(\/[\w.-]+)?$/.test(base)
      ? [`"base_model" with value "${base}" is not valid. Use a model id from https://hf.co/models.`]
      : []),
    ...(licence !== undefined && !LICENCES.includes(licence)
      ? [`"license" must be one of [${LICENCES.join(', ')}, array]`]
      : []),
    ...(pipeline !== undefined && !PIPELINES.includes(pipeline)
      ? [`"pipeline_tag" must be one of [${PIPELINES.join(', ')}]`]
      : []),
  ];
}

const parse = (body: Buffer): Json => JSON.parse(body.toString() || '{}');
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

/** A response whose connection breaks when it is sent. */
function silenced(response: ServerResponse): ServerResponse {
  const end = () => {
    response.socket?.destroy();
    return response;
  };
  return new Proxy(response, {
    get(target, name) {
      if (name === 'writeHead') return () => ({ end });
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
