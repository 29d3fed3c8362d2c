/** Gradients that are written to their places in a flat tensor, against those that are tensors of their own. */
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { GradientPlace } from '../../src/engine/kernels/kernel';
import { linearCrossEntropy } from '../../src/engine/kernels/losses/cross-entropy';
import { tokenLogProbs } from '../../src/engine/kernels/losses/token-log-probs';
import { embedding } from '../../src/engine/kernels/moves/embedding';
import { rmsNorm } from '../../src/engine/kernels/norms/rms-norm';
import { linear } from '../../src/engine/kernels/products/linear';
import { linears } from '../../src/engine/kernels/products/linears';
import { loraLinear } from '../../src/engine/kernels/products/lora-linear';
import { denseWeight } from '../../src/engine/kernels/products/weight';
import { valueAndGradients, valueAndPlacedGradients } from '../../src/engine/kernels/tape';
import { readFloats } from '../../src/engine/webgpu/backend';
import { type BackendName, expectClose, randomTensor, withBackend } from '../kernel-helpers';

export interface PlacedCase {
  m: number;
  d: number;
  n: number;
  r: number;
  /** Values before the first place: places that do not begin at a quad are written value by value. */
  before: number;
  /** LoRA's own input, as with dropout. */
  branch?: boolean;
  /** LoRA's layer has another beside it, in one product. */
  joined?: boolean;
}

export const PLACED_CASES: PlacedCase[] = [
  { m: 5, d: 8, n: 12, r: 4, before: 0 },
  { m: 5, d: 8, n: 12, r: 4, before: 3 },
  { m: 7, d: 6, n: 5, r: 3, before: 1 },
  { m: 6, d: 12, n: 6, r: 4, before: 4, branch: true },
  { m: 5, d: 8, n: 12, r: 4, before: 0, joined: true },
  { m: 7, d: 6, n: 5, r: 3, before: 1, joined: true },
];

const vocab = 9;

export const checkPlaced = (name: BackendName, { m, d, n, r, before, branch, joined }: PlacedCase) =>
  withBackend(name, async () => {
    const shapes = [[n, d], [r, n], [n, r], [vocab, d], [d], [n, n], [n, n], [2, n], [n, 2]];
    const params = shapes.map((shape, i) => tf.keep(randomTensor(shape, 60 + i, 0.5)));
    const [w, a, b, table, norm, twice, frozen, a2, b2] = params as [tf.Tensor, ...tf.Tensor[]] &
      Record<1 | 2 | 3 | 4 | 5 | 6 | 7 | 8, tf.Tensor>;
    const placed = [w, a, b, ...(joined ? [a2, b2] : []), table, twice];
    const learned = [...placed, norm];
    // Some rows are read by several tokens, some by none.
    const ids = tf.keep(
      tf.tensor1d(
        Array.from({ length: m }, (_, i) => (i * i) % vocab),
        'int32',
      ),
    );
    const size = learned.reduce((sum, { size }) => sum + size, before);
    // What a step leaves behind is overwritten, even infinities.
    const flat = tf.keep(tf.fill([size], Number.POSITIVE_INFINITY));
    const places = (add: boolean) => {
      let offset = before;
      return new Map(
        learned.map((tensor) => {
          const place: GradientPlace = { flat, offset, add };
          offset += tensor.size;
          return [tensor, place] as const;
        }),
      );
    };
    const loss = (x: tf.Tensor) => () => {
      const module = (weight: tf.Tensor) => ({ path: 'test', weight: denseWeight(weight), bias: null });
      const first = linear(module(w), rmsNorm(x, norm, 1e-5));
      const xl = branch ? tf.mul(first, 0.5) : undefined;
      const lora = { a, b, scale: 0.7 };
      const second = joined
        ? tf.addN(linears([module(frozen), module(frozen)], first, { loras: [lora, { a: a2, b: b2, scale: 1.2 }] }))
        : loraLinear(module(frozen), first, { ...lora, xl });
      const third = linear(module(twice), linear(module(twice), second));
      // A tied table: what it gives as an embedding, the last to be made, is added to what it gives as an output projection.
      const tied = linear(module(table), embedding(ids, denseWeight(table)));
      return tf.add(tf.sum(tf.square(third)), tf.sum(tf.square(tied))) as tf.Scalar;
    };
    const sums: Float32Array[] = learned.map(({ size }) => new Float32Array(size));
    for (const pass of [0, 1]) {
      const x = randomTensor([m, d], 70 + pass);
      const own = valueAndGradients(loss(x), learned);
      for (const [i, grad] of own.grads.entries()) {
        for (const [j, value] of (await readFloats(grad)).entries()) sums[i]![j]! += value;
      }
      const { value, grads } = valueAndPlacedGradients(loss(x), learned, places(pass > 0));
      expect(await readFloats(value)).toEqual(await readFloats(own.value));
      // A norm's weight has no kernel that places it.
      expect(grads.map((grad) => grad !== undefined)).toEqual(learned.map((_, i) => i >= placed.length));
      tf.dispose([x, value, own.value, ...own.grads, ...grads.filter((grad) => grad !== undefined)]);
    }
    const written = await readFloats(flat);
    let at = before;
    for (const [i, sum] of sums.slice(0, placed.length).entries()) {
      expectClose(written.subarray(at, at + sum.length), sum, { rtol: 1e-6 }, `gradient ${i}`);
      at += sum.length;
    }
    // Nothing beside them is touched.
    for (const rest of [written.subarray(0, before), written.subarray(at)]) {
      expect(rest.every((value) => value === Number.POSITIVE_INFINITY)).toBe(true);
    }
    tf.dispose([...params, ids, flat]);
  });

/** The table's own rows, an odd width and place, and more chunks of logits than one where the device has little room for them. */
export const HEAD_CASES = [
  { tokens: 6, width: 8, before: 0 },
  { tokens: 19, width: 6, before: 3 },
].flatMap((c) => (['cross-entropy', 'log-probabilities'] as const).map((loss) => ({ ...c, loss })));

/**
 * A table that is read as embedding, by an operation of tfjs, and as output projection: whichever gradient comes first goes to the
 * table's place, and the others are added there.
 */
export const checkPlacedHead = (name: BackendName, { tokens, width, before, loss }: (typeof HEAD_CASES)[number]) =>
  withBackend(name, async () => {
    const table = tf.keep(randomTensor([vocab, width], 80, 0.5));
    const norm = tf.keep(randomTensor([width], 81, 0.5));
    const ints = (value: (i: number) => number) =>
      tf.keep(
        tf.tensor1d(
          Array.from({ length: tokens }, (_, i) => value(i)),
          'int32',
        ),
      );
    const [ids, rows, targets] = [ints((i) => (i * i) % vocab), ints((i) => i), ints((i) => (i * 5 + 1) % vocab)];
    const flat = tf.keep(tf.fill([before + table.size + 2], Number.POSITIVE_INFINITY));
    const pass = (isResult: boolean) => () => {
      const first = tf.slice(table, [0, 0], [1, width]);
      const hidden = rmsNorm(tf.add(embedding(ids, denseWeight(table)), first), norm, 1e-5);
      if (loss === 'log-probabilities') {
        const { logProbs } = tokenLogProbs(hidden, denseWeight(table), rows, targets, { trainsWeight: true });
        return tf.sum(tf.square(logProbs)) as tf.Scalar;
      }
      const options = { scale: 0.3, smoothing: 0.1, withGradient: true, trainsWeight: true, isResult };
      return linearCrossEntropy(hidden, denseWeight(table), rows, targets, options);
    };
    const sum = new Float32Array(table.size);
    for (const add of [false, true]) {
      const own = valueAndGradients(pass(false), [table, norm]);
      for (const [i, value] of (await readFloats(own.grads[0]!)).entries()) sum[i]! += value;
      const places = new Map([[table, { flat, offset: before, add }]]);
      const { value, grads } = valueAndPlacedGradients(pass(true), [table, norm], places);
      expect(await readFloats(value)).toEqual(await readFloats(own.value));
      expect(grads[0]).toBeUndefined();
      expectClose(await readFloats(grads[1]!), await readFloats(own.grads[1]!), { rtol: 1e-6 }, 'the norm');
      tf.dispose([value, own.value, ...own.grads, grads[1]!]);
    }
    const written = await readFloats(flat);
    expectClose(written.subarray(before, before + sum.length), sum, { rtol: 2e-6, atol: 1e-6 }, 'the table');
    for (const rest of [written.subarray(0, before), written.subarray(before + sum.length)]) {
      expect(rest.every((value) => value === Number.POSITIVE_INFINITY)).toBe(true);
    }
    // A table that learns nothing in a pass has no place in it.
    const frozen = valueAndPlacedGradients(
      pass(true),
      [norm],
      new Map([[table, { flat, offset: before, add: false }]]),
    );
    expect((await readFloats(flat)).subarray(before, before + sum.length)).toEqual(
      written.subarray(before, before + sum.length),
    );
    tf.dispose([frozen.value, ...frozen.grads.filter((grad) => grad !== undefined)]);
    if (loss === 'cross-entropy') {
      const places = new Map([[table, { flat, offset: before, add: false }]]);
      const half = () => tf.mul(pass(true)(), 0.5) as tf.Scalar;
      expect(() => valueAndPlacedGradients(half, [table], places)).toThrow('must be its value');
    }
    tf.dispose([table, norm, ids, rows, targets, flat]);
  });
