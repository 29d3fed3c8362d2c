/** Products that are timed on this device as on a card, and computed with what was chosen. */
import { expect, test } from 'vitest';
import type { Family } from '../../../src/base/kernels';
import { classKey, type SeenProducts } from '../../../src/base/product-class';
import { admissible, ntVariant, watchProducts } from '../../../src/engine/kernels/products/variants';
import { timeOnGpu, tuneProducts } from '../../../src/engine/run/tune-products';
import { counters, flush, gpuBackend } from '../../../src/engine/webgpu/backend';
import { clockOf } from '../../../src/engine/webgpu/gpu-clock';
import {
  expectClose,
  expectSameOnGpu,
  gradientsOn,
  type Op,
  randomValues,
  runOn,
  withTraits,
} from '../../kernel-helpers';
import { linearCase, loraCase } from '../../parity/products';

const onCard = <T>(body: () => Promise<T>) => withTraits({ software: false, kernels: 'auto' }, body);

/** A trained layer, whose two gradients are one dispatch; and LoRA on a frozen one, whose products have several kinds. */
const cases = () => [
  { ...linearCase({ m: 66, k: 100, n: 72 }), wanted: [0, 1] },
  loraCase({ m: 66, k: 64, n: 40, rank: 8, scale: 2, format: 'bf16' }),
];
const probes = () => [[randomValues([66, 72], 11)], [randomValues([66, 40], 12)]];

/** What the cases compute, forward and back, on the GPU. */
async function computed() {
  const results: Float32Array[] = [];
  const before = counters.dispatches;
  for (const [i, { op, inputs, wanted }] of cases().entries()) {
    results.push(...(await runOn('webgpu', op, inputs)));
    results.push(...(await gradientsOn('webgpu', op as Op, inputs, wanted, probes()[i]!)));
  }
  flush(gpuBackend());
  return { results, dispatches: counters.dispatches - before };
}

async function seenBy(work: () => Promise<unknown>): Promise<SeenProducts[]> {
  const seen = new Map<string, SeenProducts>();
  watchProducts((shape) => void seen.set(classKey(shape), { shape, count: 1 }));
  try {
    await work();
  } finally {
    watchProducts(null);
  }
  return [...seen.values()];
}

test('every class that work needs is timed with every scheme, and the results are right with each of them', () =>
  onCard(async () => {
    let usual: Awaited<ReturnType<typeof computed>> | undefined;
    const seen = await seenBy(async () => {
      usual = await computed();
    });
    const kinds = seen.map(({ shape: { kind, products } }) => `${kind} ${products.length}`);
    // Forward: x·Wᵀ twice and x·Aᵀ. Backward: dy·B, dy·W beside dW, dy·W + dh·A beside dA and dB.
    expect(new Set(kinds)).toEqual(new Set(['nt 0', 'nn 0', 'nn 1', 'nn 2']));

    const subgroups = gpuBackend().device.features.has('subgroups');
    const found = await tuneProducts(seen, {}, { time: timeOnGpu, subgroups, budgetMs: Infinity });
    expect(Object.keys(found).sort()).toEqual(seen.map(({ shape }) => classKey(shape)).sort());
    for (const { shape, ms, chosen } of Object.values(found)) {
      expect(Object.keys(ms).sort()).toEqual(admissible(shape, subgroups).sort());
      for (const time of Object.values(ms)) expect(time).toBeGreaterThan(0);
      expect(ms[chosen]).toBeDefined();
    }

    const computedWith = (chosen: Record<string, Family>) => withTraits({ software: false, chosen }, computed);
    const timed = Object.fromEntries(Object.entries(found).map(([key, { chosen }]) => [key, chosen]));
    for (const family of ['register', 'quad', 'split'] as const) {
      const chosen: Record<string, Family> = Object.fromEntries(
        seen.map(({ shape }) => [
          classKey(shape),
          (admissible(shape, subgroups).includes(family) ? family : 'tile') satisfies Family as Family,
        ]),
      );
      const { results, dispatches } = await computedWith(chosen);
      for (const [i, values] of results.entries()) {
        expectClose(values, usual!.results[i]!, { rtol: 5e-6 }, `${family}, ${i}`);
      }
      // What is beside another product is still in its dispatch.
      expect(dispatches, family).toBe(usual!.dispatches);
    }
    const once = await computedWith(timed);
    expect((await computedWith(timed)).results).toEqual(once.results);
    await withTraits({ software: false, chosen: timed }, async () => {
      for (const { op, inputs, wanted } of cases()) await expectSameOnGpu(op, inputs, { wanted, rtol: 5e-6 });
    });
  }));

test('a choice that the device does not have is not taken', () =>
  onCard(async () => {
    const sizes = { rows: 66, columns: 72, steps: 100, format: 'bf16' as const, quads: true, inFours: true };
    const [{ shape }] = (await seenBy(async () => ntVariant(gpuBackend(), sizes))) as [SeenProducts];
    const familyWith = (subgroups: boolean) =>
      withTraits(
        { software: false, subgroups, chosen: { [classKey(shape)]: 'quad' } },
        async () => ntVariant(gpuBackend(), sizes).scheme.family,
      );
    expect(await familyWith(true)).toBe('quad');
    expect(await familyWith(false)).toBe('split');
  }));

test('the page’s clock takes the place of the GPU’s, and a stop ends the timing', () =>
  onCard(async () => {
    const shape = { kind: 'tn', rows: 0, columns: 0, steps: 34, format: 'f32', inFours: true, pieces: 1 } as const;
    const product = { ...shape, products: [[8, 12]] as [number, number][] };
    expect(clockOf(gpuBackend())).toBe(gpuBackend().device.features.has('timestamp-query') ? 'gpu' : 'page');
    const ms = await timeOnGpu(product, ['tile', 'register'], () => false, 'page');
    expect(Object.keys(ms!)).toEqual(['tile', 'register']);
    for (const time of Object.values(ms!)) expect(time).toBeGreaterThan(0);
    expect(await timeOnGpu(product, ['tile'], () => true)).toBeNull();
  }));
