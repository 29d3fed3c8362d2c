/** Rotary positions on the way into a cache (kernels/attention/rotary-store.ts) beside the two kernels that it replaces. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { rotary, rotaryTables } from '../../src/engine/kernels/attention/rotary';
import { storeRotated } from '../../src/engine/kernels/attention/rotary-store';
import { storeRows } from '../../src/engine/kernels/moves/store-rows';
import { readFloats } from '../../src/engine/webgpu/backend';
import { type BackendName, expectClose, randomTensor, withBackend } from '../kernel-helpers';

export function rotaryStoreParity(backend: BackendName): void {
  // Quads and single values, whole heads and parts of them.
  test.each([
    { headDim: 8, pairs: 4 },
    { headDim: 16, pairs: 4 },
    { headDim: 6, pairs: 3 },
    { headDim: 10, pairs: 2 },
  ])(`${backend}: rotated keys and values go to their places: %o`, ({ headDim, pairs }) =>
    withBackend(backend, async () => {
      const [heads, kvHeads, length, capacity] = [4, 2, 3, 5];
      const ints = (values: number[], shape: number[]) => tf.tensor(values, shape, 'int32');
      // Two texts of three tokens; the second has one token, padding, and a token beyond the cache. The tables end before place 4.
      const positions = ints([1, 2, 4, 0, 1, 7], [6]);
      const visible = ints([0, 2, 0, 3, 0, 5, 0, 1, 0, 0, 0, 5], [6, 2]);
      const into = ints([0, 0, 1, 1], [2, 2]);
      const { cos, sin } = rotaryTables(
        4,
        Float32Array.from({ length: pairs }, (_, i) => 1 / (1 + i)),
      );
      const [q, k, v] = [heads, kvHeads, kvHeads].map((n, i) => randomTensor([6, n * headDim], 1 + i)) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      const cache = () => ({
        keys: randomTensor([2 * capacity, kvHeads * headDim], 8),
        values: randomTensor([2 * capacity, kvHeads * headDim], 9),
      });
      const [apart, together] = [cache(), cache()];
      const [queries, rotated] = rotary(q, k, { cos, sin, positions, headDim });
      storeRows({ k: rotated, v, positions, visible, into }, apart, { length, capacity });
      const wanted = await Promise.all([queries, apart.keys, apart.values].map((t) => readFloats(t)));
      const size = { cos, sin, headDim, length, capacity };
      storeRotated({ q, k, v, positions, visible }, together, size);
      const stored = await Promise.all([q, together.keys, together.values].map((t) => readFloats(t)));
      for (const [i, name] of ['q', 'keys', 'values'].entries())
        expectClose(stored[i]!, wanted[i]!, { rtol: 1e-6 }, name);
      expect(() => storeRotated({ q, k, v, positions, visible }, together, { ...size, length: 2 })).toThrow(
        'StoreRotated: expected',
      );
      tf.dispose([q, k, v, cos, sin, positions, visible, into, queries, rotated]);
      tf.dispose([...Object.values(apart), ...Object.values(together)]);
    }),
  );
}
