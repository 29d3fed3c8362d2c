import { expect, test } from 'vitest';
import { settledToken } from '../../../src/engine/kernels/sampling/draw-ranked';
import { checkDrawing, DRAWING_CASES } from '../../parity/drawing';

test.each(DRAWING_CASES.filter(({ logits }) => logits.length < 5000))('draws as the sampler: $name', (c) =>
  checkDrawing('cpu', c, 20),
);

test('what rounding might decide is not settled', () => {
  // Two tokens of weight 1 and 0.5: the boundary is at 2/3 of their sum.
  const drawn = (token: number, above: number, weight: number) =>
    Float32Array.of(token, 1.5, 0.5 * Math.LN2, 0, 0, above, weight, 0);
  const of = (number: number, token: number, above: number, weight: number) =>
    settledToken(drawn(token, above, weight), { temperature: 1, topP: 1, number }, 2);
  expect(of(0.66, 0, 0, 1)).toBe(0);
  expect(of(0.67, 1, 1, 0.5)).toBe(1);
  expect(of(2 / 3 - 1e-7, 0, 0, 1)).toBeNull();
  expect(of(2 / 3 + 1e-7, 1, 1, 0.5)).toBeNull();
  // The last token ends where the sum does.
  expect(of(1 - 2 ** -24, 1, 1, 0.5)).toBeNull();
  // Without a softmax there is nothing to settle.
  expect(settledToken(Float32Array.of(0, -1, 0, 0, 0, 0, 0, 0), { temperature: 0, topP: 1, number: 0 }, 2)).toBeNull();
});
