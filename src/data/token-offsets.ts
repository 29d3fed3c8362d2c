/**
 * Finds the position of each token in a text. @huggingface/tokenizers gives no offsets, so they are reconstructed: a
 * byte-level token spells its bytes (GPT-2's table), and a SentencePiece token spells its text with "▁" for a space and
 * <0xE2> for a byte. Every byte is compared with the text, which proves the offsets right. If a normaliser changed the
 * text this fails, and the caller falls back to encoding prefixes.
 */

import { firstInvalidUtf8 } from './utf8';

export type TokenSpelling = 'byte-level' | 'sentencepiece' | 'none';

/**
 * Byte ranges [start, end) in the UTF-8 text. Ranges are empty for tokens added by a post-processor (BOS), and for a
 * separate space token that is not in the text.
 */
export interface TokenOffsets {
  starts: Int32Array;
  ends: Int32Array;
}

const encoder = new TextEncoder();

/** GPT-2's table from characters in the vocabulary to the bytes they represent. */
const BYTE_OF_LETTER: ReadonlyMap<string, number> = (() => {
  const table = new Map<string, number>();
  const printable = (b: number) => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || (b >= 0xae && b <= 0xff);
  let next = 256;
  for (let b = 0; b < 256; b++) table.set(String.fromCodePoint(printable(b) ? b : next++), b);
  return table;
})();

/** The bytes that a vocabulary entry spells; null if it does not follow that spelling. */
export function tokenBytes(token: string, spelling: TokenSpelling): Uint8Array | null {
  if (spelling === 'byte-level') {
    const bytes = new Uint8Array(token.length);
    let n = 0;
    for (const letter of token) {
      const byte = BYTE_OF_LETTER.get(letter);
      if (byte === undefined) return null;
      bytes[n++] = byte;
    }
    return bytes.subarray(0, n);
  }
  if (spelling === 'sentencepiece') {
    const byte = /^<0x([0-9A-F]{2})>$/i.exec(token);
    return byte ? Uint8Array.of(Number.parseInt(byte[1]!, 16)) : encoder.encode(token.replaceAll('▁', ' '));
  }
  return null;
}

/**
 * Offsets of `tokens` in `text` (UTF-8 bytes), or null if the tokens do not spell the text. `spellingsOf` gives the
 * bytes that a token may represent; `isAdded` says which tokens a post-processor may have inserted.
 */
export function alignTokens(
  text: Uint8Array,
  tokens: readonly string[],
  spellingsOf: (token: string) => readonly Uint8Array[],
  isAdded: (token: string) => boolean,
): TokenOffsets | null {
  const starts = new Int32Array(tokens.length);
  const ends = new Int32Array(tokens.length);
  let cursor = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const spellings = spellingsOf(token);
    if (spellings.length === 0) return null;
    let at = cursor;
    let length = longest(text, at, spellings);
    if (length < 0 && isSpace(text[at])) {
      // Added tokens with lstrip or rstrip absorb adjacent spaces.
      while (isSpace(text[at])) at++;
      length = longest(text, at, spellings);
    }
    if (length < 0) {
      if (!isAdded(token)) return null;
      at = cursor;
      length = 0;
    }
    starts[i] = at;
    ends[i] = at + length;
    cursor = at + length;
  }
  while (isSpace(text[cursor])) cursor++;
  if (cursor !== text.length) return null;
  // A space token that is not in the text is placed at its word, after any spaces absorbed by the previous token.
  for (let i = tokens.length - 2; i >= 0; i--) {
    if (starts[i] === ends[i] && !isAdded(tokens[i]!)) ends[i] = starts[i] = starts[i + 1]!;
  }
  return { starts, ends };
}

function longest(text: Uint8Array, at: number, spellings: readonly Uint8Array[]): number {
  return Math.max(...spellings.map((bytes) => spelledLength(text, at, bytes)));
}

/** Bytes of text that the token covers at `at`, or -1. A space that the tokeniser adds before a word covers none. */
function spelledLength(text: Uint8Array, at: number, bytes: Uint8Array): number {
  if (matches(text, at, bytes, 0)) return bytes.length;
  return bytes[0] === 0x20 && matches(text, at, bytes, 1) ? bytes.length - 1 : -1;
}

function matches(text: Uint8Array, at: number, bytes: Uint8Array, from: number): boolean {
  if (at + bytes.length - from > text.length) return false;
  for (let k = from; k < bytes.length; k++) if (text[at + k - from] !== bytes[k]) return false;
  return true;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Converts ascending UTF-16 positions in a text to byte positions. */
export function bytePositions(text: string, positions: readonly number[]): number[] {
  let at = 0;
  let bytes = 0;
  return positions.map((position) => {
    bytes += encoder.encode(text.slice(at, position)).length;
    at = position;
    return bytes;
  });
}

/** Display text for bytes that may begin or end inside a character: "é", "<0xC3>", "aé<0xE2>". */
export function showBytes(bytes: Uint8Array): string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const shown: string[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const valid = firstInvalidUtf8(rest);
    shown.push(decoder.decode(rest.subarray(0, valid)));
    if (valid < rest.length) shown.push(`<0x${rest[valid]!.toString(16).toUpperCase().padStart(2, '0')}>`);
    rest = rest.subarray(valid + 1);
  }
  return shown.join('');
}
