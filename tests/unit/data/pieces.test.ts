/** Many examples between threads, in pieces. */
import { expect, test } from 'vitest';
import { Pieces, split } from '../../../src/data/pieces';
import type { NextTokenExample } from '../../../src/data/types';

const examples = (count: number, tokens: number): NextTokenExample[] =>
  Array.from({ length: count }, (_, row) => ({
    ...{
      kind: 'next_token',
      row,
      ids: new Int32Array(tokens).fill(row),
      labels: new Int32Array(tokens),
      starts: null,
      truncatedBy: 0,
    },
  }));

function passed(train: NextTokenExample[], validation: NextTokenExample[]) {
  const { ahead, rest } = split({ train, validation, maxLength: 8 });
  const pieces = new Pieces();
  for (const { part, examples: some } of ahead) pieces.add(part, some);
  return { ahead, rest, whole: pieces.join(rest), after: pieces.join({ train: [], validation: [] }) };
}

test('few examples go with their message', () => {
  const [train, validation] = [examples(500, 4), examples(20, 4)];
  const { ahead, rest, whole } = passed(train, validation);
  expect(ahead).toEqual([]);
  expect(rest).toEqual({ train, validation, maxLength: 8 });
  expect(whole).toBe(rest);
});

test('many go ahead in pieces and arrive in their order, once', () => {
  const [train, validation] = [examples(1201, 2), examples(501, 2)];
  const { ahead, rest, whole, after } = passed(train, validation);
  expect(ahead.map(({ part, examples: some }) => [part, some.length])).toEqual([
    ['train', 500],
    ['train', 500],
    ['validation', 500],
  ]);
  expect([rest.train.length, rest.validation.length]).toEqual([201, 1]);
  expect(whole).toEqual({ train, validation, maxLength: 8 });
  expect(after).toEqual({ train: [], validation: [] });
});

test('long examples make small pieces, and no examples make none', () => {
  const { ahead } = passed(examples(7, 100_000), []);
  expect(ahead.map(({ examples: some }) => some.length)).toEqual([3, 3]);
  expect(passed([], []).whole).toEqual({ train: [], validation: [], maxLength: 8 });
});
