/**
 * Uploads one large file to the Hub's storage. Files in parts go on where they were: the parts that have arrived are remembered with
 * their receipts. The Hub itself knows which whole files it has.
 */
import { TabtuneError } from '../../base/errors';
import { AccessError, type Asked, BusyError, redact, unreachable } from '../hub-errors';
import { reaches } from '../hub-policy';
import { pause } from '../hub-requests';
import { BACK_OFF, delayFor } from '../retry';
import type { PushClient } from './client';
import { ExpiredError, MissingError, RefusedError } from './errors';
import type { Put } from './put';
import type { PartialUpload, Remembered } from './types';

export interface ObjectJob {
  client: PushClient;
  put: Put;
  repo: string;
  file: { path: string; blob: Blob; sha256: string };
  /** An upload of this file to this repository that has begun. */
  partial: PartialUpload | null;
  remember(what: Remembered): void;
  /** Bytes of the file that have arrived, or are on their way. */
  onSent(bytes: number): void;
  signal: AbortSignal;
  backOff?: readonly number[];
}

/** Parts on their way at once: one connection seldom fills a line. */
const AT_ONCE = 3;
/** How often new addresses are asked for. */
const RENEWALS = 2;

export async function sendObject(job: ObjectJob): Promise<void> {
  let { partial } = job;
  for (let renewed = 0; ; renewed++) {
    try {
      await new Sending(job, partial).run();
      return;
    } catch (cause) {
      if (!(cause instanceof ExpiredError) || renewed === RENEWALS) throw cause;
      job.remember({ kind: 'forget', sha256: job.file.sha256 });
      partial = null;
    }
  }
}

class Sending {
  /** Bytes of each part, or of the whole file as part 0. */
  private readonly sent = new Map<number, number>();
  private readonly asked: Asked;

  constructor(
    private readonly job: ObjectJob,
    private partial: PartialUpload | null,
  ) {
    const { client, repo, file } = job;
    this.asked = { id: repo, file: file.path, endpoint: client.endpoint, hasToken: true };
  }

  async run(): Promise<void> {
    const { client, repo, file, remember, signal } = this.job;
    const { path, blob, sha256 } = file;
    const object = { path, sha256, size: blob.size };
    this.tell();
    if (!this.partial) {
      const action = await this.persist(() => client.upload(repo, object, signal), null);
      if (action === null) {
        this.job.onSent(blob.size);
        return;
      }
      const { href, verify, parts } = action;
      if (parts === null) {
        await this.persist((onSent) => this.put(href, blob, onSent, signal), 0);
        await this.check(verify);
        return;
      }
      const { chunk, urls } = parts;
      const waiting = urls.map((url) => ({ url, etag: null }));
      const { endpoint } = client;
      this.partial = { sha256, size: blob.size, endpoint, repo, chunk, href, verify, parts: waiting };
    }
    await this.sendParts(this.partial);
    await this.finish(this.partial);
    await this.check(this.partial.verify);
    remember({ kind: 'forget', sha256 });
  }

  private async sendParts(upload: PartialUpload): Promise<void> {
    const { chunk, parts } = upload;
    const { blob } = this.job.file;
    const piece = (index: number) => blob.slice(index * chunk, (index + 1) * chunk);
    for (const [index, { etag }] of parts.entries()) if (etag !== null) this.sent.set(index, piece(index).size);
    this.tell();
    const queue = parts.flatMap(({ etag }, index) => (etag === null ? [index] : []));
    const failed = new AbortController();
    const signal = AbortSignal.any([this.job.signal, failed.signal]);
    let ended: { cause: unknown } | null = null;
    const line = async () => {
      for (let index = queue.shift(); index !== undefined && !ended; index = queue.shift()) {
        const part = parts[index]!;
        const send = (onSent: (bytes: number) => void) => this.put(part.url, piece(index), onSent, signal);
        const etag = await this.persist(send, index, signal);
        if (etag === null) throw this.noReceipt();
        part.etag = etag;
        this.job.remember({ kind: 'upload', upload });
      }
    };
    const stop = (cause: unknown) => {
      ended ??= { cause };
      // After a lost connection, parts that are on their way may still arrive, and need not be sent again.
      if (!(cause instanceof TabtuneError) || cause.code !== 'network') failed.abort(cause);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, () => line().catch(stop)));
    if (ended) throw (ended as { cause: unknown }).cause;
  }

  private async finish({ href, sha256, parts }: PartialUpload): Promise<void> {
    const { client, repo, file, signal } = this.job;
    this.mayReach(href);
    const receipts = parts.map(({ etag }, index) => ({ partNumber: index + 1, etag }));
    try {
      await this.persist(() => client.complete(href, { oid: sha256, parts: receipts }, repo, file.path, signal), null);
    } catch (cause) {
      // Refused: the upload is no longer known, or it was completed and the answer was lost. A new permission tells which.
      const refused = [RefusedError, MissingError, AccessError].some((kind) => cause instanceof kind);
      throw refused ? new ExpiredError(file.path, (cause as TabtuneError).details ?? '') : cause;
    }
  }

  /**
   * Has the Hub look at what it received. Its client for browsers leaves this step out, so it may not be open to pages: a request that does
   * not get through is not repeated. The commit looks for the object anyway.
   */
  private async check(href: string | null): Promise<void> {
    if (href === null) return;
    const { client, repo, file, signal } = this.job;
    try {
      await client.verify(href, { sha256: file.sha256, size: file.blob.size }, repo, file.path, signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof MissingError) throw new ExpiredError(file.path, cause.details ?? '');
      if (!(cause instanceof TabtuneError) || cause.code !== 'network') throw cause;
    }
  }

  /** Tries again after failures that may pass, with growing pauses. `index` is the part whose bytes are counted. */
  private async persist<T>(
    work: (onSent: (bytes: number) => void) => Promise<T>,
    index: number | null,
    signal = this.job.signal,
  ): Promise<T> {
    const { backOff = BACK_OFF } = this.job;
    const count = (bytes: number) => {
      if (index === null) return;
      this.sent.set(index, bytes);
      this.tell();
    };
    for (let failures = 0; ; failures++) {
      try {
        return await work(count);
      } catch (cause) {
        signal.throwIfAborted();
        count(0);
        const delay = cause instanceof ExpiredError ? null : delayFor(cause, backOff[failures]);
        if (delay === null) throw cause;
        await pause(delay, signal);
      }
    }
  }

  /** The receipt of the bytes, if storage gives one. */
  private async put(
    url: string,
    body: Blob,
    onSent: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<string | null> {
    this.mayReach(url);
    const answer = await this.job.put(url, body, onSent, signal).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw unreachable(cause, { ...this.asked, endpoint: new URL(url).origin });
    });
    const { status, etag, said } = answer;
    if (status >= 200 && status < 300) return etag;
    const details = redact(`HTTP ${status} ${said}`.replace(/\s+/g, ' ').trim());
    const where = this.job.file.path;
    if (status === 404 || status === 410 || (status === 403 && /expired|AccessDenied/i.test(said))) {
      throw new ExpiredError(where, details);
    }
    // Amazon's storage says 400 to a line that is too slow for it.
    if (status >= 500 || status === 429 || status === 408 || /RequestTimeout/.test(said)) {
      const action = 'Try again in a few minutes: what has arrived is kept.';
      throw new BusyError(null, {
        message: 'The Hub’s storage is having problems at the moment.',
        where,
        action,
        details,
      });
    }
    throw new TabtuneError({
      code: 'access',
      message: `The Hub’s storage did not accept ${where}.`,
      where,
      action: 'Push again. If it is refused again, save the export to your disk and send it with hf upload.',
      details,
    });
  }

  /** The browser blocks addresses outside the policy with an error like that of a lost connection. */
  private mayReach(url: string): void {
    if (reaches(url, this.asked.endpoint)) return;
    const { host } = new URL(url);
    throw new TabtuneError({
      code: 'access',
      message: `The Hub wants this file at ${host}, which this page may not contact.`,
      where: this.job.file.path,
      action: 'Save the export to your disk, and send it with Hugging Face’s own tool: hf upload.',
      details: redact(url),
    });
  }

  private noReceipt(): TabtuneError {
    return new TabtuneError({
      code: 'network',
      message: 'The Hub’s storage does not confirm what it received.',
      where: this.job.file.path,
      action: 'A proxy or an extension may remove the ETag header. Try again without it.',
    });
  }

  private tell(): void {
    let bytes = 0;
    for (const count of this.sent.values()) bytes += count;
    this.job.onSent(Math.min(bytes, this.job.file.blob.size));
  }
}
