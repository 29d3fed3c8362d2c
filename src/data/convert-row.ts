/** Turns a row into an example, or says why it cannot. Single columns are read in row-text.ts. */
import type { Shape } from './detect';
import { labelledRow } from './labelled';
import { field, isRecord } from './raw-table';
import { empty, type Outcome, textOf } from './row-text';
import { taggedRow } from './tagged';
import { type Note, roleOrderProblem, toMessages } from './to-messages';
import type { ChatMessage } from './types';

export function convertRow(row: number, value: Record<string, unknown>, { format, mapping }: Shape): Outcome {
  // In KTO data, label: false marks an unwanted answer.
  if (
    format !== 'labelled' &&
    mapping.label !== undefined &&
    /^(false|0)$/i.test(String(field(value, mapping.label)))
  ) {
    return {
      example: null,
      failure: { code: 'unwanted_answer', message: 'is marked as a bad answer (label: false)' },
      notes: [],
    };
  }
  switch (format) {
    case 'messages':
    case 'sharegpt':
      return conversation(row, value, mapping);
    case 'alpaca':
    case 'prompt_completion': {
      const notes: Note[] = [];
      const read = (part: string, optional = false) => textOf(value, mapping[part], optional, notes);
      const alpaca = format === 'alpaca';
      const prompt = read(alpaca ? 'instruction' : 'prompt');
      const input = alpaca ? read('input', true) : { text: '' };
      const completion = read(alpaca ? 'output' : 'completion');
      const system = read('system', true);
      const failure = prompt.failure ?? input.failure ?? completion.failure ?? system.failure;
      if (failure) return { example: null, failure, notes };
      if (completion.text.trim() === '')
        return empty('empty_answer', alpaca ? mapping.output! : mapping.completion!, notes);
      if (prompt.text.trim() === '' && input.text.trim() === '') {
        return empty('empty_prompt', alpaca ? mapping.instruction! : mapping.prompt!, notes);
      }
      // Alpaca's parts become a conversation, so that they go through the model's own chat template. That is how an
      // instruct model was trained and how it will be prompted. Stanford's "Below is an instruction…" frame was meant
      // for models without a template.
      const question =
        input.text.trim() === ''
          ? prompt.text
          : prompt.text.trim() === ''
            ? input.text
            : `${prompt.text}\n\n${input.text}`;
      if (!alpaca && system.text.trim() === '') {
        return { example: { kind: 'prompt_completion', row, prompt: question, completion: completion.text }, notes };
      }
      const messages: ChatMessage[] = system.text.trim() === '' ? [] : [{ role: 'system', content: system.text }];
      messages.push({ role: 'user', content: question }, { role: 'assistant', content: completion.text });
      return { example: { kind: 'messages', row, messages }, notes };
    }
    case 'labelled':
      return labelledRow(row, value, mapping);
    case 'tagged':
      return taggedRow(row, value, mapping);
    case 'text': {
      const notes: Note[] = [];
      const text = textOf(value, mapping.text, false, notes);
      if (text.failure) return { example: null, failure: text.failure, notes };
      if (text.text.trim() === '') return empty('empty_text', mapping.text!, notes);
      return { example: { kind: 'text', row, text: text.text }, notes };
    }
  }
  format satisfies never;
}

function conversation(row: number, value: Record<string, unknown>, mapping: Record<string, string>): Outcome {
  const body = toMessages(field(value, mapping.messages ?? mapping.conversations));
  let { messages } = body;
  const notes = [...body.notes];
  if (body.failure) return { example: null, failure: body.failure, notes };
  if (mapping.completion !== undefined) {
    const answer = field(value, mapping.completion);
    const more =
      typeof answer === 'string' && !/^\s*\[/.test(answer)
        ? { messages: [{ role: 'assistant' as const, content: answer }], failure: null, notes: [] }
        : toMessages(isRecord(answer) ? [answer] : answer);
    if (more.failure) return { example: null, failure: more.failure, notes };
    // As in TRL's conversational format, answers in the prompt are context and are not learned.
    messages = [
      ...messages.map((m) => (m.role === 'assistant' ? { ...m, train: false as const } : m)),
      ...more.messages,
    ];
    notes.push(...more.notes);
  }
  const system = field(value, mapping.system);
  if (typeof system === 'string' && system.trim() !== '' && messages[0]?.role !== 'system') {
    messages = [{ role: 'system', content: system }, ...messages];
  }
  const answers = messages.filter((m) => m.role === 'assistant' && m.train !== false);
  if (answers.length === 0) {
    return {
      example: null,
      failure: { code: 'no_assistant', message: 'has no assistant message to learn from' },
      notes,
    };
  }
  if (answers.some((m) => m.content.trim() === '')) {
    return { example: null, failure: { code: 'empty_answer', message: 'has an empty assistant message' }, notes };
  }
  const order = roleOrderProblem(messages);
  if (order) notes.push({ code: 'role_order', message: order });
  return { example: { kind: 'messages', row, messages }, notes };
}
