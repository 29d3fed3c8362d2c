import { test } from 'vitest';
import { withTraits } from '../../kernel-helpers';
import { checkPlaced, PLACED_CASES } from '../../parity/placed-gradients';

test.each(PLACED_CASES)('gradients are written to their places, and added there: %o', async (c) => {
  for (const software of [true, false]) await withTraits({ software }, () => checkPlaced('webgpu', c));
});
