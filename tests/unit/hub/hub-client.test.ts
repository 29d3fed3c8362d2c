import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { supportedFamilies } from '../../../src/families';
import { writeSafetensors } from '../../../src/formats/safetensors';
import { describeHubModel, hubHit } from '../../../src/hub/describe';
import { HubClient } from '../../../src/hub/hub-client';
import { checkEndpoint } from '../../../src/hub/hub-endpoint';
import { redact } from '../../../src/hub/hub-errors';
import { parseHubName } from '../../../src/hub/hub-id';
import type { PlanModel } from '../../../src/hub/plan';
import { fixtureBytes } from '../../fixture-files';
import { HubServer } from '../../support/hub-server';
import { config, modelFiles, SHAPES, tensor, weights } from './helpers';

const encode = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
let files: Record<string, Uint8Array>;
let server: HubServer;

beforeAll(async () => {
  const all = await Promise.all(
    modelFiles().map(async ({ path, file }) => [path, new Uint8Array(await file.arrayBuffer())] as const),
  );
  files = Object.fromEntries(all);
});
beforeEach(async () => {
  await server?.stop();
  server = await new HubServer().start();
});
afterAll(() => server.stop());

const client = (token: string | null = null) => new HubClient({ endpoint: server.endpoint, token });

const describeIt = (name: string, token: string | null, plan: PlanModel = async () => []) =>
  describeHubModel(
    { client: client(token), isDownloaded: async () => false, plan },
    parseHubName(name, server.endpoint),
  );
const look = (name: string, token: string | null = null) => describeIt(name, token).then(({ model }) => model);
const denied = (name: string, token: string | null = null) => describeIt(name, token).then((found) => found.denied);

describe('search', () => {
  it('lists the most downloaded first, and says what cannot be opened', async () => {
    server.add({ id: 'org/tiny-llama', files, licence: 'mit', downloads: 5 });
    server.add({
      id: 'org/tiny-mamba',
      files: { ...files, 'config.json': encode({ model_type: 'mamba' }) },
      downloads: 9,
    });
    server.add({
      id: 'org/tiny-pickle',
      files: { 'config.json': files['config.json']!, 'pytorch_model.bin': encode('x') },
    });
    server.add({ id: 'org/other', files });
    const found = await client().search('tiny', 10);
    expect(found.map((info) => hubHit(info, supportedFamilies))).toMatchObject([
      { id: 'org/tiny-mamba', downloads: 9, problem: expect.stringContaining('mamba') },
      { id: 'org/tiny-llama', downloads: 5, likes: 3, licence: 'mit', gated: false, private: false, problem: null },
      { id: 'org/tiny-pickle', problem: expect.stringContaining('safetensors') },
    ]);
    expect(await client().search('tiny', 1)).toHaveLength(1);
  });
});

describe('a model before it is downloaded', () => {
  it('is pinned to a commit and described from config and headers, without its weights', async () => {
    const { commit } = server.add({
      id: 'org/model',
      licence: 'apache-2.0',
      downloads: 7,
      branches: ['v1'],
      files: {
        ...files,
        'onnx/model.onnx': encode('not needed'),
        'training_args.bin': encode('x'),
        'a.txt': encode('x'),
      },
    });
    const model = await look('org/model@v1');
    expect(model).toMatchObject({
      id: 'org/model',
      revision: 'v1',
      commit,
      url: `${server.endpoint}/org/model/tree/${commit}`,
      licence: 'apache-2.0',
      downloads: 7,
      access: 'granted',
      facts: { architecture: 'llama', kind: 'decoder', contextLength: 64, vocabSize: 12, hiddenSize: 8, layers: 2 },
      problem: null,
    });
    // Counted by hand: 12·8 + 8 + 2·(8·8 + 4·8 + 4·8 + 8·8 + 3·80 + 8 + 8).
    expect(model.facts?.parameters).toBe(1000);
    const [choice] = model.choices;
    expect(choice).toMatchObject({
      source: `hf:org/model@${commit}`,
      kind: 'safetensors',
      dtype: 'BF16',
      downloaded: false,
      problem: null,
    });
    expect(choice!.files.map(({ name }) => name).sort()).toEqual(Object.keys(files).sort());
    expect(choice!.bytes).toBe(Object.values(files).reduce((sum, { length }) => sum + length, 0));
    // The file list comes in pages. The tokenizer was not requested.
    expect(server.requests.filter(({ path }) => path.includes('/tree/')).length).toBeGreaterThan(1);
    expect(server.requests.filter(({ file }) => file === 'tokenizer.json')).toEqual([]);
  });

  it('reads only the header of large weights', async () => {
    const big = { ...config, vocab_size: 200_000 };
    const shapes = { ...SHAPES, 'model.embed_tokens.weight': [200_000, 8] };
    const bytes = writeSafetensors(Object.entries(shapes).map(([name, shape]) => tensor(name, shape)));
    server.add({ id: 'org/big', files: { ...files, 'config.json': encode(big), 'model.safetensors': bytes } });
    expect((await look('org/big')).facts?.vocabSize).toBe(200_000);
    const read = server.ranges('model.safetensors').map(([first, last]) => last - first + 1);
    expect(read[0]).toBe(8);
    expect(read.reduce((sum, n) => sum + n, 0)).toBeLessThan(10_000);
    expect(bytes.length).toBeGreaterThan(3_000_000);
  });

  it('finds the shards listed in the index', async () => {
    const names = Object.keys(SHAPES);
    const shard = (part: string[]) => writeSafetensors(part.map((name) => tensor(name, SHAPES[name]!)));
    const file = (i: number) => `model-0000${i}-of-00002.safetensors`;
    const map = Object.fromEntries(names.map((name, i) => [name, file(i < 5 ? 1 : 2)]));
    const { 'model.safetensors': _, ...rest } = files;
    server.add({
      id: 'org/sharded',
      files: {
        ...rest,
        'model.safetensors.index.json': encode({ weight_map: map }),
        [file(1)]: shard(names.slice(0, 5)),
        [file(2)]: shard(names.slice(5)),
        'model-00003-of-00002.safetensors': encode('of an older version'),
      },
    });
    const model = await look('org/sharded');
    expect(model.problem).toBeNull();
    expect(model.facts?.parameters).toBe(1000);
    const wanted = model.choices[0]!.files.map(({ name }) => name).filter((name) => name.includes('safetensors'));
    expect(wanted).toEqual(['model.safetensors.index.json', file(1), file(2)]);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['an unknown architecture', { 'config.json': encode({ model_type: 'mamba' }) }, /mamba.*/],
    ['a wrong shape', { 'model.safetensors': weights({ 'model.norm.weight': [9] }) }, /shape/],
    ['a missing tensor', { 'model.safetensors': weights({ 'model.norm.weight': null }) }, /lack 1 of/],
    ['no tokenizer.json', { 'tokenizer.json': null }, /no tokenizer\.json/],
    ['no config.json', { 'config.json': null }, /no config\.json/],
    ['only a pickle', { 'model.safetensors': null, 'pytorch_model.bin': encode('x') }, /pickle/],
    ['an adapter', { 'model.safetensors': null, 'adapter_config.json': encode('{}') }, /an adapter/],
    ['an image pipeline', { 'model.safetensors': null, 'model_index.json': encode('{}') }, /images/],
    ['a split GGUF file', { 'model.safetensors': null, 'x-00001-of-00002.gguf': encode('x') }, /split/],
    [
      'no usable weights',
      { 'model.safetensors': null, 'model.onnx': encode('x') },
      /no model\.safetensors and no GGUF/,
    ],
  ])('with %s says so', async (_, changes, message) => {
    const changed = Object.entries({ ...files, ...changes }).filter(([, bytes]) => bytes !== null);
    server.add({ id: 'org/odd', files: Object.fromEntries(changed) as Record<string, Uint8Array> });
    const model = await look('org/odd');
    expect(model.problem).toMatchObject({ code: 'bad_model', message: expect.stringMatching(message) });
    expect(model.problem?.action).not.toContain('drop');
  });

  it('with GGUF files lists them by quantisation and reads the header of one', async () => {
    const gguf = await fixtureBytes('gguf/gqa-tied.gguf');
    const { commit } = server.add({
      id: 'org/gguf',
      files: {
        'README.md': encode('# x'),
        'model-Q4_K_M.gguf': gguf,
        'sub/model.f16.gguf': gguf,
        'mmproj-model-f16.gguf': encode('GGUF'),
        'big-Q8_0-00001-of-00002.gguf': encode('GGUF'),
      },
    });
    const planned: unknown[] = [];
    const plan: PlanModel = async ({ config: json, dtype, kind }) => {
      planned.push([json.model_type, dtype, kind]);
      return [];
    };
    const { model } = await describeIt('org/gguf', null, plan);
    expect(model.problem).toBeNull();
    // Both names are made up; the facts come from the header of the fixture.
    expect(model.facts).toMatchObject({ architecture: 'llama', kind: 'decoder', layers: 2 });
    expect(model.choices.map(({ label, source }) => [label, source])).toEqual([
      ['model-Q4_K_M.gguf', `hf:org/gguf@${commit}/model-Q4_K_M.gguf`],
      ['sub/model.f16.gguf', `hf:org/gguf@${commit}/sub/model.f16.gguf`],
    ]);
    expect(model.choices[1]!.dtype).toBe('F16');
    expect(planned).toEqual([
      ['llama', model.choices[0]!.dtype, 'gguf'],
      ['llama', 'F16', 'gguf'],
    ]);
    expect(model.choices[0]!.files.map(({ name }) => name)).toEqual(['README.md', 'model-Q4_K_M.gguf']);
    expect((await look('org/gguf/sub/model.f16.gguf')).choices[1]!.problem).toBeNull();
    await expect(look('org/gguf/none.gguf')).resolves.toMatchObject({
      problem: { where: 'none.gguf', action: expect.stringContaining('listed') },
    });
  });

  it('with an invalid GGUF file says so', async () => {
    server.add({ id: 'org/broken', files: { 'model.gguf': encode('not a model at all, but long enough for one') } });
    const { problem, choices } = await look('org/broken');
    expect(problem).toMatchObject({ code: 'bad_model', where: 'model.gguf' });
    expect(choices[0]!.problem).toEqual(problem);
  });
});

describe('refusals by the Hub', () => {
  it('for a gated model, say what it is and what to do', async () => {
    server.add({ id: 'org/gated', files, licence: 'gemma', access: 'gated' });
    const page = `${server.endpoint}/org/gated`;
    const stranger = await look('org/gated');
    // This is not a problem with the model: `access` reports it, and the choices are still listed.
    expect(stranger).toMatchObject({ gated: true, licence: 'gemma', access: 'token', facts: null, problem: null });
    expect(await denied('org/gated')).toMatchObject({
      code: 'access',
      action: expect.stringContaining(`${page}, create an access token`),
    });
    expect(stranger.choices[0]).toMatchObject({ kind: 'safetensors' });

    const known = await look('org/gated', 'hf_stranger');
    expect(known).toMatchObject({ access: 'terms', problem: null });
    expect(await denied('org/gated', 'hf_stranger')).toMatchObject({
      code: 'access',
      action: expect.stringContaining('accept the terms'),
    });
    expect(await look('org/gated', 'hf_accepted')).toMatchObject({ access: 'granted', facts: {}, problem: null });
  });

  it('distinguish a private model, a typo and a bad token as far as the Hub allows', async () => {
    server.add({ id: 'org/secret', files, access: 'private' });
    await expect(look('org/secret')).rejects.toMatchObject({
      code: 'access',
      message: expect.stringContaining('no public model org/secret'),
    });
    await expect(look('org/typo')).rejects.toMatchObject({
      code: 'access',
      action: expect.stringContaining('spelling'),
    });
    await expect(look('org/typo', 'hf_accepted')).rejects.toMatchObject({
      code: 'bad_model',
      message: expect.stringContaining('no model org/typo'),
    });
    await expect(look('org/secret', 'hf_expired')).rejects.toMatchObject({
      code: 'access',
      message: expect.stringContaining('access token'),
    });
    await expect(look('org/secret', 'hf_accepted')).resolves.toMatchObject({ private: true, problem: null });
  });

  it('name an unknown revision', async () => {
    server.add({ id: 'org/model', files });
    await expect(look('org/model@v9')).rejects.toMatchObject({
      code: 'bad_model',
      message: 'org/model has no branch, tag or commit v9.',
    });
  });

  it('with status 429 are waited out if short and reported if long', async () => {
    server.add({ id: 'org/model', files });
    let refusals = 2;
    server.fault = () => (refusals-- > 0 ? { status: 429, headers: { 'Retry-After': '0' } } : null);
    await expect(look('org/model')).resolves.toMatchObject({ problem: null });
    server.fault = () => ({ status: 429, headers: { 'Retry-After': '600' } });
    await expect(look('org/model')).rejects.toMatchObject({
      code: 'network',
      action: expect.stringContaining('Wait 10 minutes'),
    });
  });

  it('cover a web page, a server error, a server that is not a Hub, and no server at all', async () => {
    server.fault = () => ({ contentType: 'text/html', body: '<html>Log in' });
    await expect(look('org/model')).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('web page'),
    });
    server.fault = () => ({ status: 503, headers: { 'Retry-After': '99' } });
    await expect(look('org/model')).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('is having problems'),
    });
    server.fault = () => ({ contentType: 'application/json', body: '{}' });
    await expect(look('org/model')).rejects.toMatchObject({
      code: 'network',
      action: expect.stringContaining('Hub address'),
    });
    const nowhere = new HubClient({ endpoint: 'http://127.0.0.1:9', token: null });
    await expect(nowhere.search('x', 1)).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('127.0.0.1:9'),
    });
  });
});

describe('the token', () => {
  it('is sent only to the endpoint, and never in a URL', async () => {
    server.add({ id: 'org/gated', files, access: 'gated' });
    await look('org/gated', 'hf_accepted');
    const hub = server.requests.filter(({ host }) => host === 'hub');
    const cdn = server.requests.filter(({ host }) => host === 'cdn');
    expect(new Set(hub.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer hf_accepted']));
    expect(cdn.length).toBeGreaterThan(0);
    expect(cdn.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    expect(server.requests.filter(({ path }) => path.includes('hf_accepted'))).toEqual([]);
  });

  it('is not sent unencrypted to another machine', async () => {
    const sent: (string | null)[] = [];
    const ask = async (_: unknown, init?: RequestInit) => {
      sent.push(new Headers(init?.headers).get('Authorization'));
      return new Response('[]', { headers: { 'Content-Type': 'application/json' } });
    };
    for (const endpoint of [
      'http://hub.example',
      'https://hub.example',
      'http://localhost:1',
      'http://hub.localhost',
    ]) {
      await new HubClient({ endpoint, token: 'hf_x' }, ask).search('x', 1);
    }
    expect(sent).toEqual([null, 'Bearer hf_x', 'Bearer hf_x', 'Bearer hf_x']);
  });

  it('is removed from server messages', () => {
    expect(redact('bad hf_AbCdEf1234 at https://x/y?X-Amz-Signature=abc&Expires=1')).toBe(
      'bad hf_… at https://x/y?X-Amz-Signature=…&Expires=1',
    );
  });
});

describe('an endpoint', () => {
  it.each([
    ['', 'https://huggingface.co'],
    ['https://huggingface.co/', 'https://huggingface.co'],
    ['hf-mirror.com', 'https://hf-mirror.com'],
    ['http://localhost:8080/hub//', 'http://localhost:8080/hub'],
  ])('%j becomes %s', (text, endpoint) => {
    expect(checkEndpoint(text)).toBe(endpoint);
  });

  it.each(['ftp://x', 'https://me:secret@x', 'not an address', 'https://x?token=1', 'javascript:alert(1)'])(
    '%j is refused',
    (text) => {
      expect(() => checkEndpoint(text)).toThrow(expect.objectContaining({ where: 'Hub endpoint' }));
    },
  );
});
