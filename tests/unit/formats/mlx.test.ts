/** mlx-lm's folder, both ways: against what mlx-lm itself saved and computes (tests/oracle/make_mlx_fixtures.py). */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { textLogits } from '../../../src/engine/generation/generate';
import { inference } from '../../../src/engine/methods/method';
import { type AdapterFiles, fileNamed } from '../../../src/formats/adapter-format';
import { readFloatTensors } from '../../../src/formats/float-tensors';
import { isMlx, MLX_WEIGHTS, peftFromMlx, writeMlx } from '../../../src/formats/mlx';
import { type PeftAdapter, type PeftTensors, readPeftAs, readPeftFolder } from '../../../src/formats/peft';
import { loraKind, type PeftLoraConfig } from '../../../src/formats/peft/lora';
import { writeSafetensors } from '../../../src/formats/safetensors';
import { openAdapter } from '../../../src/workers/engine/adapters';
import { openFolder } from '../../parity/matrix/folder';

const bytes = (path: string) => new Uint8Array(readFileSync(`tests/fixtures/${path}`));
const folder = (path: string, names: string[]): AdapterFiles =>
  names.map((name) => ({ path: name, bytes: bytes(`${path}/${name}`) }));
const mlx = (name: string) => folder(`mlx/${name}`, ['adapter_config.json', MLX_WEIGHTS]);
const peft = (path: string) =>
  readPeftAs<PeftLoraConfig>(
    readPeftFolder(folder(path, ['adapter_config.json', 'adapter_model.safetensors'])),
    loraKind,
  );
const reread = (files: AdapterFiles) => readPeftAs<PeftLoraConfig>(readPeftFolder(peftFromMlx(files)), loraKind);
const json = (files: AdapterFiles) =>
  JSON.parse(new TextDecoder().decode(fileNamed(files, 'adapter_config.json')!.bytes)) as Record<string, unknown>;

beforeAll(() => tf.setBackend('cpu'));

describe.each(['lora', 'dora'])('an adapter that mlx-lm trained: %s', (name) => {
  it('gives mlx-lm’s logits', async () => {
    const loaded = await openFolder({
      'config.json': new Blob([bytes('llama/gqa-tied/config.json')]),
      'model.safetensors': new Blob([bytes('llama/gqa-tied/model.safetensors')]),
    });
    const opened = await openAdapter(loaded.base, mlx(name));
    const expected = JSON.parse(readFileSync(`tests/fixtures/mlx/${name}/expected.json`, 'utf8')) as {
      ids: number[][];
      logits: number[][];
    };
    for (const [i, ids] of expected.ids.entries()) {
      const ours = await textLogits(opened.model, opened.method.hooks(inference()), Int32Array.from(ids));
      const theirs = expected.logits[i]!;
      const largest = Math.max(...theirs.map(Math.abs));
      const off = Math.max(...theirs.map((value, at) => Math.abs(value - ours[at]!)));
      expect(off / largest).toBeLessThan(1e-5);
      expect(ours).toHaveLength(theirs.length);
    }
  });

  it('is written again as it was', () => {
    const own = mlx(name);
    const { files, notes } = writeMlx(reread(own), 2, 'tiny-random-gqa-tied');
    expect(notes).toEqual([]);
    const [mine, theirs] = [json(files), json(own)];
    const sorted = (config: Record<string, unknown>) => {
      const parameters = config.lora_parameters as { keys: string[] };
      return { ...config, lora_parameters: { ...parameters, keys: [...parameters.keys].sort() } };
    };
    expect(sorted(mine)).toEqual(sorted(theirs));
    const read = (of: AdapterFiles) => readFloatTensors(fileNamed(of, MLX_WEIGHTS)!.bytes, MLX_WEIGHTS);
    const [before, after] = [read(own), read(files)];
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [key, tensor] of before) expect(after.get(key)).toEqual(tensor);
  });
});

/** scale · B · A of each module, as PEFT computes it. */
function changes({ config, tensors }: PeftAdapter<PeftLoraConfig>): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [name, a] of tensors) {
    const path = /^(.+)\.lora_A\.weight$/.exec(name)?.[1];
    if (path === undefined) continue;
    const b = tensors.get(`${path}.lora_B.weight`)!;
    const [rank, width, out] = [a.shape[0]!, a.shape[1]!, b.shape[0]!];
    const of = (pattern: Record<string, number>, fallback: number) =>
      Object.entries(pattern).find(([key]) => new RegExp(`^(.*\\.)?(${key})$`).test(path))?.[1] ?? fallback;
    const alpha = of(config.alpha_pattern, config.lora_alpha);
    const scale = alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
    const product = Array.from({ length: out * width }, (_, at) => {
      const [o, i] = [Math.floor(at / width), at % width];
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += b.data[o * rank + k]! * a.data[k * width + i]!;
      return scale * sum;
    });
    found.set(path, product);
  }
  return found;
}

describe('a PEFT adapter with ranks and alphas by pattern, in rsLoRA’s scale', () => {
  const original = peft('peft/formats/lora-patterns');
  const { files, notes } = writeMlx(original, 2, 'ORG/NAME');

  it('has one rank and one scale in mlx-lm’s file, and the same change of each weight', () => {
    const ranks = new Set([...original.tensors].flatMap(([name, { shape }]) => (/lora_A/.test(name) ? shape[0]! : [])));
    expect(ranks.size).toBeGreaterThan(1);
    const parameters = json(files).lora_parameters as { rank: number; scale: number; keys: string[] };
    expect(parameters.rank).toBe(Math.max(...ranks));
    const [before, after] = [changes(original), changes(reread(files))];
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [path, values] of before) {
      const largest = Math.max(...values.map(Math.abs));
      const found = after.get(path)!;
      for (const [i, value] of values.entries()) expect(Math.abs(value - found[i]!)).toBeLessThan(1e-6 * largest);
    }
  });

  it('says what was changed', () => {
    expect(notes.join(' ')).toMatch(/filled up with zeros to \d+\..*multiplied into B\./);
  });

  it('names modules inside blocks, without PEFT’s prefix', () => {
    const { keys } = json(files).lora_parameters as { keys: string[] };
    expect(keys).toContain('self_attn.q_proj');
    expect(keys.some((key) => /layers|base_model/.test(key))).toBe(false);
  });
});

it('counts the blocks from the last one, and says that others of them stay zero', () => {
  const original = peft('peft/llama-loraplus/adapter_init');
  const only = (wanted: RegExp): PeftAdapter<PeftLoraConfig> => ({
    ...original,
    tensors: new Map([...original.tensors].filter(([name]) => wanted.test(name))) as PeftTensors,
  });
  const last = writeMlx(only(/layers\.1\./), 2, 'base');
  expect(json(last.files).num_layers).toBe(1);
  expect(last.notes).toEqual([]);
  const uneven = writeMlx(only(/layers\.1\.|layers\.0\.self_attn\.q_proj/), 2, 'base');
  expect(json(uneven.files).num_layers).toBe(2);
  expect(uneven.notes.join()).toMatch(/stay zero/);
});

describe('what is refused', () => {
  const own = mlx('lora');
  const config = (change: (json: Record<string, unknown>) => Record<string, unknown>): AdapterFiles =>
    own.map((file) =>
      file.path === MLX_WEIGHTS
        ? file
        : { ...file, bytes: new TextEncoder().encode(JSON.stringify(change(json(own)))) },
    );
  const parameters = (change: Record<string, unknown>) =>
    config((of) => ({ ...of, lora_parameters: { ...(of.lora_parameters as object), ...change } }));
  const weights = (change: (name: string, shape: number[]) => { name: string; shape: number[] } | null) => {
    const tensors = [...readFloatTensors(bytes(`mlx/lora/${MLX_WEIGHTS}`), MLX_WEIGHTS)].flatMap(
      ([name, { shape, data }]) => {
        const changed = change(name, shape);
        return changed ? { ...changed, dtype: 'F32' as const, data } : [];
      },
    );
    return own.map((file) => (file.path === MLX_WEIGHTS ? { ...file, bytes: writeSafetensors(tensors, {}) } : file));
  };

  it.each<[string, AdapterFiles, RegExp]>([
    ['no config', own.filter(({ path }) => path === MLX_WEIGHTS), /no adapter_config\.json/],
    ['a whole model', config((of) => ({ ...of, fine_tune_type: 'full' })), /trained the model itself/],
    ['no scale', parameters({ scale: undefined, alpha: 16 }), /scale is missing/],
    ['no rank', parameters({ rank: 0 }), /rank is 0/],
    ['another rank', parameters({ rank: 4 }), /does not match the rank/],
    ['no parameters', config((of) => ({ ...of, lora_parameters: 7 })), /rank is missing/],
    ['a module that keys leave out', parameters({ keys: ['mlp.down_proj'] }), /mlx-lm refuses/],
    [
      'half a pair',
      weights((name, shape) => (/q_proj\.lora_b/.test(name) ? null : { name, shape })),
      /lacks its lora_b/,
    ],
    ['a weight', weights((name, shape) => ({ name: name.replace(/lora_a$/, 'weight'), shape })), /not part of/],
    ['no weights', weights(() => null), /no weights|empty/],
    [
      'JSON that is none',
      own.map((file) => (file.path === MLX_WEIGHTS ? file : { ...file, bytes: new Uint8Array(3) })),
      /not valid JSON/,
    ],
  ])('%s', (_, files, says) => {
    expect(isMlx(files)).toBe(true);
    expect(() => peftFromMlx(files)).toThrow(says);
    expect(() => peftFromMlx(files)).toThrow(
      expect.objectContaining({ code: 'bad_adapter', action: expect.any(String) }),
    );
  });
});

it('a folder of PEFT’s is none of mlx-lm’s, whatever lies beside it', () => {
  const both = [...folder('formats/peft-adapter', ['adapter_config.json']), ...mlx('lora').slice(1)];
  expect(isMlx(both)).toBe(false);
});
