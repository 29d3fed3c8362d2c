/** What the local Hub has and sends: repositories, requests, the ways to misbehave, and plain answers. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

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
  /** The connection breaks after this many bytes of the answer, or of what is uploaded. */
  cutAfter?: number;
  /** All uploads break once storage has received so many bytes of files. */
  cutAt?: number;
  /** Nothing more comes after this many bytes, but the connection stays open. */
  stallAfter?: number;
  etag?: string;
  /** Ignores the range: 200 with the whole file. */
  whole?: boolean;
  /** Nothing is read and nothing answered, but the connection stays open. */
  stalled?: boolean;
  /** The connection breaks before anything is done. */
  dropped?: boolean;
  /** The request is carried out, and the connection breaks before the answer. */
  lost?: boolean;
  /** Sends other bytes than these. */
  replace?: (bytes: Uint8Array) => Uint8Array;
}

export type Json = Record<string, unknown>;

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
export const gitBlob = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** Changes with the files, as a commit does. */
export function commitOf({ files }: Repository): string {
  const hash = createHash('sha1');
  for (const [name, bytes] of Object.entries(files)) hash.update(`${name}\0`).update(bytes);
  return hash.digest('hex');
}

export const isLfs = ({ lfs }: Repository, name: string): boolean =>
  lfs ? lfs(name) : /\.(safetensors|gguf|bin)$/.test(name);

export function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
}

export function refuse(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  fault: Fault = {},
): void {
  const type = fault.contentType ?? (fault.body?.startsWith('{') ? 'application/json' : 'text/plain');
  response.writeHead(status, { 'Content-Type': type, ...headers }).end(fault.body ?? 'no');
}

export function send(
  response: ServerResponse,
  request: Request,
  all: Uint8Array,
  etag: string,
  fault: Fault | null,
): void {
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

/** A refusal as the Hub words it. */
export function error(
  response: ServerResponse,
  status: number,
  message: string,
  more: Json = {},
  headers: Record<string, string> = {},
): void {
  refuse(
    response,
    status,
    { 'X-Error-Message': message, ...headers },
    { body: JSON.stringify({ error: message, ...more }) },
  );
}
