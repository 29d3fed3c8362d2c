import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { linearCrossEntropy } from '../../src/engine/kernels/losses/cross-entropy';
import { embedding } from '../../src/engine/kernels/moves/embedding';
import { linear } from '../../src/engine/kernels/products/linear';
import { loraLinear } from '../../src/engine/kernels/products/lora-linear';
import { createLoader, type LoadOptions } from '../../src/engine/models/weights';
import type { Weight } from '../../src/engine/types';
import { expectClose, gradientsOn, intValues, type Op, randomValues, runOn, withBackend } from '../kernel-helpers';
import { nf4Fixture } from '../parity/blocks';
import { type StoredTensor, sourceOf, tensorsOfEveryType } from '../parity/weights';

const bytesOf = (weight: Weight) =>
  Promise.all(weight.parts.map(async (p) => new Uint8Array((await p.tensor.data()).buffer)));

test('weights written in pieces are on the GPU exactly as in the file', () =>
  withBackend('webgpu', async () => {
    const tensors = await tensorsOfEveryType();
    for (const [name, { shape, bytes }] of Object.entries(tensors)) {
      const load = createLoader(sourceOf(tensors), { pieceBytes: (4 * bytes.length) / shape[0]! });
      const [all] = await bytesOf(await load.matrix(name, shape as [number, number]));
      expect(all!.subarray(0, bytes.length), name).toEqual(bytes);
      load.dispose();
    }
  }));

/** Runs everything that reads a weight on one loaded with these options. */
async function everything(tensor: StoredTensor, options: LoadOptions) {
  const [n, k] = tensor.shape as [number, number];
  const load = createLoader(sourceOf({ 'w.weight': tensor }), options);
  await withGpu();
  const module = await load.linear('w', n, k);
  const { weight } = module;
  const biased = { ...module, bias: load.own(tf.tensor(randomValues([n], 9).data)) };
  const m = 5;
  const x = randomValues([m, k], 1);
  const residual = randomValues([m, n], 2);
  const product: Op = (t, r) => [linear(biased, t!, r)];
  const adapted: Op = (t, a, b, r) => [loraLinear(biased, t!, { a: a!, b: b!, scale: 2 }, r)];
  const lora = [x, randomValues([4, k], 3), randomValues([n, 4], 4), residual];
  const loss: Op = (t, rows, targets) => [
    linearCrossEntropy(t!, weight, rows!, targets!, { scale: 0.5, withGradient: true }),
  ];
  const rows = [x, intValues([0, 3, 1, -1], [4]), intValues([n - 1, 0, Math.floor(n / 2), -1], [4])];
  const ids = [intValues([n - 1, 0, 7, 8, 9, n - 1], [6])];
  const one = [{ data: Float32Array.of(1), shape: [] }];
  const results = {
    formats: [weight.format, weight.parts.length] as const,
    values: [
      await runOn('webgpu', (t) => [embedding(t!, weight)], ids),
      await runOn('webgpu', product, [x, residual]),
      await gradientsOn('webgpu', product, [x, residual], [0, 1], [residual]),
      await runOn('webgpu', adapted, lora),
      await gradientsOn('webgpu', adapted, lora, [0, 1, 2], [residual]),
      await runOn('webgpu', loss, rows),
      await gradientsOn('webgpu', loss, rows, [0], one),
    ].flat(),
  };
  load.dispose();
  return results;
}

const withGpu = () => withBackend('webgpu', () => {});

test('a tensor beyond the binding limit is stored in parts, and everything that reads it sees the whole', async () => {
  const { F32, BF16, Q4_0 } = await tensorsOfEveryType();
  const nf4 = await nf4Fixture();
  const many = { dtype: 'F32' as const, shape: [300, 64], bytes: nf4.raw('many.input') };
  const cases: [StoredTensor, LoadOptions, number][] = [
    [F32!, {}, 9 / 21],
    [BF16!, {}, 9 / 21],
    [Q4_0!, {}, 9 / 21],
    // Of 11,000 bytes as NF4, 9,500 hold 256 rows: a whole number of outer scales.
    [many, { quantization: 'nf4' }, 10_000 / many.bytes.length],
  ];
  for (const [tensor, options, share] of cases) {
    const whole = await everything(tensor, options);
    const split = await everything(tensor, { ...options, limit: Math.floor(tensor.bytes.length * share) });
    expect(whole.formats).toEqual([split.formats[0], 1]);
    expect(split.formats[1]).toBeGreaterThan(1);
    whole.values.forEach((values, i) => {
      expectClose(
        split.values[i]!,
        values,
        { rtol: 2e-6 },
        `${tensor.dtype} ${options.quantization ?? ''}, result ${i}`,
      );
    });
  }
});
