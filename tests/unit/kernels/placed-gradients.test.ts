import { test } from 'vitest';
import { checkPlaced, checkPlacedHead, HEAD_CASES, PLACED_CASES } from '../../parity/placed-gradients';

test.each(PLACED_CASES)('gradients are written to their places, and added there: %o', (c) => checkPlaced('cpu', c));

test.each(HEAD_CASES)('a tied table has its gradients added in its place: %o', (c) => checkPlacedHead('cpu', c));
