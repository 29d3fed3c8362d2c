/** Turns a row into an example, or says why it cannot. Single columns are read in row-text.ts. */
import { answerOf, chosenItem } from './answer';
import { choicesOf, writeChoices } from './choices';
import { betterOf } from './compare-answers';
import type { Shape } from './detect';
import { GATHERED } from './gather';
import { labelledRow } from './labelled';
import { itemsOnPath } from './nested';
import { judgedRow, pairRow, promptRow } from './preference-rows';
import { excerpt } from './problems';
import { field, isRecord } from './raw-table';
import { brokenConversation, historyOf, inputOf, systemOf } from './row-parts';
import { empty, type Outcome, textOf } from './row-text';
import { taggedRow } from './tagged';
import { type Note, roleOrderProblem, toMessages } from './to-messages';
import { asTurns } from './turns';
import type { ChatMessage, Example } from './types';
import { verdictOf } from './verdicts';

type Row = Record<string, unknown>;

const fail = (code: string, message: string, notes: Note[] = []): Outcome => ({
  example: null,
  failure: { code, message },
  notes,
});

export function convertRow(row: number, value: Row, shape: Shape): Outcome {
  const { format, mapping, reading } = shape;
  const refused = refusedRow(value, shape);
  if (refused) return fail(refused.code, refused.message);
  const outcome = exampleOf(row, value, shape);
  for (const [part, column] of Object.entries(mapping)) {
    const items = itemsOnPath(value, column);
    if (items > 1) {
      outcome.notes.push({ code: 'more_items', message: `has ${items} entries at “${excerpt(column, 40)}”` });
      if (part === 'prompt' || format === 'text') break;
    }
  }
  const side = reading.split?.side(field(value, mapping.split));
  return outcome.example && side ? { ...outcome, example: { ...outcome.example, split: side } } : outcome;
}

const IMITATED: ReadonlySet<Shape['format']> = new Set(['messages', 'sharegpt', 'alpaca', 'prompt_completion']);

/** Why a row is left out whatever it says. */
function refusedRow(value: Row, { format, mapping, reading }: Shape): Note | null {
  if (reading.split?.side(field(value, mapping.split)) === null) {
    return { code: 'test_row', message: `belongs to the test set (“${excerpt(mapping.split!, 40)}”)` };
  }
  const images = field(value, mapping.images);
  if (images !== undefined && images !== null && images !== '' && !(Array.isArray(images) && images.length === 0)) {
    return {
      code: 'has_images',
      message: `needs a picture (“${excerpt(mapping.images!, 40)}”), which the model cannot see`,
    };
  }
  // Bad answers are left out where answers are imitated, and kept where they are compared.
  if (!IMITATED.has(format)) return null;
  const bad =
    (mapping.label !== undefined && verdictOf(field(value, mapping.label)) === 'worse') ||
    (mapping.unwanted !== undefined && verdictOf(field(value, mapping.unwanted)) === 'better');
  if (!bad) return null;
  const column = (mapping.label ?? mapping.unwanted)!;
  return {
    code: 'unwanted_answer',
    message: `is marked as a bad answer (${excerpt(column, 40)}: ${excerpt(String(field(value, column)), 20)})`,
  };
}

function exampleOf(row: number, value: Row, shape: Shape): Outcome {
  const { format, mapping } = shape;
  switch (format) {
    case 'messages':
    case 'sharegpt':
      return conversation(row, value, shape);
    case 'alpaca':
    case 'prompt_completion':
      return promptAndAnswer(row, value, shape);
    case 'labelled':
      return labelledRow(row, value, mapping, shape.reading.labels);
    case 'preference':
      return pairRow(row, value, shape);
    case 'unpaired_preference': {
      const whole = mapping.messages !== undefined;
      return judgedRow(value, shape, () =>
        exampleOf(row, value, { ...shape, format: whole ? 'messages' : 'prompt_completion' }),
      );
    }
    case 'prompt_only':
      return promptRow(row, value, shape);
    case 'tagged':
      return taggedRow(row, value, mapping, shape.reading.blanks);
    case 'text': {
      const notes: Note[] = [];
      const broken = brokenConversation(value, [mapping.text]);
      if (broken) return { example: null, failure: broken, notes };
      const text = textOf(value, mapping.text, false, notes);
      if (text.failure) return { example: null, failure: text.failure, notes };
      if (text.text.trim() === '') return empty('empty_text', mapping.text!, notes);
      return { example: { kind: 'text', row, text: text.text }, notes };
    }
  }
  format satisfies never;
}

function promptAndAnswer(row: number, value: Row, { format, mapping, reading }: Shape): Outcome {
  const notes: Note[] = [];
  const alpaca = format === 'alpaca';
  const promptColumn = (alpaca ? mapping.instruction : mapping.prompt)!;
  const answerColumn =
    mapping['answers.a'] === undefined ? (alpaca ? mapping.output : mapping.completion)! : betterOf(value, mapping);
  if (answerColumn === null) return fail('tie', 'does not say which of its answers is better');
  const broken = brokenConversation(value, [promptColumn, answerColumn]);
  if (broken) return { example: null, failure: broken, notes };
  const choices = choicesOf(value, mapping);
  const prompt = textOf(value, promptColumn, false, notes);
  const input = inputOf(value, mapping.input, notes);
  const picked = chosenItem(value, answerColumn, mapping, reading.numbering);
  if (picked?.failure) return { example: null, failure: picked.failure, notes };
  const completion = picked
    ? answerOf(picked.value, answerColumn, null, 'none', notes)
    : answerOf(value, answerColumn, choices, reading.numbering, notes);
  const system = systemOf(value, mapping.system);
  const thoughts = mapping.thoughts === undefined ? { text: '' } : textOf(value, mapping.thoughts, true, notes);
  const failure = prompt.failure ?? input.failure ?? completion.failure ?? thoughts.failure;
  if (failure) return { example: null, failure, notes };
  if (completion.text.trim() === '') return empty('empty_answer', answerColumn, notes);
  if (prompt.text.trim() === '' && input.text.trim() === '') return empty('empty_prompt', promptColumn, notes);
  // Alpaca's parts become a conversation, so that they go through the model's own chat template. That is how an
  // instruct model was trained and how it will be prompted. Stanford's "Below is an instruction…" frame was meant
  // for models without a template.
  const question = [prompt.text, input.text, choices ? writeChoices(choices) : '']
    .filter((text) => text.trim() !== '')
    .join('\n\n');
  const earlier = historyOf(value, mapping.history, notes);
  if (earlier.failure) return { example: null, failure: earlier.failure, notes };
  const plain = !alpaca && system === '' && thoughts.text.trim() === '' && earlier.messages.length === 0;
  if (plain)
    return { example: { kind: 'prompt_completion', row, prompt: question, completion: completion.text }, notes };
  const messages: ChatMessage[] = [
    ...(system === '' ? [] : [{ role: 'system' as const, content: system }]),
    ...earlier.messages,
    { role: 'user', content: question },
    {
      role: 'assistant',
      content: completion.text,
      ...(thoughts.text.trim() === '' ? {} : { thoughts: thoughts.text }),
    },
  ];
  return { example: { kind: 'messages', row, messages }, notes };
}

function conversation(row: number, value: Row, { mapping, reading }: Shape): Outcome {
  const column = mapping.role === undefined ? (mapping.messages ?? mapping.conversations) : GATHERED;
  const better = mapping['answers.a'] === undefined ? column : betterOf(value, mapping);
  if (better === null) return fail('tie', 'does not say which of its answers is better');
  const body = toMessages(field(value, better), reading.transcripts);
  let { messages } = body;
  const notes = [...body.notes];
  const { unread } = body;
  if (body.failure) return { example: null, failure: body.failure, notes };
  if (mapping.completion !== undefined) {
    const answer = field(value, mapping.completion);
    const more =
      typeof answer === 'string' && asTurns(answer) === null
        ? { messages: [{ role: 'assistant' as const, content: answer }], failure: null, notes: [] }
        : toMessages(isRecord(answer) && asTurns(answer) === null ? [answer] : answer);
    if (more.failure) return { example: null, failure: more.failure, notes };
    messages = joined(messages, more.messages);
    notes.push(...more.notes);
  }
  const system = systemOf(value, mapping.system);
  if (system !== '' && messages[0]?.role !== 'system') messages = [{ role: 'system', content: system }, ...messages];
  const answers = messages.filter((m) => m.role === 'assistant' && m.train !== false);
  if (answers.length === 0) {
    const muted = messages.some((m) => m.role === 'assistant');
    return fail(
      'no_assistant',
      muted
        ? 'has only assistant messages that are marked as not to be learned'
        : 'has no assistant message to learn from',
      notes,
    );
  }
  if (answers.some((m) => m.content.trim() === '' && (m.thoughts ?? '').trim() === '')) {
    return fail('empty_answer', 'has an empty assistant message', notes);
  }
  const order = roleOrderProblem(messages);
  if (order) notes.push({ code: 'role_order', message: order });
  const example: Example = { kind: 'messages', row, messages };
  return { example, notes, ...(unread.length > 0 && { unread }) };
}

/**
 * A prompt and the answer to it. As in TRL's conversational format, answers in the prompt are context and are not learned.
 * An answer that begins with the prompt is the whole conversation.
 */
function joined(prompt: readonly ChatMessage[], answer: readonly ChatMessage[]): ChatMessage[] {
  const same = (a: ChatMessage | undefined, b: ChatMessage | undefined) =>
    a !== undefined && b !== undefined && a.role === b.role && a.content.trim() === b.content.trim();
  const from = prompt.findIndex((message) => message.role !== 'system');
  const start = answer.findIndex((message) => message.role !== 'system');
  const repeats = from !== -1 && start !== -1 && same(prompt[from], answer[start]) && prompt[from]!.role === 'user';
  const context = prompt.map((m) => (m.role === 'assistant' ? { ...m, train: false as const } : m));
  if (!repeats) return [...context, ...answer];
  let shared = 0;
  while (same(prompt[from + shared], answer[start + shared])) shared++;
  const before = prompt.slice(0, from).filter(() => start === 0);
  return [
    ...before,
    ...answer.map((m, i) => (m.role === 'assistant' && i < start + shared ? { ...m, train: false as const } : m)),
  ];
}
