import { expect, test } from 'vitest';
import { chunkRows } from '../../../src/engine/kernels/losses/logit-chunks';
import { logitsBytesOf } from '../../../src/engine/webgpu/adapter';
import { checkGradient, gradientsOn, intValues, runOn } from '../../kernel-helpers';
import { crossEntropyCase } from '../../parity/products';

/** Logits 0 and ln 3 for hidden state 1: probabilities 1/4 and 3/4. */
const byHand = (rows: number[], targets: number[]) => [
  { data: Float32Array.of(1, 0, 1), shape: [3, 1] },
  { data: Float32Array.of(0, Math.log(3)), shape: [2, 1] },
  intValues(rows, [rows.length]),
  intValues(targets, [targets.length]),
];

test('cross-entropy by hand', async () => {
  const { op } = crossEntropyCase({ tokens: 3, width: 1, vocab: 2, scale: 0.5 });
  const [loss] = await runOn('cpu', op, byHand([2, 1, -1, 0], [1, 0, -1, 0]));
  // −ln 3/4, −ln 1/2 and −ln 1/4, halved
  expect(loss![0]).toBeCloseTo(0.5 * (Math.log(4 / 3) + Math.log(2) + Math.log(4)), 6);
});

test('cross-entropy: the gradient by hand, with zeros for rows without a target', async () => {
  const { op } = crossEntropyCase({ tokens: 3, width: 1, vocab: 2, scale: 0.5 });
  const twice = { data: Float32Array.of(2), shape: [] };
  const [d] = await gradientsOn('cpu', op, byHand([2, -1], [1, -1]), [0], [twice]);
  // dLoss · scale · Σ_v (p_v − [v = target])·w_v = 2 · 0.5 · (3/4 − 1)·ln 3
  expect([...d!]).toEqual([0, 0, expect.closeTo(-0.25 * Math.log(3), 6)]);
});

test.each([
  { tokens: 5, width: 4, vocab: 7 },
  { tokens: 9, width: 3, vocab: 11, skipEvery: 3, padding: 4, scale: 2 },
  { tokens: 4, width: 6, vocab: 5, format: 'bf16' as const },
  { tokens: 5, width: 4, vocab: 7, bias: true },
  { tokens: 6, width: 5, vocab: 9, bias: true, softcap: 1.5, skipEvery: 4, padding: 1 },
  { tokens: 5, width: 3, vocab: 7, trains: true },
  { tokens: 6, width: 3, vocab: 9, bias: true, trains: true, smoothing: 0.2, padding: 2 },
  { tokens: 6, width: 4, vocab: 5, bias: true, trains: true, softcap: 1.5, smoothing: 0.4, skipEvery: 3 },
])('cross-entropy: gradients match finite differences, %o', async (c) => {
  const { op, inputs, wanted } = crossEntropyCase(c);
  await checkGradient(op, inputs, wanted);
});

test('cross-entropy: label smoothing by hand', async () => {
  const { op } = crossEntropyCase({ tokens: 3, width: 1, vocab: 2, scale: 0.5, smoothing: 0.1 });
  const [loss] = await runOn('cpu', op, byHand([2, -1], [1, -1]));
  // 90 % of −ln 3/4, and 5 % each of −ln 1/4 and −ln 3/4, halved; the padded row adds nothing
  expect(loss![0]).toBeCloseTo(0.5 * (0.95 * Math.log(4 / 3) + 0.05 * Math.log(4)), 6);
});

test('cross-entropy: gradients of weight and bias by hand', async () => {
  const { op } = crossEntropyCase({ tokens: 3, width: 1, vocab: 2, scale: 0.5, bias: true, trains: true });
  const inputs = [...byHand([2, -1, 1], [1, -1, 0]), { data: new Float32Array(2), shape: [2] }];
  const [dWeight, dBias] = await gradientsOn('cpu', op, inputs, [1, 4], [{ data: Float32Array.of(2), shape: [] }]);
  // Row 2 (hidden state 1): p − t = ±1/4; row 1 (hidden state 0): ±1/2, which does not reach the weight.
  expect([...dWeight!]).toEqual([expect.closeTo(0.25, 6), expect.closeTo(-0.25, 6)]);
  expect([...dBias!]).toEqual([expect.closeTo(0.25 - 0.5, 6), expect.closeTo(0.5 - 0.25, 6)]);
});

test('cross-entropy: a weight that is not declared as trained, or cannot be, has no gradient', async () => {
  const one = [{ data: Float32Array.of(1), shape: [] }];
  const silent = crossEntropyCase({ tokens: 3, width: 2, vocab: 4 });
  await expect(gradientsOn('cpu', silent.op, silent.inputs, [1], one)).rejects.toThrow('trainsWeight');
  const frozen = crossEntropyCase({ tokens: 3, width: 2, vocab: 4, format: 'bf16', trains: true });
  await expect(runOn('cpu', frozen.op, frozen.inputs)).rejects.toThrow('stored as bf16 is frozen');
});

test('cross-entropy: bias and soft cap by hand', async () => {
  const { op } = crossEntropyCase({ tokens: 1, width: 1, vocab: 2, scale: 1, softcap: 2 });
  // Logits 1·0 + 1 and 1·ln 3 − 4, bounded to ±2.
  const bias = { data: Float32Array.of(1, -4), shape: [2] };
  const [first, , ...rest] = byHand([0], [1]);
  const [loss] = await runOn('cpu', op, [
    first!,
    { data: Float32Array.of(0, Math.log(3)), shape: [2, 1] },
    ...rest,
    bias,
  ]);
  const [a, b] = [2 * Math.tanh(0.5), 2 * Math.tanh((Math.log(3) - 4) / 2)];
  expect(loss![0]).toBeCloseTo(Math.log(Math.exp(a) + Math.exp(b)) - b, 6);
});

test('cross-entropy: cannot be differentiated if run without its gradient', async () => {
  const { op, inputs } = crossEntropyCase({ tokens: 3, width: 2, vocab: 4, withGradient: false });
  const [loss] = await runOn('cpu', op, inputs);
  const whole = crossEntropyCase({ tokens: 3, width: 2, vocab: 4 });
  expect(loss).toEqual((await runOn('cpu', whole.op, whole.inputs))[0]);
  await expect(gradientsOn('cpu', op, inputs, [0], [{ data: Float32Array.of(1), shape: [] }])).rejects.toThrow(
    'run with withGradient',
  );
});

const MIB = 2 ** 20;

test('cross-entropy: a chunk has as many rows as its bytes hold, in eights, and never none', () => {
  expect(chunkRows(100, [512, 64], 16 * MIB)).toBe(100);
  expect(chunkRows(1e6, [32_000, 64], 16 * MIB)).toBe(128); // 16 MiB / 128,000 B = 131.07
  expect(chunkRows(1e6, [10_000_000, 64], 16 * MIB)).toBe(8);
  expect(chunkRows(3, [10_000_000, 64], 16 * MIB)).toBe(3);
});

test('cross-entropy: a chunk takes no more than 64 billion operations a product', () => {
  // 2 · 49,152 · 576 operations a row: 1,130 rows. 256 MiB would hold 1,365.
  expect(chunkRows(1e6, [49_152, 576], 256 * MIB)).toBe(1128);
  // Llama 3.2 1B: 2 · 128,256 · 2,048 a row
  expect(chunkRows(1e6, [128_256, 2048], 256 * MIB)).toBe(120);
});

test('logits take what the device binds, 256 MiB at most, and 16 MiB without a GPU', () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 2 ** 32 };
  expect(logitsBytesOf(limits, false)).toBe(256 * MIB);
  expect(logitsBytesOf(limits, true)).toBe(16 * MIB);
  expect(logitsBytesOf({ ...limits, maxStorageBufferBindingSize: 128 * MIB }, false)).toBe(128 * MIB);
});
