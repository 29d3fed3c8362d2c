/** What DoRA, PiSSA and (IA)³ guarantee besides PEFT's numbers: starts, strengths, dropout, formats, errors. */
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patternValue } from '../../../src/base/module-names';
import { textLogits } from '../../../src/engine/generation/generate';
import { writeValues } from '../../../src/engine/kernels/in-place';
import { disposeInputs } from '../../../src/engine/kernels/inputs';
import { linear } from '../../../src/engine/kernels/products/linear';
import { denseWeight } from '../../../src/engine/kernels/products/weight';
import { createIa3, ia3Modules, ia3Shapes } from '../../../src/engine/methods/ia3';
import { createLora, type LoraSettings, loraShapes } from '../../../src/engine/methods/lora';
import { loraExport } from '../../../src/engine/methods/lora-export';
import { inference, type Method } from '../../../src/engine/methods/method';
import { largestSingular, startPissa } from '../../../src/engine/methods/pissa';
import type { NamedTensors } from '../../../src/engine/methods/tensors';
import type { LanguageModel } from '../../../src/engine/models/model';
import type { LinearModule } from '../../../src/engine/types';
import { readFloats } from '../../../src/engine/webgpu/backend';
import { relativeError } from '../../fixture-files';
import { expectClose, randomValues, tensorOf } from '../../kernel-helpers';
import { storedWeights } from '../../parity/blocks';
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
function randomTensors(settings: LoraSettings, size = 0.3): NamedTensors {
  return new Map(
    [...loraShapes(model, settings)].map(([name, { shape }], i) => {
      const data = randomValues(shape, i + 1, size).data as Float32Array;
      return [name, { shape, data: name.endsWith('vector') ? data.map((v) => 1 + Math.abs(v)) : data }];
    }),
  );
}

const logits = (method: Method | null, strength = 1) =>
  textLogits(model, method?.hooks(inference(strength)) ?? {}, IDS);

describe('at the start', () => {
  test.each([
    ['LoRA', {}],
    ['a gaussian A', { init_lora_weights: 'gaussian' as const }],
    ['DoRA', { use_dora: true }],
  ])('%s gives the base’s outputs, to rounding', async (_name, changes) => {
    const method = createLora(model, { ...PLAIN, ...changes }, 7);
    expect(relativeError(await logits(method), await logits(null))).toBeLessThan(1e-6);
    method.dispose();
  });

  test('PiSSA with DoRA gives the base’s outputs', async () => {
    const settings: LoraSettings = { ...PLAIN, init_lora_weights: 'pissa', use_dora: true };
    const method = createLora(model, settings, 7, await startPissa(model, settings, 7));
    expect(relativeError(await logits(method), await logits(null))).toBeLessThan(2e-5);
    expect(method.trainable.get('model.layers.0.mlp.down_proj.lora_magnitude_vector')!.shape).toEqual([32]);
    method.dispose();
  });

  test('(IA)³ gives the base’s outputs, bit for bit', async () => {
    const method = createIa3(model, { target_modules: 'auto', feedforward_modules: 'auto' }, 1);
    expect(await logits(method)).toEqual(await logits(null));
    method.dispose();
  });

  test('a gaussian A has a standard deviation of 1/r', async () => {
    const method = createLora(model, { ...PLAIN, init_lora_weights: 'gaussian' }, 7);
    const values: number[] = [];
    for (const [name, tensor] of method.trainable) {
      if (name.includes('lora_A')) values.push(...(await readFloats(tensor)));
    }
    const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
    expect(Math.sqrt(variance)).toBeCloseTo(1 / 4, 1);
    expect(Math.abs(Math.sqrt(variance) * 4 - 1)).toBeLessThan(0.05);
    method.dispose();
  });
});

test('a strength between off and on lies between base and trained, and small steps make small changes', async () => {
  const dora = { ...PLAIN, use_dora: true };
  const ia3 = createIa3(
    model,
    { target_modules: 'auto', feedforward_modules: 'auto' },
    1,
    new Map(
      [...ia3Shapes(model, { target_modules: 'auto', feedforward_modules: 'auto' })].map(([name, { shape }], i) => [
        name,
        { shape, data: (randomValues(shape, i).data as Float32Array).map((v) => 1 + 0.3 * v) },
      ]),
    ),
  );
  for (const method of [createLora(model, dora, 1, randomTensors(dora)), ia3]) {
    const base = await logits(null);
    expect(await logits(method, 0)).toEqual(base);
    expect(relativeError(await logits(method, 1e-4), base)).toBeLessThan(1e-3);
    const trained = await logits(method, 1);
    expect(relativeError(trained, base)).toBeGreaterThan(0.05);
    expect(relativeError(await logits(method, 1 - 1e-4), trained)).toBeLessThan(1e-3);
    const half = await logits(method, 0.5);
    expect(relativeError(half, base)).toBeLessThan(relativeError(trained, base));
    method.dispose();
  }
});

describe('DoRA', () => {
  test('with dropout: y = x·Wᵀ + (f − 1)·d·Wᵀ + f·s·d·AᵀBᵀ, as in PEFT', async () => {
    const settings = { ...PLAIN, use_dora: true, lora_dropout: 0.4 };
    const values = randomTensors(settings);
    const method = createLora(model, settings, 1, values);
    const module = model.linears.find(({ path }) => path.endsWith('0.self_attn.q_proj'))!;
    const context = { training: true, seed: 3, pass: 2, strength: 1 };
    const plain = createLora(
      model,
      { ...settings, use_dora: false },
      1,
      new Map([...values].filter(([name]) => !name.endsWith('vector'))),
    );
    const x = tensorOf(randomValues([6, 32], 40));
    // The plain method with B·A alone shows what dropout does: without W, only s·d·AᵀBᵀ is left.
    const bare: LinearModule = { ...module, weight: denseWeight(tf.zeros([32, 32])), bias: null };
    const eye = tf.eye(32);
    const wanted = tf.tidy(() => {
      const low = plain.hooks(context).linear!(bare, x, null)!;
      const w = tf.transpose(linear({ weight: module.weight, bias: null }, eye));
      const a = plain.trainable.get(`${module.path}.lora_A.weight`) as tf.Tensor2D;
      const b = plain.trainable.get(`${module.path}.lora_B.weight`) as tf.Tensor2D;
      const norm = tf.norm(tf.add(w, tf.mul(tf.matMul(b, a), 2)), 2, 1);
      const factor = tf.div(method.trainable.get(`${module.path}.lora_magnitude_vector`)!, norm);
      // dropout(x) itself, through A = identity.
      const identity = createLora(
        { ...model, linears: [module] },
        { ...PLAIN, r: 32, lora_alpha: 32, lora_dropout: 0.4, target_modules: 'all-linear' },
        1,
        new Map([
          [`${module.path}.lora_A.weight`, { shape: [32, 32], data: eye.dataSync().slice() as Float32Array }],
          [`${module.path}.lora_B.weight`, { shape: [32, 32], data: eye.dataSync().slice() as Float32Array }],
        ]),
      );
      const dropped = identity.hooks(context).linear!(bare, x, null)!;
      identity.dispose();
      const full = tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true);
      const share = tf.matMul(dropped as tf.Tensor2D, w as tf.Tensor2D, false, true);
      return tf.add(full, tf.add(tf.mul(tf.sub(factor, 1), share), tf.mul(factor, low)));
    });
    const y = tf.tidy(() => method.hooks(context).linear!(module, x, null)!);
    expect(module.path).toBe('model.layers.0.self_attn.q_proj');
    expectClose(await readFloats(y), await readFloats(wanted), { rtol: 2e-6 });
    tf.dispose([x, y, wanted, eye, bare.weight.parts[0]!.tensor]);
    method.dispose();
    plain.dispose();
  });

  test('over every quantised format matches the same values unpacked', async () => {
    for (const { name, format, shape, stored, values } of await storedWeights()) {
      const [out, width] = shape;
      const settings: LoraSettings = { ...PLAIN, r: 3, target_modules: 'all-linear', use_dora: true };
      const outputs: Float32Array[] = [];
      for (const weight of [
        { parts: [{ tensor: tensorOf(stored), rows: out }], format, shape },
        denseWeight(tf.tensor(values.slice(), shape)),
      ]) {
        const module: LinearModule = { path: 'm', weight, bias: null };
        const tensors: NamedTensors = new Map(
          [
            ['m.lora_A.weight', [3, width]] as const,
            ['m.lora_B.weight', [out, 3]] as const,
            ['m.lora_magnitude_vector', [out]] as const,
          ].map(([key, dims], i) => [key, { shape: [...dims], data: randomValues([...dims], i).data as Float32Array }]),
        );
        const method = createLora({ ...model, linears: [module] }, settings, 1, tensors);
        const x = tensorOf(randomValues([2, width], 9));
        const y = tf.tidy(() => method.hooks(inference()).linear!(module, x, null)!);
        const merged = method.delta(module)!;
        outputs.push(await readFloats(y), await readFloats(merged));
        tf.dispose([x, y, merged, weight.parts[0]!.tensor]);
        method.dispose();
      }
      expectClose(outputs[0]!, outputs[2]!, { rtol: 2e-6 }, name);
      expectClose(outputs[1]!, outputs[3]!, { rtol: 2e-6 }, name);
    }
  });

  test('the tokens of a text share the norms; training and gradients do not', async () => {
    const settings = { ...PLAIN, use_dora: true };
    const method = createLora(model, settings, 1, randomTensors(settings));
    const first = await logits(method);
    const hooks = method.hooks(inference());
    expect(await textLogits(model, hooks, IDS)).toEqual(first);
    // Weights change in place, as in a training step, and new hooks see it.
    const b = method.trainable.get('model.layers.0.mlp.down_proj.lora_B.weight')!;
    writeValues(
      b,
      (await readFloats(b)).map((v) => -v),
    );
    const after = await logits(method);
    expect(relativeError(after, first)).toBeGreaterThan(1e-3);
    writeValues(
      b,
      (await readFloats(b)).map((v) => -v),
    );
    expect(await logits(method)).toEqual(first);
    const latest = method.hooks(inference());
    await textLogits(model, latest, IDS);
    const before = tf.memory().numTensors;
    await textLogits(model, latest, IDS);
    await textLogits(model, hooks, IDS);
    expect(tf.memory().numTensors).toBe(before);
    method.hooks(inference());
    expect(tf.memory().numTensors).toBe(before - 4);
    // Earlier hooks still work, but no longer keep anything.
    expect(await textLogits(model, latest, IDS)).toEqual(first);
    expect(tf.memory().numTensors).toBe(before - 4);
    method.dispose();
  });
});

describe('PiSSA', () => {
  test('finds the largest singular values of a larger weight by subspace iteration', async () => {
    // U·S·Vᵀ with known S: orthogonal factors from a QR of random matrices.
    const [out, width, rank] = [70, 90, 5];
    const [left] = tf.linalg.qr(tensorOf(randomValues([out, out], 1)) as tf.Tensor2D);
    const [right] = tf.linalg.qr(tensorOf(randomValues([width, out], 2)) as tf.Tensor2D);
    const sizes = Float32Array.from({ length: out }, (_, i) => 3 * 0.9 ** i);
    const w = tf.matMul(tf.mul(left!, tf.tensor1d(sizes)) as tf.Tensor2D, right as tf.Tensor2D, false, true);
    const found = await largestSingular(denseWeight(w), rank, 3);
    expectClose(found.values, sizes.subarray(0, rank), { rtol: 1e-5 });
    const product = new Float32Array(out * width);
    for (let k = 0; k < rank; k++) {
      for (let i = 0; i < out; i++) {
        for (let j = 0; j < width; j++) {
          product[i * width + j]! += found.left[k * out + i]! * found.right[k * width + j]!;
        }
      }
    }
    const cut = sizes.map((s, i) => (i < rank ? s : 0));
    const wanted = tf.matMul(tf.mul(left!, tf.tensor1d(cut)) as tf.Tensor2D, right as tf.Tensor2D, false, true);
    expectClose(product, await readFloats(wanted), { rtol: 1e-4 });
  });

  test('is restored from a checkpoint’s contents: trained tensors and constants', async () => {
    const settings: LoraSettings = { ...PLAIN, init_lora_weights: 'pissa', use_dora: true };
    const start = await startPissa(model, settings, 1);
    const method = createLora(model, settings, 1, start);
    const b = method.trainable.get('model.layers.1.self_attn.q_proj.lora_B.weight')!;
    writeValues(
      b,
      (await readFloats(b)).map((v) => 1.2 * v),
    );
    const saved: NamedTensors = new Map();
    for (const [name, tensor] of [...method.trainable, ...method.constants!]) {
      saved.set(name, { shape: tensor.shape, data: await readFloats(tensor) });
    }
    const before = await logits(method);
    expect(relativeError(before, await logits(null))).toBeGreaterThan(1e-3);
    const again = createLora(model, settings, 1, saved);
    expect(await logits(again)).toEqual(before);
    method.dispose();
    again.dispose();
    // It is incomplete without the factors it started from.
    for (const name of [...saved.keys()]) if (name.endsWith('pissa_A.weight')) saved.delete(name);
    expect(() => createLora(model, settings, 1, saved)).toThrow('pissa_A');
  });

  test('is exported as plain LoRA of twice the rank, including patterns and rsLoRA', async () => {
    const settings: LoraSettings = {
      ...PLAIN,
      init_lora_weights: 'pissa',
      use_rslora: true,
      rank_pattern: { down_proj: 2 },
      alpha_pattern: { down_proj: 3 },
    };
    const start = await startPissa(model, settings, 1);
    for (const [name, tensor] of start) if (name.includes('lora_')) tensor.data = tensor.data.map((v) => v * 1.1);
    const method = createLora(model, settings, 1, start);
    const { config, tensors } = await loraExport(model, method, settings);
    expect(config).toMatchObject({ r: 8, lora_alpha: 16, rank_pattern: { down_proj: 4 } });
    const plain = createLora(model, { ...settings, ...config }, 1, tensors);
    expect(relativeError(await logits(plain), await logits(method))).toBeLessThan(1e-5);
    expect(relativeError(await logits(plain), await logits(null))).toBeGreaterThan(0.01);
    method.dispose();
    plain.dispose();
  });

  test('reports its progress, stops when asked, and rejects more singular values than there are', async () => {
    const settings: LoraSettings = { ...PLAIN, init_lora_weights: 'pissa' };
    const reported: [number, number][] = [];
    await startPissa(model, settings, 1, { onProgress: (done, total) => reported.push([done, total]) });
    expect(reported).toEqual([1, 2, 3, 4].map((n) => [n, 4]));
    const stopped = new AbortController();
    stopped.abort();
    await expect(startPissa(model, settings, 1, { signal: stopped.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    await expect(startPissa(model, { ...settings, r: 33 }, 1)).rejects.toMatchObject({
      code: 'bad_recipe',
      where: 'method.r',
    });
    expect(() => createLora(model, settings, 1)).toThrow('startPissa');
  });
});

describe('patterns', () => {
  test.each([
    ['q_proj', 'model.layers.0.self_attn.q_proj', true],
    ['proj', 'model.layers.0.self_attn.q_proj', false],
    ['layers.1.mlp.down_proj', 'model.layers.1.mlp.down_proj', true],
    ['layers.1.mlp.down_proj', 'model.layers.11.mlp.down_proj', false],
    ['layers\\.[01]\\..*_proj', 'model.layers.1.mlp.up_proj', true],
    ['self_attn', 'model.layers.0.self_attn.q_proj', false],
  ])('%s on %s: %s', (key, path, matches) => {
    expect(patternValue({ [key]: 5 }, path, 8)).toBe(matches ? 5 : 8);
  });

  test('the first matching key decides', () => {
    expect(patternValue({ down_proj: 1, '1.mlp.down_proj': 2 }, 'layers.1.mlp.down_proj', 8)).toBe(1);
  });

  test('a key that matches no module is rejected in a recipe, ignored in an adapter, and not exported', async () => {
    const settings = { ...PLAIN, rank_pattern: { k_proj: 2 }, alpha_pattern: { q_proj: 3, up_proj: 4 } };
    expect(() => createLora(model, settings, 1)).toThrow('"k_proj" in rank_pattern');
    expect(() => createLora(model, { ...settings, rank_pattern: {} }, 1)).toThrow('"up_proj" in alpha_pattern');
    const method = createLora(model, settings, 1, randomTensors(settings));
    const { config } = await loraExport(model, method, settings);
    // The alpha that does match is part of B.
    expect(config).toMatchObject({ rank_pattern: {}, alpha_pattern: {} });
    method.dispose();
  });

  test.each(['(', 'a**', '(a)\\1', '(?>a)', 'a'.repeat(5000)])('%s is rejected', (key) => {
    expect(() => patternValue({ [key]: 5 }, 'x', 8)).toThrow(/pattern/);
  });
});

describe('(IA)³ modules', () => {
  test('match PEFT’s for the family', () => {
    expect(ia3Modules(model, { target_modules: 'auto', feedforward_modules: 'auto' })).toEqual({
      target: ['k_proj', 'v_proj', 'down_proj'],
      feedforward: ['down_proj'],
    });
  });

  test('a feed-forward name is one of the targets, whichever of the two is more precise', () => {
    const of = (target_modules: string[], feedforward_modules: 'auto' | string[]) =>
      ia3Modules(model, { target_modules, feedforward_modules });
    expect(of(['model.layers.0.mlp.down_proj', 'v_proj'], ['down_proj']).feedforward).toEqual([
      'model.layers.0.mlp.down_proj',
    ]);
    expect(of(['down_proj'], ['mlp.down_proj'])).toEqual({
      target: ['down_proj', 'mlp.down_proj'],
      feedforward: ['mlp.down_proj'],
    });
    expect(of(['v_proj'], 'auto').feedforward).toEqual([]);
    expect(() => of(['v_proj'], ['down_proj'])).toThrow('not among target_modules');
    expect(() => ia3Modules({ family: 'new' }, { target_modules: 'auto', feedforward_modules: [] })).toThrow('"new"');
  });
});
