/** Attention's five ways, one case each with what its loops branch on: most of tests/gpu/kernels/attention is compiling, which takes minutes. */
import { expect, test } from 'vitest';
import { type AttentionAttrs, attention } from '../../src/engine/kernels/attention/attention';
import { attentionMemory, flashLimits } from '../../src/engine/kernels/attention/attention-tiles';
import { causalVisible } from '../../src/engine/kernels/attention/visible';
import { expectSameOnGpu, intValues, type Op, randomValues, withTraits } from '../kernel-helpers';

const shape: AttentionAttrs = {
  ...{ batch: 2, queryLength: 13, keyLength: 13, heads: 4, kvHeads: 2, headDim: 8, scale: 1 / Math.sqrt(8) },
  // Declared to the kernel, with a soft cap, so that every branch runs.
  ...{ causal: true, window: 5, softcap: 2 },
};
const op: Op = (q, k, v, visible) => [attention(q!, k!, v!, visible!, shape)];
const inputs = [
  randomValues([2 * 13, 4 * 8], 1, 1.5),
  randomValues([2 * 13, 2 * 8], 2, 1.5),
  randomValues([2 * 13, 2 * 8], 3),
  // The second text has seven tokens of padding.
  intValues(causalVisible([13, 6], 13), [2 * 13, 2]),
];

for (const software of [true, false]) {
  for (const way of ['scores', 'online']) {
    test(`attention, ${way}, tiles for a ${software ? 'CPU' : 'GPU'}: values and gradients match the reference`, async () => {
      const own = attentionMemory.scores;
      // Without room for scores, they are computed as they are needed.
      if (way === 'online') attentionMemory.scores = 0;
      try {
        await withTraits({ software }, () => expectSameOnGpu(op, inputs, { wanted: [0, 1, 2], rtol: 2e-5 }));
      } finally {
        attentionMemory.scores = own;
      }
      expect(attentionMemory.scores).toBeGreaterThan(0);
    });
  }
}

test('attention, flash: values and gradients match the reference', async () => {
  const own = { ...flashLimits };
  Object.assign(flashLimits, { keys: 0, rows: 0 });
  try {
    await withTraits({ software: false }, () => expectSameOnGpu(op, inputs, { wanted: [0, 1, 2], rtol: 2e-5 }));
  } finally {
    Object.assign(flashLimits, own);
  }
  expect(flashLimits.keys).toBe(512);
});
