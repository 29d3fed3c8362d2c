import { test } from 'vitest';
import { withTraits } from '../../kernel-helpers';
import { checkPlaced, checkPlacedHead, HEAD_CASES, PLACED_CASES } from '../../parity/placed-gradients';

test.each(PLACED_CASES)('gradients are written to their places, and added there: %o', async (c) => {
  for (const software of [true, false]) await withTraits({ software }, () => checkPlaced('webgpu', c));
});

test.each(HEAD_CASES)('a tied table has its gradients added in its place: %o', async (c) => {
  // Room for eight rows of nine logits.
  for (const software of [true, false]) {
    await withTraits({ software, logitsBytes: 8 * 9 * 4 }, () => checkPlacedHead('webgpu', c));
  }
});
