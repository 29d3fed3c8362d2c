/** Whether a rendered conversation has the text of every message, and what else became of a row on the way to its text. */
import type { Choice } from '../base/errors';
import type { ChatTemplate } from './chat-template';
import type { Fitting } from './fit-messages';
import { RowRefused } from './row-refused';
import { thoughtsOf } from './template-messages';
import { coreOf } from './template-text';
import type { ChatMessage, DataProblem } from './types';

export type RenderNote =
  | Fitting
  | 'thoughts_left_out'
  | 'text_changed'
  | 'marks_stripped'
  | 'used_as_is'
  | 'text_has_marks'
  | 'prompt_differs';

/** Orders of roles in which every message was found by marks once; the texts of further rows only have to be there. */
const verified = new WeakMap<ChatTemplate, Set<string>>();
const MOST_VERIFIED = 1000;

/** Throws RowRefused if the text of a message is not in the rendered conversation. */
export function unwritten(template: ChatTemplate, messages: readonly ChatMessage[], text: string): RenderNote[] {
  const notes = new Set<RenderNote>();
  const orders = verified.get(template) ?? new Set();
  verified.set(template, orders);
  const order = messages.map(({ role }) => role[0]).join('');
  if (!orders.has(order) || !standInOrder(messages, text)) {
    const places = template.places(messages, text);
    messages.forEach((message, i) => {
      const core = coreOf(message);
      if (core === '') return;
      // Where marks change the text, the message is only looked for.
      const found = places ? places[i] : text.includes(core) ? null : undefined;
      if (found === undefined) throw lost(message, i);
      if (found && !sameText(text.slice(...found), core)) notes.add('text_changed');
    });
    if (places && orders.size < MOST_VERIFIED) orders.add(order);
  }
  if (!thoughtsStand(messages, text)) notes.add('thoughts_left_out');
  return [...notes];
}

function standInOrder(messages: readonly ChatMessage[], text: string): boolean {
  let at = 0;
  for (const message of messages) {
    const core = coreOf(message);
    const found = text.indexOf(core, at);
    if (found === -1) return false;
    at = found + core.length;
  }
  return true;
}

/** Some templates write the results of tools as JSON. */
const sameText = (written: string, core: string) => written === core || written === JSON.stringify(core).slice(1, -1);

function thoughtsStand(messages: readonly ChatMessage[], text: string): boolean {
  let at = 0;
  for (const message of messages) {
    const thoughts = thoughtsOf(message);
    if (thoughts === '') continue;
    const found = text.indexOf(thoughts, at);
    if (found === -1) return false;
    at = found + thoughts.length;
  }
  return true;
}

const names: Record<ChatMessage['role'], string> = {
  system: 'system message',
  user: 'question',
  assistant: 'answer',
  tool: 'tool result',
};

function lost({ role }: ChatMessage, i: number): RowRefused {
  return new RowRefused(
    'message_lost',
    `would lose its ${names[role]} (message ${i + 1}): the model’s chat template does not write it`,
    'Move its text into another message, or choose another model.',
  );
}

interface Words {
  said(rows: string): string;
  action: string;
  choices?: Choice[];
}

const leaveOut: Choice[] = [
  { label: 'Leave the messages out', set: { 'dataset.system_fallback': 'leave_out' } },
  { label: 'Leave the rows out', set: { 'dataset.system_fallback': 'leave_out_row' } },
];

const words: Record<RenderNote, Words> = {
  system_folded: {
    said: (rows) => `The model’s chat template has no place for the system messages of ${rows}.`,
    action: 'They were put before the next question. dataset.system_fallback can leave them, or their rows, out.',
    choices: leaveOut,
  },
  system_joined: {
    said: (rows) => `The model’s chat template has no place for a second system message, as in ${rows}.`,
    action: 'It was joined to the first. dataset.system_fallback can leave it, or its row, out.',
    choices: leaveOut,
  },
  system_left_out: {
    said: (rows) => `The model’s chat template has no place for the system messages of ${rows}.`,
    action: 'They were left out, as dataset.system_fallback says.',
    choices: [{ label: 'Put them before the question', set: { 'dataset.system_fallback': 'first_question' } }],
  },
  thoughts_left_out: {
    said: (rows) => `The model’s chat template leaves out the thoughts of earlier answers in ${rows}.`,
    action: 'Only those of the last answer are learned. Make a row of each answer to learn all of them.',
  },
  text_changed: {
    said: (rows) => `The model’s chat template changes the text of a message in ${rows}.`,
    action: 'Look at what the model reads, with the row’s tokens.',
  },
  marks_stripped: {
    said: (rows) => `The marks of a chat template were taken off ${rows}.`,
    action: 'The model’s own template was used instead, as dataset.templated_text says.',
  },
  text_has_marks: {
    said: (rows) => `The text of ${rows} is in a chat template already.`,
    action: 'It is learned as it is. If the template is another model’s, this one reads its marks as letters.',
  },
  prompt_differs: {
    said: (rows) => `The end of the prompt is written otherwise when an answer follows, in ${rows}.`,
    action:
      'What differs counts as part of the answer, as in TRL, so the prompt ends sooner in training than when the model is asked.',
  },
  used_as_is: {
    said: (rows) => `The model’s chat template was not used for ${rows}, which have marks of one already.`,
    action: 'They are learned as they are, as dataset.templated_text says.',
  },
};

/** Counts what was noted, so that each thing is said once, however many rows it happened to. */
export class NoteCounts {
  private readonly found = new Map<RenderNote, { count: number; row: number }>();

  add(row: number, notes: readonly RenderNote[]): void {
    for (const note of notes) {
      const counted = this.found.get(note);
      if (counted) counted.count++;
      else this.found.set(note, { count: 1, row });
    }
  }

  problems(): DataProblem[] {
    return Array.from(this.found, ([note, { count, row }]) => {
      const { said, action, choices } = words[note];
      const rows = count === 1 ? `row ${row}` : `${count} rows (the first is row ${row})`;
      const problem: DataProblem = { severity: 'warning', code: note, message: said(rows), action, dropped: false };
      return { ...problem, ...(count === 1 && { row }), ...(choices && { choices }) };
    });
  }
}
