/** Examples for the files of other trainers (written-row.ts), written by the same rules as examples for a model are. */
import { plainText, writtenLabel } from './example-kinds';
import { fitMessages } from './fit-messages';
import type { ObjectiveData, TextOptions } from './objective-data';
import { asMessages, handlingOf, type RenderOptions, renderPrompt, stripped } from './render';
import { trimmed } from './template-messages';
import type { TextTokenizer } from './tokenizer';
import type { ChatMessage, Example, Turns } from './types';
import type { WrittenRow } from './written-row';

interface Writing {
  objective: ObjectiveData;
  /** It learns from plain text. */
  readsText: boolean;
  options: TextOptions;
  tokenizer: TextTokenizer;
}

/** Throws what encoding the example throws. A pair makes two rows for an objective that takes it apart. */
export function writeRow(example: Example, { objective, readsText, options, tokenizer }: Writing): WrittenRow[] {
  const kinds = objective.needs?.kind;
  const takes = (kind: Example['kind']) =>
    kinds === undefined || (Array.isArray(kinds) ? kinds.includes(kind) : kinds === kind);
  // What is imitated is taken in any shape; what is compared or judged is not.
  const imitated = takes('messages');
  switch (example.kind) {
    case 'prompt': {
      const { prompt, columns } = example;
      return [{ kind: 'prompt', prompt: promptFor(prompt, options), columns }];
    }
    case 'pair':
    case 'judged':
      if (!imitated) return compared(example, options, takes('judged'));
  }
  if (readsText) {
    const text = plainText(example);
    return [{ kind: 'text', text: text ?? options.render(example, { ...options, assistantOnlyLoss: false }).text }];
  }
  const messages = options.template === null ? null : conversation(example, options);
  return [{ kind: 'parts', parts: parts(example, options, tokenizer), messages }];
}

/** The messages that the template is given; null if the row is used without it. */
function conversation(example: Example, options: TextOptions): readonly ChatMessage[] | null {
  switch (example.kind) {
    case 'messages':
      return fitted(example.messages, options);
    case 'pair':
    case 'judged': {
      const answer = example.kind === 'pair' ? example.chosen : example.completion;
      const context = messagesOf(example.prompt, 'user').map((m) =>
        m.role === 'assistant' ? { ...m, train: false as const } : m,
      );
      return fitted([...context, ...messagesOf(answer, 'assistant')], options);
    }
    case 'prompt_completion':
      return asked(example.prompt, example.completion, options);
    case 'labelled':
      return asked(example.text, writtenLabel(example), options);
    case 'tagged':
      return asked(example.tokens.join(' '), example.tags.join(' '), options);
    case 'text':
    case 'prompt':
      return null;
  }
}

const asked = (prompt: string, answer: string, options: TextOptions) =>
  fitted([...messagesOf(prompt, 'user'), ...messagesOf(answer, 'assistant')], options);

/** Null for rows that are in a template already and are used as they are. */
function fitted(messages: readonly ChatMessage[], options: TextOptions): readonly ChatMessage[] | null {
  const rules: RenderOptions = { ...options, assistantOnlyLoss: true };
  const handling = handlingOf(messages, rules);
  if (handling === 'as_is') return null;
  const given = handling === 'strip' ? stripped(messages, options.endTokens) : messages;
  return fitMessages(given, options.template!.facts, options.systemFallback).messages;
}

function parts(example: Example, options: TextOptions, tokenizer: TextTokenizer) {
  const { text, spans, addSpecialTokens } = options.render(example, { ...options, assistantOnlyLoss: true });
  const before = addSpecialTokens ? tokenizer.around.before.map((id) => tokenizer.showToken(id)).join('') : '';
  // What a tokenizer puts before a text is not put before it again.
  const lead = text.startsWith(before) ? '' : before;
  const list: { text: string; learned: boolean }[] = [];
  const add = (piece: string, learned: boolean) => {
    if (piece !== '') list.push({ text: piece, learned });
  };
  add(lead, false);
  let at = 0;
  for (const [start, end] of spans === 'all' ? [[0, text.length] as const] : spans) {
    add(text.slice(at, start), false);
    add(text.slice(start, end), true);
    at = end;
  }
  add(text.slice(at), false);
  return list;
}

type Answered = Extract<Example, { kind: 'pair' | 'judged' }>;

function compared(example: Answered, options: TextOptions, takenApart: boolean): WrittenRow[] {
  const answers = example.kind === 'pair' ? [example.chosen, example.rejected] : [example.completion];
  const { prompt, wholes } = options.renderAnswers(example.prompt, answers, options);
  const written = wholes.map((whole) => whole.slice(prompt.length));
  // Strings without a template are joined as they are.
  const plain = options.template === null;
  const asked = plain ? prompt : promptFor(example.prompt, options);
  const given = (i: number): Turns => (plain ? written[i]! : messagesOf(answers[i]!, 'assistant'));
  const judged = (i: number, good: boolean): WrittenRow => ({
    kind: 'judged',
    good,
    prompt: asked,
    completion: given(i),
    written: { prompt, completion: written[i]! },
  });
  if (example.kind === 'judged') return [judged(0, example.good)];
  if (takenApart) return [judged(0, true), judged(1, false)];
  return [
    {
      kind: 'pair',
      prompt: asked,
      chosen: given(0),
      rejected: given(1),
      written: { prompt, chosen: written[0]!, rejected: written[1]! },
    },
  ];
}

function promptFor(prompt: Turns, options: TextOptions): Turns {
  const messages = messagesOf(prompt, 'user');
  if (options.template !== null) return [...(fitted(messages, options) ?? messages)];
  return typeof prompt === 'string' ? prompt : renderPrompt(messages, options.plainTemplate, options.systemFallback);
}

const messagesOf = (given: Turns, role: 'user' | 'assistant'): ChatMessage[] =>
  asMessages(typeof given === 'string' ? trimmed(given) : given, role);
