/** Multiple choice: the choices in a list, or in a column each. They are written below the question. */
import type { ColumnSet, Mapping } from './column-set';
import { asList, type ColumnProfile } from './columns';
import { plainName } from './parts';
import { excerpt } from './problems';
import { field, isRecord, type RawTable } from './raw-table';

const PREFIXES = ['', 'option', 'opt', 'choice', 'answer', 'ending', 'op', 'alternative', 'candidate', 'option_text'];
const RUNS = [
  ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
  ['1', '2', '3', '4', '5', '6', '7', '8'],
  ['0', '1', '2', '3', '4', '5', '6', '7'],
];

/** `choices` or `choices.A`, `choices.B`, …; empty if there are none. */
export function findChoices(columns: ColumnSet, used: readonly string[]): Mapping {
  if (columns.isGiven('choices')) {
    return Object.fromEntries(
      Object.entries(columns.given).filter(([key, column]) => key.startsWith('choices') && column !== ''),
    );
  }
  const list = columns.pick('choices', { taken: used, where: (p) => p.lists > 0.5 || p.nested });
  if (list) return { choices: list.name };
  const free = columns.free.filter((p) => !used.includes(p.name));
  for (const prefix of PREFIXES) {
    for (const run of RUNS) {
      const found: ColumnProfile[] = [];
      for (const end of run) {
        const next = free.find((p) => p.key === plainName(prefix + end));
        if (!next) break;
        found.push(next);
      }
      // A and B alone, or 1 and 2, may be anything.
      if (found.length >= (prefix === '' ? 3 : 2) && !(prefix === '' && run[0] !== 'a')) {
        return Object.fromEntries(found.map((p, i) => [`choices.${letterOf(i)}`, p.name]));
      }
    }
  }
  return {};
}

export const letterOf = (i: number) => String.fromCharCode(65 + i);

export interface Choices {
  letters: string[];
  texts: string[];
}

/** A row's choices; null if it has none. */
export function choicesOf(value: Record<string, unknown>, mapping: Mapping): Choices | null {
  const keys = Object.keys(mapping).filter((key) => key.startsWith('choices.'));
  if (keys.length > 0) {
    const filled = keys
      .map((key) => [key.slice('choices.'.length), field(value, mapping[key])] as const)
      .filter(([, text]) => text !== undefined && text !== null && text !== '');
    return filled.length === 0 ? null : { letters: filled.map(([l]) => l), texts: filled.map(([, t]) => String(t)) };
  }
  const found = field(value, mapping.choices);
  // ARC: {text: […], label: ["A", …]}; MedQA: {"A": "…", "B": "…"}.
  if (isRecord(found)) {
    const { text, label } = found;
    if (Array.isArray(text)) {
      const letters = Array.isArray(label) && label.length === text.length ? label : text.map((_, i) => letterOf(i));
      return { letters: letters.map(String), texts: text.map(String) };
    }
    const entries = Object.entries(found).filter(([, v]) => typeof v === 'string' || typeof v === 'number');
    return entries.length === 0 ? null : { letters: entries.map(([k]) => k), texts: entries.map(([, v]) => String(v)) };
  }
  const list = asList(found) ?? (Array.isArray(found) ? found.map(textOfItem) : null);
  if (!list || list.length === 0 || list.some((item) => item === null)) return null;
  return { letters: list.map((_, i) => letterOf(i)), texts: list.map(String) };
}

const textOfItem = (item: unknown) =>
  isRecord(item) ? (item.text ?? item.content ?? item.value ?? JSON.stringify(item)) : item;

export const writeChoices = ({ letters, texts }: Choices) =>
  letters.map((letter, i) => `${letter}. ${texts[i]}`).join('\n');

/** The number of a choice, also as a data frame writes it: 1.0. */
export const PLACE = /^\d+(\.0+)?$/;

/**
 * How numbers in the answer column count the choices: from 0, from 1, or not at all, because they are the choices' own
 * texts. Decided over all rows.
 */
export function numbering(table: RawTable, mapping: Mapping, answer: string): 'none' | 'from0' | 'from1' {
  let texts = 0;
  let numbers = 0;
  let zero = false;
  let last = false;
  for (const { value } of table.rows) {
    if (!isRecord(value)) continue;
    const choices = choicesOf(value, mapping);
    const found = field(value, answer);
    if (!choices || found === undefined || found === null) continue;
    const text = String(found).trim();
    if (!PLACE.test(text)) return 'none';
    numbers++;
    if (choices.texts.some((choice) => choice.trim() === text)) texts++;
    if (Number(text) === 0) zero = true;
    if (Number(text) === choices.texts.length) last = true;
  }
  if (numbers === 0) return 'none';
  if (texts === numbers) return 'none';
  if (zero) return 'from0';
  return last ? 'from1' : 'from0';
}

export const choicesNote = (how: 'none' | 'from0' | 'from1', column: string) =>
  how === 'none'
    ? ''
    : ` The numbers in “${excerpt(column, 40)}” count the choices from ${how === 'from0' ? 0 : 1}; the model learns the letter.`;
