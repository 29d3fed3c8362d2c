/** The scales in exported LoRA files. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { textLogits } from '../../../src/engine/generation/generate';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { createLora, type LoraSettings, loraModules, loraNames, loraShapes } from '../../../src/engine/methods/lora';
import { loraExport, loraStart } from '../../../src/engine/methods/lora-export';
import { inference, type Method } from '../../../src/engine/methods/method';
import { startPissa } from '../../../src/engine/methods/pissa';
import type { NamedTensors } from '../../../src/engine/methods/tensors';
import type { LanguageModel } from '../../../src/engine/models/model';
import { readFloats } from '../../../src/engine/webgpu/backend';
import { relativeError } from '../../fixture-files';
import { randomValues } from '../../kernel-helpers';
import { tinyModel } from '../../parity/tiny-run';

const PLAIN: LoraSettings = {
  r: 4,
  lora_alpha: 8,
  lora_dropout: 0,
  target_modules: ['q_proj', 'down_proj'],
  use_rslora: false,
};
const IDS = Int32Array.of(5, 9, 23, 4, 17);

let model: LanguageModel;
beforeAll(async () => {
  await tf.setBackend('cpu');
  model = await tinyModel('gqa-tied');
});
afterAll(() => {
  model.dispose();
  disposeInputs();
});

/** Random values for every tensor of a LoRA with these settings; magnitudes are positive. */
function randomTensors(settings: LoraSettings): NamedTensors {
  return new Map(
    [...loraShapes(model, settings)].map(([name, { shape }], i) => {
      const data = randomValues(shape, i + 1, 0.3).data as Float32Array;
      return [name, { shape, data: name.endsWith('vector') ? data.map((v) => 1 + Math.abs(v)) : data }];
    }),
  );
}

const logits = (method: Method) => textLogits(model, method.hooks(inference()), IDS);

const withoutMagnitudes = (values: NamedTensors): NamedTensors =>
  new Map([...values].filter(([name]) => !name.endsWith('magnitude_vector')));

describe('an exported file', () => {
  test.each<[string, Partial<LoraSettings>]>([
    ['plain', {}],
    ['rsLoRA', { use_rslora: true }],
    ['an alpha by module', { alpha_pattern: { down_proj: 3, 'layers.0.self_attn.q_proj': 0.5 } }],
    ['ranks by module', { rank_pattern: { down_proj: 2 } }],
    ['all at once', { use_rslora: true, rank_pattern: { down_proj: 2 }, alpha_pattern: { q_proj: 3 } }],
    ['DoRA with rsLoRA', { use_dora: true, use_rslora: true, rank_pattern: { q_proj: 3 } }],
    ['PiSSA with an alpha by module', { init_lora_weights: 'pissa', alpha_pattern: { q_proj: 5 } }],
    ['an alpha of 0, which llama.cpp takes for 1', { lora_alpha: 0, alpha_pattern: { q_proj: 5 } }],
    ['an alpha of 0 everywhere', { lora_alpha: 0 }],
  ])('(%s) gives the same ΔW to readers that know only lora_alpha and each tensor’s rank', async (_name, changes) => {
    const settings: LoraSettings = { ...PLAIN, ...changes };
    const start = settings.init_lora_weights === 'pissa' ? await startPissa(model, settings, 1) : undefined;
    // As after training: PiSSA's start alone changes nothing.
    for (const [name, tensor] of start ?? []) if (name.includes('lora_')) tensor.data = tensor.data.map((v) => v * 1.1);
    const values = start ?? randomTensors(settings);
    const method = createLora(model, settings, 1, values);
    const { config, tensors } = await loraExport(model, method, settings);
    expect(config).toMatchObject({ use_rslora: false, alpha_pattern: {} });
    expect(config.lora_alpha).not.toBe(0);
    expect(Number.isInteger(config.lora_alpha)).toBe(true);
    // As llama.cpp's loader scales: alpha / rank · B·A (llama-adapter.h, get_scale).
    for (const { module } of loraModules(model, settings)) {
      const names = loraNames(module.path);
      const [a, b] = [tensors.get(names.a)!, tensors.get(names.b)!];
      const rank = a.shape[0]!;
      expect(b.shape[1]).toBe(rank);
      const matrix = ({ data, shape }: typeof a) => tf.tensor2d(data, shape as [number, number]);
      const product = tf.tidy(() => tf.mul(tf.matMul(matrix(b), matrix(a)), config.lora_alpha / rank));
      const own = createLora(model, { ...settings, use_dora: false }, 1, withoutMagnitudes(values));
      const wanted = own.delta(module)!;
      const [theirs, ours] = await Promise.all([readFloats(product), readFloats(wanted)]);
      if (ours.some((x) => x !== 0)) expect(relativeError(theirs, ours), module.path).toBeLessThan(1e-5);
      else expect(theirs.every((x) => x === 0)).toBe(true);
      own.dispose();
      tf.dispose([product, wanted]);
    }
    // And as PEFT reads it, with DoRA's magnitudes.
    const peft = createLora(model, { ...settings, ...config }, 1, tensors);
    expect(relativeError(await logits(peft), await logits(method))).toBeLessThan(1e-5);
    method.dispose();
    peft.dispose();
  });
});

describe('a file to start training from', () => {
  test('has the tensors as they are, and the settings that scale them', async () => {
    const settings: LoraSettings = {
      ...PLAIN,
      ...{ use_rslora: true, use_dora: true, lora_dropout: 0.1 },
      ...{ rank_pattern: { down_proj: 2, nothing: 3 }, alpha_pattern: { q_proj: 3 } },
    };
    const values = randomTensors(settings);
    const method = createLora(model, settings, 1, values);
    const { config, tensors } = await loraStart(model, method, settings);
    expect(config).toMatchObject({ r: 4, lora_alpha: 8, lora_dropout: 0.1, use_rslora: true, use_dora: true });
    expect(config.rank_pattern).toEqual({ down_proj: 2 });
    expect(config.alpha_pattern).toEqual({ q_proj: 3 });
    expect(tensors).toEqual(values);
    method.dispose();
  });

  test('leaves out what PiSSA freezes', async () => {
    const settings: LoraSettings = { ...PLAIN, init_lora_weights: 'pissa' };
    const start = await startPissa(model, settings, 1);
    const method = createLora(model, settings, 1, start);
    const { config, tensors } = await loraStart(model, method, settings);
    expect(config).toMatchObject({ r: 4, lora_alpha: 8 });
    expect([...tensors.keys()]).toEqual([...start.keys()].filter((name) => name.includes('lora_')));
    for (const [name, { data }] of tensors) expect(data).toEqual(start.get(name)!.data);
    method.dispose();
  });
});
