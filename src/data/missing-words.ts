/**
 * Words that programs write where nothing is: `nan` and `None` from pandas, `\N` from databases, `#REF!` from spreadsheets.
 * They are read as empty, and said: learned, they would be answers and classes.
 */
import { excerpt } from './problems';
import { isRecord, type RawTable } from './raw-table';
import type { DataProblem } from './types';

/** Never a value that somebody meant. */
const CERTAIN =
  /^(?:nan|-nan|NaN|NAN|<NA>|NaT|\\N|#N\/A|#REF!|#VALUE!|#DIV\/0!|#NAME\?|#NULL!|#NUM!|#ERROR!|#SPILL!|#CALC!|#BEZUG!|#NV|#WERT!|1\.#QNAN|1\.#IND)$/;
/** Also words: “None” can be a class, and an answer. */
const PROBABLE = /^(?:None|null|NULL|Null|N\/A|n\/a|undefined|<null>|<none>)$/;
const LONGEST = 9;

interface Column {
  words: Map<string, number>;
  /** Cells with nothing in them. */
  empty: number;
  /** Other contents, until there are too many to be classes. */
  values: Map<string, number> | null;
  filled: number;
}

/** Empties the cells of `table` that hold such words. Returns what was done, column by column. */
export function clearMissingWords(table: RawTable): DataProblem[] {
  const columns = new Map<string, Column>(
    table.columns.map((name) => [name, { words: new Map(), empty: 0, values: new Map(), filled: 0 }]),
  );
  for (const { value } of table.rows) {
    if (!isRecord(value)) continue;
    for (const [name, column] of columns) count(column, Object.hasOwn(value, name) ? value[name] : undefined);
  }
  const problems: DataProblem[] = [];
  for (const [name, column] of columns) {
    if (column.words.size === 0) continue;
    const certain = [...column.words].filter(([word]) => CERTAIN.test(word));
    const probable = [...column.words].filter(([word]) => !CERTAIN.test(word));
    const many = probable.reduce((n, [, times]) => n + times, 0);
    // A word that stands in several columns is no class of one of them.
    const elsewhere = probable.some(([word]) =>
      [...columns].some(([other, { words }]) => other !== name && words.has(word)),
    );
    const besideEmpties = column.empty > 0 || certain.length > 0 || elsewhere;
    const kept = probable.length > 0 && !besideEmpties && (many === 1 || isClass(column, many));
    const cleared = kept ? certain : [...certain, ...probable];
    if (cleared.length > 0) {
      const words = new Set(cleared.map(([word]) => word));
      for (const { value } of table.rows) {
        if (isRecord(value) && typeof value[name] === 'string' && words.has(value[name].trim())) value[name] = '';
      }
      const rows = cleared.reduce((n, [, times]) => n + times, 0);
      problems.push({
        severity: 'warning',
        code: 'missing_words',
        message: `“${excerpt(name, 40)}” has ${cleared.map(([word, times]) => `${word} (${times.toLocaleString('en')})`).join(', ')} where a value is missing.`,
        action: 'They were read as empty.',
        dropped: false,
        rows,
      });
    }
    if (kept && many > 1) {
      problems.push({
        severity: 'warning',
        code: 'word_as_class',
        message: `“${excerpt(name, 40)}” has ${probable.map(([word, times]) => `${word} (${times.toLocaleString('en')})`).join(', ')} as often as its other values.`,
        action: 'It was kept as a value. If it means that a value is missing, leave the cells empty.',
        dropped: false,
        rows: many,
      });
    }
  }
  return problems;
}

function count(column: Column, cell: unknown): void {
  if (cell === null || cell === undefined || cell === '') {
    column.empty++;
    return;
  }
  if (typeof cell !== 'string') return;
  if (cell.length <= LONGEST + 4) {
    const word = cell.trim();
    if (word === '') {
      column.empty++;
      return;
    }
    if (word.length <= LONGEST && (CERTAIN.test(word) || PROBABLE.test(word))) {
      column.words.set(word, (column.words.get(word) ?? 0) + 1);
      return;
    }
  }
  column.filled++;
  if (column.values === null) return;
  column.values.set(cell, (column.values.get(cell) ?? 0) + 1);
  if (column.values.size > 50) column.values = null;
}

/** Whether a word may be a class: the other values are few, each is repeated, and the word is about as common as they are. */
function isClass({ values, filled }: Column, many: number): boolean {
  if (values === null || values.size === 0 || values.size > filled / 3) return false;
  return many >= 0.5 * (filled / values.size) && many >= 0.05 * (filled + many);
}
