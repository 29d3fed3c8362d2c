import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TabtuneError } from '../../../src/base/errors';
import { f32ToBf16, f32ToF16 } from '../../../src/formats/half';
import {
  formatAdapterConfig,
  type LoraAdapter,
  loraKey,
  type PeftFiles,
  parseLoraKey,
  peftFolder,
  readLoraAdapter,
  readPeftFolder,
  writeLoraAdapter,
} from '../../../src/formats/peft';
import { type SafetensorsTensor, writeSafetensors } from '../../../src/formats/safetensors';

const read = (name: string) => new Uint8Array(readFileSync(`tests/fixtures/formats/${name}`));
const fromPeft = (): PeftFiles =>
  readPeftFolder(
    ['adapter_config.json', 'adapter_model.safetensors'].map((path) => ({ path, bytes: read(`peft-adapter/${path}`) })),
  );

describe('keys', () => {
  it('go both ways', () => {
    const path = 'model.layers.0.self_attn.q_proj';
    expect(loraKey(path, 'A')).toBe('base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight');
    expect(parseLoraKey(loraKey(path, 'A'))).toEqual({ path, side: 'A' });
    expect(parseLoraKey(loraKey(path, 'B'))).toEqual({ path, side: 'B' });
  });

  it.each([
    'model.layers.0.self_attn.q_proj.lora_A.weight',
    'base_model.model.lora_A.weight',
    'base_model.model.model.embed_tokens.lora_embedding_A',
    'base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector',
    'base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight',
    'base_model.model.score.weight',
  ])('%s is none', (key) => {
    expect(parseLoraKey(key)).toBeNull();
  });
});

describe("PEFT's own adapter", () => {
  it('is read', () => {
    const adapter = readLoraAdapter(fromPeft());
    expect(adapter).toMatchObject({
      base_model_name_or_path: 'tabtune/tiny-llama',
      r: 4,
      lora_alpha: 8,
      lora_dropout: 0.05,
      target_modules: ['down_proj', 'q_proj', 'v_proj'],
      use_rslora: false,
    });
    expect(adapter.modules.size).toBe(6);
    const down = adapter.modules.get('model.layers.1.mlp.down_proj')!;
    expect([down.inFeatures, down.outFeatures, down.a.length, down.b.length]).toEqual([24, 16, 96, 64]);
    expect(down.b.some((x) => x !== 0)).toBe(true);
  });

  it('is written back byte for byte, with a config that PEFT reads alike', async () => {
    const original = fromPeft();
    const written = writeLoraAdapter(readLoraAdapter(original));
    expect(written.weights).toEqual(original.weights);
    for (const [key, value] of Object.entries(written.config)) {
      // The fixture asks for random matrices at the start, so that its adapter does something untrained.
      if (key === 'init_lora_weights') continue;
      const theirs = original.config[key];
      expect(value, key).toEqual(key === 'target_modules' ? [...(theirs as string[])].sort() : theirs);
    }
    // What the oracle's --check loads into PEFT.
    await expect(formatAdapterConfig(written.config)).toMatchFileSnapshot(
      '../../fixtures/formats/tabtune-adapter/adapter_config.json',
    );
  });

  it('survives a round trip through a folder', () => {
    const files = writeLoraAdapter(readLoraAdapter(fromPeft()));
    const again = readPeftFolder(peftFolder(files).map(({ path, bytes }) => ({ path: `my-run/${path}`, bytes })));
    expect(readLoraAdapter(again)).toEqual(readLoraAdapter(fromPeft()));
  });
});

const tiny: LoraAdapter = {
  base_model_name_or_path: 'org/base',
  r: 2,
  lora_alpha: 16,
  lora_dropout: 0,
  target_modules: ['v_proj', 'q_proj'],
  use_rslora: true,
  modules: new Map([
    ['m.q_proj', { inFeatures: 3, outFeatures: 1, a: Float32Array.of(1, 2, 3, 4, 5, 6), b: Float32Array.of(7, 8) }],
  ]),
};

describe('writing', () => {
  it('prints keys sorted, two spaces deep, and lora_alpha as an integer', () => {
    const text = formatAdapterConfig(writeLoraAdapter(tiny).config);
    const keys = [...text.matchAll(/^ {2}"(\w+)"/gm)].map(([, key]) => key);
    expect(keys).toEqual([...keys].sort());
    expect(text).toContain('"lora_alpha": 16,');
    expect(text).toContain('"target_modules": [\n    "q_proj",\n    "v_proj"\n  ]');
    expect(text).toContain('"use_rslora": true');
  });

  it('refuses weights of another rank', () => {
    expect(() => writeLoraAdapter({ ...tiny, r: 3 })).toThrow(TabtuneError);
  });
});

describe('reading', () => {
  const tensors = (): SafetensorsTensor[] => [
    { name: loraKey('m.q_proj', 'A'), dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: loraKey('m.q_proj', 'B'), dtype: 'F32', shape: [1, 2], data: Float32Array.of(7, 8) },
  ];
  const files = (config: Record<string, unknown>, parts = tensors()): PeftFiles => ({
    config: { ...writeLoraAdapter(tiny).config, ...config },
    weights: writeSafetensors(parts),
  });

  it('widens 16-bit weights and finds targets in the keys', () => {
    const [a, b] = tensors() as [SafetensorsTensor, SafetensorsTensor];
    const adapter = readLoraAdapter(
      files({ target_modules: 'all-linear' }, [
        { ...a, dtype: 'BF16', data: f32ToBf16(a.data as Float32Array) },
        { ...b, dtype: 'F16', data: f32ToF16(b.data as Float32Array) },
      ]),
    );
    expect(adapter.modules).toEqual(tiny.modules);
    expect(adapter.target_modules).toEqual(['q_proj']);
  });

  it("takes LoraConfig's defaults for what a config leaves out", () => {
    const eight = [
      { name: loraKey('q', 'A'), dtype: 'F32' as const, shape: [8, 1], data: new Float32Array(8) },
      { name: loraKey('q', 'B'), dtype: 'F32' as const, shape: [1, 8], data: new Float32Array(8) },
    ];
    const adapter = readLoraAdapter({ config: { peft_type: 'LORA' }, weights: writeSafetensors(eight) });
    expect(adapter).toMatchObject({ r: 8, lora_alpha: 8, lora_dropout: 0, use_rslora: false, target_modules: ['q'] });
  });

  const [a, b] = tensors() as [SafetensorsTensor, SafetensorsTensor];
  const extra: SafetensorsTensor = {
    name: 'base_model.model.score.weight',
    dtype: 'F32',
    shape: [0],
    data: new Uint8Array(),
  };
  const bad: [name: string, files: PeftFiles, where: string | RegExp][] = [
    ['no peft_type', files({ peft_type: undefined }), 'adapter_config.json, peft_type'],
    ['IA3', files({ peft_type: 'IA3' }), 'adapter_config.json, peft_type'],
    ['prompt tuning', files({ peft_type: 'PROMPT_TUNING' }), 'adapter_config.json, peft_type'],
    ['DoRA', files({ use_dora: true }), 'adapter_config.json, use_dora'],
    ['modules_to_save', files({ modules_to_save: ['lm_head'] }), 'adapter_config.json, modules_to_save'],
    ['biases', files({ bias: 'all' }), 'adapter_config.json, bias'],
    ['lora_bias', files({ lora_bias: true }), 'adapter_config.json, lora_bias'],
    ['ranks by module', files({ rank_pattern: { q_proj: 4 } }), 'adapter_config.json, rank_pattern'],
    ['alphas by module', files({ alpha_pattern: { q_proj: 4 } }), 'adapter_config.json, alpha_pattern'],
    ['PiSSA', files({ init_lora_weights: 'pissa_niter_4' }), 'adapter_config.json, init_lora_weights'],
    ['aLoRA', files({ alora_invocation_tokens: [1] }), 'adapter_config.json, alora_invocation_tokens'],
    ['r as text', files({ r: '2' }), 'adapter_config.json, r'],
    ['r of 0', files({ r: 0 }), 'adapter_config.json, r'],
    ['r of another file', files({ r: 4 }), /lora_A\.weight$/],
    ['lora_alpha as text', files({ lora_alpha: '16' }), 'adapter_config.json, lora_alpha'],
    ['dropout of 1', files({ lora_dropout: 1 }), 'adapter_config.json, lora_dropout'],
    ['B missing', files({}, [a]), /lora_B\.weight$/],
    ['A missing', files({}, [b]), /lora_A\.weight$/],
    ['A of the wrong rank', files({}, [{ ...a, shape: [3, 2] }, b]), /lora_A\.weight$/],
    ['B of the wrong rank', files({}, [a, { ...b, shape: [2, 1] }]), /lora_B\.weight$/],
    ['B with one dimension', files({}, [a, { ...b, shape: [2] }]), /lora_B\.weight$/],
    ['another tensor', files({}, [a, b, extra]), /score\.weight$/],
    ['no tensors', files({}, []), 'adapter_model.safetensors'],
    ['empty weights', { config: files({}).config, weights: new Uint8Array() }, 'adapter_model.safetensors'],
    ['cut weights', { config: files({}).config, weights: files({}).weights.slice(0, -1) }, 'adapter_model.safetensors'],
  ];
  it.each(bad)('refuses %s', (_name, input, where) => {
    let error: unknown;
    try {
      readLoraAdapter(input);
    } catch (cause) {
      error = cause;
    }
    expect(error).toBeInstanceOf(TabtuneError);
    expect((error as TabtuneError).code).toBe('bad_adapter');
    expect((error as TabtuneError).where).toMatch(where);
    expect((error as TabtuneError).action).toBeTruthy();
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
