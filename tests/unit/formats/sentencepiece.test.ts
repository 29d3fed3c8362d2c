import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type GgufEntry, layoutGguf, packed } from '../../../src/formats/gguf-write';
import { sentencePieces } from '../../../src/formats/sentencepiece';

/** Trained by the sentencepiece package (tests/oracle/make_gguf_tokenizer_fixtures.py). */
const model = new Uint8Array(readFileSync('tests/fixtures/gguf/sentencepiece/tokenizer.model'));

describe('a tokenizer.model', () => {
  it('has its pieces, each of a type', () => {
    const pieces = sentencePieces(model)!;
    expect(pieces.slice(0, 5)).toEqual([
      { text: '<unk>', score: 0, type: 2 },
      { text: '<s>', score: 0, type: 3 },
      { text: '</s>', score: 0, type: 3 },
      { text: '<tool>', score: 0, type: 4 },
      { text: '<think>', score: 0, type: 4 },
    ]);
    expect(pieces[5]).toEqual({ text: '<0x00>', score: 0, type: 6 });
    expect(pieces.slice(261, 264)).toEqual([
      { text: '▁▁', score: -0, type: 1 },
      { text: '▁a', score: -1, type: 1 },
      { text: 'he', score: -2, type: 1 },
    ]);
  });

  it('that is cut off or none at all is told', () => {
    for (const length of [1, 7, 100, model.length - 1]) expect(sentencePieces(model.subarray(0, length))).toBeNull();
    expect(sentencePieces(new Uint8Array(0))).toBeNull();
    expect(sentencePieces(new TextEncoder().encode('not a model'))).toBeNull();
    // A length that no file has, and a text that is no UTF-8.
    expect(sentencePieces(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))).toBeNull();
    expect(sentencePieces(Uint8Array.of(0x0a, 3, 0x0a, 1, 0xff))).toBeNull();
  });
});

describe('a packed entry', () => {
  it.each<[string, GgufEntry]>([
    ['strings', { type: 'strings', value: ['', 'a b', '▁é'] }],
    ['float32s', { type: 'float32s', value: Float32Array.of(-1, 0.5) }],
    ['bool', { type: 'bool', value: true }],
  ])('of %s gives the same file', (_, entry) => {
    const file = (one: GgufEntry) => layoutGguf(new Map([['key', one]]), []).header;
    expect(packed('key', entry).type).toBe('raw');
    expect(file(packed('key', entry))).toEqual(file(entry));
  });
});
