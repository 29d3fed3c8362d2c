import { expect, test } from 'vitest';
import { intValues, withTraits } from '../../kernel-helpers';
import { checkDrawn, SAMPLING_CASES, sampled, samplingInputs } from '../../parity/sampling';

const sameTokens = (a: Float32Array, b: Float32Array) => a.filter((id, i) => i % 2 === 0 && id === b[i]).length;

test.each(SAMPLING_CASES)('draws of %o, by few lanes and by many, as the reference gives them', async (c) => {
  const inputs = samplingInputs(c);
  const reference = await sampled('cpu', c, inputs);
  const drawn = await withTraits({ software: true }, () => sampled('webgpu', c, inputs));
  checkDrawn(c, inputs, drawn);
  // A number within rounding of a boundary may fall on its other side.
  expect(sameTokens(reference, drawn)).toBeGreaterThanOrEqual(c.draws - 1);
  // Sums do not depend on how lanes share them. Some cases are enough: a software adapter compiles each kind for seconds.
  if (c.vocab < 1000) return;
  expect(await withTraits({ software: false }, () => sampled('webgpu', c, inputs))).toEqual(drawn);
});

test.each([
  { temperature: 1, topK: 40, topP: 1 },
  { temperature: 0.8, topK: 0, topP: 0.7 },
  { temperature: 1.2, topK: 60, topP: 0.8 },
  { temperature: 0, topK: 0, topP: 1 },
])('of equal logits with %o all are kept or none, and the first is the most likely', async (attrs) => {
  const c = { ...attrs, rows: 3, vocab: 601, draws: 30 };
  const [logits, draws] = samplingInputs(c);
  const stepped = { ...logits, data: logits.data.map((z) => Math.round(2 * z) / 2) as Float32Array };
  const reference = await sampled('cpu', c, [stepped, draws]);
  expect(sameTokens(reference, await sampled('webgpu', c, [stepped, draws]))).toBe(c.draws);
});

test('without a softmax there is no log-probability', async () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  const rows = [nan, 1, 2, 3, 4, 1, 2, 3, nan, 5, -inf, -inf, -inf, -inf, -inf, 1, inf, 2, 3, 4];
  const logits = { data: Float32Array.from(rows), shape: [4, 5] };
  const draws = intValues([0, 1, 1, 1, 2, 1, 3, 1], [4, 2]);
  for (const attrs of [
    { temperature: 1, topK: 2, topP: 0.9 },
    { temperature: 0, topK: 0, topP: 1 },
  ]) {
    // What is left in the buffer from here is finite.
    await sampled('webgpu', attrs, [{ ...logits, data: new Float32Array(20) }, draws]);
    const drawn = await sampled('webgpu', attrs, [logits, draws]);
    expect([1, 3, 5, 7].map((i) => Number.isFinite(drawn[i]))).toEqual([false, false, false, false]);
  }
});

test('impossible tokens are never drawn', async () => {
  const logits = { data: Float32Array.of(-1e4, -3e38, 1e4, 9900), shape: [1, 4] };
  for (const software of [true, false]) {
    for (const attrs of [
      { temperature: 1, topK: 0, topP: 1 },
      { temperature: 1e-3, topK: 3, topP: 0.5 },
    ]) {
      const drawn = await withTraits({ software }, () =>
        sampled('webgpu', attrs, [logits, intValues([0, 0, 0, 2 ** 24 - 1], [2, 2])]),
      );
      expect([drawn[0], drawn[2]]).toEqual([2, 2]);
    }
  }
});
