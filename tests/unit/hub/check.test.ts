import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { writeSafetensors } from '../../../src/formats/safetensors';
import { checkModelFolder } from '../../../src/hub/check';
import { summarizeModel } from '../../../src/hub/summary';
import { openWeights } from '../../../src/hub/weights';
import { cpuSeconds } from '../../support/time';
import { config, configWith, type Files, folderOf, SHAPES, tensor, weights } from './helpers';

const half = (names: string[]) => writeSafetensors(names.map((name) => tensor(name, SHAPES[name]!)));
const names = Object.keys(SHAPES);
const sharded = (change: Record<string, string> = {}): Files => ({
  'model.safetensors': null,
  'model-00001-of-00002.safetensors': half(names.slice(0, 5)),
  'model-00002-of-00002.safetensors': half(names.slice(5)),
  'model.safetensors.index.json': JSON.stringify({
    metadata: { total_size: 1 },
    weight_map: {
      ...Object.fromEntries(names.map((name, i) => [name, `model-0000${i < 5 ? 1 : 2}-of-00002.safetensors`])),
      ...change,
    },
  }),
});

describe('a valid folder', () => {
  it('passes, and its tensors can be read', async () => {
    const checked = await checkModelFolder(folderOf());
    expect([...checked.tensors.keys()].sort()).toEqual([...names].sort());
    let read = 0;
    const source = openWeights(checked, (bytes) => {
      read += bytes;
    });
    for (const [name, shape] of Object.entries(SHAPES)) {
      const bytes = await source.read(name);
      const { dtype, shape: found } = source.info(name)!;
      expect({ dtype, found }).toEqual({ dtype: 'BF16', found: shape });
      expect(new Uint16Array(bytes).every((value) => value === 1)).toBe(true);
    }
    expect(read).toBe(source.bytes);
    expect(source.info('lm_head.weight')).toBeUndefined();
    await expect(source.read('lm_head.weight')).rejects.toMatchObject({ code: 'bad_model' });
  });

  it('may be sharded', async () => {
    const checked = await checkModelFolder(folderOf(sharded()));
    expect(checked.tensors.size).toBe(names.length);
    const files = new Set([...checked.tensors.values()].map(({ file }) => file));
    expect([...files].sort()).toEqual(['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']);
  });

  const good: [name: string, files: Files][] = [
    ['float32', { 'model.safetensors': weights({}, 'F32') }],
    ['float16', { 'model.safetensors': weights({}, 'F16') }],
    ['a stored tied output', { 'model.safetensors': weights({ 'lm_head.weight': [12, 8] }) }],
    [
      'legacy rotary buffers',
      { 'model.safetensors': weights({ 'model.layers.0.self_attn.rotary_emb.inv_freq': [2] }) },
    ],
    ['no head_dim', configWith({ head_dim: undefined })],
    ['head_dim null', configWith({ head_dim: null })],
    [
      'llama3 rope scaling',
      configWith({ rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 } }),
    ],
    [
      'a transformers 5 config',
      configWith({ rope_theta: undefined, rope_parameters: { rope_theta: 1e4, rope_type: 'default' } }),
    ],
    ['no architectures', configWith({ architectures: undefined })],
    [
      'an untied output',
      { ...configWith({ tie_word_embeddings: false }), 'model.safetensors': weights({ 'lm_head.weight': [12, 8] }) },
    ],
    [
      'biases',
      {
        ...configWith({ attention_bias: true }),
        'model.safetensors': weights(
          Object.fromEntries(
            [0, 1].flatMap((i) =>
              (['q', 'k', 'v', 'o'] as const).map((m) => [
                `model.layers.${i}.self_attn.${m}_proj.bias`,
                m === 'k' || m === 'v' ? [4] : [8],
              ]),
            ),
          ),
        ),
      },
    ],
  ];
  it.each(good)('may have %s', async (_name, files) => {
    await checkModelFolder(folderOf(files));
  });

  it.each(['gqa-tied', 'gqa-tied-bf16', 'gqa-untied-odd', 'llama3-rope-bias', 'mha-untied'])(
    'may be a checkpoint saved by transformers: %s',
    async (name) => {
      const file = (path: string) => new Uint8Array(readFileSync(`tests/fixtures/llama/${name}/${path}`));
      const folder = folderOf({
        'config.json': file('config.json'),
        'model.safetensors': file('model.safetensors'),
      });
      const { tensors } = await checkModelFolder(folder);
      expect(tensors.size).toBeGreaterThan(10);
    },
  );
});

describe('an invalid folder is refused', () => {
  const first = 'model.layers.0.self_attn.q_proj.weight';
  const i64 = new TextEncoder().encode(
    JSON.stringify({ 'model.embed_tokens.weight': { dtype: 'I64', shape: [12, 8], data_offsets: [0, 768] } }),
  );
  const integers = new Uint8Array(8 + i64.length + 768);
  new DataView(integers.buffer).setBigUint64(0, BigInt(i64.length), true);
  integers.set(i64, 8);
  const manyShards = JSON.stringify({
    weight_map: Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`t${i}`, `s${i}.safetensors`])),
  });

  const bad: [name: string, files: Files, where: string | RegExp, says: RegExp][] = [
    // config.json
    ['no config.json', { 'config.json': null }, 'config.json', /no config\.json/],
    ['an empty config.json', { 'config.json': '' }, 'config.json', /not valid JSON/],
    ['a truncated config.json', { 'config.json': '{"model_type":"ll' }, 'config.json', /not valid JSON/],
    ['config.json with NaN', { 'config.json': '{"vocab_size": NaN}' }, 'config.json', /not valid JSON/],
    ['a web page as config.json', { 'config.json': '<!doctype html>' }, 'config.json', /not valid JSON/],
    ['a list as config.json', { 'config.json': '[]' }, 'config.json', /not a JSON object/],
    ['null as config.json', { 'config.json': 'null' }, 'config.json', /not a JSON object/],
    ['a 2 MB config.json', { 'config.json': ' '.repeat(2_000_000) }, 'config.json', /2000000 bytes/],
    ['no model_type', configWith({ model_type: undefined }), 'config.json, model_type', /what type/],
    ['an unknown architecture', configWith({ model_type: 'mamba' }), 'config.json, model_type', /"mamba"/],
    [
      'a model_type from Object.prototype',
      configWith({ model_type: 'constructor' }),
      'config.json, model_type',
      /"constr/,
    ],
    [
      'a question answering head',
      configWith({ architectures: ['LlamaForQuestionAnswering'] }),
      'config.json, architectures',
      /QuestionAnswering/,
    ],
    [
      'architectures as a string',
      configWith({ architectures: 'LlamaForCausalLM' }),
      'config.json, architectures',
      /saved as/,
    ],
    [
      'a quantised checkpoint',
      configWith({ quantization_config: { bits: 4 } }),
      'config.json, quantization_config',
      /quantised/,
    ],
    ['no hidden_size', configWith({ hidden_size: undefined }), 'config.json, hidden_size', /no hidden_size/],
    ['a negative hidden_size', configWith({ hidden_size: -8 }), 'config.json, hidden_size', /-8/],
    ['hidden_size as a string', configWith({ hidden_size: '8' }), 'config.json, hidden_size', /"8"/],
    ['a fractional hidden_size', configWith({ hidden_size: 8.5 }), 'config.json, hidden_size', /8\.5/],
    ['no layers', configWith({ num_hidden_layers: 0 }), 'config.json, num_hidden_layers', /0/],
    ['1e9 layers', configWith({ num_hidden_layers: 1e9 }), 'config.json, num_hidden_layers', /more than any/],
    ['a vocabulary of 1e300', configWith({ vocab_size: 1e300 }), 'config.json, vocab_size', /more than any/],
    [
      'attention heads that do not divide hidden_size',
      configWith({ num_attention_heads: 3, head_dim: null, num_key_value_heads: 3 }),
      /attention_heads/,
      /divide/,
    ],
    [
      'KV heads that do not divide the attention heads',
      configWith({ num_attention_heads: 3, num_key_value_heads: 2 }),
      /key_value_heads/,
      /divide/,
    ],
    ['an odd head_dim', configWith({ head_dim: 3 }), 'config.json, head_dim', /even/],
    ['an unsupported activation', configWith({ hidden_act: 'gelu' }), 'config.json, hidden_act', /"gelu"/],
    ['rms_norm_eps as a string', configWith({ rms_norm_eps: '1e-5' }), 'config.json, rms_norm_eps', /"1e-5"/],
    ['a negative rope_theta', configWith({ rope_theta: -1 }), 'config.json, rope_theta', /-1/],
    ['an unknown rope scaling', configWith({ rope_scaling: { type: 'ntk', factor: 4 } }), /rope_scaling/, /"ntk"/],
    ['rope scaling as a string', configWith({ rope_scaling: 'linear' }), 'config.json, rope_scaling', /not an object/],
    ['a rope factor of 0', configWith({ rope_scaling: { type: 'linear', factor: 0 } }), /rope_scaling\.factor/, /0/],
    [
      'an unknown rope type in a transformers 5 config',
      configWith({ rope_parameters: { rope_type: 'longrope' } }),
      /rope_parameters/,
      /longrope/,
    ],
    [
      'tie_word_embeddings as a string',
      configWith({ tie_word_embeddings: 'yes' }),
      'config.json, tie_word_embeddings',
      /true or false/,
    ],
    ['a missing untied output', configWith({ tie_word_embeddings: false }), /lm_head\.weight/, /lack 1 of/],
    [
      'a vocabulary size that differs from the weights',
      configWith({ vocab_size: 13 }),
      /embed_tokens\.weight/,
      /\[12,8\].*\[13,8\]/,
    ],
    ['missing biases', configWith({ attention_bias: true }), /q_proj\.bias/, /lack 8 of/],
    [
      'fewer layers in the config than in the weights',
      configWith({ num_hidden_layers: 1 }),
      /layers\.1\./,
      /does not account/,
    ],
    // tokenizer
    ['no tokenizer', { 'tokenizer.json': null }, 'tokenizer.json', /no tokenizer/],
    ['only a slow tokenizer', { 'tokenizer.json': null, 'tokenizer.model': 'x' }, 'tokenizer.json', /no tokenizer/],
    ['an empty tokenizer', { 'tokenizer.json': '' }, 'tokenizer.json', /empty/],
    // weights
    ['no weights', { 'model.safetensors': null }, 'model.safetensors', /no model\.safetensors/],
    ['pickled weights', { 'model.safetensors': null, 'pytorch_model.bin': 'x' }, 'model.safetensors', /no model\.safe/],
    ['empty weights', { 'model.safetensors': '' }, 'model.safetensors', /empty/],
    ['a web page as weights', { 'model.safetensors': '<!doctype html><html>' }, 'model.safetensors', /not a safe/],
    ['truncated weights', { 'model.safetensors': weights().slice(0, -100) }, 'model.safetensors', /cut off/],
    ['a missing tensor', { 'model.safetensors': weights({ [first]: null }) }, new RegExp(first), /lack 1 of/],
    ['a wrong shape', { 'model.safetensors': weights({ [first]: [8, 7] }) }, new RegExp(first), /\[8,7\].*\[8,8\]/],
    ['a flattened tensor', { 'model.safetensors': weights({ [first]: [64] }) }, new RegExp(first), /\[64\]/],
    [
      'an unknown tensor',
      { 'model.safetensors': weights({ 'model.layers.0.lora': [1] }) },
      /layers\.0\.lora/,
      /account/,
    ],
    ['integer weights', { 'model.safetensors': integers }, /embed_tokens/, /I64/],
    // shards
    ['a shard outside the folder', sharded({ [first]: '../x.safetensors' }), /index\.json, weight_map/, /"\.\.\/x/],
    ['a shard in a subfolder', sharded({ [first]: 'a/b.safetensors' }), /index\.json, weight_map/, /a\/b/],
    ['a shard at a URL', sharded({ [first]: 'https://x/y.safetensors' }), /index\.json, weight_map/, /https/],
    [
      'a number as a shard name',
      { ...sharded(), 'model.safetensors.index.json': '{"weight_map":{"a":1}}' },
      /weight_map/,
      /1 is/,
    ],
    [
      'a missing shard',
      { ...sharded(), 'model-00002-of-00002.safetensors': null },
      'model-00002-of-00002.safetensors',
      /missing/,
    ],
    ['no weight_map', { ...sharded(), 'model.safetensors.index.json': '{}' }, /weight_map/, /does not say/],
    [
      'an empty weight_map',
      { ...sharded(), 'model.safetensors.index.json': '{"weight_map":{}}' },
      /weight_map/,
      /does not say/,
    ],
    ['an index that is not JSON', { ...sharded(), 'model.safetensors.index.json': '{' }, /index\.json/, /valid JSON/],
    ['200,000 shards', { ...sharded(), 'model.safetensors.index.json': manyShards }, /weight_map/, /more than 1000/],
    [
      'a tensor in two shards',
      { ...sharded(), 'model-00001-of-00002.safetensors': half(names.slice(0, 6)) },
      /00002-of-00002/,
      /also contains this tensor/,
    ],
  ];
  it.each(bad)('%s', async (_name, files, where, says) => {
    const folder = folderOf(files);
    const before = cpuSeconds();
    const error = await checkModelFolder(folder).then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(cpuSeconds() - before).toBeLessThan(10);
    expect(error).toBeInstanceOf(TabtuneError);
    const { code, message, where: place, action } = error as TabtuneError;
    expect(code).toBe('bad_model');
    if (typeof where === 'string') expect(place).toBe(where);
    else expect(place).toMatch(where);
    expect(message).toMatch(says);
    expect(action).toBeTruthy();
  });

  it('a 200 MB tokenizer.json, without reading it', async () => {
    const folder = folderOf();
    const size = (name: string) => (name === 'tokenizer.json' ? 200e6 : folder.size(name));
    await expect(checkModelFolder({ ...folder, size })).rejects.toMatchObject({ where: 'tokenizer.json' });
  });

  it('a 30 MB index, without reading it', async () => {
    const folder = folderOf(sharded());
    const size = (name: string) => (name.endsWith('index.json') ? 30e6 : folder.size(name));
    await expect(checkModelFolder({ ...folder, size })).rejects.toMatchObject({
      where: 'model.safetensors.index.json',
    });
  });

  it('a folder that shrinks after it was checked', async () => {
    const checked = await checkModelFolder(folderOf());
    const folder = { ...checked.folder, bytes: async () => new ArrayBuffer(3) };
    await expect(openWeights({ ...checked, folder }).read('model.norm.weight')).rejects.toMatchObject({
      code: 'bad_model',
      where: 'model.safetensors, tensor model.norm.weight',
    });
  });
});

describe('summarizeModel', () => {
  const summary = async (files: Files = {}) => summarizeModel(await checkModelFolder(folderOf(files)));
  const elements = Object.values(SHAPES).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);

  it('uses the config and the headers', async () => {
    expect(await summary()).toEqual({
      source: 'file:tiny',
      title: 'tiny',
      architecture: 'llama',
      kind: 'decoder',
      parameters: elements,
      bytes: weights().length,
      dtype: 'BF16',
      vocabSize: 12,
      contextLength: 64,
      hiddenSize: 8,
      layers: 2,
      licence: 'unknown',
    });
  });

  it('does not count a tied output twice, but counts an untied one', async () => {
    const withOutput = { 'model.safetensors': weights({ 'lm_head.weight': [12, 8] }) };
    expect((await summary(withOutput)).parameters).toBe(elements);
    expect((await summary({ ...configWith({ tie_word_embeddings: false }), ...withOutput })).parameters).toBe(
      elements + 96,
    );
  });

  it('gives the type of most parameters', async () => {
    const mixed = writeSafetensors(
      Object.entries(SHAPES).map(([name, shape]) => tensor(name, shape, shape.length === 1 ? 'F32' : 'F16')),
    );
    expect((await summary({ 'model.safetensors': mixed })).dtype).toBe('F16');
  });

  it.each([
    ['---\nlicense: apache-2.0\nlanguage: en\n---\n# x', 'apache-2.0'],
    ['---\r\nlanguage: en\r\nlicense: "mit"\r\n---\r\n', 'mit'],
    ['---\nlanguage: en\n---\nlicense: mit', 'unknown'],
    ['license: mit', 'unknown'],
    ['---\nlicense: <script>\n---\n', 'unknown'],
  ])('reads the licence of %j', async (readme, licence) => {
    expect((await summary({ 'README.md': readme })).licence).toBe(licence);
  });

  it('agrees with models/index.json about the built-in model', async () => {
    const [entry] = JSON.parse(readFileSync('public/models/index.json', 'utf8'));
    const files = Object.fromEntries(
      entry.files.map(({ name, size }: { name: string; size: number }) => {
        const bytes = new Uint8Array(readFileSync(`public/models/${entry.name}/${name}`));
        expect(bytes.length, name).toBe(size);
        return [name, bytes];
      }),
    );
    const { parameters, architecture, dtype, licence } = await summary(files);
    expect({ parameters, architecture, dtype }).toEqual({
      parameters: entry.parameters,
      architecture: 'llama',
      dtype: 'BF16',
    });
    expect(licence.toLowerCase()).toBe(entry.licence.toLowerCase());
    expect(config.model_type).toBe('llama');
  });
});
