import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { listBuiltinModels } from '../../../src/hub/builtin';
import { checkModelFolder } from '../../../src/hub/check';
import { droppedModelFolder, importModelFolder } from '../../../src/hub/folder';
import { openModelFolder } from '../../../src/hub/open';
import { summarizeModel } from '../../../src/hub/summary';
import { openWeights } from '../../../src/hub/weights';
import { listFiles } from '../../../src/storage/files';
import { fillDisk, freshDatabase } from '../storage/helpers';
import { configWith, modelFiles, weights } from './helpers';

freshDatabase();

const baseUrl = 'https://host.example/tabtune/';
const large = 40 * 2 ** 20;

/** A static server that records its requests. */
class Server {
  files = new Map<string, Uint8Array | (() => Response)>();
  asked: string[] = [];
  ranges = true;

  fetch = async (input: URL | string, init?: RequestInit): Promise<Response> => {
    const range = new Headers(init?.headers).get('Range');
    const url = String(input);
    this.asked.push(url.slice(baseUrl.length) + (range ? ` ${range}` : ''));
    const found = url.startsWith(baseUrl) ? this.files.get(url.slice(baseUrl.length)) : undefined;
    if (!found) return new Response('no', { status: 404 });
    if (typeof found === 'function') return found();
    const headers = { 'Content-Type': 'application/octet-stream' };
    if (!range || !this.ranges) return new Response(found as BodyInit, { headers });
    const [, start, end] = /bytes=(\d+)-(\d+)/.exec(range)!;
    return new Response(found.slice(Number(start), Number(end) + 1), { status: 206, headers });
  };
}

let server: Server;

function serveModel(files: { name: string; bytes: Uint8Array }[], name = 'stories') {
  const listed = files.map((file) => ({ name: file.name, size: file.bytes.length }));
  const entry = { name, title: 'Stories 2M', description: 'd', licence: 'MIT', parameters: 1, bytes: 2, files: listed };
  server.files.set('models/index.json', new TextEncoder().encode(JSON.stringify([entry])));
  for (const { name: file, bytes } of files) server.files.set(`models/${name}/${file}`, bytes);
}

beforeEach(async () => {
  server = new Server();
  vi.stubGlobal('fetch', server.fetch);
  const files = modelFiles();
  serveModel(
    await Promise.all(
      files.map(async ({ path, file }) => ({ name: path, bytes: new Uint8Array(await file.arrayBuffer()) })),
    ),
  );
});

describe('builtin:', () => {
  it('is listed, opened, checked and described', async () => {
    expect((await listBuiltinModels(baseUrl)).map(({ title }) => title)).toEqual(['Stories 2M']);
    const folder = await openModelFolder('builtin:stories', { baseUrl });
    expect(folder.source).toBe('builtin:stories');
    const summary = await summarizeModel(await checkModelFolder(folder));
    expect(summary).toMatchObject({ source: 'builtin:stories', title: 'Stories 2M', licence: 'MIT', dtype: 'BF16' });
  });

  it('has the size and the parameters on its card that it has once it is open', async () => {
    const served = (name: string) => new Uint8Array(readFileSync(`public/models/${name}`));
    server.files.set('models/index.json', served('index.json'));
    const [card] = await listBuiltinModels(baseUrl);
    for (const { name } of card!.files) server.files.set(`models/stories/${name}`, served(`stories/${name}`));
    const open = await summarizeModel(await checkModelFolder(await openModelFolder('builtin:stories', { baseUrl })));
    expect([card!.bytes, card!.parameters]).toEqual([open.bytes, open.parameters]);
  });

  it('fetches a small file once, even if parts are read at the same time', async () => {
    const folder = await openModelFolder('builtin:stories', { baseUrl });
    server.asked = [];
    const [whole, part] = await Promise.all([
      folder.bytes('model.safetensors'),
      folder.bytes('model.safetensors', 8, 20),
    ]);
    expect(new Uint8Array(part)).toEqual(new Uint8Array(whole).slice(8, 20));
    expect(await folder.text('tokenizer.json')).toBe('{"model":{}}');
    expect(server.asked).toEqual(['models/stories/model.safetensors', 'models/stories/tokenizer.json']);
    expect((await folder.bytes('model.safetensors', 5, 5)).byteLength).toBe(0);
  });

  it.each([true, false])('fetches only parts of a large file (server supports ranges: %s)', async (ranges) => {
    const bytes = new Uint8Array(large).map((_, i) => i % 251);
    serveModel([{ name: 'big.bin', bytes }]);
    server.ranges = ranges;
    const folder = await openModelFolder('builtin:stories', { baseUrl });
    server.asked = [];
    const part = new Uint8Array(await folder.bytes('big.bin', 1_000_000, 1_000_100));
    expect(Buffer.compare(part, bytes.subarray(1_000_000, 1_000_100))).toBe(0);
    expect((await folder.bytes('big.bin', large - 10, large + 10)).byteLength).toBe(10);
    expect(server.asked).toEqual([
      'models/stories/big.bin bytes=1000000-1000099',
      `models/stories/big.bin bytes=${large - 10}-${large - 1}`,
    ]);
  });

  it('lists the available models if the name is unknown', async () => {
    await expect(openModelFolder('builtin:none', { baseUrl })).rejects.toMatchObject({
      code: 'bad_model',
      where: 'builtin:none',
      action: 'Choose one of: stories.',
    });
  });

  it('serves only the listed files', async () => {
    const folder = await openModelFolder('builtin:stories', { baseUrl });
    expect(folder.has('../index.json')).toBe(false);
    await expect(folder.bytes('../index.json')).rejects.toMatchObject({ code: 'bad_model' });
  });

  const page = () => new Response('<!doctype html>', { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
  it.each([
    ['404', () => new Response('', { status: 404 }), /HTTP 404/],
    ['403', () => new Response('', { status: 403 }), /HTTP 403/],
    ['429', () => new Response('', { status: 429 }), /HTTP 429/],
    ['500', () => new Response('', { status: 500 }), /HTTP 500/],
    ['the app’s page instead', page, /HTTP 200/],
    ['fewer bytes', () => new Response('abc'), /3 bytes instead of/],
    ['no connection', () => Promise.reject(new TypeError('Failed to fetch')) as never, /Failed to fetch/],
  ])('reports %s, and retries on the next read', async (_name, answer, details) => {
    const folder = await openModelFolder('builtin:stories', { baseUrl });
    const good = server.files.get('models/stories/config.json')!;
    server.files.set('models/stories/config.json', answer);
    await expect(checkModelFolder(folder)).rejects.toMatchObject({
      code: 'network',
      where: 'config.json',
      action: expect.stringContaining('try again'),
      details: expect.stringMatching(details),
    });
    server.files.set('models/stories/config.json', good);
    await checkModelFolder(folder);
  });

  it('takes what the browser has of a file whose hash is listed, asks anew if that is an old one, and refuses damage', async () => {
    const served = (name: string) => new Uint8Array(readFileSync(`public/models/${name}`));
    server.files.set('models/index.json', served('index.json'));
    const name = 'models/stories/config.json';
    const [good, old] = [served('stories/config.json'), served('stories/config.json').fill(32)];
    const modes: (RequestCache | undefined)[] = [];
    const serveBy = (answer: (mode?: RequestCache) => Uint8Array) =>
      vi.stubGlobal('fetch', async (input: URL, init?: RequestInit) => {
        if (!String(input).endsWith(name)) return server.fetch(input, init);
        modes.push(init?.cache);
        return new Response(answer(init?.cache) as BodyInit);
      });
    const read = async () => (await openModelFolder('builtin:stories', { baseUrl })).text('config.json');
    serveBy(() => good);
    expect(JSON.parse(await read())).toMatchObject({ model_type: 'llama' });
    expect(modes.splice(0)).toEqual(['force-cache']);
    serveBy((mode) => (mode === 'force-cache' ? old : good));
    expect(JSON.parse(await read())).toMatchObject({ model_type: 'llama' });
    expect(modes.splice(0)).toEqual(['force-cache', 'no-cache']);
    serveBy(() => old);
    await expect(read()).rejects.toMatchObject({
      code: 'network',
      where: 'config.json',
      message: expect.stringContaining('damaged'),
    });
  });

  it.each([
    ['416', () => new Response('', { status: 416 })],
    ['a short range', () => new Response('abc', { status: 206 })],
  ])('reports %s for a large file', async (_name, answer) => {
    serveModel([{ name: 'big.bin', bytes: new Uint8Array(large) }]);
    const folder = await openModelFolder('builtin:stories', { baseUrl });
    server.files.set('models/stories/big.bin', answer);
    await expect(folder.bytes('big.bin', 0, 8)).rejects.toMatchObject({ code: 'network', where: 'big.bin' });
  });

  it.each([
    ['missing', null],
    ['a web page', page],
    ['not JSON', new TextEncoder().encode('{')],
    ['not a list', new TextEncoder().encode('{}')],
  ])('reports a model list that is %s', async (_name, answer) => {
    server.files.delete('models/index.json');
    if (answer) server.files.set('models/index.json', answer);
    await expect(openModelFolder('builtin:stories', { baseUrl })).rejects.toMatchObject({
      code: 'network',
      where: 'index.json',
    });
  });
});

describe('file:', () => {
  const dropped = (prefix: string, files = modelFiles()) =>
    files.map(({ path, file }) => ({ path: prefix + path, file }));

  it('imports a folder, opens it again and reads it', async () => {
    const checked = await importModelFolder('my-model', dropped('SmolLM/'));
    expect(checked.folder.source).toBe('file:my-model');
    const folder = await openModelFolder('file:my-model', { baseUrl });
    expect(folder.files.sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(new Uint8Array(await folder.bytes('model.safetensors'))).toEqual(weights());
    expect(new Uint8Array(await folder.bytes('model.safetensors', 10, 20))).toEqual(weights().slice(10, 20));
    expect(await summarizeModel(await checkModelFolder(folder))).toMatchObject({ title: 'my model', layers: 2 });
    await expect(folder.text('none.json')).rejects.toMatchObject({ code: 'bad_model', where: 'none.json' });
  });

  it('stores a GGUF file unchanged', async () => {
    const file = new Blob([readFileSync('tests/fixtures/gguf/gqa-tied.gguf')]);
    await importModelFolder('tiny', [{ path: 'tiny.gguf', file }]);
    expect((await listFiles('model/tiny')).map(({ name, size }) => [name, size])).toEqual([['tiny.gguf', file.size]]);
    const folder = await openModelFolder('file:tiny', { baseUrl });
    expect(folder.vocabulary?.model).toBe('gpt2');
    const checked = await checkModelFolder(folder);
    const weights = openWeights(checked);
    expect(await weights.read('model.norm.weight')).toHaveProperty('byteLength', 4 * checked.config.hidden_size);
  });

  it('does not store pickles, hidden files or subfolders', async () => {
    const more = ['pytorch_model.bin', '.gitattributes', 'original/params.json', 'README.md', 'chat_template.jinja'];
    const files = [...modelFiles(), ...more.map((path) => ({ path, file: new Blob(['x']) }))];
    await importModelFolder('m', dropped('a/b/', files));
    expect((await listFiles('model/m')).map(({ name }) => name)).toEqual([
      'README.md',
      'chat_template.jinja',
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
  });

  it('does not store an invalid folder', async () => {
    const files = modelFiles(configWith({ model_type: 'bert' }));
    await expect(importModelFolder('m', files)).rejects.toMatchObject({ code: 'bad_model' });
    await expect(importModelFolder('m', [])).rejects.toMatchObject({ code: 'bad_model', where: 'config.json' });
    expect(await listFiles()).toEqual([]);
  });

  it('stores nothing if the disk fills up halfway', async () => {
    fillDisk(['chunks'], 2);
    await expect(importModelFolder('m', modelFiles())).rejects.toMatchObject({ code: 'storage_full' });
    expect(await listFiles()).toEqual([]);
  });

  it('reports a model that is not stored', async () => {
    await expect(openModelFolder('file:none', { baseUrl })).rejects.toMatchObject({
      code: 'bad_model',
      where: 'file:none',
      action: expect.stringContaining('Drop'),
    });
  });

  it('reports a file that changed after it was dropped', async () => {
    const gone = new Blob(['{}']);
    gone.slice = () => {
      const part = new Blob();
      part.arrayBuffer = () => Promise.reject(new DOMException('gone', 'NotReadableError'));
      return part;
    };
    const folder = droppedModelFolder('file:m', [{ path: 'config.json', file: gone }]);
    await expect(checkModelFolder(folder)).rejects.toMatchObject({ code: 'bad_model', where: 'config.json' });
  });
});

describe('other sources', () => {
  it('an hf: model that was not downloaded is reported', async () => {
    await expect(openModelFolder('hf:org/name@main', { baseUrl })).rejects.toMatchObject({
      code: 'bad_model',
      where: 'hf:org/name@main',
      action: expect.stringContaining('Download it'),
    });
    await expect(openModelFolder('hf:org', { baseUrl })).rejects.toMatchObject({ code: 'bad_model' });
  });

  it.each(['', 'stories', 'builtin:', 'file:', 'file:../x', 'file:a/b', 'builtin:..', 'https://x/y', 'file:a\\b'])(
    '%j is refused',
    async (source) => {
      await expect(openModelFolder(source, { baseUrl })).rejects.toMatchObject({ code: 'bad_model', where: source });
      expect(server.asked).toEqual([]);
    },
  );
});
