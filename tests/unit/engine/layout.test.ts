/** Which tensors decay, where they are stored, and which of them an update takes together. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decays, layOut, rangesOf } from '../../../src/engine/optim/flat-layout';
import { packBytes, unpackBytes } from '../../../src/engine/optim/state';
import { fixtureJson } from '../../fixture-files';

/** Trainer.get_decay_parameter_names from transformers, for every family and for PEFT's methods. */
const families = await fixtureJson<Record<string, Record<string, boolean>>>('optim/decay.json');

test.each(Object.entries(families))('%s: the same tensors decay as in the Trainer', (_, names) => {
  expect(Object.keys(names).length).toBeGreaterThan(0);
  expect(Object.fromEntries(Object.keys(names).map((n) => [n, decays(n)]))).toEqual(names);
});

test('prefixes of PEFT and of heads make no difference', () => {
  for (const names of Object.values(families)) {
    for (const [name, expected] of Object.entries(names)) {
      expect(decays(name.replace(/^base_model\.model\./, '').replace('.default', '')), name).toBe(expected);
    }
  }
});

const trainable = new Map<string, tf.Tensor>();
beforeAll(async () => {
  await tf.setBackend('cpu');
  for (const [name, size] of [
    ['0.weight', 5],
    ['0.bias', 3],
    ['1.weight', 300],
    ['1.bias', 2],
    ['2.weight', 7],
  ] as const) {
    trainable.set(name, tf.zeros([size]));
  }
});
afterAll(() => tf.dispose([...trainable.values()]));

const all = () => true;
const none = () => new Map([...trainable.keys()].map((n) => [n, 0]));
const brief = (ranges: ReturnType<typeof rangesOf>) => ranges.map(({ offset, length, step }) => [offset, length, step]);

test('tensors that are updated alike are adjacent, in two ranges', () => {
  const layout = layOut(trainable);
  expect(layout.flat.map((p) => p.name)).toEqual(['0.weight', '1.weight', '2.weight', '0.bias', '1.bias']);
  expect(layout.places.map((p) => p.name)).toEqual([...trainable.keys()]);
  expect(layout.size).toBe(317);
  const ranges = rangesOf(layout, all, none());
  expect(brief(ranges)).toEqual([
    [0, 312, 1],
    [312, 5, 1],
  ]);
  expect(ranges.map((r) => r.decays)).toEqual([true, false]);
});

test('rates, frozen tensors and different counts divide them', () => {
  const rate = (name: string) => (name.startsWith('1') ? 2 : 1);
  expect(layOut(trainable, { rate, decays: all }).flat.map((p) => p.name)).toEqual([
    ...['1.weight', '1.bias', '0.weight', '0.bias', '2.weight'],
  ]);
  const layout = layOut(trainable, { decays: all });
  expect(brief(rangesOf(layout, (name) => name !== '1.weight', none()))).toEqual([
    [0, 8, 1],
    [308, 9, 1],
  ]);
  const counts = none().set('0.weight', 3).set('0.bias', 3);
  expect(brief(rangesOf(layout, all, counts))).toEqual([
    [0, 8, 4],
    [8, 309, 1],
  ]);
});

test('blocks start at their multiples, the large ones first, and the rest of a block stays empty', () => {
  const layout = layOut(trainable, { block: (size) => (size >= 5 ? 4 : 1) });
  const at = Object.fromEntries(layout.flat.map((p) => [p.name, p.offset]));
  expect(at).toEqual({ '0.weight': 0, '1.weight': 8, '2.weight': 308, '0.bias': 316, '1.bias': 319 });
  expect(brief(rangesOf(layout, all, none()))).toEqual([
    [0, 315, 1],
    [316, 5, 1],
  ]);
});

test.each([0, 1, 2, 3, 4, 256, 1000])('%i bytes come back from a checkpoint unchanged', (length) => {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 73 + 255) % 256);
  const packed = packBytes(bytes);
  expect(packed.length).toBe(Math.ceil(length / 3));
  expect(unpackBytes(packed, length)).toEqual(bytes);
});
