/** The result of converting a row, and reading a column as text. */

import { excerpt } from './problems';
import { field } from './raw-table';
import { spelling } from './spellings';
import { kind, type Note } from './to-messages';
import type { Example } from './types';

export interface Outcome {
  example: Example | null;
  failure?: Note;
  notes: Note[];
  /** Fields of a conversation's messages that have content and are not read. */
  unread?: string[];
}

export function empty(code: string, column: string, notes: Note[]): Outcome {
  return { example: null, failure: { code, message: `has nothing in “${excerpt(column, 40)}”` }, notes };
}

/** A column's text. Numbers and booleans are read as text, with a note; null, lists and objects are failures. */
export function textOf(
  value: Record<string, unknown>,
  column: string | undefined,
  optional: boolean,
  notes: Note[],
): { text: string; failure?: Note } {
  const found = field(value, column);
  if (typeof found === 'string') return { text: found };
  if (column === undefined || (optional && (found === undefined || found === null))) return { text: '' };
  const name = excerpt(column, 40);
  if (typeof found === 'number' || typeof found === 'boolean') {
    notes.push({ code: 'not_text', message: `has ${kind(found)} in “${name}”` });
    // 0.50 stays 0.50.
    return { text: spelling(value, column) ?? String(found) };
  }
  if (found === undefined) return { text: '', failure: { code: 'missing_field', message: `has no “${name}”` } };
  // A list with one string, as in datasets with several reference answers.
  if (Array.isArray(found) && found.length === 1 && typeof found[0] === 'string') return { text: found[0] };
  return { text: '', failure: { code: 'not_text', message: `has ${kind(found)} in “${name}”` } };
}
