/** What a run without a screen says of training.fp16. */
import { expect, test } from 'vitest';
import { fp16Note } from '../../../src/headless/summary';

test('on, by how much the first batch changed', () => {
  expect(fp16Note({ used: true, logits: 0.0123, loss: 0.00004, products: 3 })).toBe(
    'training.fp16: on. Of the first batch, its logits differ from those in 32 bits by 0.012, its loss by 0.000040.',
  );
});

test('refused, with what is allowed', () => {
  expect(fp16Note({ used: false, logits: 0.5, loss: null, products: 3 })).toBe(
    'training.fp16: refused, so the run is in 32 bits. Of the first batch, its logits differ from those in 32 bits by 0.50, its loss by no finite number; at most 0.04 and 0.001 are allowed.',
  );
});

test('on, with nothing large enough to be compared', () => {
  expect(fp16Note({ used: true, logits: 0, loss: 0, products: 0 })).toMatch(/no product .* is large enough/);
});

test('a record from before products were counted says what it has', () => {
  expect(fp16Note({ used: true, logits: 0.01, loss: 0 })).toMatch(/^training\.fp16: on\. Of the first batch/);
});
