/**
 * Tokenisers rebuilt from GGUF metadata, compared with the Rust library on the hard strings. The vocabularies are those
 * of tests/fixtures/tokenizers, converted to GGUF's form as llama.cpp's converter does.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { TextTokenizer } from '../../../src/data/tokenizer';
import type { GgufStrings } from '../../../src/formats/gguf';
import { tokenizerJson } from '../../../src/formats/gguf-tokenizer';
import type { GgufVocabulary } from '../../../src/formats/gguf-vocabulary';
import { cpuSeconds } from '../../support/time';

const readJson = (path: string) => JSON.parse(readFileSync(`tests/fixtures/tokenizers/${path}`, 'utf8'));
const strings: { group: string; text: string }[] = readJson('strings.json');

function pack(list: string[]): GgufStrings {
  const encoded = list.map((text) => new TextEncoder().encode(text));
  const ends = new Uint32Array(list.length);
  let end = 0;
  for (const [i, bytes] of encoded.entries()) {
    end += bytes.length;
    ends[i] = end;
  }
  const bytes = new Uint8Array(end);
  for (const [i, part] of encoded.entries()) bytes.set(part, ends[i]! - part.length);
  return { bytes, ends };
}

interface TokenizerFile {
  model: { vocab: Record<string, number>; merges: [string, string][] };
  added_tokens: { id: number; content: string; special: boolean }[];
}

const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNUSED = 5;
const BYTE = 6;

function vocabularyOf(name: string, model: 'gpt2' | 'llama', pre: string | null): GgufVocabulary {
  const { model: bpe, added_tokens } = readJson(`${name}/tokenizer.json`) as TokenizerFile;
  const entries = [...Object.entries(bpe.vocab), ...added_tokens.map(({ content, id }) => [content, id] as const)];
  const size = Math.max(...entries.map(([, id]) => id)) + 1;
  const tokens = Array.from({ length: size }, (_, id) => `[PAD${id}]`);
  const types = new Int32Array(size).fill(UNUSED);
  for (const [token, id] of entries) {
    tokens[id] = token;
    types[id] = model === 'llama' && /^<0x[0-9A-F]{2}>$/.test(token) ? BYTE : NORMAL;
  }
  for (const { id, content, special } of added_tokens) {
    types[id] = special || /^<unused\d+>$|^<\|.*\|>$/.test(content) ? CONTROL : USER_DEFINED;
    // Converters write the ▁ marks of user-defined tokens as spaces.
    if (types[id] === USER_DEFINED) tokens[id] = content.replaceAll('▁', ' ');
  }
  // SentencePiece scores tokens in the order in which they were created, which is the order of the merges.
  const scores = new Float32Array(size).fill(-1e6);
  for (const [rank, [left, right]] of bpe.merges.toReversed().entries()) {
    scores[bpe.vocab[left + right]!] = rank - bpe.merges.length;
  }
  for (const { id } of added_tokens) scores[id] = -1000;
  return {
    ...{ model, pre, architecture: name === 'phi3' ? 'phi3' : 'llama' },
    ...{ tokens: pack(tokens), types, scores: model === 'llama' ? scores : null },
    merges: model === 'gpt2' ? pack(bpe.merges.map(([left, right]) => `${left} ${right}`)) : null,
    addSpacePrefix: !name.startsWith('gemma'),
    ...{ addBos: false, addEos: false, bos: null, eos: null, pad: null },
    unk: model === 'llama' ? (bpe.vocab['<unk>'] ?? null) : null,
  };
}

const open = (vocabulary: GgufVocabulary) =>
  new TextTokenizer({
    tokenizerJson: tokenizerJson(vocabulary),
    ...{ tokenizerConfig: null, specialTokensMap: null, generationConfig: null },
  });

describe.each([
  ['gpt2', 'gpt2', 'gpt-2'],
  ['gpt_neox', 'gpt2', 'olmo'],
  ['llama3', 'gpt2', 'llama-bpe'],
  ['qwen2', 'gpt2', 'qwen2'],
  ['qwen3', 'gpt2', 'qwen2'],
  ['smollm2', 'gpt2', 'smollm'],
  ['smollm3', 'gpt2', 'llama-bpe'],
  ['mistral-tekken', 'gpt2', 'tekken'],
  ['llama2', 'llama', null],
  ['mistral', 'llama', null],
  ['mistral-v3', 'llama', null],
  ['phi3', 'llama', null],
  ['gemma2', 'llama', null],
  ['gemma3', 'llama', null],
] as const)('%s from a GGUF vocabulary', (name, model, pre) => {
  const golden: { ids: number[][]; decoded: Record<string, string> } = readJson(`${name}/golden.json`);
  const tokenizer = open(vocabularyOf(name, model, pre));

  it('encodes to the same ids as the Rust library', () => {
    strings.forEach(({ text }, i) => {
      expect(tokenizer.encode(text, false).ids, JSON.stringify(text)).toEqual(golden.ids[i]);
    });
  });

  it('decodes to the same text', () => {
    strings.forEach(({ text }, i) => {
      expect(tokenizer.decode(golden.ids[i]!, false), JSON.stringify(text)).toBe(
        golden.decoded[i] ?? text.toWellFormed(),
      );
    });
  });
});

describe('a vocabulary', () => {
  const small = (changes: Partial<GgufVocabulary> = {}): GgufVocabulary => ({
    ...{ model: 'gpt2', pre: 'gpt-2', architecture: 'llama', scores: null },
    tokens: pack(['<s>', '</s>', 'a', 'b', 'ab', 'Ġ']),
    types: Int32Array.of(3, 3, 1, 1, 1, 1),
    merges: pack(['a b']),
    ...{ addSpacePrefix: false, addBos: true, addEos: true, bos: 0, eos: 1, unk: null, pad: null },
    ...changes,
  });

  it('adds BOS and EOS if the file says so', () => {
    expect(open(small()).encode('ab', true).ids).toEqual([0, 4, 1]);
    expect(open(small({ addEos: false })).encode('ab', true).ids).toEqual([0, 4]);
    expect(open(small({ bos: null, addEos: false })).encode('ab', true).ids).toEqual([4]);
  });

  it.each([
    ['an unsupported type', { model: 'bert' }, /“bert” is not supported; gpt2 and llama/],
    ['no merges', { merges: null }, /no merges/],
    ['a merge of one token', { merges: pack(['ab']) }, /not a pair/],
    ['a merge of unknown tokens', { merges: pack(['a z']) }, /not a pair/],
    ['no scores', { model: 'llama' }, /no scores/],
    ['an unknown pre-tokeniser', { pre: 'future-bpe' }, /“future-bpe”/],
    ['no tokens', { tokens: pack([]) }, /0 tokens/],
    ['an overlong token', { tokens: pack(['a'.repeat(5000)]) }, /5000 bytes/],
  ])('refuses %s', (_name, changes, says) => {
    expect(() => tokenizerJson(small(changes))).toThrow(says);
  });

  it('rebuilds 262,144 tokens from their scores in seconds', () => {
    // Most tokens can be split into two others.
    const letters = 'abcdefghijklmnopqrstuvwxyz';
    const word = (n: number): string => (n < 26 ? letters[n]! : word(Math.floor(n / 26) - 1) + letters[n % 26]!);
    const tokens = Array.from({ length: 2 ** 18 }, (_, i) => word(i));
    const scores = Float32Array.from(tokens, (_, i) => -i);
    const before = cpuSeconds();
    const text = tokenizerJson(
      small({ model: 'llama', tokens: pack(tokens), scores, types: null, bos: null, eos: null }),
    );
    // About one second on an idle machine; a hang would take minutes.
    expect(cpuSeconds() - before).toBeLessThan(60);
    expect(text.length).toBeGreaterThan(2 ** 22);
  });
});
