/** What of a text is the answer, and how texts are compared. */

/** What follows the thoughts, if there are any. */
export function afterThoughts(text: string): string {
  const end = text.lastIndexOf('</think>');
  return end < 0 ? text : text.slice(end + '</think>'.length);
}

/** A column's value as text; null if there is none. */
export function columnText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.trim() === '' ? null : text;
}

export interface Comparing {
  ignore_case: boolean;
  ignore_punctuation: boolean;
}

/** Unicode in one form, runs of white space as one blank, and what the options leave out. */
export function normalised(text: string, { ignore_case, ignore_punctuation }: Comparing): string {
  let form = text.normalize('NFKC');
  if (ignore_case) form = form.toLowerCase();
  if (ignore_punctuation) form = form.replace(/[\p{P}\p{S}]+/gu, ' ');
  return form.replace(/\s+/gu, ' ').trim();
}
