/**
 * The files of the model, fetched part by part and kept in this browser, so that the next visit needs no network for them. Where the
 * browser keeps nothing (a private window, a full disk), they stay for as long as the page is open.
 */

import { sha256 } from '../base/digest';
import { TabtuneError } from '../base/errors';
import type { PageFile, PagePart } from '../exports/page/manifest';
import { blobFolder } from '../hub/blob-folder';
import type { ModelFolder } from '../hub/types';
import { failed, isPage } from './manifest';

export interface PartsProgress {
  /** Bytes that have arrived, and all of them; what was kept from an earlier visit is counted from the start. */
  done: number;
  total: number;
}

const ATTEMPTS = 4;
const PAUSE_MS = 1000;

export class PageFiles {
  private readonly parts: PagePart[];
  private readonly blobs = new Map<string, Blob>();

  constructor(
    private readonly files: readonly PageFile[],
    private readonly base: URL,
    private readonly caches: CacheStorage | undefined = globalThis.caches,
  ) {
    this.parts = files.flatMap(({ parts }) => parts);
  }

  /** Bytes that this browser has not kept. */
  async missing(): Promise<number> {
    const cache = await this.cache();
    if (!cache) return sum(this.parts);
    const kept = new Set((await cache.keys()).map(({ url }) => url));
    return sum(this.parts.filter((part) => !kept.has(this.addressOf(part))));
  }

  /** Resolves with whether they are kept for the next visit. Throws `network`. */
  async fetchAll(onProgress: (progress: PartsProgress) => void): Promise<boolean> {
    const cache = await this.cache();
    const total = sum(this.parts);
    let done = 0;
    let kept = cache !== null;
    for (const part of this.parts) {
      const earlier = await cache?.match(this.addressOf(part)).catch(() => undefined);
      let blob = await earlier?.blob();
      if (blob?.size !== part.size) {
        const bytes = await this.fetchPart(part, (arrived) => onProgress({ done: done + arrived, total }));
        blob = (cache && (await this.keep(cache, part, bytes))) ?? undefined;
        kept &&= blob !== undefined;
        blob ??= new Blob([bytes]);
      }
      this.blobs.set(part.path, blob);
      done += part.size;
      onProgress({ done, total });
    }
    return kept;
  }

  /** Deletes parts that an earlier version of this page had. */
  async forgetOthers(): Promise<void> {
    const cache = await this.cache();
    const own = new Set(this.parts.map((part) => this.addressOf(part)));
    for (const request of (await cache?.keys()) ?? []) if (!own.has(request.url)) await cache?.delete(request);
  }

  /** The files below a folder of the page, as a model folder or an adapter's. They have to be fetched before. */
  folder(prefix: string, source: string): ModelFolder {
    const inside = new Map(
      this.files
        .filter(({ path }) => path.startsWith(prefix))
        .map((file) => [file.path.slice(prefix.length), this.joined(file)]),
    );
    const read = async (name: string, start?: number, end?: number) => {
      const blob = inside.get(name);
      if (!blob) throw failed(prefix + name, 'This page lacks a file of its model.', 'Ask whoever made it.');
      return blob.slice(start, end).arrayBuffer();
    };
    return blobFolder(source, inside, read);
  }

  private joined({ parts }: PageFile): Blob {
    const blobs = parts.map(({ path }) => this.blobs.get(path) ?? new Blob());
    return blobs.length === 1 ? blobs[0]! : new Blob(blobs);
  }

  /** A new version of a part has another address, so that no cache on the way answers with the old one. */
  private addressOf({ path, sha256 }: PagePart): string {
    const url = new URL(path, this.base);
    url.search = `?${sha256.slice(0, 16)}`;
    return url.href;
  }

  /** Null where the browser keeps nothing. */
  private async cache(): Promise<Cache | null> {
    try {
      return (await this.caches?.open(`tabtune-page model ${this.base.pathname}`)) ?? null;
    } catch {
      return null;
    }
  }

  /** The part as it is on the disk; null if there is no room. */
  private async keep(cache: Cache, part: PagePart, bytes: ArrayBuffer): Promise<Blob | null> {
    try {
      await cache.put(this.addressOf(part), new Response(bytes));
      return (await (await cache.match(this.addressOf(part)))?.blob()) ?? null;
    } catch {
      return null;
    }
  }

  private async fetchPart(part: PagePart, onArrived: (bytes: number) => void): Promise<ArrayBuffer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.fetchOnce(part, onArrived);
      } catch (cause) {
        const passing = !(cause instanceof TabtuneError);
        if (passing && attempt < ATTEMPTS) {
          await new Promise((resolve) => setTimeout(resolve, attempt * PAUSE_MS));
          continue;
        }
        if (!passing) throw cause;
        const action = 'Check the connection and try again; what has arrived is kept.';
        throw failed(part.path, 'A file of the model could not be loaded.', action, String(cause));
      }
    }
  }

  /** Throws a TabtuneError where trying again would not help. */
  private async fetchOnce(part: PagePart, onArrived: (bytes: number) => void): Promise<ArrayBuffer> {
    const response = await fetch(this.addressOf(part));
    if (!response.ok || !response.body) {
      if (response.status >= 500 || response.status === 429) throw new Error(`HTTP ${response.status}`);
      throw failed(
        part.path,
        `The server has no file ${part.path}.`,
        'If this page is yours, upload all files of its zip, folders too.',
        `HTTP ${response.status}`,
      );
    }
    const bytes = new Uint8Array(part.size);
    let arrived = 0;
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (arrived + value.length <= part.size) bytes.set(value, arrived);
      arrived += value.length;
      if (arrived > part.size) break;
      onArrived(arrived);
    }
    if (arrived > part.size) await reader.cancel();
    if (arrived < part.size && !isPage(response)) throw new Error(`${arrived} of ${part.size} bytes`);
    if (arrived !== part.size || (await sha256(bytes.buffer)) !== part.sha256) {
      throw failed(
        part.path,
        `What the server sent is not the file ${part.path} of this page.`,
        'If this page is yours, upload all files of its zip again; if not, reload it later.',
        `${arrived} bytes instead of ${part.size}, or others`,
      );
    }
    return bytes.buffer;
  }
}

const sum = (parts: readonly { size: number }[]) => parts.reduce((total, { size }) => total + size, 0);
