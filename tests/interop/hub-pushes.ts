/** A local Hub with what Tabtune has pushed to it, for huggingface_hub to read and to write to. */
import { pushFiles } from '../../src/hub/push/push';
import { put } from '../../src/hub/push/put';
import type { PushFile } from '../../src/hub/push/types';
import { HubServer, sha256 } from '../support/hub-server';

export const token = 'hf_write';
/** Of the local Hub: three large files go in parts, of which one is cut short, and one in one piece. */
const PART = 64 * 1024;

function noise(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const text = (content: string) => new TextEncoder().encode(content);

export const files: Record<string, Uint8Array<ArrayBuffer>> = {
  'README.md': text('---\nbase_model: "org/base"\nlibrary_name: peft\n---\n\n# Pirate – ½ “ö”\n'),
  'adapter_config.json': text('{"r": 8}\n'),
  'adapter_model.safetensors': noise(5 * PART + 17, 1),
  'gguf/model-Q8_0.gguf': noise(4 * PART, 2),
  'gguf/small.gguf': noise(100, 3),
  'tokenizer/merges.txt': text('a b\n'.repeat(20_000)),
  'tokenizer/binary.model': noise(PART * 2, 4).fill(0, 0, 4),
  'empty.txt': new Uint8Array(0),
};

export const hashes = Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, sha256(bytes)]));

export class PushedHub {
  readonly server = new HubServer();

  async start(): Promise<string> {
    await this.server.start();
    this.server.writes.objects.partSize = PART;
    return this.server.endpoint;
  }

  /** Pushes all files, through a connection that breaks once in the middle. */
  async push(repo: string): Promise<void> {
    let puts = 0;
    this.server.fault = ({ method }) => (method === 'PUT' && ++puts === 4 ? { cutAfter: 1000 } : null);
    const order: PushFile[] = Object.entries(files).map(([path, bytes]) => ({ path, blob: new Blob([bytes]) }));
    await pushFiles({
      order: { files: order, repo, private: true, addTo: false, message: 'Add everything' },
      settings: { endpoint: this.server.endpoint, token },
      ...{ partials: [], put, onProgress: () => {}, remember: () => {}, backOff: [1] },
      signal: new AbortController().signal,
    });
    this.server.fault = () => null;
  }

  /** What the Hub holds of a repository, by path. */
  held(repo: string): Record<string, string> {
    const { '.gitattributes': _, ...held } = this.server.repositories.get(repo)?.files ?? {};
    return Object.fromEntries(Object.entries(held).map(([path, bytes]) => [path, sha256(bytes)]));
  }

  /** Files that came in parts. */
  get parts(): number {
    return this.server.writes.objects.arrived.filter(({ part }) => part > 1).length;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }
}
