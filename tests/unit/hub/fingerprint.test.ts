import { describe, expect, it } from 'vitest';
import { modelFingerprint } from '../../../src/hub/fingerprint';
import type { ModelFolder } from '../../../src/hub/types';

/** A folder whose bytes are counted as they are read. */
function folderOf(files: Record<string, Uint8Array>, hashes: Record<string, string> = {}) {
  const read = { bytes: 0 };
  const folder: ModelFolder = {
    source: 'file:mine',
    files: Object.keys(files),
    has: (name) => name in files,
    size: (name) => files[name]?.length,
    text: async (name) => new TextDecoder().decode(files[name]),
    bytes: async (name, start = 0, end = files[name]!.length) => {
      const part = files[name]!.slice(start, end);
      read.bytes += part.length;
      return part.buffer;
    },
    hash: async (name) => hashes[name],
  };
  return { folder, read };
}

const text = (value: string) => new TextEncoder().encode(value);
const files = { 'config.json': text('{}'), 'tokenizer.json': text('{"a":1}'), 'model.safetensors': text('weights') };
const of = async (given: Record<string, Uint8Array>, hashes = {}) =>
  (await modelFingerprint(folderOf(given, hashes).folder)).sha256;

describe('the fingerprint of a model folder', () => {
  it('is the same for the same files in any order, and leaves out what does not matter', async () => {
    const again = Object.fromEntries(Object.entries(files).reverse());
    expect(await of({ ...again, 'README.md': text('hello'), 'pytorch_model.bin': text('x') })).toBe(await of(files));
  });

  it.each([
    ['weights', { ...files, 'model.safetensors': text('weightz') }],
    ['config', { ...files, 'config.json': text('{ }') }],
    ['tokenizer', { ...files, 'tokenizer.json': text('{"a":2}') }],
    ['chat template', { ...files, 'chat_template.jinja': text('{{ x }}') }],
    ['shards', { ...files, 'model-00002-of-00002.safetensors': text('more') }],
    [
      'names',
      {
        'config.json': files['config.json'],
        'tokenizer.json': files['tokenizer.json'],
        'm.safetensors': text('weights'),
      },
    ],
  ])('differs by its %s', async (_name, changed) => {
    expect(await of(changed)).not.toBe(await of(files));
  });

  it('uses the hashes that are known, and reads nothing then', async () => {
    const known = { 'config.json': '1', 'tokenizer.json': '2', 'model.safetensors': '3' };
    const { folder, read } = folderOf(files, known);
    const { sha256, bytes } = await modelFingerprint(folder);
    expect(read.bytes).toBe(0);
    expect(bytes).toBe(16);
    expect(sha256).not.toBe(await of(files, { ...known, 'model.safetensors': '4' }));
  });

  it('reads 2 MB of a file whose hash is not known, and notices other weights anywhere in it', async () => {
    const large = new Uint8Array(20 * 2 ** 20).fill(1);
    const { folder, read } = folderOf({ ...files, 'model.safetensors': large });
    const before = (await modelFingerprint(folder)).sha256;
    expect(read.bytes).toBeLessThan(2.1 * 2 ** 20);
    // Training changes every weight a little; one tensor of a fiftieth of the file is enough to be noticed.
    for (const start of [0, 7 * 2 ** 20, large.length - large.length / 50]) {
      const other = large.slice().fill(2, start, start + large.length / 50);
      expect(await of({ ...files, 'model.safetensors': other })).not.toBe(before);
    }
  });

  it('of a GGUF file is that of the file alone', async () => {
    const gguf = folderOf({ 'm.gguf': text('gguf'), 'config.json': text('{}') }).folder;
    const other = folderOf({ 'm.gguf': text('gguf'), 'config.json': text('made in another way') }).folder;
    gguf.tensors = other.tensors = new Map();
    expect((await modelFingerprint(gguf)).sha256).toBe((await modelFingerprint(other)).sha256);
  });
});
