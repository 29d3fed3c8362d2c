/**
 * Rebuilds tokenizer.json from a GGUF file's vocabulary, so that the rest of the code needs only one format. Two kinds
 * are supported, as in transformers and llama.cpp: byte-level BPE with its merges, and SentencePiece BPE, whose merges
 * follow from the scores. Runs in a worker that can be killed: a vocabulary of 262,144 tokens takes a second or two.
 */
import { CONVERT_AGAIN, OTHER_FOLDER } from '../base/bad-model';
import { TabtuneError } from '../base/errors';
import { ggufFamilies } from '../families/gguf';
import { listStrings } from './gguf';
import { composes, ignoresMerges, knownSplits, splitsOf } from './gguf-splits';
import type { GgufVocabulary } from './gguf-vocabulary';

const CONTROL = 3;
const USER_DEFINED = 4;
/** The largest known vocabularies have about 260,000 tokens. */
const MAX_TOKENS = 2 ** 21;
const MAX_TOKEN_BYTES = 4096;

type Json = Record<string, unknown>;
/** Two token ids. */
type Merge = [left: number, right: number];

function refuse(message: string, action: string, details?: string): never {
  throw new TabtuneError({ code: 'bad_model', message, where: 'tokenizer.ggml', action, details });
}

/** Returns the text of a tokenizer.json. Throws `bad_model` for a kind that cannot be rebuilt. */
export function tokenizerJson(vocabulary: GgufVocabulary): string {
  const count = vocabulary.tokens.ends.length;
  if (count === 0 || count > MAX_TOKENS) refuse(`The file has a vocabulary of ${count} tokens.`, OTHER_FOLDER);
  const longest = vocabulary.tokens.ends.reduce((most, end, i, ends) => Math.max(most, end - (ends[i - 1] ?? 0)), 0);
  // Splitting a token in every possible way takes time quadratic in its length.
  if (longest > MAX_TOKEN_BYTES) refuse(`The file has a token of ${longest} bytes.`, OTHER_FOLDER);
  switch (vocabulary.model) {
    case 'gpt2':
      return byteLevel(vocabulary, listStrings(vocabulary.tokens));
    case 'llama':
      return sentencePiece(vocabulary, spacesAsMarks(listStrings(vocabulary.tokens)));
    default:
      refuse(
        `The tokeniser type “${vocabulary.model.slice(0, 40)}” is not supported; gpt2 and llama are.`,
        OTHER_FOLDER,
      );
  }
}

function byteLevel(vocabulary: GgufVocabulary, tokens: string[]): string {
  if (vocabulary.merges === null) refuse('The tokeniser has no merges, so text cannot be tokenised.', CONVERT_AGAIN);
  const pre = vocabulary.pre ?? 'default';
  const splits =
    splitsOf(pre) ??
    refuse(
      `The pre-tokeniser “${pre.slice(0, 40)}” is not supported.`,
      OTHER_FOLDER,
      `known: ${knownSplits.join(', ')}`,
    );
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges: Merge[] = [];
  for (const merge of listStrings(vocabulary.merges)) {
    // A piece may start with a space, but is never empty.
    const space = merge.indexOf(' ', 1);
    const left = ids.get(merge.slice(0, space));
    const right = ids.get(merge.slice(space + 1));
    if (space === -1 || left === undefined || right === undefined) {
      refuse('The tokeniser has a merge that is not a pair of its tokens.', CONVERT_AGAIN, merge.slice(0, 80));
    }
    merges.push([left, right]);
  }
  return write(vocabulary, tokens, merges, {
    normalizer: composes(pre) ? { type: 'NFC' } : null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        ...splits.map((Regex) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false })),
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { unk_token: null, fuse_unk: false, byte_fallback: false, ignore_merges: ignoresMerges(pre) },
  });
}

const MARK = '▁';

/** Gemma's files store runs of spaces literally, but in normalised text every space is a ▁. */
function spacesAsMarks(tokens: string[]): string[] {
  return tokens.map((token) => (/^ +$/.test(token) ? MARK.repeat(token.length) : token));
}

function sentencePiece(vocabulary: GgufVocabulary, tokens: string[]): string {
  const { scores, types, addSpacePrefix, unk } = vocabulary;
  if (scores === null) refuse('The tokeniser has no scores, so its merges cannot be derived.', CONVERT_AGAIN);
  // Converters give control and user-defined tokens the lowest scores. For merging they must come first, or a run of
  // spaces would never become one token.
  const rank = scores.map((score, id) => (types?.[id] === CONTROL || types?.[id] === USER_DEFINED ? 0 : score));
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: MARK };
  return write(vocabulary, tokens, mergesFromScores(tokens, rank), {
    normalizer: addSpacePrefix
      ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: MARK }, replace] }
      : replace,
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: MARK }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(addSpacePrefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: {
      unk_token: unk === null ? null : tokens[unk],
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
    },
  });
}

/**
 * Every way to build a token from two others, best score first. Ties are ordered by the longer left part, then the
 * longer right part, then vocabulary order, which is how transformers writes them.
 */
export function mergesFromScores(tokens: readonly string[], scores: Float32Array): Merge[] {
  const table = new TokenTable(tokens);
  const letters = Uint16Array.from(tokens, countLetters);
  const order = Uint32Array.from(tokens.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b);
  const merges: Merge[] = [];
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++;
    const first = merges.length;
    for (let i = from; i < to; i++) table.halves(tokens[order[i]!]!, merges);
    // Most scores belong to a single token, whose halves are already in order.
    if (to - from === 1) continue;
    const group = merges.splice(first);
    group.sort(([a, b], [c, d]) => letters[c]! - letters[a]! || letters[d]! - letters[b]!);
    for (const merge of group) merges.push(merge);
  }
  return merges;
}

/**
 * Finds which two tokens make up a third. A Map would have to slice and hash millions of small strings. Here the hashes
 * of all prefixes and suffixes are computed incrementally (a polynomial in 31, low 32 bits).
 */
class TokenTable {
  /** Open addressing: id + 1, or 0. */
  private readonly slots: Int32Array;
  private beginnings = new Int32Array(64);

  constructor(private readonly tokens: readonly string[]) {
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(tokens.length * 2 + 1)));
    for (const [id, token] of tokens.entries()) {
      let hash = 0;
      for (let i = 0; i < token.length; i++) hash = (Math.imul(hash, 31) + token.charCodeAt(i)) | 0;
      let slot = this.slotOf(hash);
      // Of duplicate tokens the last one counts.
      while (this.slots[slot] !== 0 && tokens[this.slots[slot]! - 1] !== token) slot = (slot + 1) % this.slots.length;
      this.slots[slot] = id + 1;
    }
  }

  /** Appends all pairs that make up `token`, longest left part first. */
  halves(token: string, merges: Merge[]): void {
    if (token.length > this.beginnings.length) this.beginnings = new Int32Array(token.length);
    let hash = 0;
    for (let i = 0; i < token.length; i++) {
      hash = (Math.imul(hash, 31) + token.charCodeAt(i)) | 0;
      this.beginnings[i] = hash;
    }
    hash = 0;
    let power = 1;
    for (let at = token.length - 1; at > 0; at--) {
      hash = (hash + Math.imul(token.charCodeAt(at), power)) | 0;
      power = Math.imul(power, 31);
      if (isLowSurrogate(token, at)) continue;
      const left = this.find(token, 0, at, this.beginnings[at - 1]!);
      const right = left < 0 ? -1 : this.find(token, at, token.length, hash);
      if (right >= 0) merges.push([left, right]);
    }
  }

  /** The id of the token equal to characters [start, end) of `text`, or -1. */
  private find(text: string, start: number, end: number, hash: number): number {
    for (let slot = this.slotOf(hash); ; slot = (slot + 1) % this.slots.length) {
      const id = this.slots[slot]! - 1;
      if (id < 0) return -1;
      const token = this.tokens[id]!;
      if (token.length === end - start && text.startsWith(token, start)) return id;
    }
  }

  private slotOf(hash: number): number {
    // Mixed, because the low bits of the polynomial depend mostly on the last characters.
    return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> (32 - Math.log2(this.slots.length));
  }
}

const isLowSurrogate = (text: string, at: number) => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

function countLetters(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) if (!isLowSurrogate(text, at)) count++;
  return count;
}

interface Parts {
  normalizer: Json | null;
  pre_tokenizer: Json | null;
  decoder: Json;
  model: Json;
}

function write(vocabulary: GgufVocabulary, tokens: string[], merges: readonly Merge[], parts: Parts): string {
  const { normalizer, pre_tokenizer, decoder, model } = parts;
  const head = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary, tokens),
    normalizer,
    pre_tokenizer,
    post_processor: postProcessor(vocabulary, tokens),
    decoder,
  };
  const settings = {
    type: 'BPE',
    dropout: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    ...model,
  };
  // The two long lists are written by hand: as objects they would need several times the memory.
  const quoted = tokens.map((token) => JSON.stringify(token));
  const vocab = quoted.map((token, id) => `${token}:${id}`).join(',');
  const pairs = merges.map(([left, right]) => `[${quoted[left]},${quoted[right]}]`).join(',');
  const open = (value: object) => JSON.stringify(value).slice(0, -1);
  return `${open(head)},"model":${open(settings)},"vocab":{${vocab}},"merges":[${pairs}]}}`;
}

/** Tokens that are matched in the text before anything else. */
function addedTokens({ types, model, architecture }: GgufVocabulary, tokens: string[]): Json[] {
  const family = Object.values(ggufFamilies).find((each) => each.architecture === architecture);
  const swallows = model === 'llama' ? family?.swallowsSpace : undefined;
  const added: Json[] = [];
  for (const [id, content] of tokens.entries()) {
    const type = types?.[id];
    if ((type !== CONTROL && type !== USER_DEFINED) || content === '') continue;
    added.push({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: swallows?.(content) ?? false,
      normalized: false,
      // Thousands of reserved `<unused…>` tokens have no meaning and are not special.
      special: type === CONTROL && !/^<unused\d+>$/.test(content),
    });
  }
  return added;
}

function postProcessor({ addBos, addEos, bos, eos }: GgufVocabulary, tokens: string[]): Json | null {
  const special = (id: number | null) => (id === null ? [] : [{ SpecialToken: { id: tokens[id], type_id: 0 } }]);
  const before = special(addBos ? bos : null);
  const behind = special(addEos ? eos : null);
  if (before.length + behind.length === 0) return null;
  const ids = [...(before.length > 0 ? [bos!] : []), ...(behind.length > 0 ? [eos!] : [])];
  const single = [...before, { Sequence: { id: 'A', type_id: 0 } }, ...behind];
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, { Sequence: { id: 'B', type_id: 1 } }],
    special_tokens: Object.fromEntries(
      ids.map((id) => [tokens[id], { id: tokens[id], ids: [id], tokens: [tokens[id]] }]),
    ),
  };
}
