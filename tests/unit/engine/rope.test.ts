/** Compares rotary frequencies for every kind of scaling with transformers (tests/oracle/make_family_fixtures.py). */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { createRotary, inverseFrequencies, rotaryScale } from '../../../src/engine/models/rope';
import type { Loader } from '../../../src/engine/models/weights';
import { type RopeKind, readRope } from '../../../src/families/rope';
import { fixtureJson, relativeError } from '../../fixture-files';

interface Row {
  name: string;
  max_position_embeddings: number;
  rope_parameters: Record<string, unknown>;
  frequencies: number[];
  scale: number;
}
const { head_dim, ropes } = await fixtureJson<{ head_dim: number; ropes: Row[] }>('families/rope.json');
const kinds: RopeKind[] = ['default', 'linear', 'dynamic', 'llama3', 'yarn', 'longrope'];

describe.each(ropes)('rope: $name', ({ max_position_embeddings: positions, rope_parameters, frequencies, scale }) => {
  test.each([
    ['rope_parameters', { rope_parameters }],
    ['rope_theta and rope_scaling', { rope_theta: rope_parameters.rope_theta, rope_scaling: rope_parameters }],
  ])('from %s', (_name, json) => {
    const rope = readRope(json, { kinds, headDim: head_dim, positions, partial: true });
    const actual = inverseFrequencies(rope);
    expect(actual.length).toBe(frequencies.length);
    // One by one, because the lowest frequency is a ten-thousandth of the highest.
    frequencies.forEach((f, i) => {
      expect(relativeError([actual[i]!], [f]), `frequency ${i}`).toBeLessThan(3e-7);
    });
    expect(rotaryScale(rope)).toBeCloseTo(scale, 12);
  });
});

test('tables grow with the texts, up to the context, and replaced ones are freed', async () => {
  await tf.setBackend('cpu');
  const owned: tf.Tensor[] = [];
  const load = { own: (t: tf.Tensor) => owned.push(tf.keep(t)) && t } as unknown as Loader;
  const rope = { theta: 100, dims: 4, scaling: null };
  const before = tf.memory().numTensors;
  const rotary = createRotary(load, rope, 4, 3000);
  const rows = () => owned.filter((t) => !t.isDisposed).map((t) => t.shape);
  expect(rows()).toEqual(Array(2).fill([1024, 2]));
  const turn = (position: number, limit: number) =>
    tf.tidy(() => {
      const x = tf.tensor2d([[1, 2, 3, 4]]);
      return Array.from(rotary.turn(x, x, tf.tensor1d([position], 'int32'), limit)[0].dataSync());
    });
  turn(1000, 1024);
  expect(rows()).toEqual(Array(2).fill([1024, 2]));
  const [a, b, c, d] = turn(1500, 1501);
  expect(rows()).toEqual(Array(2).fill([2048, 2]));
  // (1 + 3i) is rotated by 1500 radians, (2 + 4i) by 150.
  const [first, second] = [1500, 150];
  expect(
    relativeError([a!, c!], [Math.cos(first) - 3 * Math.sin(first), 3 * Math.cos(first) + Math.sin(first)]),
  ).toBeLessThan(1e-5);
  expect(
    relativeError([b!, d!], [2 * Math.cos(second) - 4 * Math.sin(second), 4 * Math.cos(second) + 2 * Math.sin(second)]),
  ).toBeLessThan(1e-5);
  turn(2999, 3000);
  expect(rows()).toEqual(Array(2).fill([3000, 2]));
  expect(tf.memory().numTensors - before).toBe(2);
  tf.dispose(owned);
});
