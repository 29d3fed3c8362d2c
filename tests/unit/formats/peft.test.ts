import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { f32ToBf16, f32ToF16 } from '../../../src/formats/half';
import {
  formatAdapterConfig,
  type PeftAdapter,
  type PeftFiles,
  peftFolder,
  peftKey,
  readPeftFolder,
} from '../../../src/formats/peft';
import type { PeftLoraConfig } from '../../../src/formats/peft/lora';
import { type SafetensorsTensor, writeSafetensors } from '../../../src/formats/safetensors';
import { readPeft, writePeft } from '../../../src/methods/read-adapter';

const folderOf = (path: string): PeftFiles =>
  readPeftFolder(
    ['adapter_config.json', 'adapter_model.safetensors'].map((name) => ({
      path: name,
      bytes: new Uint8Array(readFileSync(`tests/fixtures/${path}/${name}`)),
    })),
  );
const fromPeft = () => folderOf('formats/peft-adapter');

/** Folders written by PEFT, for every kind of adapter and task (tests/oracle/make_peft_fixtures.py). */
const FOLDERS = [
  'lora-patterns',
  'lora-dora-head',
  'lora-classes',
  'lora-tags',
  'lora-masked',
  'lora-features',
  'ia3-llama',
  'ia3-gpt2',
  'ia3-classes',
  'ia3-tags',
  'prompt',
  'prompt-classes',
  'prefix',
  'prefix-projected',
  'prefix-tags',
  'p-tuning',
  'p-tuning-classes',
];
const DEFAULTS = JSON.parse(readFileSync('tests/fixtures/peft/defaults.json', 'utf8')) as Record<
  string,
  Record<string, unknown>
>;

/** PEFT writes sets as unordered lists, some with duplicate module names. */
const asSet = (value: unknown) =>
  Array.isArray(value) && value.every((v) => typeof v === 'string') ? [...new Set(value)].sort() : value;

describe.each(FOLDERS)("PEFT's own %s", (name) => {
  const original = folderOf(`peft/formats/${name}`);

  it('is written back byte for byte, with a config that means the same', () => {
    const adapter = readPeft(original);
    const written = writePeft(adapter);
    expect(written.weights).toEqual(original.weights);
    for (const [key, value] of Object.entries(written.config)) {
      expect(Object.keys(original.config), key).toContain(key);
      expect(asSet(value), key).toEqual(asSet(original.config[key]));
    }
    // Fields that are not written have PEFT's default in the original.
    for (const [key, value] of Object.entries(original.config)) {
      if (!(key in written.config)) expect(value, key).toEqual(DEFAULTS[adapter.type]![key]);
    }
    expect(readPeft(written)).toEqual(adapter);
  });
});

describe("PEFT's own LoRA", () => {
  it('is read correctly', () => {
    const adapter = readPeft(fromPeft());
    expect(adapter.type).toBe('LORA');
    expect(adapter.config).toMatchObject({
      base_model_name_or_path: 'tabtune/tiny-llama',
      r: 4,
      lora_alpha: 8,
      lora_dropout: 0.05,
      target_modules: ['down_proj', 'q_proj', 'v_proj'],
      use_rslora: false,
    });
    expect(adapter.tensors.size).toBe(12);
    const path = 'model.layers.1.mlp.down_proj';
    expect(adapter.tensors.get(`${path}.lora_A.weight`)!.shape).toEqual([4, 24]);
    const b = adapter.tensors.get(`${path}.lora_B.weight`)!;
    expect([b.shape, b.data.length]).toEqual([[16, 4], 64]);
    expect(b.data.some((x) => x !== 0)).toBe(true);
  });

  it('is written back byte for byte, with a config that means the same', async () => {
    const original = fromPeft();
    const written = writePeft(readPeft(original));
    expect(written.weights).toEqual(original.weights);
    for (const [key, value] of Object.entries(written.config)) {
      // The fixture starts from random matrices, so that its untrained adapter has an effect.
      if (key === 'init_lora_weights') continue;
      expect(asSet(value), key).toEqual(asSet(original.config[key]));
    }
    // The oracle's --check loads this config into PEFT.
    await expect(formatAdapterConfig(written.config)).toMatchFileSnapshot(
      '../../fixtures/formats/tabtune-adapter/adapter_config.json',
    );
  });

  it('survives a round trip through a folder', () => {
    const files = writePeft(readPeft(fromPeft()));
    const again = readPeftFolder(peftFolder(files).map(({ path, bytes }) => ({ path: `my-run/${path}`, bytes })));
    expect(readPeft(again)).toEqual(readPeft(fromPeft()));
  });
});

const tiny: PeftAdapter<PeftLoraConfig & Record<string, unknown>> = {
  type: 'LORA',
  config: {
    base_model_name_or_path: 'org/base',
    task_type: 'CAUSAL_LM',
    auto_mapping: null,
    modules_to_save: null,
    r: 2,
    lora_alpha: 16,
    lora_dropout: 0,
    target_modules: ['v_proj', 'q_proj'],
    use_rslora: true,
    use_dora: false,
    rank_pattern: {},
    alpha_pattern: {},
    fan_in_fan_out: false,
  },
  tensors: new Map([
    ['m.q_proj.lora_A.weight', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ['m.q_proj.lora_B.weight', { shape: [1, 2], data: Float32Array.of(7, 8) }],
  ]),
};

describe('writing', () => {
  it('sorts keys, indents by two spaces and prints lora_alpha as an integer', () => {
    const text = formatAdapterConfig(writePeft(tiny).config);
    const keys = [...text.matchAll(/^ {2}"(\w+)"/gm)].map(([, key]) => key);
    expect(keys).toEqual([...keys].sort());
    expect(text).toContain('"lora_alpha": 16,');
    expect(text).toContain('"target_modules": [\n    "q_proj",\n    "v_proj"\n  ]');
    expect(text).toContain('"use_rslora": true');
  });

  it('adds the same prefixes as PEFT', () => {
    const path = 'model.layers.0.self_attn.q_proj';
    expect(peftKey({}, `${path}.lora_A.weight`)).toBe(`base_model.model.${path}.lora_A.weight`);
    expect(peftKey({}, 'score.weight')).toBe('base_model.model.score.weight');
    expect(peftKey({ prompt: true }, 'prompt_embeddings')).toBe('prompt_embeddings');
    expect(peftKey({ prompt: true }, 'score.weight')).toBe('base_model.score.weight');
  });

  it('refuses tensors whose data does not match their shape', () => {
    const tensors = new Map([['m.q_proj.lora_A.weight', { shape: [3, 3], data: new Float32Array(6) }]]);
    expect(() => writePeft({ ...tiny, tensors })).toThrow(TabtuneError);
  });
});

describe('reading', () => {
  const tensors = (): SafetensorsTensor[] => [
    { name: key('lora_A.weight'), dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: key('lora_B.weight'), dtype: 'F32', shape: [1, 2], data: Float32Array.of(7, 8) },
  ];
  const key = (suffix: string, path = 'm.q_proj') => `base_model.model.${path}.${suffix}`;
  const files = (config: Record<string, unknown>, parts = tensors()): PeftFiles => ({
    config: { ...writePeft(tiny).config, ...config },
    weights: writeSafetensors(parts),
  });

  it('widens 16-bit weights and takes the targets from the keys', () => {
    const [a, b] = tensors() as [SafetensorsTensor, SafetensorsTensor];
    const adapter = readPeft(
      files({ target_modules: 'all-linear' }, [
        { ...a, dtype: 'BF16', data: f32ToBf16(a.data as Float32Array) },
        { ...b, dtype: 'F16', data: f32ToF16(b.data as Float32Array) },
      ]),
    );
    expect(adapter.tensors).toEqual(tiny.tensors);
    expect(adapter.config).toMatchObject({ target_modules: ['q_proj'] });
  });

  it("uses LoraConfig's defaults for missing fields", () => {
    const eight = [
      { name: key('lora_A.weight', 'q'), dtype: 'F32' as const, shape: [8, 1], data: new Float32Array(8) },
      { name: key('lora_B.weight', 'q'), dtype: 'F32' as const, shape: [1, 8], data: new Float32Array(8) },
    ];
    const adapter = readPeft({ config: { peft_type: 'LORA' }, weights: writeSafetensors(eight) });
    expect(adapter.config).toMatchObject({
      r: 8,
      lora_alpha: 8,
      lora_dropout: 0,
      use_rslora: false,
      use_dora: false,
      rank_pattern: {},
      modules_to_save: null,
      target_modules: ['q'],
    });
  });

  const [a, b] = tensors() as [SafetensorsTensor, SafetensorsTensor];
  const values = (name: string, shape: number[]): SafetensorsTensor => ({
    name,
    dtype: 'F32',
    shape,
    data: new Float32Array(shape.reduce((x, y) => x * y, 1)),
  });
  const extra = values('base_model.model.score.weight', [0]);
  const prompt = { peft_type: 'PROMPT_TUNING', num_virtual_tokens: 2, token_dim: 4, num_attention_heads: 2 };
  const soft = (config: Record<string, unknown>, parts = [values('prompt_embeddings', [2, 4])]): PeftFiles => ({
    config: { ...prompt, num_layers: 3, ...config },
    weights: writeSafetensors(parts),
  });
  const bad: [name: string, files: PeftFiles, where: string | RegExp][] = [
    ['no peft_type', files({ peft_type: undefined }), 'adapter_config.json, peft_type'],
    ['AdaLoRA', files({ peft_type: 'ADALORA' }), 'adapter_config.json, peft_type'],
    ['biases', files({ bias: 'all' }), 'adapter_config.json, bias'],
    ['lora_bias', files({ lora_bias: true }), 'adapter_config.json, lora_bias'],
    ['PiSSA', files({ init_lora_weights: 'pissa_niter_4' }), 'adapter_config.json, init_lora_weights'],
    ['aLoRA', files({ alora_invocation_tokens: [1] }), 'adapter_config.json, alora_invocation_tokens'],
    ['r as a string', files({ r: '2' }), 'adapter_config.json, r'],
    ['r of 0', files({ r: 0 }), 'adapter_config.json, r'],
    ['r that differs from the tensors', files({ r: 4 }), /lora_A\.weight$/],
    ['a rank_pattern that differs from the tensors', files({ rank_pattern: { q_proj: 4 } }), /lora_A\.weight$/],
    ['a rank that is not a number', files({ rank_pattern: { q_proj: '2' } }), /rank_pattern, q_proj$/],
    ['a pattern that is a list', files({ alpha_pattern: [2] }), 'adapter_config.json, alpha_pattern'],
    [
      'a pattern that cannot be matched in linear time',
      files({ alpha_pattern: { '(a)\\1': 2 } }),
      'adapter_config.json, alpha_pattern',
    ],
    ['an invalid pattern', files({ rank_pattern: { '(': 2 } }), 'adapter_config.json, rank_pattern'],
    ['lora_alpha as a string', files({ lora_alpha: '16' }), 'adapter_config.json, lora_alpha'],
    ['dropout of 1', files({ lora_dropout: 1 }), 'adapter_config.json, lora_dropout'],
    ['a missing B', files({}, [a]), /lora_B\.weight$/],
    ['a missing A', files({}, [b]), /lora_A\.weight$/],
    ['A with the wrong rank', files({}, [{ ...a, shape: [3, 2] }, b]), /lora_A\.weight$/],
    ['B with the wrong rank', files({}, [a, { ...b, shape: [2, 1] }]), /lora_B\.weight$/],
    ['B with one dimension', files({}, [a, { ...b, shape: [2] }]), /lora_B\.weight$/],
    ['DoRA without magnitudes', files({ use_dora: true }), /lora_magnitude_vector$/],
    ['magnitudes without DoRA', files({}, [a, b, values(key('lora_magnitude_vector'), [1])]), /lora_magnitude_vector$/],
    [
      'too many magnitudes',
      files({ use_dora: true }, [a, b, values(key('lora_magnitude_vector'), [2])]),
      /lora_magnitude_vector$/,
    ],
    ['an unexpected tensor', files({}, [a, b, extra]), /score\.weight$/],
    ['a module missing from modules_to_save', files({ modules_to_save: ['scor'] }, [a, b, extra]), /score\.weight$/],
    ['modules_to_save as a string', files({ modules_to_save: 'score' }), 'adapter_config.json, modules_to_save'],
    ['embeddings', files({}, [a, b, values(key('lora_embedding_A', 'embed'), [2, 3])]), /lora_embedding_A$/],
    [
      'one tensor under two spellings',
      files({}, [a, b, values(key('lora_A.default.weight'), [2, 3])]),
      /lora_A\.(default\.)?weight$/,
    ],
    ['a key without its prefix', files({}, [a, b, values('m.q_proj.lora_A.weight', [2, 3])]), /tensor m\.q_proj/],
    ['no tensors', files({}, []), 'adapter_model.safetensors'],
    ['empty weights', { config: files({}).config, weights: new Uint8Array() }, 'adapter_model.safetensors'],
    [
      'truncated weights',
      { config: files({}).config, weights: files({}).weights.slice(0, -1) },
      'adapter_model.safetensors',
    ],
    ['integer weights', files({}, [{ ...a, dtype: 'I32' as 'F32', data: new Float32Array(6) }, b]), /lora_A\.weight$/],
    ['LoRA’s tensors as (IA)³', files({ peft_type: 'IA3' }), /lora_A\.weight$/],
    ['(IA)³ of a matrix', files({ peft_type: 'IA3' }, [values(key('ia3_l'), [2, 3])]), /ia3_l$/],
    ['a prompt without embeddings', soft({}, [values('base_model.score.weight', [1])]), /prompt_embeddings$/],
    ['a prompt with the wrong length', soft({ num_virtual_tokens: 3 }), /prompt_embeddings$/],
    ['a prompt of length 0', soft({ num_virtual_tokens: 0 }), 'adapter_config.json, num_virtual_tokens'],
    ['a prompt as a prefix', soft({ peft_type: 'PREFIX_TUNING' }), /prompt_embeddings$/],
    ['a prompt for two stacks', soft({ num_transformer_submodules: 2 }), /num_transformer_submodules$/],
    [
      'a prompt with more beside',
      soft({}, [values('prompt_embeddings', [2, 4]), values('base_model.x.weight', [1])]),
      /x\.weight$/,
    ],
    ['an unknown initialisation', soft({ prompt_tuning_init: 'MAGIC' }), 'adapter_config.json, prompt_tuning_init'],
  ];
  it.each(bad)('refuses %s', (_name, input, where) => {
    let error: unknown;
    try {
      readPeft(input);
    } catch (cause) {
      error = cause;
    }
    expect(error).toBeInstanceOf(TabtuneError);
    expect((error as TabtuneError).code).toBe('bad_adapter');
    expect((error as TabtuneError).where).toMatch(where);
    expect((error as TabtuneError).action).toBeTruthy();
  });

  it('reads a prefix with the right shape', () => {
    const wide = soft({ peft_type: 'PREFIX_TUNING' }, [values('prompt_embeddings', [2, 3 * 2 * 4])]);
    expect(readPeft(wide)).toMatchObject({ type: 'PREFIX_TUNING', config: { encoder_hidden_size: 4 } });
  });

  const folder = (...paths: [string, string][]) =>
    paths.map(([path, text]) => ({ path, bytes: new TextEncoder().encode(text) }));
  it.each([
    ['an empty folder', folder(), /no adapter_config\.json/],
    ['no weights', folder(['adapter_config.json', '{}']), /no adapter_model\.safetensors/],
    ['pickled weights', folder(['adapter_config.json', '{}'], ['adapter_model.bin', '']), /pickled/],
    ['two adapters', folder(['a/adapter_config.json', '{}'], ['b/adapter_config.json', '{}']), /2 adapters/],
    [
      'a config that is not JSON',
      folder(['adapter_config.json', '{'], ['adapter_model.safetensors', '']),
      /valid JSON/,
    ],
    [
      'a config that is a list',
      folder(['adapter_config.json', '[]'], ['adapter_model.safetensors', '']),
      /JSON object/,
    ],
    [
      'a config of 2 MB',
      folder(['adapter_config.json', ' '.repeat(2_000_000)], ['adapter_model.safetensors', '']),
      /2000000 bytes/,
    ],
  ])('refuses %s', (_name, input, says) => {
    expect(() => readPeftFolder(input)).toThrow(says);
  });
});
