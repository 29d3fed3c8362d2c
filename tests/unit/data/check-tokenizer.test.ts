import { describe, expect, test } from 'vitest';
import { checkTokenizer } from '../../../src/data/check-tokenizer';
import { errorOf } from './helpers';

describe('the highest id', () => {
  test.each<[string, Record<string, unknown>, number]>([
    ['of a vocabulary', { model: { type: 'WordPiece', vocab: { a: 0, b: 3 } } }, 4],
    [
      'of added tokens',
      { model: { type: 'WordPiece', vocab: { a: 0 } }, added_tokens: [{ content: '<x>', id: 9 }] },
      10,
    ],
    [
      'of pieces with scores',
      {
        model: {
          type: 'Unigram',
          vocab: [
            ['a', -1],
            ['b', -2],
          ],
        },
      },
      2,
    ],
    ['of an old file with only merges', { model: { vocab: { a: 0, b: 1, ab: 2 }, merges: ['a b'] } }, 3],
    ['of an old file with only scores', { model: { vocab: [['a', -1]] } }, 1],
  ])('%s', (_name, json, size) => {
    expect(checkTokenizer(json, null)).toBe(size);
  });
});

test('an embedding may be larger than the vocabulary, but not smaller', () => {
  const json = { model: { type: 'WordPiece', vocab: { a: 0, b: 1 } } };
  expect(checkTokenizer(json, 64)).toBe(2);
  expect(errorOf(() => checkTokenizer(json, 1))).toMatchObject({
    code: 'bad_model',
    details: 'ids up to 1, vocab_size 1',
  });
});
