import { expect, test } from 'vitest';
import '../stores/fake-session';

const { formatPart } = await import('../../../src/app/util/format');

test('what is trained of a model is a share and the whole', () => {
  expect(formatPart(197_000, 2_160_000)).toBe('9.1 % of 2.16M');
  // A run that ended before the model was counted.
  expect(formatPart(0, 0)).toBe('0 % of 0');
});
