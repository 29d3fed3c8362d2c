/**
 * What is written to the Hub, over the routes that its own clients use: who the token belongs to, a repository, permission to upload
 * large files (Git LFS), a commit. A renamed repository answers with a redirect, which is followed and told.
 */
import { TabtuneError } from '../../base/errors';
import type { HubSettings } from '../descriptions';
import { type Asked, refusal, refusalOf } from '../hub-errors';
import { type Fetch, HubRequests, pause, SILENCE_MS, unlikeHub } from '../hub-requests';
import { accountOf } from './account';
import { base64 } from './base64';
import { ConflictError, explainRefusal, MissingError, TakenError } from './errors';
import { checkRepo } from './names';
import type { PushAccount, PushTarget } from './types';

/** How the Hub wants a file: `regular` inside the commit, `lfs` uploaded before it. */
export interface FileMode {
  path: string;
  mode: 'regular' | 'lfs';
  /** The repository's own .gitignore leaves it out. */
  ignored: boolean;
  /** Of what the repository has under that path: SHA-256 (lfs) or git's blob id (regular); null if it has nothing or does not say. */
  oid: string | null;
}

/** Permission to upload one file: to one address, or in parts to several. */
export interface UploadAction {
  href: string;
  verify: string | null;
  /** Null for a single upload. */
  parts: { chunk: number; urls: string[] } | null;
}

export type CommitFile = { path: string; bytes: Uint8Array } | { path: string; sha256: string; size: number };

/** As many as huggingface_hub sends at once. */
const FILES_AT_ONCE = 256;
const SAMPLE = 512;
/** What a slow line sends in a second, of a commit that holds its small files. */
const SLOWEST = 16_000;
/** A commit of many files takes the Hub this long. */
const COMMIT_MS = 300_000;
const LFS_JSON = 'application/vnd.git-lfs+json';
const BUSY_CREATING = /conflicting operation/i;

type Json = Record<string, unknown>;

export class PushClient extends HubRequests {
  private movedTo: string | null = null;

  /** `onRenamed` hears of the repository's present name. */
  constructor(
    settings: HubSettings,
    private readonly onRenamed: (id: string) => void = () => {},
    ask?: Fetch,
  ) {
    super(settings, ask);
  }

  protected override async explain(response: Response, asked: Asked): Promise<TabtuneError> {
    return explainRefusal(await refusalOf(response, asked), asked);
  }

  protected override redirected(to: string): void {
    const path = to.slice(this.endpoint.length).replace(/^\/api\/models/, '');
    const id = /^\/([\w.-]+\/[\w.-]+?)(?:\.git)?(?:[/?]|$)/.exec(path)?.[1];
    if (to.startsWith(`${this.endpoint}/`) && id) this.movedTo = id;
  }

  /** Whose token it is, and where it may write. Throws `access` if it may write nowhere. */
  async account(signal?: AbortSignal): Promise<PushAccount> {
    const asked = this.asked();
    const { value } = await this.json(`${this.endpoint}/api/whoami-v2`, { signal }, asked);
    return accountOf(value as Json, asked);
  }

  /** The repository, under its present name; null if there is none that this token can see. */
  async target(id: string, signal?: AbortSignal): Promise<PushTarget | null> {
    const asked = this.asked({ id });
    let value: Json;
    try {
      value = (await this.json(`${this.endpoint}/api/models/${id}`, { signal, cache: 'no-store' }, asked))
        .value as Json;
    } catch (cause) {
      if (cause instanceof MissingError) return null;
      throw cause;
    }
    const { id: name, sha, siblings } = value;
    if (typeof name !== 'string') throw unlikeHub(asked, 'the model has no id');
    const files = Array.isArray(siblings) ? siblings.map((file: Json) => file?.rfilename) : [];
    return {
      id: name,
      private: value.private === true,
      commit: typeof sha === 'string' && /^[0-9a-f]{40}$/.test(sha) ? sha : null,
      files: files.filter((file) => typeof file === 'string'),
    };
  }

  /** Makes an empty repository. Throws TakenError if there is one. */
  async create(id: string, isPrivate: boolean, signal?: AbortSignal): Promise<void> {
    const { owner, name } = checkRepo(id);
    const asked = this.asked({ id });
    const visibility = isPrivate ? 'private' : 'public';
    const body = { type: 'model', name, organization: owner, visibility };
    for (let attempt = 1; ; attempt++) {
      try {
        await this.post(`${this.endpoint}/api/repos/create`, body, asked, { signal });
        return;
      } catch (cause) {
        if (!(cause instanceof ConflictError)) throw cause;
        if (BUSY_CREATING.test(cause.details ?? '') && attempt < 3) {
          await pause(1000 * attempt, signal);
          continue;
        }
        const visible = (await this.target(id, signal)) !== null;
        throw new TakenError({ where: id, details: cause.details }, id, visible);
      }
    }
  }

  /** What the Hub says against a model card, a sentence each; null if it does not say. */
  async cardErrors(content: string, signal?: AbortSignal): Promise<string[] | null> {
    const init = { ...posted({ content, repoType: 'model' }), signal };
    try {
      const asked = this.asked({ file: 'README.md' });
      const { value } = await this.json(`${this.endpoint}/api/validate-yaml`, init, asked, { welcome: 400 });
      const { errors } = value as { errors?: { message?: unknown }[] };
      return Array.isArray(errors) ? errors.map((error) => String(error?.message ?? error)) : null;
    } catch (cause) {
      // A mirror may not have it. The commit is judged anyway.
      if (signal?.aborted) throw cause;
      return null;
    }
  }

  /** How each file has to be sent. */
  async modes(id: string, files: { path: string; blob: Blob }[], signal?: AbortSignal): Promise<FileMode[]> {
    const asked = this.asked({ id });
    const found: FileMode[] = [];
    for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
      const some = files.slice(at, at + FILES_AT_ONCE);
      const sent = await Promise.all(
        some.map(async ({ path, blob }) => ({
          path,
          size: blob.size,
          sample: base64(new Uint8Array(await blob.slice(0, SAMPLE).arrayBuffer())),
        })),
      );
      const answer = await this.repo(id, (now) => `/api/models/${now}/preupload/main`, { files: sent }, asked, {
        signal,
      });
      const listed = Array.isArray(answer.files) ? (answer.files as Json[]) : [];
      for (const { path, blob } of some) {
        const entry = listed.find((one) => one?.path === path);
        if (entry?.uploadMode !== 'lfs' && entry?.uploadMode !== 'regular') {
          throw unlikeHub(asked, `it does not say how to upload ${path}`);
        }
        found.push({
          path,
          // Storage takes no empty object, so the Hub's own clients commit empty files.
          mode: blob.size === 0 ? 'regular' : entry.uploadMode,
          ignored: entry.shouldIgnore === true,
          oid: typeof entry.oid === 'string' ? entry.oid : null,
        });
      }
    }
    return found;
  }

  /** Asks where to upload a large file; null if the Hub has it. Each call begins a new upload. */
  async upload(
    id: string,
    file: { path: string; sha256: string; size: number },
    signal?: AbortSignal,
  ): Promise<UploadAction | null> {
    const asked = this.asked({ id, file: file.path });
    const body = {
      operation: 'upload',
      transfers: ['basic', 'multipart'],
      hash_algo: 'sha256',
      ref: { name: 'main' },
      objects: [{ oid: file.sha256, size: file.size }],
    };
    const answer = await this.repo(id, (now) => `/${now}.git/info/lfs/objects/batch`, body, asked, {
      signal,
      type: LFS_JSON,
    });
    const object = (Array.isArray(answer.objects) ? (answer.objects as Json[]) : []).find(
      (one) => one?.oid === file.sha256,
    );
    if (!object) throw unlikeHub(asked, 'it does not say where to upload the file');
    const error = object.error as { code?: unknown; message?: unknown } | undefined;
    if (error) {
      const given = refusal(Number(error.code) || 400, new Headers(), '', String(error.message ?? ''), asked);
      throw explainRefusal(given, asked);
    }
    const actions = object.actions as Json | undefined;
    if (!actions?.upload) return null;
    return uploadAction(actions, answer.transfer, file, asked);
  }

  /** Says that all parts of an upload have arrived. */
  async complete(href: string, body: Json, id: string, file: string, signal?: AbortSignal): Promise<void> {
    const init = { ...posted(body, LFS_JSON), signal };
    const response = await this.request(href, init, this.asked({ id, file }), { patience: COMMIT_MS });
    await response.body?.cancel();
  }

  /** Has the Hub check an object that was uploaded. */
  async verify(href: string, object: { sha256: string; size: number }, id: string, file: string, signal?: AbortSignal) {
    const init = { ...posted({ oid: object.sha256, size: object.size }, LFS_JSON), signal };
    const response = await this.request(href, init, this.asked({ id, file }), { patience: COMMIT_MS });
    await response.body?.cancel();
  }

  /**
   * One commit of all files on the main branch. Throws ConflictError if `parent` is no longer the newest. Not repeated here: it may have
   * been made although its answer was lost.
   */
  async commit(
    id: string,
    { message, parent, files }: { message: string; parent: string | null; files: CommitFile[] },
    signal?: AbortSignal,
  ): Promise<string> {
    const asked = this.asked({ id });
    const header = { summary: message, description: '', ...(parent !== null && { parentCommit: parent }) };
    const lines = [
      { key: 'header', value: header },
      ...files.map((file) =>
        'bytes' in file
          ? { key: 'file', value: { path: file.path, encoding: 'base64', content: base64(file.bytes) } }
          : { key: 'lfsFile', value: { path: file.path, algo: 'sha256', oid: file.sha256, size: file.size } },
      ),
    ];
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const options = {
      signal,
      type: 'application/x-ndjson',
      attempts: 1,
      patience: COMMIT_MS + Math.ceil((1000 * body.length) / SLOWEST),
    };
    const answer = await this.repo(id, (now) => `/api/models/${now}/commit/main`, body, asked, options);
    if (typeof answer.commitOid !== 'string') throw unlikeHub(asked, 'it does not name the commit');
    return answer.commitOid;
  }

  /** A request about a repository. If it was renamed, once more under its new name unless the redirect has carried the request on. */
  private async repo(
    id: string,
    route: (id: string) => string,
    body: Json | string,
    asked: Asked,
    options: PostOptions,
  ): Promise<Json> {
    this.movedTo = null;
    const moved = () => this.movedTo !== null && this.movedTo !== id;
    let answer: Json | null = null;
    try {
      answer = await this.post(this.endpoint + route(id), body, asked, options);
    } catch (cause) {
      // A redirect of another kind than 307 and 308 has turned it into a request to read.
      if (!moved()) throw cause;
    }
    if (moved()) this.onRenamed(this.movedTo!);
    return answer ?? this.post(this.endpoint + route(this.movedTo!), body, asked, options);
  }

  private async post(url: string, body: Json | string, asked: Asked, options: PostOptions): Promise<Json> {
    const { signal, type, attempts, patience = SILENCE_MS } = options;
    const { value } = await this.json(url, { ...posted(body, type), signal }, asked, { attempts, patience });
    if (Array.isArray(value)) throw unlikeHub(asked, 'its answer is a list');
    return value as Json;
  }
}

interface PostOptions {
  signal?: AbortSignal;
  type?: string;
  attempts?: number;
  patience?: number;
}

function posted(body: Json | string, type = 'application/json'): RequestInit {
  const headers = { 'Content-Type': type, ...(type === LFS_JSON && { Accept: LFS_JSON }) };
  return { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

function uploadAction(
  actions: Json,
  transfer: unknown,
  { path, size }: { path: string; size: number },
  asked: Asked,
): UploadAction {
  const { href, header = {} } = actions.upload as { href?: unknown; header?: Json };
  const verify = (actions.verify as { href?: unknown } | undefined)?.href;
  if (transfer === 'xet' || Object.keys(header).some((name) => /^x-xet-/i.test(name))) {
    throw new TabtuneError({
      code: 'network',
      message: `${asked.endpoint} takes large files only by its Xet protocol, which Tabtune does not speak.`,
      where: path,
      action: 'Save the export to your disk, and send it with Hugging Face’s own tool: hf upload.',
    });
  }
  if (typeof href !== 'string' || !URL.canParse(href)) throw unlikeHub(asked, 'the address for the upload is missing');
  const action = { href, verify: typeof verify === 'string' ? verify : null };
  if (header.chunk_size === undefined) return { ...action, parts: null };
  const chunk = Number(header.chunk_size);
  const urls = Object.keys(header)
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) => String(header[name]));
  if (!(chunk > 0) || urls.length !== Math.ceil(size / chunk)) {
    throw unlikeHub(asked, `${urls.length} parts of ${String(header.chunk_size)} bytes for ${size}`);
  }
  return { ...action, parts: { chunk, urls } };
}
