import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { type SampleAttrs, STEPS, sampleTokens } from '../../../src/engine/kernels/sampling/sample-tokens';
import { intValues, withBackend } from '../../kernel-helpers';
import { checkDrawn, SAMPLING_CASES, sampled, samplingInputs } from '../../parity/sampling';

const PLAIN: SampleAttrs = { temperature: 1, topK: 0, topP: 1 };

test.each(SAMPLING_CASES)('draws of %o', async (c) => {
  const inputs = samplingInputs(c);
  checkDrawn(c, inputs, await sampled('cpu', c, inputs));
});

/** The tokens that numbers draw from the probabilities p. */
async function tokens(p: number[], numbers: number[], attrs: Partial<SampleAttrs> = {}): Promise<number[]> {
  const draws = numbers.flatMap((n) => [0, Math.floor(n * STEPS)]);
  const logits = { data: Float32Array.from(p, (x) => Math.log(x)), shape: [1, p.length] };
  const drawn = await sampled('cpu', { ...PLAIN, ...attrs }, [logits, intValues(draws, [numbers.length, 2])]);
  return numbers.map((_, i) => drawn[2 * i]!);
}

test('a number is looked up in the sums of probabilities, by hand', async () => {
  expect(await tokens([0.1, 0.4, 0.2, 0.3], [0, 0.09, 0.11, 0.49, 0.51, 0.69, 0.71, 0.9999])).toEqual([
    0, 0, 1, 1, 2, 2, 3, 3,
  ]);
});

test('temperature comes before the cuts, top-k before top-p', async () => {
  // T = 1/2: squares 0.25, 0.0625, 0.0225, 0.01 of 0.345: the first alone reaches 0.72.
  expect(await tokens([0.15, 0.5, 0.25, 0.1], [0.01, 0.99], { temperature: 0.5, topP: 0.72 })).toEqual([1, 1]);
  expect(await tokens([0.15, 0.5, 0.25, 0.1], [0.01, 0.65, 0.68, 0.99], { topK: 2 })).toEqual([1, 1, 2, 2]);
  // Of two tokens with 0.5 and 0.25 the first has 2/3 of the mass, of all four it has 1/2.
  expect(await tokens([0.15, 0.5, 0.25, 0.1], [0.99], { topK: 2, topP: 0.6 })).toEqual([1]);
  expect(await tokens([0.15, 0.5, 0.25, 0.1], [0.99], { topP: 0.6 })).toEqual([2]);
});

test('among equals the first is the most likely, and all that are as likely as the last one kept are kept', async () => {
  expect(await tokens([0.2, 0.4, 0.4], [0.5], { temperature: 0 })).toEqual([1]);
  expect(await tokens([0.2, 0.2, 0.4, 0.2], [0.1, 0.3, 0.5, 0.9], { topK: 2 })).toEqual([0, 1, 2, 3]);
});

test('impossible tokens are never drawn, and logits far apart do not overflow', async () => {
  const logits = { data: Float32Array.of(-1e4, Number.NEGATIVE_INFINITY, 1e4, 9900), shape: [1, 4] };
  for (const attrs of [PLAIN, { ...PLAIN, temperature: 1e-3 }, { ...PLAIN, topP: 0.5 }, { ...PLAIN, topK: 3 }]) {
    const drawn = await sampled('cpu', attrs, [logits, intValues([0, 0, 0, STEPS - 1], [2, 2])]);
    expect([drawn[0], drawn[2]]).toEqual([2, 2]);
    expect(drawn[1]).toBeCloseTo(0, 3);
  }
});

test('settings and shapes that do not fit are named', () =>
  withBackend('cpu', () => {
    tf.tidy(() => {
      const draws = tf.zeros([1, 2], 'int32');
      const logits = tf.zeros([1, 4]);
      expect(() => sampleTokens(logits, draws, { ...PLAIN, topP: 0 })).toThrow('out of range');
      expect(() => sampleTokens(logits, draws, { ...PLAIN, temperature: -1 })).toThrow('out of range');
      expect(() => sampleTokens(logits, draws, { ...PLAIN, topK: 1.5 })).toThrow('out of range');
      expect(() => sampleTokens(logits, tf.zeros([2], 'int32'), PLAIN)).toThrow('draws [2]');
    });
  }));
