/**
 * Writes a dataset of a shape, in an encoding, with damage, and judges what becomes of it by what was written: never by
 * the parsers. The damage of a row may cost that row, if that is said, and no other.
 */
import { encode, encodingExists } from 'iconv-lite';
import type { ParsedDataset } from '../../../../src/data/types';
import { fits, type Outcome, read, said, sectionOf, type Turn, turnsOf } from '../cases/harness';
import type { Row, Shape } from './shapes';
import { type Language, speaker } from './words';
import type { Cells } from './writers';

const ROWS = 14;

export const encodings = {
  'UTF-8': { codec: 'utf8', languages: ['english', 'german'] },
  'UTF-8 with a mark': { codec: 'utf8', mark: [0xef, 0xbb, 0xbf], languages: ['spanish', 'russian'] },
  'UTF-16LE with a mark': { codec: 'utf-16le', mark: [0xff, 0xfe], languages: ['chinese', 'french'] },
  'UTF-16LE': { codec: 'utf-16le', languages: ['german', 'chinese'] },
  'Windows-1251 or -1252': { codec: ['windows-1251', 'windows-1252'], languages: ['russian', 'french'] },
  'gb18030 or Shift-JIS': { codec: ['gb18030', 'Shift_JIS'], languages: ['chinese', 'japanese'] },
} satisfies Record<string, { codec: string | [string, string]; mark?: number[]; languages: [Language, Language] }>;
export type EncodingName = keyof typeof encodings;

export const damages = [
  'none',
  'mixed line ends',
  'a stray quote or broken line',
  'a column of notes',
  'empty cells',
] as const;
export type Damage = (typeof damages)[number];

interface Expected {
  turns: Turn[];
  /** Other right readings of a damaged row. */
  others?: Turn[][];
  /** The row may be lost. */
  mayGo?: true;
  /** The row must be lost. */
  mustGo?: true;
}

export interface Written {
  bytes: Uint8Array;
  expected: Expected[];
  /** Column → whether its texts are in the examples. */
  columns: Map<string, boolean>;
  /** The file as a whole is damaged: it may be refused. */
  broken: boolean;
}

const STRUCK = 6;
const EMPTIED = [4, 9] as const;
const NOTES = 'notes';

/** Null where a shape cannot have this damage. */
export function write(shape: Shape, encoding: EncodingName, damage: Damage, seed: number): Written | null {
  const { codec, languages, ...rest } = encodings[encoding] as (typeof encodings)['UTF-8 with a mark'];
  const odd = seed % 2;
  const text = shape.file.endsWith('.txt') || shape.file.endsWith('.conll');
  const say = speaker(languages[odd]!, seed, { commas: !text });
  const rows: Row[] = Array.from({ length: ROWS }, (_, i) => shape.row(i, () => say()));
  const expected: Expected[] = rows.map(({ turns }) => ({ turns }));
  const cells: Cells[] = rows.map((row) => ({ ...row.cells }));
  const columns = new Map(Object.keys(cells[0]!).map((name) => [name, shape.used.includes(name)]));
  let broken = false;

  if (damage === 'a column of notes') {
    // Of two texts without a name nobody can tell which one is a note.
    if (shape.used.length === 0 || shape.used.some((name) => name.startsWith('column_'))) return null;
    const note = speaker('english', seed + 7, { commas: false });
    for (const row of cells) row[NOTES] = note();
    columns.set(NOTES, false);
  }
  if (damage === 'empty cells') {
    if (shape.needed === null) return null;
    const nothing = shape.file.endsWith('.json') || shape.file.endsWith('.jsonl') ? null : 'NaN';
    cells[EMPTIED[0]]![shape.needed] = nothing === null ? '' : '';
    cells[EMPTIED[1]]![shape.needed] = nothing;
    for (const row of EMPTIED) expected[row]!.mustGo = true;
  }
  const pieces = shape.write(cells);
  if (damage === 'a stray quote or broken line') {
    if (shape.pieceOf) {
      const at = shape.pieceOf(STRUCK);
      const piece = pieces[at]!;
      const cut = shape.file.endsWith('.jsonl') || piece.startsWith('"');
      pieces[at] = cut ? piece.slice(0, Math.floor(piece.length * 0.6)) : `"${piece}`;
      const turns = rows[STRUCK]!.turns;
      const quoted = turns.map((_, k) =>
        turns.map(([role, words], i): Turn => [role, i === k && typeof words === 'string' ? `"${words}` : words]),
      );
      // In prose a quote is a quote; in a table it may have been meant as one.
      const [first, ...others] =
        shape.file === 'data.txt' && shape.used.length === 0 ? [...quoted, turns] : [turns, ...quoted];
      // The mark may have changed whose message it is: then the answer stands alone, which is told.
      const alone = shape.perMessage ? [turns.slice(1)] : [];
      expected[STRUCK] = { turns: first!, others: [...others, ...alone], mayGo: true };
    } else {
      const at = Math.floor(pieces.length / 2);
      const line = pieces[at]!;
      // A tag that is cut is another tag, which nobody can see; a word without one is broken.
      const end = shape.file.endsWith('.conll') ? line.indexOf(' ') : Math.floor(line.length * 0.6);
      pieces[at] = line.slice(0, Math.max(1, end));
      broken = true;
    }
  }
  const end = (i: number) => (damage === 'mixed line ends' && i % 3 !== 1 ? '\r\n' : '\n');
  const content = pieces.map((piece, i) => piece + end(i)).join('');
  const name = Array.isArray(codec) ? (codec as string[])[odd]! : codec;
  if (!encodingExists(name)) throw new Error(`${name} is not known.`);
  const mark = 'mark' in rest ? rest.mark : [];
  return { bytes: Uint8Array.from([...mark, ...encode(content, name)]), expected, columns, broken };
}

export type Verdict = 'right' | 'asked' | 'refused' | 'wrong';
export interface Judged {
  verdict: Verdict;
  why: string;
}

export async function judge(
  shape: Shape,
  written: Written,
  given: Parameters<typeof read>[3] = {},
  depth = 0,
): Promise<Judged> {
  const outcome: Outcome = await read(shape.file, written.bytes, {}, given);
  if (outcome.dataset) {
    const why = wrongIn(outcome.dataset, written) ?? wrongUse(outcome.dataset, written);
    return why === null ? { verdict: 'right', why: '' } : { verdict: 'wrong', why };
  }
  const { error } = outcome;
  const line = error.toLine();
  if (!error.choices?.length) return { verdict: 'refused', why: line };
  if (depth > 3) return { verdict: 'wrong', why: `Questions without end: ${line}` };
  const whys: string[] = [];
  for (const { label, set } of error.choices) {
    const { verdict, why } = await judge(shape, written, { ...given, ...sectionOf(set) }, depth + 1);
    if (verdict === 'right' || verdict === 'asked') return { verdict: 'asked', why: line };
    whys.push(`${label}: ${why}`);
  }
  return { verdict: 'wrong', why: `No answer to this question reads the file right: ${line} ${whys[0]}` };
}

/** What is wrong with the examples, or null. */
function wrongIn(dataset: ParsedDataset, { expected, broken }: Written): string | null {
  const found = dataset.examples.map(turnsOf);
  const told = said(dataset);
  let at = 0;
  for (const [i, { turns, others = [], mayGo, mustGo }] of expected.entries()) {
    const next = found[at];
    if (!mustGo && next && [turns, ...others].some((wanted) => fits(next, wanted))) {
      at++;
      continue;
    }
    if (mayGo || mustGo || broken) {
      if (dataset.problems.some(({ dropped }) => dropped)) continue;
      return `row ${i + 1} is lost without a word (${told.slice(0, 200)})`;
    }
    return `row ${i + 1}: ${JSON.stringify(next ?? null)?.slice(0, 300)} instead of ${JSON.stringify(turns).slice(0, 300)}`;
  }
  if (at < found.length)
    return `${found.length - at} more examples than rows: ${JSON.stringify(found[at]).slice(0, 300)}`;
  return at === 0 ? 'no example' : null;
}

interface Use {
  column: string;
  part: string | null;
}

/** What is not true of the line that says which columns are used. */
function wrongUse(dataset: ParsedDataset, { columns }: Written): string | null {
  if (columns.size === 0 || ![...columns.values()].includes(true)) return null;
  const { uses } = dataset as { uses?: Use[] };
  if (!uses) return 'nothing is said of the columns';
  const of = (name: string) => uses.filter(({ column }) => column === name || column.startsWith(`${name}.`));
  for (const [name, used] of columns) {
    const told = of(name);
    if (told.length === 0) return `nothing is said of the column ${name} (${JSON.stringify(uses)})`;
    if (told.some(({ part }) => part !== null) !== used) {
      return `${name} is ${used ? '' : 'not '}used, and the other is said (${JSON.stringify(uses)})`;
    }
  }
  return null;
}
