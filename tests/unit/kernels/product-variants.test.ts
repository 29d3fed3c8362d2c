/** Which products are computed in tiles on a GPU. */
import { beforeAll, expect, test } from 'vitest';
import { defineWebGpuNames } from '../../webgpu-names';

let variants: typeof import('../../../src/engine/kernels/products/variants');
beforeAll(async () => {
  defineWebGpuNames();
  variants = await import('../../../src/engine/kernels/products/variants');
});

const product = (rows: number, columns: number) => ({
  ...{ kind: 'nt' as const, rows, columns, steps: 576, format: 'f32' as const },
  ...{ pieces: 1, inFours: true, products: [] },
});

test.each([256, 1000, 4095, 4096, 49_152, 262_144])(
  'with %i columns, a product has tiles from these rows on',
  (columns) => {
    const rows = variants.rowsOfTiles(columns);
    expect(variants.usualFamily(product(rows, columns))).toBe('tile');
    // Of a smaller one, the last row of tiles is missing; less than one row of tiles there is not.
    if (rows > 64) expect(variants.usualFamily(product(rows - 64, columns))).toBe('split');
  },
);
