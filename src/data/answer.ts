/** A row's answer as text: of several the best or the first, of choices the letter, of an object its JSON. */
import { type Choices, letterOf, PLACE } from './choices';
import { asList } from './columns';
import type { Shape } from './detect';
import { excerpt } from './problems';
import { bestOf, SCORES, SELECTED } from './ranked';
import { field, isRecord, numberIn } from './raw-table';
import { textOf } from './row-text';
import { type Note, textOfContent, toMessages } from './to-messages';
import { asTurns } from './turns';

type Row = Record<string, unknown>;
type Numbering = Shape['reading']['numbering'];
interface Answer {
  text: string;
  failure?: Note;
}

/** The item of a list of answers that another column names by its number; null if no column does. */
export function chosenItem(
  value: Row,
  column: string,
  mapping: Readonly<Record<string, string>>,
  numbering: Numbering,
): { value: Row; failure?: Note } | null {
  if (mapping.winner === undefined || mapping['answers.a'] !== undefined) return null;
  const list = asList(field(value, column)) ?? field(value, column);
  const number = numberIn(value, mapping.winner);
  const at = number - (numbering === 'from1' ? 1 : 0);
  if (Array.isArray(list) && list[at] !== undefined) return { value: { ...value, [column]: list[at] } };
  const shown = excerpt(String(field(value, mapping.winner)), 20);
  const message = `has no answer number ${shown} in “${excerpt(column, 40)}”`;
  return { value, failure: { code: 'no_choice', message } };
}

export function answerOf(
  value: Row,
  column: string,
  choices: Choices | null,
  numbering: Numbering,
  notes: Note[],
): Answer {
  const found = field(value, column);
  const name = excerpt(column, 40);
  if (choices && numbering !== 'none' && PLACE.test(String(found ?? '').trim())) {
    const at = Number(found) - (numbering === 'from1' ? 1 : 0);
    const letter = choices.letters[at];
    if (letter !== undefined) return { text: letter };
    return {
      text: '',
      failure: {
        code: 'no_choice',
        message: `has the answer ${found} and ${choices.texts.length} choices (${letterOf(0)} to ${choices.letters.at(-1)})`,
      },
    };
  }
  if (isRecord(found)) {
    // SQuAD: {text: […], answer_start: […]}.
    const keys = Object.keys(found).filter((key) => !/^(answer_start|start|end|answer_id|token_start|id)$/.test(key));
    if (keys.length === 1 && keys[0] === 'text') return answerOf(found, 'text', null, 'none', notes);
    const message = textOfContent(TEXTS.map((key) => found[key]).find((text) => text !== undefined && text !== null));
    const judged = [...SELECTED, ...SCORES].some((key) => key in found);
    if (('role' in found || 'from' in found || judged) && !message.failure) return { text: message.text };
    notes.push({ code: 'object_as_text', message: `has an object in “${name}”` });
    return { text: JSON.stringify(found) };
  }
  if (Array.isArray(found) && found.length > 0 && found.every((item) => Array.isArray(item))) {
    if (found.length > 1) notes.push({ code: 'more_answers', message: `has ${found.length} answers in “${name}”` });
    return answerOf({ first: found[0] }, 'first', null, 'none', notes);
  }
  if (Array.isArray(found) && asTurns(found)) {
    const said = toMessages(found);
    if (said.failure) return { text: '', failure: said.failure };
    return { text: said.messages.map((m) => m.content).join('\n') };
  }
  if (Array.isArray(found) && found.length > 0) {
    const best = bestOf(found);
    if (best) return answerOf({ best }, 'best', null, 'none', []);
    if (found.length > 1) notes.push({ code: 'more_answers', message: `has ${found.length} answers in “${name}”` });
    const [first] = found;
    if (typeof first === 'object' && first !== null) return answerOf({ first }, 'first', null, 'none', notes);
    return { text: String(first ?? '') };
  }
  return textOf(value, column, false, notes);
}

const TEXTS = ['content', 'value', 'text', 'answer', 'body', 'output', 'response', 'completion'];
