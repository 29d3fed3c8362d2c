import { expect, test } from 'vitest';
import { intValues, withTraits } from '../../kernel-helpers';
import { checkDrawn, SAMPLING_CASES, sampled, samplingInputs } from '../../parity/sampling';

test.each(SAMPLING_CASES)('draws of %o, by one thread and by a workgroup, as the reference gives them', async (c) => {
  const inputs = samplingInputs(c);
  const reference = await sampled('cpu', c, inputs);
  for (const software of [true, false]) {
    const drawn = await withTraits({ software }, () => sampled('webgpu', c, inputs));
    checkDrawn(c, inputs, drawn);
    const same = reference.filter((value, i) => i % 2 === 0 && value === drawn[i]).length;
    // A number within rounding of a boundary may fall on its other side.
    expect(same).toBeGreaterThanOrEqual(c.draws - 1);
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
