import { expect, test } from 'vitest';
import { learnedCounts } from '../../../src/data/learned-counts';
import type { TokenizedExample } from '../../../src/data/types';

const example = (labels: number[]): TokenizedExample => ({
  kind: 'next_token',
  row: 1,
  ids: Int32Array.from(labels, (label, i) => (label < 0 ? i : label)),
  labels: Int32Array.from(labels),
  starts: null,
  truncatedBy: 0,
});

test('examples without anything to learn, and answers without an end, are counted', () => {
  const examples = [
    example([-100, -100, 7, 8, 2]),
    // Cut before its end.
    example([-100, -100, 7, 8]),
    // All of it is prompt.
    example([-100, -100, -100]),
    // Nothing predicts the first token.
    example([7, -100]),
  ];
  expect(learnedCounts(examples, [2])).toEqual({ examples: 4, masked: 2, endless: 1 });
  expect(learnedCounts(examples, null)).toEqual({ examples: 4, masked: 2, endless: null });
  // A token that only the prompt has ends no answer.
  expect(learnedCounts([example([-100, -100, 7])], [1]).endless).toBe(1);
});

test('texts with a label as a whole have it', () => {
  const labelled: TokenizedExample = {
    ...{ kind: 'text_targets', row: 1, ids: Int32Array.of(1, 2), truncatedBy: 0 },
    targets: Float32Array.of(1),
  };
  expect(learnedCounts([labelled], null)).toEqual({ examples: 1, masked: 0, endless: null });
});

test('of answers to compare, those without an end are counted; a prompt’s own end is none', () => {
  const pair = (chosen: number[], rejected: number[]): TokenizedExample => ({
    ...{ kind: 'pair', row: 1, promptLength: 2, margin: 0, truncatedBy: 0 },
    ids: Int32Array.of(2, 5, ...chosen),
    rejected: Int32Array.of(2, 5, ...rejected),
  });
  const judged = (answer: number[]): TokenizedExample => ({
    ...{ kind: 'judged', row: 1, promptLength: 2, good: true, truncatedBy: 0 },
    ids: Int32Array.of(2, 5, ...answer),
  });
  const examples = [pair([7, 2], [8, 2, 9]), pair([7, 2], [8]), judged([7]), judged([7, 2])];
  expect(learnedCounts(examples, [2])).toEqual({ examples: 4, masked: 0, endless: 2 });
});
