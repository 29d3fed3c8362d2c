import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../../src/base/errors';
import { type GgufAdapter, ggufAdapterFile, ggufAdapterOf } from '../../../../src/exports/gguf/write-adapter';
import { readFamilyConfig } from '../../../../src/families';
import { ggufOf } from '../../../../src/families/gguf';
import { headCounts } from '../../../../src/families/gguf/rows';
import type { AdapterFiles } from '../../../../src/formats/adapter-format';
import { dequantize } from '../../../../src/formats/ggml';
import { type GgufFile, isStrings, parseGgufHeader } from '../../../../src/formats/gguf';
import { readGgufAdapter } from '../../../../src/formats/gguf-adapter';
import { type GgufEntry, layoutGguf } from '../../../../src/formats/gguf-write';
import { type PeftAdapter, peftFolder, readPeftAs, readPeftFolder, writePeftAs } from '../../../../src/formats/peft';
import { loraKind, type PeftLoraConfig } from '../../../../src/formats/peft/lora';

const FIXTURES = 'tests/fixtures';

/** PEFT's adapters, and what llama.cpp's convert_lora_to_gguf.py makes of them (tests/oracle/make_gguf_adapter_fixtures.py). */
const cases = [
  ['llama/llama3-rope-bias', 'adapter_init'],
  ['families/mistral', 'adapter'],
  ['families/qwen2', 'adapter'],
  ['families/qwen3', 'adapter'],
  ['families/gemma2', 'adapter'],
  ['families/gemma3_text', 'adapter'],
  ['families/phi3', 'adapter'],
  ['families/smollm3', 'adapter'],
  ['families/gpt2', 'adapter'],
  ['families/gpt_neox', 'adapter'],
] as const;

const bytesOf = (path: string) => new Uint8Array(readFileSync(`${FIXTURES}/${path}`));
const jsonOf = (path: string) => JSON.parse(readFileSync(`${FIXTURES}/${path}`, 'utf8')) as Record<string, unknown>;
const peftFiles = (folder: string): AdapterFiles =>
  ['adapter_config.json', 'adapter_model.safetensors'].map((path) => ({ path, bytes: bytesOf(`${folder}/${path}`) }));
const modelOf = (folder: string) => readFamilyConfig(jsonOf(`${folder}/config.json`));
const readBy = (folder: string) => {
  const { family, config } = modelOf(folder);
  const { heads, kvHeads } = headCounts(config);
  return { family: family.modelType, heads: { query: heads, keyValue: kvHeads } };
};
const lora = (files: AdapterFiles): PeftAdapter<PeftLoraConfig> =>
  readPeftAs<PeftLoraConfig>(readPeftFolder(files), loraKind);

function headerOf(bytes: Uint8Array): GgufFile {
  const file = parseGgufHeader(bytes, bytes.length, 'adapter.gguf');
  if (typeof file === 'number') throw new Error('cut off');
  return file;
}

const matricesOf = (bytes: Uint8Array) =>
  new Map(
    [...headerOf(bytes).tensors]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { type, shape, start, end }]) => [
        name,
        { shape, data: [...dequantize(type, bytes.subarray(start, end))] },
      ]),
  );

const about = {
  name: 'Pirate chat',
  recipe: null,
  model: { licence: 'apache-2.0', base: { name: 'HuggingFaceTB/SmolLM2-135M-Instruct', revision: null } },
};
const written = (adapter: GgufAdapter, architecture: string): Uint8Array =>
  new Uint8Array(Buffer.concat(ggufAdapterFile(adapter, architecture, about as Parameters<typeof ggufAdapterFile>[2])));

describe.each(cases)('the adapter of %s', (folder, adapter) => {
  const theirs = bytesOf(`gguf/adapters/${folder.split('/')[1]}.gguf`);
  const files = peftFiles(`${folder}/${adapter}`);
  const { family, config } = modelOf(folder);

  it('is written as llama.cpp’s converter writes it', () => {
    const made = ggufAdapterOf(files, family, config);
    const ours = written(made, ggufOf(family.modelType)!.architecture);
    expect(matricesOf(ours)).toEqual(matricesOf(theirs));
    expect(made.notes).toEqual([]);
    for (const key of ['general.architecture', 'general.type', 'adapter.type', 'adapter.lora.alpha']) {
      expect(headerOf(ours).metadata.get(key), key).toEqual(headerOf(theirs).metadata.get(key));
    }
  });

  it('is read from the converter’s file as PEFT saved it', () => {
    const read = lora(readGgufAdapter({ path: 'adapter.gguf', bytes: theirs }, readBy(folder)));
    const saved = lora(files);
    expect(new Set(read.tensors.keys())).toEqual(new Set(saved.tensors.keys()));
    for (const [name, tensor] of saved.tensors) expect(read.tensors.get(name), name).toEqual(tensor);
    const { r, lora_alpha, use_rslora, rank_pattern, alpha_pattern } = read.config;
    expect({ r, lora_alpha, use_rslora, rank_pattern, alpha_pattern }).toEqual({
      ...{ r: saved.config.r, lora_alpha: saved.config.lora_alpha },
      ...{ use_rslora: false, rank_pattern: {}, alpha_pattern: {} },
    });
  });
});

/** Scale · B · A of each module, row-major. */
function changes({ config, tensors }: PeftAdapter<PeftLoraConfig>, scale: (path: string, rank: number) => number) {
  const found = new Map<string, number[]>();
  for (const [name, a] of tensors) {
    const path = /^(.+)\.lora_A\.weight$/.exec(name)?.[1];
    if (path === undefined) continue;
    const b = tensors.get(`${path}.lora_B.weight`)!;
    const [rank, width] = a.shape as [number, number];
    const product = Array.from({ length: b.shape[0]! * width }, (_, i) => {
      const [row, column] = [Math.floor(i / width), i % width];
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += b.data[row * rank + k]! * a.data[k * width + column]!;
      return scale(path, rank) * sum;
    });
    found.set(path, product);
  }
  expect(found.size).toBe(config.target_modules.length);
  return found;
}

describe('scales that llama.cpp has no field for', () => {
  const folder = 'llama/gqa-tied';
  const { family, config } = modelOf(folder);
  const changed = (files: AdapterFiles, fields: Record<string, unknown>): AdapterFiles => {
    const [first, weights] = files as [AdapterFiles[number], AdapterFiles[number]];
    const json = { ...JSON.parse(new TextDecoder().decode(first.bytes)), ...fields };
    return [{ path: first.path, bytes: new TextEncoder().encode(JSON.stringify(json)) }, weights];
  };
  const files = peftFiles(`${folder}/adapter_init`);
  const { r } = lora(files).config;
  const round = (made: GgufAdapter) =>
    lora(readGgufAdapter({ path: 'a.gguf', bytes: written(made, 'llama') }, readBy(folder)));

  it.each([
    ['rsLoRA', { use_rslora: true, lora_alpha: 6 }, (_: string, rank: number) => 6 / Math.sqrt(rank)],
    [
      'alpha_pattern',
      { lora_alpha: 6, alpha_pattern: { v_proj: 3, 'layers.0.mlp.up_proj': 5 } },
      (path: string, rank: number) =>
        (path.endsWith('v_proj') ? 3 : path.endsWith('layers.0.mlp.up_proj') ? 5 : 6) / rank,
    ],
    ['an alpha of 0', { lora_alpha: 0 }, () => 0],
  ])('%s is multiplied into B', (_, fields, scale) => {
    const given = changed(files, fields);
    const made = ggufAdapterOf(given, family, config);
    expect(made.notes).toHaveLength(1);
    expect(made.alpha).not.toBe(0);
    const wanted = changes(lora(given), scale);
    // As llama.cpp scales.
    const found = changes(round(made), (_path, rank) => made.alpha / rank);
    expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
    for (const [path, values] of wanted) {
      const largest = Math.max(...values.map(Math.abs));
      const apart = Math.max(...values.map((value, i) => Math.abs(value - found.get(path)![i]!)));
      expect(apart, path).toBeLessThanOrEqual(1e-6 * largest);
    }
  });

  it('leaves an alpha that llama.cpp has as it is', () => {
    const made = ggufAdapterOf(changed(files, { lora_alpha: 7 }), family, config);
    expect(made.alpha).toBe(7);
    expect(made.notes).toEqual([]);
    expect(round(made).config).toMatchObject({ r, lora_alpha: 7 });
  });

  it('keeps ranks of their own, each with its scale', () => {
    const given = peftFiles('peft/formats/lora-patterns');
    const { config: wanted, tensors } = lora(given);
    expect(new Set([...tensors.values()].map(({ shape }) => Math.min(...shape))).size).toBeGreaterThan(1);
    const made = ggufAdapterOf(given, family, config);
    const read = round(made);
    expect(read.tensors.size).toBe(tensors.size);
    expect(made.notes.length).toBe(wanted.use_rslora || Object.keys(wanted.alpha_pattern).length > 0 ? 1 : 0);
  });

  it('reads an alpha of 0 as llama.cpp does: no scaling', () => {
    const made = ggufAdapterOf(files, family, config);
    const read = round({ ...made, alpha: 0 });
    expect(read.config).toMatchObject({ r, lora_alpha: r });
  });
});

describe('an adapter that llama.cpp cannot load', () => {
  const { family, config } = modelOf('llama/gqa-tied');
  it.each([
    ['peft/llama-dora/adapter_init', 'llama.cpp knows no DoRA.'],
    ['peft/formats/lora-classes', 'llama.cpp does not take modules that are trained in full'],
    ['peft/formats/ia3-llama', 'llama.cpp’s adapters are LoRA only.'],
    ['peft/formats/prompt', 'llama.cpp’s adapters are LoRA only.'],
  ])('%s is refused', (folder, message) => {
    expect(() => ggufAdapterOf(peftFiles(folder), family, config)).toThrow(message);
  });
});

describe('what would be lost or put in the wrong place', () => {
  const folder = 'llama/gqa-tied';
  const { family, config } = modelOf(folder);
  const files = peftFiles(`${folder}/adapter_init`);
  const withTensor = (name: string): AdapterFiles => {
    const adapter = lora(files);
    const tensors = new Map([...adapter.tensors, [name, { shape: [4, 8], data: new Float32Array(32) }]]);
    return peftFolder(writePeftAs({ config: adapter.config, tensors }, loraKind));
  };

  it.each([
    'model.embed_tokens.lora_embedding_A',
    'model.embed_tokens.lora_embedding_B',
    'model.norm.weight',
    'model.norm.modules_to_save.weight',
  ])('a tensor that is no A or B is refused: %s', (name) => {
    expect(() => ggufAdapterOf(withTensor(name), family, config)).toThrow(
      expect.objectContaining({ code: 'bad_adapter', where: expect.stringContaining(name) }),
    );
  });

  it('rows that the heads do not divide are refused in both directions', () => {
    const heads = { ...config, num_attention_heads: 5, num_key_value_heads: 5 };
    expect(() => ggufAdapterOf(files, family, heads)).toThrow(/cannot be divided among the model’s attention heads/);
    const bytes = written(ggufAdapterOf(files, family, config), 'llama');
    const reader = { family: 'llama', heads: { query: 5, keyValue: 5 } };
    expect(() => readGgufAdapter({ path: 'a.gguf', bytes }, reader)).toThrow(
      expect.objectContaining({
        code: 'bad_adapter',
        message: expect.stringMatching(/^Its \d+ rows cannot be divided among the model’s attention heads/),
        where: expect.stringMatching(/^a\.gguf, tensor blk\.\d+\.attn_[qk]\.weight\.lora_b$/),
      }),
    );
  });
});

describe('the file', () => {
  const { family, config } = modelOf('families/qwen2');
  const made = ggufAdapterOf(peftFiles('families/qwen2/adapter'), family, config);

  it('names its base and licence', () => {
    const { metadata } = headerOf(written(made, 'qwen2'));
    const plain = [...metadata].map(([key, value]) => [key, isStrings(value) ? 'list' : value]);
    expect(Object.fromEntries(plain)).toEqual({
      'general.architecture': 'qwen2',
      'general.type': 'adapter',
      'general.name': 'Pirate chat',
      'general.license': 'apache-2.0',
      'general.base_model.count': 1,
      'general.base_model.0.name': 'SmolLM2 135M Instruct',
      'general.base_model.0.organization': 'HuggingFaceTB',
      'general.base_model.0.repo_url': 'https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct',
      'general.tags': 'list',
      'general.file_type': 0,
      'general.quantization_version': 2,
      'adapter.type': 'lora',
      'adapter.lora.alpha': made.alpha,
    });
  });

  const refusal = (
    change: (adapter: GgufAdapter) => GgufAdapter,
    architecture = 'qwen2',
    reader = 'families/qwen2',
  ) => {
    const bytes = written(change(made), architecture);
    try {
      readGgufAdapter({ path: 'a.gguf', bytes }, readBy(reader));
    } catch (error) {
      if (error instanceof TabtuneError) return [error.code, error.message, error.where];
      throw error;
    }
    return null;
  };
  const renamed = (from: RegExp, to: string) => (adapter: GgufAdapter) => ({
    ...adapter,
    tensors: adapter.tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace(from, to) })),
  });

  it('is refused where it fits no model of the family', () => {
    expect(refusal((adapter) => adapter)).toBeNull();
    expect(refusal((adapter) => adapter, 'llama')).toEqual([
      'bad_adapter',
      'The adapter was made for a model of the architecture “llama”; this one is qwen2.',
      'a.gguf, general.architecture',
    ]);
    expect(refusal(renamed(/attn_q\./, 'attn_z.'))).toEqual([
      'bad_adapter',
      'A qwen2 has no such layer.',
      'a.gguf, tensor blk.0.attn_z.weight.lora_a',
    ]);
    expect(refusal(renamed(/\.lora_b$/, '.scale'))?.[1]).toMatch(/^This tensor is not part of a LoRA/);
    expect(refusal((adapter) => ({ ...adapter, tensors: adapter.tensors.slice(1) }))?.[1]).toMatch(/lacks its lora_a/);
    expect(refusal((adapter) => ({ ...adapter, tensors: [] }))?.[1]).toBe('The file contains no LoRA weights.');
  });

  it('without an alpha is refused', () => {
    const text = (value: string): GgufEntry => ({ type: 'string', value });
    const pairs: [string, GgufEntry][] = [
      ['general.architecture', text('qwen2')],
      ['general.type', text('adapter')],
      ['adapter.type', text('lora')],
    ];
    const read = (more: [string, GgufEntry][]) => () =>
      readGgufAdapter(
        { path: 'a.gguf', bytes: layoutGguf(new Map([...pairs, ...more]), []).header },
        readBy('families/qwen2'),
      );
    expect(read([])).toThrow('The file does not give the adapter’s alpha.');
    const alpha: [string, GgufEntry] = ['adapter.lora.alpha', { type: 'float32', value: 1 }];
    expect(read([alpha])).toThrow('The file contains no LoRA weights.');
    const tokens: GgufEntry = { type: 'uint32s', value: Uint32Array.of(1) };
    expect(read([alpha, ['adapter.alora.invocation_tokens', tokens]])).toThrow('aLoRA');
    expect(read([['adapter.type', text('ia3')]])).toThrow('of the type “ia3”');
  });

  it('is told from a model', () => {
    const bytes = bytesOf('gguf/qwen2.gguf');
    expect(() => readGgufAdapter({ path: 'qwen2.gguf', bytes }, readBy('families/qwen2'))).toThrow(
      'This GGUF file holds a model, not an adapter.',
    );
    const cut = () => readGgufAdapter({ path: 'x.gguf', bytes: bytes.subarray(0, 100) }, readBy('families/qwen2'));
    expect(cut).toThrow(expect.objectContaining({ code: 'bad_adapter', where: 'x.gguf' }));
  });
});
