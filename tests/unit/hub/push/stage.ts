/** A local Hub that can be written to, and orders for it. */
import { afterEach, beforeEach } from 'vitest';
import { pushFiles } from '../../../../src/hub/push/push';
import { put } from '../../../../src/hub/push/put';
import type { PartialUpload, PushFile, PushOrder, PushProgress, Remembered } from '../../../../src/hub/push/types';
import { type Fault, HubServer, type Request } from '../../../support/hub-server';

export const KB = 1024;
export const WEIGHTS = 'adapter_model.safetensors';

/** Bytes that compress to nothing and repeat nowhere. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export const content = (weights = 1000 * KB): Record<string, Uint8Array<ArrayBuffer>> => ({
  [WEIGHTS]: noise(weights),
  'adapter_config.json': new TextEncoder().encode('{"r": 8, "lora_alpha": 16}\n'),
  'README.md': new TextEncoder().encode('---\nbase_model: "org/base"\n---\n# Pirate – ½\n'),
  'empty.txt': new Uint8Array(0),
});

export const filesOf = (all: Record<string, Uint8Array<ArrayBuffer>>): PushFile[] =>
  Object.entries(all).map(([path, bytes]) => ({ path, blob: new Blob([bytes], { type: 'text/x-test' }) }));

export let server: HubServer;

export function freshHub(): void {
  beforeEach(async () => {
    server = await new HubServer().start();
  });
  afterEach(() => server.stop());
}

/** A tab: what it remembers, and what it has shown. */
export class Tab {
  readonly partials = new Map<string, PartialUpload>();
  readonly hashes = new Map<string, string>();
  readonly seen: PushProgress[] = [];
  abort = new AbortController();
  token = 'hf_write';

  push(order: Partial<PushOrder> & { files: PushFile[] }) {
    return pushFiles({
      order: { repo: 'ada/pirate', private: true, addTo: false, message: 'Add the adapter', ...order },
      settings: { endpoint: server.endpoint, token: this.token },
      // As they are after a reload.
      partials: structuredClone([...this.partials.values()]),
      put,
      onProgress: (progress) => this.seen.push(progress),
      remember: (what) => this.remember(structuredClone(what)),
      signal: this.abort.signal,
      backOff: [1, 1],
    });
  }

  private remember(what: Remembered): void {
    if (what.kind === 'hash') this.hashes.set(what.path, what.sha256);
    else if (what.kind === 'upload') this.partials.set(what.upload.sha256, what.upload);
    else this.partials.delete(what.sha256);
  }
}

export const pushed = (id = 'ada/pirate') => server.repositories.get(id)!;

/** Misbehaves for requests that match, `times` times. */
export function strike(when: (request: Request) => boolean, fault: Fault, times = Infinity): void {
  let left = times;
  server.fault = (request) => (left > 0 && request.method !== 'OPTIONS' && when(request) && left-- > 0 ? fault : null);
}

export const isPut = ({ method }: Request) => method === 'PUT';
export const asks = (part: string) => (request: Request) => request.host === 'hub' && request.path.includes(part);
