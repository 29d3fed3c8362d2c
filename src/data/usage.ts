/** What became of each column of a file: which part of an example it holds, or why it is not used. */
import { type ColumnProfile, isId, isWorse } from './columns';
import { type PartName, partOf, parts } from './parts';
import { excerpt } from './problems';
import type { ColumnUse, DataProblem } from './types';

/** `columns` are the file's own; nested ones stand for them where a nested one is used. */
export function columnUses(
  profiles: readonly ColumnProfile[],
  mapping: Readonly<Record<string, string>>,
  wordsFor: Readonly<Partial<Record<PartName, string>>> = {},
): ColumnUse[] {
  return profiles.map((p) => {
    const keys = Object.keys(mapping).filter((key) => mapping[key] === p.name);
    if (keys.length > 0) {
      const part = partOf(keys[0]!);
      const label = wordsFor[part] ?? parts[part].label.toLowerCase();
      return { column: p.name, part, filled: p.filled, note: label };
    }
    return { column: p.name, part: null, filled: p.filled, ...whyNot(p) };
  });
}

/** Why a column of worse answers is not used. */
export const WORSE_ANSWERS = 'worse answers';

function whyNot(p: ColumnProfile): { note?: string } {
  if (p.filled === 0) return { note: 'empty' };
  if (isWorse(p) && p.filled > 0 && !p.numeric) return { note: WORSE_ANSWERS };
  if (isId(p)) return { note: 'identifies or describes rows' };
  if (p.values?.size === 1 && p.filled > 1) return { note: 'the same in every row' };
  return {};
}

const name = (use: ColumnUse) => `“${excerpt(use.column, 40)}”${use.note ? ` (${use.note})` : ''}`;
const MOST = 12;

function list(uses: readonly ColumnUse[]): string {
  if (uses.length === 0) return 'none';
  const shown = uses.slice(0, MOST).map(name);
  return [...shown, ...(uses.length > MOST ? [`${uses.length - MOST} more`] : [])].join(', ');
}

/** "Used: “question” (prompt), “answer” (answer). Not used: “id” (identifies or describes rows)." */
export function usageSentence({ uses }: { uses: readonly ColumnUse[] }): string {
  const used = uses.filter((use) => use.part !== null);
  const unused = uses.filter((use) => use.part === null);
  return `Used: ${list(used)}. Not used: ${list(unused)}.`;
}

/** Warns of columns that have content and are not used. */
export function unusedProblem(uses: readonly ColumnUse[]): DataProblem | null {
  const unused = uses.filter((use) => use.part === null && use.filled > 0);
  if (unused.length === 0) return null;
  return {
    severity: 'warning',
    code: 'unused_columns',
    message: `${unused.length === 1 ? 'One column is' : `${unused.length} columns are`} not used: ${list(unused)}.`,
    action: `If the model should read or learn ${unused.length === 1 ? 'it' : 'one of them'}, map it by hand.`,
    dropped: false,
  };
}
