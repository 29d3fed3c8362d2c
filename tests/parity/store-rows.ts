/** Keys and values on their way into a cache (kernels/moves/store-rows.ts), by hand; one body for both backends. */
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { storeRows } from '../../src/engine/kernels/moves/store-rows';
import { readFloats } from '../../src/engine/webgpu/backend';
import { type BackendName, withBackend } from '../kernel-helpers';

export function storeRowsParity(backend: BackendName): void {
  // Four columns go as one vec4, three one by one.
  test.each([3, 4])(`${backend}: tokens go to the places that their positions name, %i columns`, (width) =>
    withBackend(backend, async () => {
      const rows = (values: number[]) =>
        tf.tensor(
          values.flatMap((v) => Array(width).fill(v)),
          [values.length, width],
        );
      const ints = (values: number[], shape: number[]) => tf.tensor(values, shape, 'int32');
      // Two texts of three tokens; the second has one token and padding. Four rows of the cache, of four places each.
      const k = rows([1, 2, 3, 4, 5, 6]);
      const v = rows([10, 20, 30, 40, 50, 60]);
      const positions = ints([0, 1, 2, 3, 1, 2], [6]);
      const visible = ints([0, 1, 0, 2, 1, 3, 0, 4, 0, 0, 2, 2], [6, 2]);
      const into = ints([0, 3, 1, 1, 0, 0], [3, 2]);
      const keys = rows(Array(16).fill(7));
      const values = rows(Array(16).fill(70));
      storeRows({ k, v, positions, visible, into }, { keys, values }, { length: 3, capacity: 4 });
      const wanted = [1, 2, 3, 7, 7, 7, 7, 4, 7, 7, 7, 7, 1, 2, 3, 7];
      const columns = (tensor: tf.Tensor) =>
        readFloats(tensor).then((all) => Array.from(all).filter((_, i) => i % width === width - 1));
      expect(await columns(keys)).toEqual(wanted);
      expect(await columns(values)).toEqual(wanted.map((x) => 10 * x));
      expect(() => storeRows({ k, v, positions, visible, into }, { keys, values }, { length: 4, capacity: 4 })).toThrow(
        'StoreRows: expected',
      );
      tf.dispose([k, v, positions, visible, into, keys, values]);
    }),
  );
}
