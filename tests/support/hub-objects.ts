/**
 * Git LFS of the local Hub: permissions to upload, and storage that behaves like Amazon's. An upload in parts has an id, each part a
 * receipt, and the addresses are valid for a while.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { error, type Fault, isLfs, type Json, json, type Repository, refuse, sha256 } from './hub-files';

interface Multipart {
  oid: string;
  repository: Repository;
  parts: Map<number, { etag: string; bytes: Buffer }>;
}

const md5 = (bytes: Uint8Array) => `"${createHash('md5').update(bytes).digest('hex')}"`;
const FULL =
  'Private repository storage limit reached, please upgrade your plan to increase your private storage limit';

export class HubObjects {
  /** Larger files are uploaded in parts of this many bytes. */
  partSize = 256 * 1024;
  /** Bytes of private objects that an account may have. */
  quota = Infinity;
  /** Storage refuses addresses that were given out before this was called. */
  expire(): void {
    this.generation++;
  }

  /** Bytes of files that reached storage, whether or not their request was whole. */
  received = 0;
  /** What each part or file was, in the order of arrival: `2` of an upload in parts, `0` for a file in one piece. */
  readonly arrived: { path: string; part: number }[] = [];
  /** Calls of `verify`. */
  verified = 0;

  private generation = 0;
  private readonly uploads = new Map<string, Multipart>();
  private readonly objects = new WeakMap<Repository, Map<string, Buffer>>();

  /** Where storage is, if not at the server's own second origin. */
  storage: string | null = null;

  constructor(private readonly host: { endpoint: string; storage: string }) {}

  stored(repository: Repository): Map<string, Buffer> {
    let found = this.objects.get(repository);
    if (!found) {
      const large = Object.entries(repository.files).filter(([path]) => isLfs(repository, path));
      found = new Map(large.map(([, bytes]) => [sha256(bytes), Buffer.from(bytes)]));
      this.objects.set(repository, found);
    }
    return found;
  }

  /** A repository goes on as another one. */
  moved(from: Repository, to: Repository): void {
    this.objects.set(to, this.stored(from));
    for (const upload of this.uploads.values()) if (upload.repository === from) upload.repository = to;
  }

  batch(repository: Repository, { objects, transfers }: Json, response: ServerResponse): void {
    const stored = this.stored(repository);
    const wanted = objects as { oid: string; size: number }[];
    const used = [...stored.values()].reduce((sum, { length }) => sum + length, 0);
    if (
      repository.access === 'private' &&
      wanted.some(({ oid, size }) => !stored.has(oid) && used + size > this.quota)
    ) {
      error(response, 403, FULL);
      return;
    }
    response.setHeader('X-Request-Id', 'Root=1');
    const verify = { href: `${this.host.endpoint}/${repository.id}.git/info/lfs/objects/verify`, header: {} };
    json(response, {
      transfer: (transfers as string[]).includes('multipart') ? 'multipart' : 'basic',
      objects: wanted.map(({ oid, size }) => {
        if (stored.has(oid)) return { oid, size, authenticated: true };
        const parts = Math.ceil(size / this.partSize);
        const upload = parts > 1 ? this.multipart(repository, oid, parts) : { href: this.signed(oid, ''), header: {} };
        return { oid, size, authenticated: true, actions: { upload: { ...upload, expires_in: 900 }, verify } };
      }),
    });
    for (const { oid } of wanted) this.owners.set(oid, repository);
  }

  /** Which repository an object in one piece is for. */
  private readonly owners = new Map<string, Repository>();

  private signed(oid: string, more: string): string {
    const signature = `X-Amz-Signature=secret&X-Amz-Date=${this.generation}`;
    return `${this.storage ?? this.host.storage}/lfs/${oid}?${signature}${more}`;
  }

  private multipart(repository: Repository, oid: string, count: number): Json {
    const uploadId = `upload-${this.uploads.size + 1}`;
    this.uploads.set(uploadId, { oid, repository, parts: new Map() });
    const urls = Array.from({ length: count }, (_, i) => [
      String(i + 1).padStart(5, '0'),
      this.signed(oid, `&uploadId=${uploadId}&partNumber=${i + 1}`),
    ]);
    const href = `${this.host.endpoint}/api/complete_multipart?uploadId=${uploadId}&signature=secret&generation=${this.generation}`;
    return { href, header: { chunk_size: String(this.partSize), ...Object.fromEntries(urls) } };
  }

  complete(url: URL, { oid, parts }: Json, response: ServerResponse): void {
    const uploadId = url.searchParams.get('uploadId') ?? '';
    const upload = this.uploads.get(uploadId);
    if (url.searchParams.get('generation') !== String(this.generation)) error(response, 403, 'Signature expired');
    else if (!upload || upload.oid !== oid) error(response, 404, 'NoSuchUpload');
    else {
      const given = parts as { partNumber: number; etag: string }[];
      const pieces = given.map(({ partNumber, etag }) => {
        const part = upload.parts.get(partNumber);
        return part?.etag === etag ? part.bytes : null;
      });
      const whole = Buffer.concat(pieces.filter((piece) => piece !== null));
      if (pieces.includes(null)) error(response, 400, 'InvalidPart');
      else if (sha256(whole) !== oid) error(response, 400, 'The object does not match its hash');
      else {
        this.stored(upload.repository).set(upload.oid, whole);
        this.uploads.delete(uploadId);
        json(response, { location: 'there' });
      }
    }
  }

  verify(repository: Repository, { oid, size }: Json, response: ServerResponse): void {
    this.verified++;
    if (this.stored(repository).get(String(oid))?.length === size) json(response, {});
    else error(response, 404, 'Object does not exist');
  }

  /** PUT of a file or of one of its parts. */
  async store(incoming: IncomingMessage, url: URL, response: ServerResponse, fault: Fault | null): Promise<void> {
    const oid = url.pathname.split('/').at(-1)!;
    const part = Number(url.searchParams.get('partNumber') ?? 0);
    if (url.searchParams.get('X-Amz-Date') !== String(this.generation)) {
      incoming.resume();
      refuse(
        response,
        403,
        {},
        { body: '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>' },
      );
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    const { cutAfter = Infinity, cutAt = Infinity } = fault ?? {};
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      const room = Math.max(0, Math.min(cutAfter - length, cutAt - this.received));
      const taken = chunk.subarray(0, room);
      chunks.push(taken);
      length += taken.length;
      this.received += taken.length;
      if (room <= chunk.length && room !== Infinity) {
        incoming.socket.destroy();
        return;
      }
    }
    const bytes = Buffer.concat(chunks);
    const upload = this.uploads.get(url.searchParams.get('uploadId') ?? '');
    if (part > 0 && !upload) {
      refuse(response, 404, {}, { body: '<Error><Code>NoSuchUpload</Code></Error>' });
      return;
    }
    if (upload) upload.parts.set(part, { etag: md5(bytes), bytes });
    else if (sha256(bytes) === oid) this.stored(this.owners.get(oid)!).set(oid, bytes);
    else {
      refuse(response, 400, {}, { body: '<Error><Code>BadDigest</Code></Error>' });
      return;
    }
    this.arrived.push({ path: oid, part });
    if (fault?.lost) incoming.socket.destroy();
    else response.writeHead(200, { ETag: md5(bytes) }).end();
  }
}
