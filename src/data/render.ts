/**
 * Turns an example into the text that the model sees, and the ranges of it that are learned.
 *
 * Prompts with answers use the model's chat template if it has one, because that is how prompts are formatted later (in
 * Compare, and by every chat program that loads the adapter). TRL instead concatenates plain prompts and completions
 * even for chat models; here that is done only for models without a template.
 */
import type { SystemFallback, TemplatedText } from '../recipe/sections';
import { answerSpans } from './answer-spans';
import type { ChatTemplate, Span } from './chat-template';
import { writtenLabel } from './example-kinds';
import { fitMessages } from './fit-messages';
import { type RenderNote, unwritten } from './render-notes';
import { RowRefused } from './row-refused';
import { trimmed } from './template-messages';
import { markIn, turnsIn, withoutMarks } from './templated';
import type { ChatMessage, Example, Turns } from './types';

export interface Rendered {
  text: string;
  /** Learned ranges, ascending and disjoint. As in TRL, 'all' includes what a post-processor adds (BOS). */
  spans: Span[] | 'all';
  /** Whether the tokeniser's post-processor may add BOS; a chat template writes its own. */
  addSpecialTokens: boolean;
  /** What was changed on the way. */
  notes: RenderNote[];
}

export interface RenderOptions {
  /** The model's own template; null if it has none. */
  template: ChatTemplate | null;
  /** Used for conversations if the model has no template. */
  plainTemplate: ChatTemplate;
  eosToken: string | null;
  assistantOnlyLoss: boolean;
  /** Inserted between prompt and completion if there is no template; it is learned as part of the completion. */
  separator: string;
  /** Strings that end an answer's turn, such as "<|im_end|>"; see answerSpans. */
  endTokens: readonly string[];
  systemFallback: SystemFallback;
  templatedText: TemplatedText;
}

/** An answer behind its prompt. The prompt's own answers are context. */
function renderTurns(row: number, prompt: Turns, answer: Turns, options: RenderOptions): Rendered {
  if (typeof prompt === 'string' && typeof answer === 'string') {
    return renderExample({ kind: 'prompt_completion', row, prompt, completion: answer }, options);
  }
  const context = asMessages(prompt, 'user').map((m) => (m.role === 'assistant' ? { ...m, train: false as const } : m));
  return renderExample({ kind: 'messages', row, messages: [...context, ...asMessages(answer, 'assistant')] }, options);
}

export const asMessages = (turns: Turns, role: 'user' | 'assistant'): ChatMessage[] =>
  typeof turns === 'string' ? [{ role, content: turns }] : turns;

/** Throws bad_model with the template's message if it rejects the conversation, and RowRefused if it loses a message. */
export function renderExample(example: Example, options: RenderOptions): Rendered {
  switch (example.kind) {
    case 'text':
      // As in TRL: EOS after every text, and everything is learned.
      return {
        text: withEos(example.text, options.eosToken),
        spans: 'all',
        addSpecialTokens: true,
        notes: markIn(example.text, 'user') === null ? [] : ['text_has_marks'],
      };
    case 'prompt_completion': {
      const { prompt, completion } = example;
      if (options.template) {
        return templated(
          [
            { role: 'user', content: trimmed(prompt) },
            { role: 'assistant', content: trimmed(completion) },
          ],
          options,
          () => [prompt, completion],
        );
      }
      // As in TRL for plain strings.
      const text = prompt + options.separator + withEos(completion, options.eosToken);
      const spans: Rendered['spans'] = options.assistantOnlyLoss ? [[prompt.length, text.length]] : 'all';
      return { text, spans, addSpecialTokens: true, notes: [] };
    }
    case 'labelled': {
      const { row, text } = example;
      return renderExample(
        { kind: 'prompt_completion', row, prompt: text, completion: writtenLabel(example) },
        options,
      );
    }
    case 'tagged': {
      // A generative model writes the tags, one per word.
      const { row, tokens, tags } = example;
      const pair = { prompt: tokens.join(' '), completion: tags.join(' ') };
      return renderExample({ kind: 'prompt_completion', row, ...pair }, options);
    }
    case 'messages':
      return templated(example.messages, options, () => example.messages.map(({ content }) => content));
    case 'pair':
      return renderTurns(example.row, example.prompt, example.chosen, options);
    case 'judged':
      return renderTurns(example.row, example.prompt, example.completion, options);
    case 'prompt':
      throw new RowRefused(
        'no_answer',
        'has a prompt but no answer to learn',
        'Choose an objective that learns from prompts.',
      );
  }
  example satisfies never;
}

/** Formats a prompt with the template, up to the start of the answer; as examples are, so that it is answered like them. */
export function renderPrompt(
  messages: readonly ChatMessage[],
  template: ChatTemplate,
  fallback: SystemFallback = 'first_question',
): string {
  return template.render(fitMessages(messages, template.facts, fallback).messages, true);
}

export function withEos(text: string, eos: string | null): string {
  return eos === null || text.trimEnd().endsWith(eos) ? text : text + eos;
}

/** How messages are written: by the template, without the marks of one that they have, or as they are. */
export type Handling = 'template' | 'strip' | 'as_is';

/** Throws RowRefused if the messages are in a template already, and nobody has said what to do then. */
export function handlingOf(messages: readonly ChatMessage[], { templatedText, endTokens }: RenderOptions): Handling {
  if (templatedText === 'text') return 'template';
  let mark: string | null = null;
  for (const { role, content } of messages) mark ??= markIn(content, role, endTokens);
  if (mark === null) return 'template';
  if (templatedText !== 'ask') return templatedText;
  throw new RowRefused(
    'already_templated',
    `is in a chat template already (“${mark}”)`,
    'Set dataset.templated_text to say whether to use it as it is, without its marks, or as plain text.',
  );
}

/** `written` gives the messages' texts as they stand in the file. */
export function templated(
  messages: readonly ChatMessage[],
  options: RenderOptions,
  written: () => string[],
  handling = handlingOf(messages, options),
): Rendered {
  if (handling === 'template') return conversation(messages, options);
  if (handling === 'as_is') return asItIs(messages, written(), options);
  const rendered = conversation(stripped(messages, options.endTokens), options);
  return { ...rendered, notes: [...rendered.notes, 'marks_stripped'] };
}

function asItIs(messages: readonly ChatMessage[], written: readonly string[], options: RenderOptions): Rendered {
  const { eosToken, endTokens, assistantOnlyLoss } = options;
  const spans: Span[] = [];
  let text = '';
  written.forEach((part, i) => {
    const start = text.length;
    text += part;
    if (messages[i]!.role === 'assistant' && messages[i]!.train !== false) spans.push([start, text.length]);
  });
  const ended = endTokens.some((token) => token !== '' && text.trimEnd().endsWith(token));
  const whole = ended ? text : withEos(text, eosToken);
  const last = spans.at(-1);
  if (last && last[1] === text.length) last[1] = whole.length;
  return {
    text: whole,
    spans: assistantOnlyLoss ? spans : 'all',
    addSpecialTokens: true,
    notes: ['used_as_is'],
  };
}

/** The messages without the marks of a template: a prompt may hold several of them, and the start of the answer. */
export function stripped(messages: readonly ChatMessage[], endTokens: readonly string[]): ChatMessage[] {
  return messages.flatMap((message): ChatMessage[] => {
    const turns = turnsIn(message.content, endTokens);
    if (turns.length === 0) return [{ ...message, content: withoutMarks(message.content, endTokens) }];
    // Answers in a prompt are context.
    if (message.role !== 'assistant') {
      return turns.map((turn) => (turn.role === 'assistant' ? { ...turn, train: false as const } : turn));
    }
    return turns.map((turn) => (turn.role === 'assistant' ? { ...message, content: turn.content } : turn));
  });
}

function conversation(given: readonly ChatMessage[], options: RenderOptions): Rendered {
  const template = options.template ?? options.plainTemplate;
  const { messages, fittings } = fitMessages(given, template.facts, options.systemFallback);
  const text = template.render(messages, false);
  const notes = [...fittings, ...unwritten(template, messages, text)];
  const spans = options.assistantOnlyLoss ? answerSpans(template, messages, text, options.endTokens) : 'all';
  return { text, spans, addSpecialTokens: options.template === null, notes };
}
