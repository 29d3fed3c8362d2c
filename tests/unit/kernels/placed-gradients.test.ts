import { test } from 'vitest';
import { checkPlaced, PLACED_CASES } from '../../parity/placed-gradients';

test.each(PLACED_CASES)('gradients are written to their places, and added there: %o', (c) => checkPlaced('cpu', c));
