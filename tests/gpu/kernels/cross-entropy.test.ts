import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { linearCrossEntropy } from '../../../src/engine/kernels/losses/cross-entropy';
import { chunkRows } from '../../../src/engine/kernels/losses/logit-chunks';
import { denseWeight } from '../../../src/engine/kernels/products/weight';
import { flush, gpuBackend, gpuBytes } from '../../../src/engine/webgpu/backend';
import { trimPool } from '../../../src/engine/webgpu/pool';
import {
  checkGradient,
  expectClose,
  expectSameOnGpu,
  gradientsOn,
  intValues,
  type Op,
  randomValues,
  runOn,
  withBackend,
  withTraits,
} from '../../kernel-helpers';
import { type CrossEntropyCase, crossEntropyCase } from '../../parity/products';

const CASES: CrossEntropyCase[] = [
  { tokens: 1, width: 1, vocab: 1 },
  { tokens: 1, width: 13, vocab: 5 },
  { tokens: 7, width: 13, vocab: 11, skipEvery: 3, padding: 5 },
  { tokens: 24, width: 12, vocab: 64, scale: 1 / 20, skipEvery: 4, padding: 6 },
  { tokens: 33, width: 20, vocab: 257, skipEvery: 2, padding: 1 },
  { tokens: 130, width: 64, vocab: 96, padding: 14 },
  { tokens: 20, width: 16, vocab: 100, size: 40 }, // logits in the hundreds
  { tokens: 9, width: 12, vocab: 37, bias: true, skipEvery: 3, padding: 2 },
  { tokens: 20, width: 16, vocab: 100, size: 40, bias: true, softcap: 30 },
  { tokens: 7, width: 5, vocab: 70, softcap: 2 },
  { tokens: 7, width: 13, vocab: 11, skipEvery: 3, padding: 5, trains: true, smoothing: 0.1 },
  { tokens: 24, width: 12, vocab: 64, trains: true, bias: true, padding: 3 },
  { tokens: 9, width: 5, vocab: 130, trains: true, bias: true, softcap: 2, smoothing: 0.3 },
  // On a GPU, 256 threads share a row, and the gradient of hidden is the sum of two and of four pieces.
  { tokens: 7, width: 6, vocab: 2051, skipEvery: 3, padding: 2 },
  { tokens: 1, width: 8, vocab: 4100 },
  { tokens: 12, width: 12, vocab: 4100, trains: true, bias: true, softcap: 3, smoothing: 0.2, padding: 3 },
];

const rtol = 1e-5;

const same = async (c: CrossEntropyCase) => {
  const { op, inputs, wanted } = crossEntropyCase(c);
  await expectSameOnGpu(op, inputs, { wanted, rtol });
  const value = crossEntropyCase({ ...c, withGradient: false });
  await expectSameOnGpu(value.op, value.inputs, { rtol });
};

// One thread per row on a CPU, one workgroup per row on a GPU.
test.each([true, false])('cross-entropy matches the reference, software adapter: %s', (software) =>
  withTraits({ software }, async () => {
    for (const c of CASES) await same(c);
    for (const c of CASES.slice(2, 5)) await same({ ...c, format: 'bf16' });
  }),
);

const CHUNK_BYTES = 16 * 2 ** 20;

/** 16 MiB hold 32 rows of this vocabulary, so the 57 rows below are two chunks, of 32 and 25. */
const WIDE: CrossEntropyCase = { tokens: 60, width: 2, vocab: 131_072, skipEvery: 20, scale: 1 / 57 };

/** A sixteenth of both, which the reference has done in seconds. */
const NARROWER = { ...WIDE, vocab: WIDE.vocab / 16 };
const NARROWER_BYTES = CHUNK_BYTES / 16;

test('cross-entropy over several chunks matches the reference', async () => {
  const { op, inputs, wanted } = crossEntropyCase({ ...NARROWER, bias: true, trains: true, smoothing: 0.1 });
  const rows = inputs[2]!.data.length;
  expect([rows, chunkRows(rows, [NARROWER.vocab, WIDE.width], NARROWER_BYTES)]).toEqual([57, 32]);
  const one = [{ data: Float32Array.of(1), shape: [] }];
  const [loss] = await runOn('cpu', op, inputs);
  const gradients = await gradientsOn('cpu', op, inputs, wanted, one);
  for (const software of [true, false]) {
    await withTraits({ software, logitsBytes: NARROWER_BYTES }, async () => {
      const own = await runOn('webgpu', op, inputs);
      expectClose(own[0]!, loss!, { rtol: 1e-5 });
      // Adding 8,192 terms one by one in f32 loses a few digits, in a row's sum of exponentials too.
      const grads = await gradientsOn('webgpu', op, inputs, wanted, one);
      for (const [i, gradient] of grads.entries()) {
        expectClose(gradient, gradients[i]!, { rtol: i === 0 ? 5e-4 : 1e-4 }, `gradient to input ${wanted[i]}`);
      }
      expect(await runOn('webgpu', op, inputs)).toEqual(own);
      expect(await gradientsOn('webgpu', op, inputs, wanted, one)).toEqual(grads);
    });
  }
});

test('cross-entropy over several chunks holds one chunk of logits, not all of them', () =>
  withTraits({ logitsBytes: CHUNK_BYTES }, () =>
    withBackend('webgpu', () => {
      const { op, inputs } = crossEntropyCase(WIDE);
      const given = inputs.map((v) => tf.tensor(v.data, v.shape, v.data instanceof Int32Array ? 'int32' : 'float32'));
      for (const t of given) gpuBackend().uploadToGPU(t.dataId);
      trimPool();
      const before = gpuBytes().allocated;
      const [loss] = op(...given);
      flush(gpuBackend());
      const grown = gpuBytes().allocated - before;
      expect(grown).toBeGreaterThan(CHUNK_BYTES);
      expect(grown).toBeLessThan(1.1 * CHUNK_BYTES);
      tf.dispose([...given, loss!]);
      trimPool();
    }),
  ));

test('cross-entropy: gradients match finite differences', async () => {
  for (const c of [
    { tokens: 5, width: 4, vocab: 7 },
    { tokens: 9, width: 12, vocab: 11, skipEvery: 3, padding: 4, scale: 2, format: 'bf16' as const },
    { tokens: 5, width: 4, vocab: 9, bias: true, softcap: 1.5, trains: true, smoothing: 0.2 },
    { tokens: 3, width: 4, vocab: 2051 }, // in two pieces
  ]) {
    const { op, inputs, wanted } = crossEntropyCase(c);
    for (const software of [true, false]) {
      await withTraits({ software }, () => checkGradient(op, inputs, wanted, { backend: 'webgpu' }));
    }
  }
});

/** Rows of [1, 1] times these weights: token 1 has a logit of `likely`, the others follow a bell of a width of 1.5 around 0. */
function oneLikely(vocab: number, likely: number): Float32Array {
  const three = [5, 6, 7].map((seed) => randomValues([vocab], seed).data);
  const weights = new Float32Array(2 * vocab);
  for (let v = 0; v < vocab; v++) weights[2 * v] = 1.5 * (three[0]![v]! + three[1]![v]! + three[2]![v]!);
  weights[2] = 0;
  weights[3] = likely;
  return weights;
}

test.each([true, false])('cross-entropy: what many unlikely tokens weigh together is kept, software: %s', (software) =>
  withTraits({ software }, async () => {
    // The second is no multiple of 4: its logits are read one by one.
    for (const vocab of [49_152, 49_153]) {
      for (const likely of [10, 14, 16]) {
        const weights = oneLikely(vocab, likely);
        let rest = 0;
        for (let v = 0; v < vocab; v++) rest += v === 1 ? 0 : Math.exp(weights[2 * v]! - likely);
        const tokens = 9;
        const inputs = [
          { data: new Float32Array(2 * tokens).fill(1), shape: [tokens, 2] },
          { data: weights, shape: [vocab, 2] },
          intValues([...Array(tokens).keys()], [tokens]),
          intValues(Array(tokens).fill(1), [tokens]),
        ];
        const op: Op = (hidden, weight, rows, targets) => [
          linearCrossEntropy(hidden!, denseWeight(weight!), rows!, targets!, {
            scale: 1 / tokens,
            withGradient: false,
          }),
        ];
        const [loss] = await runOn('webgpu', op, inputs);
        // Twice the last digit of a logit of 16. Added one after the other, the loss of 0.04 at 14 would be 1e-4 too small.
        expect(Math.abs(loss![0]! - Math.log1p(rest)), `${vocab} tokens, ${likely}`).toBeLessThan(4e-6);
      }
    }
  }),
);

test('cross-entropy: no targets at all give a loss of 0 and a zero gradient, even in recycled buffers', async () => {
  const { op, inputs } = crossEntropyCase({ tokens: 8, width: 8, vocab: 16 });
  const one = [{ data: Float32Array.of(1), shape: [] }];
  const none = [inputs[0]!, inputs[1]!, intValues(Array(8).fill(-1), [8]), intValues(Array(8).fill(-1), [8])];
  for (let i = 0; i < 2; i++) {
    const [used] = await gradientsOn('webgpu', op, inputs, [0], one);
    expect(used!.every((v) => v !== 0)).toBe(true);
    const [d] = await gradientsOn('webgpu', op, none, [0], one);
    expect(d!.every((v) => v === 0)).toBe(true);
    expect((await runOn('webgpu', op, none))[0]![0]).toBe(0);
  }
});

test('cross-entropy: handles more values than one dimension of workgroups covers', async () => {
  // 2,100 · 2,048 threads gather the rows: 67,200 workgroups of 64, above the 65,535 of one dimension.
  const { op, inputs } = crossEntropyCase({ tokens: 2100, width: 2048, vocab: 2, size: 0.02 });
  await expectSameOnGpu(op, inputs, { rtol: 1e-5 });
});

test.each([true, false])('cross-entropy: NaN and infinity reach the loss, software adapter: %s', (software) =>
  withTraits({ software }, async () => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { op, inputs } = crossEntropyCase({ tokens: 4, width: 4, vocab: 70 });
      inputs[0]!.data[5] = odd;
      const [loss] = await runOn('webgpu', op, inputs);
      expect(Number.isFinite(loss![0]), String(odd)).toBe(false);
    }
    // A soft cap makes an infinite logit finite, as in torch; NaN stays.
    const { op, inputs } = crossEntropyCase({ tokens: 4, width: 4, vocab: 70, softcap: 30 });
    inputs[0]!.data[5] = Number.NaN;
    expect((await runOn('webgpu', op, inputs))[0]![0]).toBeNaN();
  }),
);

test('cross-entropy: inputs of the wrong shape are named', () =>
  withBackend('webgpu', () => {
    tf.tidy(() => {
      const weight = denseWeight(tf.zeros([4, 3]));
      const rows = tf.zeros([2], 'int32');
      const options = { scale: 1, withGradient: false };
      expect(() => linearCrossEntropy(tf.zeros([2, 3]), weight, rows, tf.zeros([3], 'int32'), options)).toThrow(
        'rows [2], targets [3]',
      );
      const bias = tf.zeros([3]);
      expect(() => linearCrossEntropy(tf.zeros([2, 3]), weight, rows, rows, { ...options, bias })).toThrow('bias [4]');
    });
  }));
