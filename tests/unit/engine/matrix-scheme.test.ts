/** How the subgroups of a workgroup share a tile of 64×64 sums, for the matrices that devices report. */
import { expect, test } from 'vitest';
import { matrixTiles, shareOf } from '../../../src/engine/kernels/products/matrix-scheme';

test.each([
  ['llvmpipe', { m: 8, n: 8, k: 8, lanes: 8 }],
  ['Apple', { m: 8, n: 8, k: 8, lanes: 32 }],
  ['NVIDIA', { m: 16, n: 16, k: 16, lanes: 32 }],
  ['NVIDIA, narrow', { m: 16, n: 8, k: 16, lanes: 32 }],
  ['AMD', { m: 16, n: 16, k: 16, lanes: 64 }],
  ['Intel', { m: 8, n: 16, k: 16, lanes: 16 }],
])('%s: every sum has one subgroup', (_, shape) => {
  const { down, across, beside } = shareOf(shape)!;
  const owners = new Map<string, number>();
  for (let subgroup = 0; subgroup < 256 / shape.lanes; subgroup++) {
    // As the shader computes its place.
    const top = Math.floor(subgroup / beside) * down * shape.m;
    const left = (subgroup % beside) * across * shape.n;
    for (let i = 0; i < down; i++) {
      for (let j = 0; j < across; j++) {
        const at = `${top + i * shape.m},${left + j * shape.n}`;
        owners.set(at, (owners.get(at) ?? 0) + 1);
      }
    }
  }
  expect(owners.size).toBe((64 / shape.m) * (64 / shape.n));
  expect([...owners.values()].every((count) => count === 1)).toBe(true);
  expect([...owners.keys()].every((at) => at.split(',').every((place) => Number(place) < 64))).toBe(true);
  expect(matrixTiles(shape)).toBe(matrixTiles({ ...shape }));
});

test('matrices that subgroups cannot share evenly, or that no tile holds, are not used', () => {
  // Sixteen matrices for 32 subgroups, and more steps than a tile has.
  expect(matrixTiles({ m: 16, n: 16, k: 16, lanes: 8 })).toBeNull();
  expect(matrixTiles({ m: 8, n: 8, k: 32, lanes: 32 })).toBeNull();
});
