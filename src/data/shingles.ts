/**
 * Texts as sets of shingles: runs of three words, without case, signs and spaces (Broder, "On the resemblance and containment of
 * documents", 1997). A shingle is a 32-bit hash, so two different ones count as one in four billion times.
 */
import { preferenceTexts, textsOfTurns } from './preference-parts';
import type { Example } from './types';

const WORDS = 3;
const BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** Letters and digits. Scripts without spaces between words count each letter as a word. */
const NOTHING = 0;
const LETTER = 1;
const WORD = 2;

function kindOf(code: number): number {
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) ? LETTER : NOTHING;
  if (code < 0xc0 || code === 0xd7 || code === 0xf7)
    return code === 0xaa || code === 0xb5 || code === 0xba ? LETTER : NOTHING;
  if (code >= 0x2000 && code < 0x2070) return NOTHING;
  if (code >= 0x3000 && code < 0x3040) return NOTHING;
  if ((code >= 0x0e00 && code < 0x0e60) || (code >= 0x3040 && code < 0xa000) || (code >= 0xf900 && code < 0xfb00))
    return WORD;
  return code >= 0xff00 && code < 0xff10 ? NOTHING : LETTER;
}

/** Spreads every bit of a hash over all others (murmur3's finaliser). */
export function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A hash of each word. */
function wordsOf(text: string): number[] {
  const lower = text.toLowerCase();
  const words: number[] = [];
  let hash = BASIS;
  let open = false;
  for (let i = 0; i < lower.length; i++) {
    const code = lower.charCodeAt(i);
    const kind = kindOf(code);
    if (kind === LETTER) {
      hash = Math.imul(hash ^ code, PRIME);
      open = true;
      continue;
    }
    if (open) words.push(mix(hash));
    hash = BASIS;
    open = false;
    if (kind === WORD) words.push(mix(Math.imul(BASIS ^ code, PRIME)));
  }
  if (open) words.push(mix(hash));
  return words;
}

/** Words of a template, which stand in nearly all texts and would make them all alike. */
export function sharedShingles(texts: readonly string[]): ReadonlySet<number> {
  const counts = new Map<number, number>();
  for (const text of texts) for (const shingle of shinglesOf(text)) counts.set(shingle, (counts.get(shingle) ?? 0) + 1);
  return new Set([...counts].flatMap(([shingle, count]) => (count > 0.8 * texts.length ? [shingle] : [])));
}

/** `set` without those of `shared`; the whole set if nothing else is in it. */
export function beside(set: Uint32Array, shared: ReadonlySet<number>): Uint32Array {
  if (shared.size === 0) return set;
  const own = set.filter((shingle) => !shared.has(shingle));
  return own.length === 0 ? set : own;
}

/** Ascending, each once. A text of fewer than three words is one shingle; one without words has none. */
export function shinglesOf(text: string): Uint32Array {
  const words = wordsOf(text);
  if (words.length === 0) return new Uint32Array(0);
  const count = Math.max(1, words.length - WORDS + 1);
  const all = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    let hash = BASIS;
    for (let j = i; j < Math.min(words.length, i + WORDS); j++) hash = mix(Math.imul(hash, PRIME) ^ words[j]!);
    all[i] = hash;
  }
  all.sort();
  let kept = 1;
  for (let i = 1; i < count; i++) if (all[i] !== all[i - 1]) all[kept++] = all[i]!;
  return all.slice(0, kept);
}

/** |A ∩ B| / |A ∪ B| of two ascending sets; 0 if one is empty. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  let shared = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      shared++;
      i++;
      j++;
    } else if (a[i]! < b[j]!) i++;
    else j++;
  }
  return shared === 0 ? 0 : shared / (a.length + b.length - shared);
}

/** What is compared of an example: a label is no part of a text, and a system message is in every row. */
export function comparedText(example: Example): string {
  switch (example.kind) {
    case 'messages':
      return example.messages.flatMap(({ role, content }) => (role === 'system' ? [] : [content])).join('\n');
    case 'prompt_completion':
      return `${example.prompt}\n${example.completion}`;
    case 'tagged':
      return example.tokens.join(' ');
    case 'pair':
    case 'judged':
    case 'prompt':
      return preferenceTexts(example).join('\n');
    default:
      return example.text;
  }
}

/** What is asked: everything before the last answer; null for plain text. */
export function askedText(example: Example): string | null {
  switch (example.kind) {
    case 'messages': {
      const last = example.messages.findLastIndex(({ role }) => role === 'assistant');
      if (last <= 0) return null;
      return example.messages
        .slice(0, last)
        .flatMap(({ role, content }) => (role === 'system' ? [] : [content]))
        .join('\n');
    }
    case 'prompt_completion':
      return example.prompt;
    case 'tagged':
      return example.tokens.join(' ');
    case 'labelled':
      return example.text;
    case 'pair':
    case 'judged':
    case 'prompt':
      return textsOfTurns(example.prompt).join('\n');
    default:
      return null;
  }
}
