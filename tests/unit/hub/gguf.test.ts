import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { dequantize } from '../../../src/formats/ggml';
import type { GgufValue } from '../../../src/formats/gguf';
import { type CheckedModel, checkModelFolder } from '../../../src/hub/check';
import { droppedModelFolder } from '../../../src/hub/folder';
import { configOf } from '../../../src/hub/gguf/config';
import { summarizeModel } from '../../../src/hub/summary';
import { openWeights } from '../../../src/hub/weights';

const blob = (path: string, name: string) => ({ path: name, file: new Blob([readFileSync(`tests/fixtures/${path}`)]) });

/** The same tiny models as Hugging Face folders and llama.cpp files (tests/oracle/make_gguf_fixtures.py). */
const cases = [
  ['llama/gqa-tied', 'gqa-tied.gguf'],
  ['llama/llama3-rope-bias', 'llama3-rope-bias.gguf'],
  ['families/mistral', 'mistral.gguf'],
  ['families/qwen2', 'qwen2.gguf'],
  ['families/qwen3', 'qwen3.gguf'],
  ['families/gemma2', 'gemma2.gguf'],
  ['families/gemma3_text', 'gemma3_text.gguf'],
  ['families/phi3-longrope', 'phi3-longrope.gguf'],
  ['families/smollm3', 'smollm3.gguf'],
  ['families/gpt2', 'gpt2.gguf'],
  ['families/gpt_neox', 'gpt_neox.gguf'],
] as const;

/** Unusual settings of the tiny models that the format cannot express, and the values read instead. */
const untold: Record<string, object> = {
  'families/qwen2': { windows: [null, null] },
  'families/qwen3': { windows: [null, null] },
  'families/gemma2': { query_pre_attn_scalar: 16 },
  'families/gemma3_text': { query_pre_attn_scalar: 16 },
  'families/smollm3': { rotary_layers: [true, true], windows: [null, null] },
  'families/gpt2': { scale_attn_by_inverse_layer_idx: false },
};

const open = (file: string) =>
  checkModelFolder(droppedModelFolder('file:tiny.gguf', [blob(`gguf/${file}`, 'tiny.gguf')]));
const reference = (folder: string) =>
  checkModelFolder(
    droppedModelFolder('file:tiny', [
      blob(`${folder}/config.json`, 'config.json'),
      blob(`${folder}/model.safetensors`, 'model.safetensors'),
      { path: 'tokenizer.json', file: new Blob(['{}']) },
    ]),
  );

describe.each(cases)('%s as a GGUF file', async (folder, file) => {
  const gguf = await open(file);
  const safetensors = await reference(folder);

  it('has the same config as the folder', () => {
    expect(gguf.config).toEqual({ ...safetensors.config, ...untold[folder] });
  });

  it('has the same tensors as the folder', async () => {
    expect([...gguf.tensors.keys()]).toEqual([...safetensors.tensors.keys()]);
    const [ours, theirs] = [openWeights(gguf), openWeights(safetensors)];
    for (const name of gguf.tensors.keys()) {
      const [a, b] = [ours.info(name)!, theirs.info(name)!];
      const values = dequantize(a.dtype, new Uint8Array(await ours.read(name)));
      const wanted = dequantize(b.dtype, new Uint8Array(await theirs.read(name)));
      expect(a.shape).toEqual(a.transposed ? b.shape.toReversed() : b.shape);
      expect(values, name).toEqual(a.transposed ? turned(wanted, b.shape) : wanted);
    }
  });

  it('reads a range of rows the same as the whole tensor', async () => {
    const weights = openWeights(gguf);
    for (const name of gguf.tensors.keys()) {
      const { shape } = weights.info(name)!;
      const all = new Uint8Array(await weights.read(name));
      const rowBytes = all.length / shape[0]!;
      for (const [from, to] of [
        [0, 1],
        [1, Math.min(4, shape[0]!)],
        [Math.floor(shape[0]! / 2) - 1, shape[0]!],
      ] as const) {
        const rows = new Uint8Array(await weights.read(name, from, to));
        expect(rows, `${name} ${from} to ${to}`).toEqual(all.slice(from * rowBytes, to * rowBytes));
      }
    }
  });
});

function turned(values: Float32Array, [rows, columns]: number[]): Float32Array {
  return values.map((_, i) => values[(i % rows!) * columns! + Math.floor(i / rows!)]!);
}

const { folder } = await open('gqa-tied.gguf');

describe('a GGUF folder', () => {
  it('has the small files of a Hugging Face folder', async () => {
    const read = async (name: string) => JSON.parse(await folder.text(name)) as Record<string, unknown>;
    expect(folder.files).toEqual([
      ...['config.json', 'generation_config.json', 'tokenizer_config.json', 'tokenizer.json', 'tiny.gguf'],
    ]);
    expect(await read('config.json')).toMatchObject({ architectures: ['LlamaForCausalLM'], rms_norm_eps: 1e-5 });
    expect(await read('generation_config.json')).toEqual({ bos_token_id: 1, eos_token_id: [2], pad_token_id: 0 });
    expect(await read('tokenizer_config.json')).toMatchObject({
      ...{ add_bos_token: false, bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>' },
      chat_template: '{% for m in messages %}{{ m.content }}</s>{% endfor %}',
    });
    const { model, added_tokens } = (await read('tokenizer.json')) as {
      model: { merges: unknown };
      added_tokens: object[];
    };
    expect(model.merges).toEqual([['a', 'b']]);
    expect(added_tokens).toHaveLength(3);
    const bytes = await folder.bytes('config.json', 0, 5);
    expect(new TextDecoder().decode(bytes)).toBe('{\n  "');
  });

  it('gives its quantisation and licence', async () => {
    const summary = await summarizeModel(await open('gqa-tied.gguf'));
    expect(summary).toMatchObject({ title: 'tiny', dtype: 'BF16', licence: 'apache-2.0', source: 'file:tiny.gguf' });
    expect(summary.bytes).toBe(folder.size('tiny.gguf'));
  });
});

/** Tests every seventh byte, to stay quick. A prime step covers all alignments. */
const STEP = 7;

describe('refusing', () => {
  const sample = readFileSync('tests/fixtures/gguf/gqa-tied.gguf');
  /** The file with one string replaced by another of the same length. */
  const changed = (from: string, to: string) => {
    const bytes = Uint8Array.from(sample);
    const at = sample.indexOf(from);
    if (at === -1 || from.length !== to.length) throw new Error(from);
    bytes.set(new TextEncoder().encode(to), at);
    return bytes;
  };
  const check = (...files: [name: string, bytes: Uint8Array<ArrayBuffer>][]) =>
    checkModelFolder(
      droppedModelFolder(
        'file:x',
        files.map(([path, bytes]) => ({ path, file: new Blob([bytes]) })),
      ),
    ).catch((cause: unknown) => cause);

  const bad: [name: string, files: Parameters<typeof check>, says: RegExp, where: RegExp, action: RegExp][] = [
    [
      'another architecture',
      [['m.gguf', changed('llama', 'mamba')]],
      /“mamba” cannot be opened/,
      /m\.gguf, general\.architecture/,
      /gemma2, gemma3, gpt2, gptneox, llama, phi3, qwen2, qwen3, smollm3/,
    ],
    [
      'a scale that the family does not support',
      [['m.gguf', changed('llama.rope.freq_base', 'llama.residual_scale')]],
      /residual_scale of 10000/,
      /llama\.residual_scale/,
      /another model/,
    ],
    [
      'a missing key',
      [['m.gguf', changed('llama.block_count', 'llama.block_kount')]],
      /does not give block_count/,
      /llama\.block_count/,
      /Convert/,
    ],
    [
      'a tensor from another kind of model',
      [['m.gguf', changed('blk.1.attn_q.weight', 'blk.1.attn_z.weight')]],
      /lack 1 of the/,
      /blk|self_attn\.q_proj/,
      /./,
    ],
    [
      'no embedding',
      [['m.gguf', changed('token_embd.weight', 'tokem_embd.weight')]],
      /no embedding/,
      /token_embd/,
      /./,
    ],
    [
      'no tokenizer',
      [['m.gguf', changed('tokenizer.ggml.model', 'tokenizer.ggml.nodel')]],
      /no tokenizer/,
      /m\.gguf/,
      /./,
    ],
    [
      'two files',
      [
        ['a.gguf', sample],
        ['b.gguf', sample],
      ],
      /2 GGUF files/,
      /a\.gguf/,
      /one of them/,
    ],
    [
      'a split model',
      [
        ['m-00001-of-00002.gguf', sample],
        ['m-00002-of-00002.gguf', sample],
      ],
      /split/,
      /m-00001/,
      /llama-gguf-split --merge/,
    ],
  ];
  it.each(bad)('%s', async (_name, files, says, where, action) => {
    const error = await check(...files);
    if (!(error instanceof TabtuneError)) throw error;
    expect(error.code).toBe('bad_model');
    expect(error.message).toMatch(says);
    expect(error.where).toMatch(where);
    expect(error.action).toMatch(action);
  });

  it.each<[string, Record<string, GgufValue>, RegExp]>([
    ['a mixture of experts', { expert_count: 8 }, /mixture of experts/],
    ['non-causal attention', { 'attention.causal': false }, /come later/],
    ['layers of different sizes', { feed_forward_length: Uint32Array.of(64, 128) }, /differ in size/],
    ['values wider than keys', { 'attention.key_length': 8, 'attention.value_length': 16 }, /differ in width/],
    ['rotary embedding of only part of each head', { 'rope.dimension_count': 4 }, /Only a part/],
    ['a string for a number', { block_count: 'two' }, /no number for block_count/],
    ['an unknown rotary scaling', { 'rope.scaling.type': 'su' }, /scaled as “su”/],
  ])('%s', (_name, changes, says) => {
    const plain: Record<string, GgufValue> = {
      ...{ embedding_length: 32, feed_forward_length: 64, block_count: 2, context_length: 64 },
      ...{ 'attention.head_count': 4, 'attention.layer_norm_rms_epsilon': 1e-5 },
    };
    const keys = Object.entries({ ...plain, ...changes }).map(([key, value]) => [`llama.${key}`, value] as const);
    const table = { type: 'F32', shape: [8, 32], start: 0, end: 1024 } as const;
    const read = (changed: Iterable<readonly [string, GgufValue]>) =>
      configOf(
        {
          metadata: new Map([['general.architecture', 'llama'], ...changed]),
          tensors: new Map([['token_embd.weight', { ...table, shape: [...table.shape] }]]),
        },
        { freqs: null, long: null, short: null },
        'm.gguf',
      );
    expect(() => read(keys)).toThrow(says);
    const fine = Object.entries(plain).map(([key, value]) => [`llama.${key}`, value] as const);
    expect(read(fine)).toMatchObject({ model_type: 'llama', head_dim: 8, num_key_value_heads: 4, vocab_size: 8 });
  });

  it('an unknown pre-tokeniser, when tokenizer.json is built', async () => {
    const model = (await check(['m.gguf', changed('gpt-2', 'gpt-9')])) as CheckedModel;
    await expect(model.folder.text('tokenizer.json')).rejects.toThrow(/“gpt-9”/);
  });

  it('refuses or reads a file with any byte of its header changed, and never crashes', async () => {
    const { start } = folder.tensors!.values().next().value!;
    let refused = 0;
    for (let at = 0; at < start; at += STEP) {
      const bytes = Uint8Array.from(sample);
      bytes[at]! ^= at % 2 === 0 ? 0xff : 0x01;
      const outcome = await check(['m.gguf', bytes]);
      if (outcome instanceof TabtuneError) refused++;
      else if (outcome instanceof Error) throw new Error(`byte ${at}: ${outcome.stack}`);
      else
        await (outcome as CheckedModel).folder.text('tokenizer.json').catch((cause) => {
          if (!(cause instanceof TabtuneError)) throw cause;
        });
    }
    expect(refused).toBeGreaterThan(start / STEP / 4);
  });

  it('prefers safetensors if a folder has both', async () => {
    const model = await checkModelFolder(
      droppedModelFolder('file:tiny', [
        ...['config.json', 'model.safetensors'].map((name) => blob(`llama/gqa-tied/${name}`, name)),
        { path: 'tokenizer.json', file: new Blob(['{}']) },
        { path: 'other.gguf', file: new Blob(['not even one']) },
      ]),
    );
    expect(model.folder.tensors).toBeUndefined();
  });
});
