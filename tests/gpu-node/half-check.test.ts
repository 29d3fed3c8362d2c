/** What a run with training.fp16 begins with: its first batch in f32 and in f16 (run/half.ts). */
import { beforeAll, expect, test } from 'vitest';
import { FP16_LIMITS } from '../../src/base/fp16';
import { compareHalf, withHalf } from '../../src/engine/run/half';
import { adapterTraits } from '../../src/engine/webgpu/adapter';
import { gpuBackend } from '../../src/engine/webgpu/backend';
import { setupGpu, withTraits } from '../kernel-helpers';
import { type TinyOptions, tinyRun } from '../parity/tiny-run';

beforeAll(setupGpu);

/** On a card, products this small are split and stay f32; here they are in tiles. */
const asTiles = <T>(body: () => Promise<T>) => withTraits({ kernels: 'tile' }, body);

const checked = (options: TinyOptions) =>
  asTiles(async () => {
    const run = await tinyRun(options);
    try {
      return await compareHalf(run.setup);
    } finally {
      run.dispose();
    }
  });

test('a healthy model passes: it differs, by less than is allowed', async () => {
  const { used, logits, loss, products } = await checked({});
  expect(products).toBeGreaterThan(0);
  expect(used).toBe(true);
  expect(logits).toBeGreaterThan(0);
  expect(logits).toBeLessThan(FP16_LIMITS.logits);
  expect(loss).toBeGreaterThan(0);
  expect(loss).toBeLessThan(FP16_LIMITS.loss);
  expect(adapterTraits(gpuBackend().device).half).toBe(false);
});

/** Multiplies the tensors of the checkpoint whose names match. */
const times =
  (factor: number, names: RegExp): TinyOptions['change'] =>
  (name, values) => {
    if (names.test(name)) values.set(values.map((value) => factor * value));
  };

test('products too small for tiles are counted as none', async () => {
  const run = await tinyRun({});
  try {
    expect(await compareHalf(run.setup)).toMatchObject({ used: true, products: 0 });
  } finally {
    run.dispose();
  }
});

test('activations that f16 holds no number for are refused', async () => {
  // silu(gate) · up of these is in the millions.
  const change = times(1e4, /(gate|up)_proj\.weight$/);
  expect(await checked({ change })).toMatchObject({ used: false, logits: null, loss: null });
});

test('logits so large that their rounding shows are refused, with the figures', async () => {
  const { used, logits, loss } = await checked({ change: times(1000, /^model\.norm\.weight$/) });
  expect(used).toBe(false);
  expect(logits).toBeGreaterThan(FP16_LIMITS.logits);
  expect(loss).not.toBeNull();
});

test('what was switched on is off again after an error', async () => {
  const failing = withHalf(true, () => Promise.reject(new Error('lost')));
  expect(adapterTraits(gpuBackend().device).half).toBe(true);
  await expect(failing).rejects.toThrow('lost');
  expect(adapterTraits(gpuBackend().device).half).toBe(false);
});
