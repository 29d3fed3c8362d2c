import * as tf from '@tensorflow/tfjs-core';
import { expect, test, vi } from 'vitest';
import { chunkRows } from '../../../src/engine/kernels/losses/logit-chunks';
import { tokenLogProbs } from '../../../src/engine/kernels/losses/token-log-probs';
import { valueAndGradients } from '../../../src/engine/kernels/tape';
import { flush, forgetGpuPeak, gpuBackend, gpuBytes } from '../../../src/engine/webgpu/backend';
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
  tensorOf,
  withBackend,
  withTraits,
} from '../../kernel-helpers';
import { storedWeights } from '../../parity/blocks';
import { type LogProbCase, logProbCase, logProbParity } from '../../parity/log-probs';

logProbParity('webgpu');

const CASES: LogProbCase[] = [
  { tokens: 1, width: 1, vocab: 1 },
  { tokens: 1, width: 13, vocab: 5, temperature: 0.7 },
  { tokens: 7, width: 13, vocab: 11, skipEvery: 3, padding: 5 },
  { tokens: 24, width: 12, vocab: 64, skipEvery: 4, padding: 6, temperature: 1.4 },
  { tokens: 33, width: 20, vocab: 257, skipEvery: 2, padding: 1 },
  { tokens: 130, width: 64, vocab: 96, padding: 14 },
  { tokens: 20, width: 16, vocab: 100, size: 40 }, // logits in the hundreds
  { tokens: 9, width: 12, vocab: 37, bias: true, skipEvery: 3, padding: 2 },
  { tokens: 20, width: 16, vocab: 100, size: 40, bias: true, softcap: 30, temperature: 0.9 },
  { tokens: 7, width: 5, vocab: 70, softcap: 2 },
  { tokens: 7, width: 13, vocab: 11, skipEvery: 3, padding: 5, trains: true, temperature: 0.5 },
  { tokens: 24, width: 12, vocab: 64, trains: true, bias: true, padding: 3 },
  { tokens: 9, width: 5, vocab: 130, trains: true, bias: true, softcap: 2, temperature: 1.2 },
  // On a GPU, 256 threads share a row, and the gradient of hidden is the sum of two and of four pieces.
  { tokens: 7, width: 6, vocab: 2051, skipEvery: 3, padding: 2, temperature: 0.8 },
  { tokens: 12, width: 12, vocab: 4100, trains: true, bias: true, softcap: 3, padding: 3 },
];

const rtol = 1e-5;

const same = async (c: LogProbCase, tolerance = rtol) => {
  const { op, inputs, wanted } = logProbCase(c);
  const probes = [randomValues(inputs[2]!.shape, 5)];
  await expectSameOnGpu(op, inputs, { wanted, probes, rtol: tolerance });
  const both = logProbCase({ ...c, withEntropy: true });
  const [logProbs, entropy] = await runOn('webgpu', both.op, both.inputs);
  const expected = await runOn('cpu', both.op, both.inputs);
  expectClose(logProbs!, expected[0]!, { rtol: tolerance }, 'log-probabilities');
  // Near 0 where one token has nearly all: what large logits lose counts in nats, not as a share of it.
  expectClose(entropy!, expected[1]!, { rtol: tolerance, atol: 1e-5 }, 'entropies');
};

// A thread a row on a CPU, a workgroup a row on a GPU.
test.each([true, false])('log-probabilities as the reference, software adapter: %s', (software) =>
  withTraits({ software }, async () => {
    for (const c of CASES) await same(c);
    for (const c of CASES.slice(2, 5)) await same({ ...c, format: 'bf16' });
  }),
);

test.each([true, false])('log-probabilities over every stored format, software adapter: %s', (software) =>
  withTraits({ software }, async () => {
    for (const { format, shape, stored } of await storedWeights()) {
      const [vocab, width] = shape;
      const c = { weight: stored, format, tokens: 7, width, vocab, padding: 2, skipEvery: 3, size: 0.1 };
      // Logits of these weights reach thousands: without a temperature one token would have all.
      await same({ ...c, bias: true, temperature: 100 }, 2e-5);
    }
  }),
);

// The larger one's gradient of hidden is in pieces on a GPU.
test.each([37, 5001])(
  'log-probabilities over a weight in two parts are those over the whole, %i tokens',
  async (vocab) => {
    const c: LogProbCase = { tokens: 9, width: 12, vocab, padding: 2, temperature: 0.8, withEntropy: true };
    const { op, inputs } = logProbCase(c);
    const parted: Op = (hidden, weight, rows, targets) => {
      const parts = [tf.slice(weight!, [0, 0], [20, 12]), tf.slice(weight!, [20, 0], [vocab - 20, 12])];
      const whole = {
        parts: parts.map((t) => ({ tensor: t, rows: t.shape[0]! })),
        format: 'f32' as const,
        shape: [vocab, 12],
      };
      const options = { temperature: c.temperature, withEntropy: true };
      const { logProbs, entropy } = tokenLogProbs(hidden!, whole, rows!, targets!, options);
      return [logProbs, entropy!];
    };
    const dy = [randomValues(inputs[2]!.shape, 5), null];
    for (const software of [true, false]) {
      const all = (of: Op) =>
        withTraits({ software }, async () => [
          ...(await runOn('webgpu', of, inputs)),
          ...(await gradientsOn('webgpu', of, inputs, [0], dy)),
        ]);
      const expected = await all(op);
      for (const [i, values] of (await all(parted)).entries()) expectClose(values, expected[i]!, { rtol: 1e-6 });
    }
  },
);

const CHUNK_BYTES = 16 * 2 ** 20;

/** 16 MiB hold 32 rows of this vocabulary: the 57 rows below are two chunks, of 32 and 25. */
const WIDE: LogProbCase = { tokens: 60, width: 2, vocab: 131_072, skipEvery: 20, temperature: 1.25 };

/** A sixteenth of both, which the reference has done in seconds. */
const NARROWER = { ...WIDE, vocab: WIDE.vocab / 16 };
const NARROWER_BYTES = CHUNK_BYTES / 16;

test('log-probabilities over several chunks as the reference, and the same bytes every time', async () => {
  const { op, inputs, wanted } = logProbCase({ ...NARROWER, bias: true, trains: true, withEntropy: true });
  const rows = inputs[2]!.data.length;
  expect([rows, chunkRows(rows, [NARROWER.vocab, WIDE.width], NARROWER_BYTES)]).toEqual([57, 32]);
  const dy = [randomValues([rows], 5), null];
  const outputs = await runOn('cpu', op, inputs);
  const gradients = await gradientsOn('cpu', op, inputs, wanted, dy);
  for (const software of [true, false]) {
    await withTraits({ software, logitsBytes: NARROWER_BYTES }, async () => {
      const actual = await runOn('webgpu', op, inputs);
      for (const [i, values] of actual.entries()) expectClose(values, outputs[i]!, { rtol: 1e-4 }, `output ${i}`);
      // 8,192 addends one after the other in f32 lose a few digits, in a row's sum of exponentials too.
      const grads = await gradientsOn('webgpu', op, inputs, wanted, dy);
      for (const [i, gradient] of grads.entries()) {
        expectClose(gradient, gradients[i]!, { rtol: i === 0 ? 5e-4 : 1e-4 }, `gradient to input ${wanted[i]}`);
      }
      expect(await runOn('webgpu', op, inputs)).toEqual(actual);
      expect(await gradientsOn('webgpu', op, inputs, wanted, dy)).toEqual(grads);
    });
  }
});

test('log-probabilities hold one chunk of logits in either pass, not all of them', () =>
  withTraits({ logitsBytes: CHUNK_BYTES }, () =>
    withBackend('webgpu', async () => {
      const { op, inputs } = logProbCase({ ...WIDE, tokens: 200, withEntropy: true });
      const given = inputs.map(tensorOf);
      for (const t of given) gpuBackend().uploadToGPU(t.dataId);
      flush(gpuBackend());
      trimPool();
      const before = gpuBytes().allocated;
      forgetGpuPeak();
      const buffers = vi.spyOn(gpuBackend().bufferManager, 'acquireBuffer');
      const { value, grads } = valueAndGradients(() => {
        const logProbs = op(...given)[0]!;
        flush(gpuBackend());
        return tf.sum(logProbs);
      }, [given[0]!]);
      await grads[0]!.data();
      const sizes = buffers.mock.calls.map(([size]) => size);
      buffers.mockRestore();
      const rows = inputs[2]!.shape[0]!;
      expect(rows * WIDE.vocab * 4).toBeGreaterThan(5 * CHUNK_BYTES);
      // Once in the forward pass, once in the backward pass, where the same buffer comes back.
      expect(sizes.filter((size) => size >= CHUNK_BYTES)).toEqual([CHUNK_BYTES, CHUNK_BYTES]);
      expect(gpuBytes().peak - before).toBeLessThan(1.1 * CHUNK_BYTES);
      tf.dispose([...given, value, ...grads]);
      trimPool();
    }),
  ));

test('log-probabilities: gradients against finite differences', async () => {
  for (const c of [
    { tokens: 5, width: 4, vocab: 7 },
    { tokens: 9, width: 12, vocab: 11, skipEvery: 3, padding: 4, temperature: 0.8, format: 'bf16' as const },
    { tokens: 5, width: 4, vocab: 9, bias: true, softcap: 1.5, trains: true, temperature: 1.3 },
  ]) {
    const { op, inputs, wanted } = logProbCase(c);
    await checkGradient(op, inputs, wanted, { backend: 'webgpu' });
  }
});

test('no target at all gives zeros, and gradients of zeros, in recycled buffers too', async () => {
  const { op, inputs, wanted } = logProbCase({ tokens: 8, width: 8, vocab: 16, trains: true, withEntropy: true });
  const dy = [randomValues([8], 5), null];
  const none = [inputs[0]!, inputs[1]!, intValues(Array(8).fill(-1), [8]), intValues(Array(8).fill(-1), [8])];
  for (let i = 0; i < 2; i++) {
    for (const used of await gradientsOn('webgpu', op, inputs, wanted, dy))
      expect(used.every((v) => v !== 0)).toBe(true);
    const zeros = [...(await gradientsOn('webgpu', op, none, wanted, dy)), ...(await runOn('webgpu', op, none))];
    for (const values of zeros) expect(values.every((v) => v === 0)).toBe(true);
  }
});

test.each([true, false])(
  'NaN and infinity reach the log-probability of their row alone, software adapter: %s',
  (software) =>
    withTraits({ software }, async () => {
      for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const { op, inputs } = logProbCase({ tokens: 4, width: 4, vocab: 70, padding: 1, withEntropy: true });
        inputs[0]!.data[5] = odd;
        for (const values of await runOn('webgpu', op, inputs)) {
          const rows = [...inputs[2]!.data];
          expect([...values].map(Number.isFinite), String(odd)).toEqual(rows.map((row) => row !== 1));
        }
      }
    }),
);
