/**
 * Splits plain text and Markdown into passages at blank lines. A heading is joined to what follows it, and a fenced
 * code block stays whole. A very long passage is split at line or sentence ends, because anything beyond max_length
 * would be truncated and never learned.
 */
import type { RawRow, RawTable } from './raw-table';

/** About 500 tokens of English. */
export const PASSAGE_CHARS = 2000;

export function parseText(text: string): RawTable {
  const passages = mergeHeadings(paragraphs(text)).flatMap((passage) => splitLong(passage, PASSAGE_CHARS));
  const rows = passages.map<RawRow>((passage, i) => ({ row: i + 1, value: { text: passage } }));
  return { fileType: 'text', columns: ['text'], rows, problems: [], totalRows: rows.length };
}

function paragraphs(text: string): string[] {
  const out: string[] = [];
  let current: string[] = [];
  let fence: string | null = null;
  const flush = () => {
    if (current.length > 0) out.push(current.join('\n'));
    current = [];
  };
  for (const line of text.split(/\r\n|\n|\r/)) {
    const mark = /^ {0,3}(```+|~~~+)/.exec(line)?.[1];
    if (fence === null && mark) fence = mark;
    else if (fence !== null && mark?.startsWith(fence)) fence = null;
    if (fence === null && line.trim() === '') flush();
    else current.push(line.trimEnd());
  }
  flush();
  return out;
}

/** A Markdown heading, or a short line that does not end a sentence. */
function isHeading(paragraph: string): boolean {
  if (/^#{1,6}\s/.test(paragraph) && !paragraph.includes('\n')) return true;
  return paragraph.length <= 60 && !paragraph.includes('\n') && /[\p{L}\p{N}:]$/u.test(paragraph);
}

function mergeHeadings(parts: readonly string[]): string[] {
  const out: string[] = [];
  let pending: string[] = [];
  for (const part of parts) {
    pending.push(part);
    if (isHeading(part) && pending.length < 4) continue;
    out.push(pending.join('\n\n'));
    pending = [];
  }
  if (pending.length > 0) out.push(pending.join('\n\n'));
  return out;
}

/** Pieces of at most `limit` characters, split at the last line end, sentence end or space before the limit. */
function splitLong(passage: string, limit: number): string[] {
  const out: string[] = [];
  let rest = passage;
  while (rest.length > limit) {
    const head = rest.slice(0, limit);
    const at =
      lastMatch(head, /\n/g, limit / 2) ??
      lastMatch(head, /[.!?]["'”’)\]]*(?=\s|\p{Lu})|[。！？]/gu, limit / 2) ??
      lastMatch(head, /\s/g, limit / 2) ??
      // Never inside a surrogate pair.
      (/[\uD800-\uDBFF]$/.test(head) ? limit - 1 : limit);
    out.push(rest.slice(0, at).trim());
    rest = rest.slice(at).trimStart();
  }
  if (rest.trim() !== '') out.push(rest);
  return out;
}

function lastMatch(text: string, pattern: RegExp, from: number): number | null {
  let end: number | null = null;
  for (const match of text.matchAll(pattern)) {
    const at = match.index + match[0].length;
    if (at >= from) end = at;
  }
  return end;
}
