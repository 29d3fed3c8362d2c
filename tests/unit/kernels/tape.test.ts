import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { asOneNode, isRecording, valueAndGradients } from '../../../src/engine/kernels/tape';

let before = 0;
beforeEach(async () => {
  await tf.setBackend('cpu');
  before = tf.memory().numTensors;
});
afterEach(() => expect(tf.memory().numTensors).toBe(before));

/** x³ as one node that keeps only x and differentiates by running again. */
const cube = (x: tf.Tensor): tf.Tensor => {
  const run = (t: tf.Tensor) => tf.mul(t, tf.mul(t, t));
  return asOneNode(
    'Cube',
    [x],
    [x],
    () => run(x),
    (dy, [kept]) => {
      const { value, grads } = valueAndGradients(() => run(kept!), [kept!], dy);
      value.dispose();
      return grads;
    },
  );
};

const numbers = (t: tf.Tensor) => [...t.dataSync()];

test('gradients match tf.grads, also for values that are used twice', () => {
  const x = tf.tensor1d([1, -2, 3]);
  const w = tf.tensor1d([2, 0.5, -1]);
  const f = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.add(tf.mul(a, tf.square(b)), tf.mul(tf.sigmoid(a), a)));
  const expected = tf.grads((a, b) => f(a!, b!))([x, w]);
  const { value, grads } = valueAndGradients(() => f(x, w) as tf.Scalar, [x, w]);
  expect(grads.map(numbers)).toEqual(expected.map(numbers));
  tf.dispose([x, w, value, ...grads, ...expected]);
});

test('an unused param has a gradient of zeros', () => {
  const [x, y] = [tf.scalar(3), tf.tensor1d([1, 2])];
  const { value, grads } = valueAndGradients(() => tf.square(x) as tf.Scalar, [y, x]);
  expect(grads.map(numbers)).toEqual([[0, 0], [6]]);
  tf.dispose([x, y, value, ...grads]);
});

test('a node may differentiate by its own pass in the middle of another', () => {
  const x = tf.tensor1d([1, 2]);
  // d/dx Σ (2x)³ · x = 32 x³
  const { value, grads } = valueAndGradients(() => tf.sum(tf.mul(cube(tf.mul(x, 2)), x)) as tf.Scalar, [x]);
  expect(numbers(value)).toEqual([8 + 128]);
  expect(numbers(grads[0]!)).toEqual([32, 256]);
  expect(isRecording()).toBe(false);
  tf.dispose([x, value, ...grads]);
});

test('saved tensors are freed right after use, not at the end', () => {
  const x = tf.tensor1d([1.01]);
  const alive: number[] = [];
  const step = (t: tf.Tensor) =>
    asOneNode(
      'Step',
      [t],
      [t],
      () => tf.mul(t, 2),
      (dy) => {
        alive.push(tf.memory().numTensors);
        return [tf.mul(dy, 2)];
      },
    );
  const { value, grads } = valueAndGradients(() => {
    let t: tf.Tensor = x;
    for (let i = 0; i < 10; i++) t = step(t);
    return t;
  }, [x]);
  expect(numbers(grads[0]!)).toEqual([1024]);
  expect(alive).toHaveLength(10);
  for (let i = 1; i < alive.length; i++) expect(alive[i]).toBe(alive[i - 1]! - 1);
  tf.dispose([x, value, ...grads]);
});

test('a function or a gradient that throws leaves nothing behind, and the next pass works', () => {
  const x = tf.scalar(2);
  const broken = (message: string, inGradient: boolean) =>
    valueAndGradients(() => {
      const y = asOneNode(
        'Broken',
        [x],
        [x],
        () => tf.square(x),
        () => {
          throw new Error(message);
        },
      );
      if (!inGradient) throw new Error(message);
      return y;
    }, [x]);
  expect(() => broken('forward', false)).toThrow('forward');
  expect(() => broken('backward', true)).toThrow('backward');
  expect(tf.memory().numTensors).toBe(before + 1);
  expect(isRecording()).toBe(false);
  const again = valueAndGradients(() => tf.square(x) as tf.Scalar, [x]);
  expect(numbers(again.grads[0]!)).toEqual([4]);
  tf.dispose([x, again.value, ...again.grads]);
});

test('a gradient whose shape differs from its input is rejected with the node’s name', () => {
  const x = tf.tensor1d([1, 2]);
  const wrong = () =>
    valueAndGradients(
      () =>
        asOneNode(
          'Wrong',
          [x],
          [],
          () => tf.sum(x),
          () => [tf.scalar(1)],
        ),
      [x],
    );
  expect(wrong).toThrow(/Wrong: the gradient of its input 0 is float32 \[\]; expected float32 \[2\]/);
  x.dispose();
});
