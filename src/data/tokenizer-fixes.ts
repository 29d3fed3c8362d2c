/**
 * Fixes for @huggingface/tokenizers 0.2.0 where its ids or texts differ from the Rust library used to train models.
 * Each was found by tests/unit/data/golden.test.ts or real-tokenizers.test.ts, which fail without it. The remaining
 * differences are characters added to Unicode later: browsers know newer ones than the reference.
 */
import {
  BertNormalizer,
  BPE,
  ByteFallbackDecoder,
  ByteLevelPreTokenizer,
  LowercaseNormalizer,
  SplitPreTokenizer,
  type Tokenizer,
} from '@huggingface/tokenizers';
import { Merges } from './bpe';
import { isRecord } from './raw-table';

/**
 * In Rust, the Digits pre-tokeniser splits at every numeric character (`char::is_numeric`, Unicode's N: ½, ², ٣); in
 * the library, only at 0-9. A Split with that pattern behaves the same in both.
 */
export function withNumericDigits(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withNumericDigits);
  if (!isRecord(part)) return part;
  if (part.type === 'Digits') {
    const pattern = part.individual_digits ? '\\p{N}' : '\\p{N}+';
    return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
  }
  return Array.isArray(part.pretokenizers)
    ? { ...part, pretokenizers: part.pretokenizers.map(withNumericDigits) }
    : part;
}

/** Replaces the parts of a tokeniser whose code differs. */
export function fixParts(tokenizer: Tokenizer): void {
  const { normalizer, pre_tokenizer, decoder } = tokenizer;
  const pending: unknown[] = [normalizer, pre_tokenizer, decoder];
  while (pending.length > 0) {
    const part = pending.pop();
    if (part instanceof ByteFallbackDecoder) part.decode_chain = decodeByteFallback;
    if (part instanceof ByteLevelPreTokenizer) part.pattern = BYTE_LEVEL_WORDS;
    if (part instanceof LowercaseNormalizer) part.normalize = lowercase;
    if (part instanceof BertNormalizer) fixBert(part);
    const { normalizers, tokenizers, decoders } = (part ?? {}) as Record<string, unknown>;
    for (const nested of [normalizers, tokenizers, decoders]) if (Array.isArray(nested)) pending.push(...nested);
  }
}

/** GPT-2's words. JavaScript's \s includes U+FEFF but not U+0085; Unicode's White_Space is the reverse. */
const BYTE_LEVEL_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Character by character, because on a whole text JavaScript treats a sigma at the end of a word specially. */
function lowercase(text: string): string {
  let out = '';
  for (const letter of text) out += letter.toLowerCase();
  return out;
}

/** Chinese characters according to Rust. The gap between the last two of the CJK extensions is also in its source. */
const CHINESE =
  /[\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/gu;

/** The library looks for Chinese characters among UTF-16 code units, and so misses those beyond U+FFFF. */
function fixBert(part: BertNormalizer): void {
  const { clean_text, handle_chinese_chars, strip_accents, lowercase: lowers } = part.config;
  part.normalize = (given) => {
    // biome-ignore lint/complexity/useLiteralKeys: it is private in the library
    let text = clean_text ? part['clean_text'](given) : given;
    if (handle_chinese_chars) text = text.replace(CHINESE, ' $& ');
    if (strip_accents ?? lowers) text = part.strip_accents(text);
    return lowers ? lowercase(text) : text;
  };
}

/** Number of words whose tokens or bytes are remembered, at about 100 bytes each. */
const REMEMBERED_WORDS = 100_000;
/** Longer words hardly ever come again. */
const LONGEST_REMEMBERED = 256;

/**
 * Replaces what is slow in the library and gives the same tokens: its BPE (see bpe.ts), its cache, which holds 10,000
 * words and reorders itself at every look-up, and the spelling of every word's bytes anew. `merges` are the tokeniser's
 * own; the library is given none, because it would keep the JSON text of each.
 */
export function fasterParts(tokenizer: Tokenizer, merges: readonly (readonly string[])[]): void {
  const { model } = tokenizer;
  if (model instanceof BPE) model.bpe = fastBpe(model, new Merges(merges));
  const pending: unknown[] = [tokenizer.pre_tokenizer];
  while (pending.length > 0) {
    const part = pending.pop();
    if (part instanceof SplitPreTokenizer) matchInstead(part);
    if (part instanceof ByteLevelPreTokenizer) rememberBytes(part);
    const { tokenizers } = (part ?? {}) as Record<string, unknown>;
    if (Array.isArray(tokenizers)) pending.push(...tokenizers);
  }
}

/** A map that forgets everything when it is full, which costs less than keeping the order of use. */
function memory<T>(): { get(word: string): T | undefined; put(word: string, value: T): void } {
  const words = new Map<string, T>();
  return {
    get: (word) => words.get(word),
    put(word, value) {
      if (word.length >= LONGEST_REMEMBERED) return;
      if (words.size >= REMEMBERED_WORDS) words.clear();
      words.set(word, value);
    },
  };
}

function fastBpe({ end_of_word_suffix: suffix, continuing_subword_suffix: inner }: BPE, merges: Merges) {
  const known = memory<string[]>();
  const whole = (word: string): string[] => {
    const characters = Array.from(word);
    if (suffix) characters[characters.length - 1] += suffix;
    const tokens = merges.join(characters);
    return inner ? tokens.map((token, i) => (i < tokens.length - 1 ? token + inner : token)) : tokens;
  };
  const remembered = (word: string): string[] => {
    let tokens = known.get(word);
    if (tokens === undefined) {
      tokens = whole(word);
      known.put(word, tokens);
    }
    return tokens;
  };
  return (word: string): string[] => {
    if (word.length === 0) return [];
    const tokens = known.get(word);
    if (tokens !== undefined) return tokens;
    // To SentencePiece a whole text is one word.
    const parts = suffix || inner ? [word] : merges.partsOf(word);
    if (parts.length === 1) return remembered(word);
    const joined = parts.flatMap(remembered);
    known.put(word, joined);
    return joined;
  };
}

/** Splitting where matches follow each other without a gap, as they do in the patterns of GPT-2's heirs, is matching. */
function matchInstead(part: SplitPreTokenizer): void {
  const { pattern } = part;
  if (!pattern || part.config.invert || part.config.behavior?.toLowerCase() === 'removed') return;
  const split = part.pre_tokenize_text.bind(part);
  part.pre_tokenize_text = (text) => {
    const found = text.match(pattern);
    if (!found) return split(text);
    let covered = 0;
    for (const match of found) {
      if (match === '') return split(text);
      covered += match.length;
    }
    return covered === text.length ? found : split(text);
  };
}

function rememberBytes(part: ByteLevelPreTokenizer): void {
  const known = memory<string>();
  const spelled = (word: string) => {
    let bytes = known.get(word);
    if (bytes === undefined) {
      bytes = '';
      for (const byte of part.text_encoder.encode(word)) bytes += part.byte_encoder[byte];
      known.put(word, bytes);
    }
    return bytes;
  };
  part.pre_tokenize_text = (given) => {
    const text = part.add_prefix_space && !given.startsWith(' ') ? ` ${given}` : given;
    return (part.use_regex ? (text.match(part.pattern) ?? []) : [text]).map(spelled);
  };
  // Behind a pattern that found the words, each word gives exactly one.
  if (part.use_regex || part.add_prefix_space) return;
  part.pre_tokenize = (given) => (typeof given === 'string' ? [given] : given).map(spelled);
}

/** The library drops U+FEFF, and shows an incomplete character as one "�", where Rust shows one per byte. */
function decodeByteFallback(tokens: string[]): string[] {
  const out: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    try {
      out.push(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes)));
    } catch {
      for (const _ of bytes) out.push('\uFFFD');
    }
    bytes = [];
  };
  for (const token of tokens) {
    const byte = /^<0x([0-9A-F]{2})>$/i.exec(token);
    if (byte) {
      bytes.push(Number.parseInt(byte[1]!, 16));
      continue;
    }
    flush();
    out.push(token);
  }
  flush();
  return out;
}
