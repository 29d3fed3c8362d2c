/** Preferences, marks and prompts as TRL's own trainers read them: strings, or messages for the model's template. */
import type { ChatMessage, Turns } from '../../../data/types';
import type { WrittenRow } from '../../../data/written-row';

/** Every message has the same keys: `datasets` refuses files whose messages differ in them. */
const message =
  (thoughts: boolean) =>
  (one: ChatMessage): object => ({
    ...{ role: one.role, content: one.content },
    ...(thoughts ? { reasoning_content: one.thoughts || null } : {}),
  });

const turnsOf = (row: WrittenRow): Turns[] => {
  if (row.kind === 'pair') return [row.prompt, row.chosen, row.rejected];
  if (row.kind === 'judged') return [row.prompt, row.completion];
  return row.kind === 'prompt' ? [row.prompt] : [];
};

/** Whether any message of the rows has thoughts, so that all get a place for them. */
export const haveThoughts = (...lists: readonly (readonly WrittenRow[])[]): boolean =>
  lists.some((rows) =>
    rows.some((row) => turnsOf(row).some((turns) => typeof turns !== 'string' && turns.some((one) => one.thoughts))),
  );

/** Null for rows that are a text of their own. */
export function trlRow(row: WrittenRow, thoughts: boolean): object | null {
  const turns = (given: Turns) => (typeof given === 'string' ? given : given.map(message(thoughts)));
  switch (row.kind) {
    case 'pair':
      return { prompt: turns(row.prompt), chosen: turns(row.chosen), rejected: turns(row.rejected) };
    case 'judged':
      return { prompt: turns(row.prompt), completion: turns(row.completion), label: row.good };
    case 'prompt':
      return { ...row.columns, prompt: turns(row.prompt) };
    default:
      return null;
  }
}
