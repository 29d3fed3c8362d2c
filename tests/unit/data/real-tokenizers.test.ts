/**
 * Tokenisers of real models compared with the Rust library, on the hard strings of tests/oracle/hard_strings.py. Their
 * files are reduced to what those strings need (tests/oracle/make_tokenizer_fixtures.py);
 * scripts/interop/tokenizers.mjs does the same with the full files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeRendered } from '../../../src/data/loss-mask';
import { TextTokenizer } from '../../../src/data/tokenizer';
import { tokenizerFiles } from './helpers';

const FOLDER = 'tests/fixtures/tokenizers';
const url = (path: string) => new URL(`../../../${FOLDER}/${path}`, import.meta.url);
const readJson = (path: string) => JSON.parse(readFileSync(url(path), 'utf8'));

interface Golden {
  ids: number[][];
  special_before: number[];
  special_behind: number[];
  /** By index of the string, if it does not decode to itself. */
  decoded: Record<string, string>;
}

const strings: { group: string; text: string }[] = readJson('strings.json');
const families = readdirSync(url('.'), { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));

test('covers 18 families and at least 200 strings', () => {
  expect(families).toHaveLength(18);
  expect(new Set(strings.map((s) => s.text)).size).toBeGreaterThanOrEqual(200);
});

describe.each(families)('%s', (name) => {
  const golden: Golden = readJson(`${name}/golden.json`);
  const tokenizer = new TextTokenizer(tokenizerFiles(`${FOLDER}/${name}`));

  test('gives the same ids', () => {
    strings.forEach(({ text }, i) => {
      expect(tokenizer.encode(text, false).ids, JSON.stringify(text)).toEqual(golden.ids[i]);
    });
  });

  test('gives the same ids with special tokens', () => {
    const { special_before: before, special_behind: behind } = golden;
    strings.forEach(({ text }, i) => {
      const expected = [...before, ...golden.ids[i]!, ...behind];
      expect(tokenizer.encode(text, true).ids, JSON.stringify(text)).toEqual(expected);
    });
  });

  test('decodes to the same text', () => {
    strings.forEach(({ text }, i) => {
      expect(tokenizer.decode(golden.ids[i]!, false), JSON.stringify(text)).toBe(
        golden.decoded[i] ?? text.toWellFormed(),
      );
    });
  });

  test('maps a range of the text to tokens, whatever comes before it', () => {
    const answer = 'The end.';
    for (const { text } of strings) {
      const whole = `${text}\n${answer}`;
      const span: [number, number] = [text.length + 1, whole.length];
      const { ids, trained } = encodeRendered(1, { text: whole, spans: [span], addSpecialTokens: false }, tokenizer);
      const learned = [...ids].filter((_, i) => trained[i] === 1);
      const first = trained.indexOf(1);
      expect([...trained.subarray(first)], JSON.stringify(text)).toEqual(learned.map(() => 1));
      // A token may span the boundary, e.g. "\nThe" if nothing splits at line ends.
      const uncased = (s: string) => s.toLowerCase().replaceAll(/\s/g, '');
      expect(uncased(tokenizer.decode(learned, false)), JSON.stringify(text)).toBe(uncased(answer));
    }
  });
});

test.each(['roberta', 'minilm'])('%s: reads an old file that does not give the type of its model', (name) => {
  const golden: Golden = readJson(`${name}/golden.json`);
  const files = tokenizerFiles(`${FOLDER}/${name}`);
  const { model, ...rest } = JSON.parse(files.tokenizerJson);
  const { type: _, unk_token, continuing_subword_prefix, ...bare } = model;
  // The library recognises it by these two fields, and would otherwise mistake its type.
  const kept = name === 'minilm' ? { unk_token, continuing_subword_prefix } : {};
  const old = new TextTokenizer({ ...files, tokenizerJson: JSON.stringify({ ...rest, model: { ...bare, ...kept } }) });
  strings.forEach(({ text }, i) => {
    expect(old.encode(text, false).ids, JSON.stringify(text)).toEqual(golden.ids[i]);
  });
});
