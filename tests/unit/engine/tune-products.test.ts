/** The choice among schemes, from made-up times. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Family } from '../../../src/base/kernels';
import { classKey, type ProductClass, workOf } from '../../../src/base/product-class';
import { defineWebGpuNames } from '../../webgpu-names';

// tfjs's backend needs WebGPU's names when it is loaded.
let engine: typeof import('../../../src/engine/run/tune-products');
let variants: typeof import('../../../src/engine/kernels/products/variants');
let rehearsal: typeof import('../../../src/engine/kernels/products/rehearse');
beforeAll(async () => {
  defineWebGpuNames();
  engine = await import('../../../src/engine/run/tune-products');
  variants = await import('../../../src/engine/kernels/products/variants');
  rehearsal = await import('../../../src/engine/kernels/products/rehearse');
});

const shape = (change: Partial<ProductClass> = {}): ProductClass => ({
  ...{ kind: 'nt', rows: 1024, columns: 576, steps: 576, format: 'bf16', inFours: true, pieces: 1, products: [] },
  ...change,
});

describe('the best scheme', () => {
  it('beats the usual one by more than five hundredths, or is not taken', () => {
    expect(engine.bestOf('tile', { tile: 1, split: 0.96 })).toBe('tile');
    // Not less than 0.95 of it.
    expect(engine.bestOf('tile', { tile: 1, split: 0.95 })).toBe('tile');
    expect(engine.bestOf('tile', { tile: 1, split: 0.949 })).toBe('split');
  });

  it('is the fastest of those that do, and the first of equals', () => {
    expect(engine.bestOf('tile', { tile: 1, split: 0.8, register: 0.7, quad: 0.9 })).toBe('register');
    expect(engine.bestOf('tile', { tile: 1, split: 0.7, register: 0.7 })).toBe('register');
  });

  it('is the usual one where it was not timed', () => {
    expect(engine.bestOf('tile', {})).toBe('tile');
    expect(engine.bestOf('tile', { split: 0.1 })).toBe('tile');
  });
});

describe('a class of products', () => {
  it('is shared by widths of batches up to a power of two, and by nothing else that differs', () => {
    expect(classKey(shape({ rows: 700 }))).toBe(classKey(shape({ rows: 1024 })));
    const others: Partial<ProductClass>[] = [
      { rows: 1025 },
      { columns: 580 },
      { steps: 580 },
      { format: 'nf4' },
      { inFours: false },
      { kind: 'nn' },
      { pieces: 2 },
      { products: [[16, 576]] },
    ];
    const keys = [shape(), ...others.map(shape)].map(classKey);
    expect(new Set(keys).size).toBe(keys.length);
    const tn = { kind: 'tn', rows: 0, columns: 0, products: [[16, 576]] } as const;
    expect(classKey(shape({ ...tn, steps: 600 }))).toBe(classKey(shape({ ...tn, steps: 1024 })));
  });

  it('has the schemes that compute it', () => {
    expect(variants.admissible(shape(), true)).toEqual(['register', 'quad', 'tile', 'split']);
    expect(variants.admissible(shape(), false)).toEqual(['register', 'tile', 'split']);
    expect(variants.admissible(shape({ inFours: false }), true)).toEqual(['register', 'tile']);
    // The gradients of weights are in no slices, alone or beside another product.
    expect(variants.admissible(shape({ products: [[16, 576]] }), true)).toEqual(['register', 'quad', 'tile']);
    expect(variants.admissible(shape({ kind: 'tn', products: [[16, 576]] }), true)).toEqual([
      'register',
      'quad',
      'tile',
    ]);
  });

  it('takes what its matrices take', () => {
    // W in bf16, x and y, in float32.
    expect(rehearsal.bytesOf(shape())).toBe(2 * 576 * 576 + 4 * 1024 * (576 + 576));
    const tn = shape({
      kind: 'tn',
      rows: 0,
      columns: 0,
      steps: 10,
      products: [
        [2, 3],
        [4, 5],
      ],
    });
    expect(rehearsal.bytesOf(tn)).toBe(4 * (10 * (2 + 3 + 4 + 5) + 6 + 20));
  });

  it('is timed with fewer rows where it is much work', () => {
    expect(rehearsal.shortened(shape())).toEqual(shape());
    const large = shape({ rows: 4096, columns: 8192, steps: 2048 });
    // 2³² multiplications of 2²⁴ a row.
    expect(rehearsal.shortened(large).rows).toBe(256);
    expect(rehearsal.shortened(shape({ rows: 440, columns: 151_936, steps: 1024 })).rows).toBe(64);
    const tn = shape({ kind: 'tn', rows: 0, columns: 0, steps: 4096, products: [[4096, 4096]] });
    expect(rehearsal.shortened(tn).steps).toBe(256);
  });
});

describe('the tuner', () => {
  const seen = [shape({ rows: 128 }), shape({ rows: 1024 }), shape({ rows: 64 })].map((one) => ({
    shape: one,
    count: 1,
  }));
  const [medium, large, small] = seen.map((one) => classKey(one.shape)) as [string, string, string];

  function timer(times: Partial<Record<Family, number>> = { tile: 2, split: 2, register: 1 }) {
    const asked: { key: string; families: Family[] }[] = [];
    const time = async (product: ProductClass, families: Family[]) => {
      asked.push({ key: classKey(product), families });
      return times;
    };
    return { asked, time };
  }

  it('times the most work first, the usual scheme first, and each class once', async () => {
    const { asked, time } = timer();
    const often = { shape: shape({ rows: 60 }), count: 100 };
    const found = await engine.tuneProducts([...seen, often], {}, { time, subgroups: false });
    expect(asked.map(({ key }) => key)).toEqual([small, large, medium]);
    // Nine tiles and 144 of them: only the latter give a GPU enough to do.
    expect(asked.map(({ families }) => families)).toEqual([
      ['split', 'register', 'tile'],
      ['tile', 'register', 'split'],
      ['split', 'register', 'tile'],
    ]);
    expect(found[large]).toEqual({
      shape: seen[1]!.shape,
      usual: 'tile',
      chosen: 'register',
      ms: { tile: 2, split: 2, register: 1 },
    });
    expect(workOf(often.shape) * 100).toBeGreaterThan(workOf(seen[1]!.shape));
  });

  it('leaves out what is known', async () => {
    const { asked, time } = timer();
    const known = await engine.tuneProducts(seen.slice(0, 1), {}, { time, subgroups: false });
    const found = await engine.tuneProducts(seen, known, { time, subgroups: false });
    expect(asked.map(({ key }) => key)).toEqual([medium, large, small]);
    expect(Object.keys(found)).toEqual([large, small]);
  });

  it('keeps the usual scheme of what it has no time left for', async () => {
    const { asked, time } = timer();
    let now = 0;
    const found = await engine.tuneProducts(seen, {}, { time, subgroups: false, budgetMs: 2, now: () => now++ });
    // The budget ends at 2: one is begun at 1.
    expect(asked.map(({ key }) => key)).toEqual([large]);
    expect(found[small]).toEqual({ shape: seen[2]!.shape, usual: 'split', chosen: 'split', ms: {} });
    expect(Object.keys(found)).toHaveLength(3);
  });

  it('gives nothing of a class in whose midst it is stopped, nor of later ones', async () => {
    const shares: number[] = [];
    let calls = 0;
    const time = async () => (++calls === 2 ? null : { tile: 1 });
    const onProgress = (share: number) => shares.push(share);
    const found = await engine.tuneProducts(seen, {}, { time, subgroups: false, onProgress });
    expect(Object.keys(found)).toEqual([large]);
    expect(shares).toEqual([0, 1 / 3]);
    expect(await engine.tuneProducts(seen, {}, { time, subgroups: false, stopped: () => true })).toEqual({});
  });
});
